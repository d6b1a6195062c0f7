;;; The sink: collects the results of all workers, and says how long the batch took.
;;; Look at: with n workers the time is an nth of the ventilator's expected cost.
;;;   csi -s tasksink.scm [ENDPOINT [TASKS]]

(import zmq)
(include "guide.scm")

(define receiver (make-socket 'pull bind: (argument 0 "tcp://*:5558")))
(define tasks (argument 1 100))

(receive-message receiver)              ; the ventilator has begun
(define start (now))
(do ((i 0 (+ i 1))) ((= i tasks))
  (receive-message receiver)
  (say (if (= 0 (modulo i 10)) ":" ".")))
(say tasks " results, total elapsed time: " (- (now) start) " msec")
