;;; A subscriber of one of the thousand topics.
;;; Look at: connected to lvcache it prints the topic's last value at once.
;;;   csi -s pathosub.scm [ENDPOINT [TOPIC [COUNT]]]

(import zmq)
(include "guide.scm")

(define subscriber
  (make-socket 'sub subscribe: (argument 1 "000") connect: (argument 0 "tcp://localhost:5556")))

(do ((i 0 (+ i 1))) ((= i (argument 2 10)))
  (say (receive-multipart-message subscriber)))
