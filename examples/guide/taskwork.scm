;;; A worker of the pipeline: pulls tasks, does them, and pushes the results to the sink.
;;; Look at: start more of them, and the work is shared without any change.
;;;   csi -s taskwork.scm [VENTILATOR-ENDPOINT [SINK-ENDPOINT]]

(import zmq)
(include "guide.scm")

(define receiver (make-socket 'pull connect: (argument 0 "tcp://localhost:5557")))
(define sender (make-socket 'push connect: (argument 1 "tcp://localhost:5558")))

(let loop ()
  (let ((milliseconds (string->number (receive-message receiver))))
    (thread-sleep! (/ milliseconds 1000))
    (say milliseconds ".")
    (send-message sender ""))
  (loop))
