;;; A worker behind the broker: answers each request with "World".
;;; Look at: it connects, where hwserver binds, so workers come and go freely.
;;;   csi -s rrworker.scm [ENDPOINT]

(import zmq)
(include "guide.scm")

(define responder (make-socket 'rep connect: (argument 0 "tcp://localhost:5560")))

(let loop ()
  (say "Received request: " (receive-message responder))
  (send-message responder "World")
  (loop))
