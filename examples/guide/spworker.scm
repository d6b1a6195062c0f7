;;; A worker of the Simple Pirate queue; it crashes after some requests, if it is told to.
;;; Look at: "READY" and each reply alike mean that it takes the next request.
;;;   csi -s spworker.scm [ENDPOINT [CRASH-AFTER]]

(import zmq)
(include "guide.scm")

(define worker (make-socket 'req connect: (argument 0 "tcp://localhost:5556")))

(say "I: worker ready")
(let loop ((reply '("READY")) (cycles 1))
  (send-multipart-message worker reply)
  (let ((request (receive-multipart-message worker)))
    (when (= cycles (argument 1 0))
      (say "I: simulating a crash")
      (exit 0))
    (say "I: normal reply")
    (loop request (+ cycles 1))))
