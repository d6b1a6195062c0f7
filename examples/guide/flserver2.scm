;;; Freelance, model 2: a server that says OK.
;;; Look at: the reply has the number of its request, so the client recognizes a late one.
;;;   csi -s flserver2.scm [ENDPOINT]

(import zmq)
(include "guide.scm")

(define server (make-socket 'rep bind: (argument 0 "tcp://*:5555")))

(let loop ()
  (let ((request (receive-multipart-message server)))
    (send-multipart-message server (list (car request) "OK"))
    (loop)))
