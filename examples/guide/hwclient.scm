;;; Hello world, the client: sends "Hello" ten times and prints the replies.
;;; Look at: it may be started before its server; the request waits.
;;;   csi -s hwclient.scm [ENDPOINT [COUNT]]

(import zmq)
(include "guide.scm")

(define client (make-socket 'req connect: (argument 0 "tcp://localhost:5555")))

(do ((i 0 (+ i 1))) ((= i (argument 1 10)))
  (send-message client "Hello")
  (say "Received " (receive-message client) " " i))
