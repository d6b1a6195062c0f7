;;; A weather client: the average temperature of one zip code, over a hundred updates.
;;; Look at: the subscription is a prefix, and the publisher sends nothing else.
;;;   csi -s wuclient.scm [ENDPOINT [ZIP-CODE [COUNT]]]

(import zmq (chicken string))
(include "guide.scm")

(define zip-code (argument 1 "10001"))
(define count (argument 2 100))
(define subscriber
  (make-socket 'sub subscribe: zip-code connect: (argument 0 "tcp://localhost:5556")))

(define (temperature update)
  (string->number (cadr (string-split update))))

(do ((n 0 (+ n 1))
     (sum 0 (+ sum (temperature (receive-message subscriber)))))
    ((= n count)
     (say "Average temperature for zip code " zip-code " was "
          (quotient sum count) "F")))
