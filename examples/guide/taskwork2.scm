;;; A worker that can be told to stop: it also subscribes to a controller.
;;; Look at: the poller waits for work and for the controller at once.
;;;   csi -s taskwork2.scm [VENTILATOR-ENDPOINT [SINK-ENDPOINT [CONTROLLER-ENDPOINT]]]

(import zmq)
(include "guide.scm")

(define receiver (make-socket 'pull connect: (argument 0 "tcp://localhost:5557")))
(define sender (make-socket 'push connect: (argument 1 "tcp://localhost:5558")))
(define controller
  (make-socket 'sub subscribe: "" connect: (argument 2 "tcp://localhost:5559")))

(define poller (make-poller))
(poller-add! poller receiver in: #t)
(poller-add! poller controller in: #t)

(define (work)
  (let ((milliseconds (string->number (receive-message receiver))))
    (thread-sleep! (/ milliseconds 1000))
    (send-message sender "")))

(let loop ()
  (let ((ready (poller-wait poller)))
    (when (memq receiver ready) (work))
    (if (memq controller ready)
        (say "Told to " (receive-message controller))
        (loop))))
