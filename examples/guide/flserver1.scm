;;; Freelance, model 1: a server without a broker, which sends back what it gets.
;;; Look at: start several, each with an endpoint of its own; they know nothing of each other.
;;;   csi -s flserver1.scm [ENDPOINT]

(import zmq)
(include "guide.scm")

(define server (make-socket 'rep bind: (argument 0 "tcp://*:5555")))

(let loop ()
  (send-multipart-message server (receive-multipart-message server))
  (loop))
