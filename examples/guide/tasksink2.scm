;;; A sink that stops its workers when the batch is complete.
;;; Look at: one message of a PUB reaches all workers, where a PUSH would reach one.
;;;   csi -s tasksink2.scm [ENDPOINT [CONTROLLER-ENDPOINT [WORKERS [TASKS]]]]

(import zmq (zmq monitor))
(include "guide.scm")

(define receiver (make-socket 'pull bind: (argument 0 "tcp://*:5558")))
(define controller (make-socket 'pub bind: (argument 1 "tcp://*:5559")))
(define tasks (argument 3 100))

(receive-message receiver)              ; the ventilator has begun
(define start (now))
(do ((i 0 (+ i 1))) ((= i tasks))
  (receive-message receiver))
(say tasks " results, total elapsed time: " (- (now) start) " msec")

;; A PUB drops what it sends to workers that have not subscribed yet.
(wait-for-subscribers controller (argument 2 1))
(send-message controller "KILL")
