;;; The ventilator: deals out a hundred tasks, each a number of milliseconds, to workers.
;;; Look at: it waits for its workers, because the first one to connect would get all tasks.
;;;   csi -s taskvent.scm [WORKERS-ENDPOINT [SINK-ENDPOINT [WORKERS [TASKS]]]]

(import zmq (zmq monitor))
(include "guide.scm")

(define sender (make-socket 'push bind: (argument 0 "tcp://*:5557")))
(define sink (make-socket 'push connect: (argument 1 "tcp://localhost:5558")))
(define tasks (argument 3 100))

(wait-connected sender peers: (argument 2 1))
(send-message sink "0")                 ; starts the sink's clock

(do ((i 0 (+ i 1)) (total 0)) ((= i tasks) (say "Total expected cost: " total " msec"))
  (let ((workload (+ 1 (random 100))))
    (set! total (+ total workload))
    (send-message sender (number->string workload))))
