;;; Hello world, the server: answers each request with "World".
;;; Look at: a REP receives a request, sends its reply, and only then the next.
;;;   csi -s hwserver.scm [ENDPOINT]

(import zmq)
(include "guide.scm")

(define server (make-socket 'rep bind: (argument 0 "tcp://*:5555")))

(let loop ()
  (say "Received " (receive-message server))
  (send-message server "World")
  (loop))
