;;; The same two sockets, with a poller.
;;; Look at: it sleeps until there is something to read, and nothing is delayed.
;;;   csi -s mspoller.scm [VENTILATOR-ENDPOINT [WEATHER-ENDPOINT]]

(import zmq)
(include "guide.scm")

(define receiver (make-socket 'pull connect: (argument 0 "tcp://localhost:5557")))
(define subscriber
  (make-socket 'sub subscribe: "10001" connect: (argument 1 "tcp://localhost:5556")))

(define poller (make-poller))
(poller-add! poller receiver in: #t)
(poller-add! poller subscriber in: #t)

(let loop ()
  (for-each
   (lambda (socket)
     (say (if (eq? socket receiver) "task " "weather ") (receive-message socket)))
   (poller-wait poller))
  (loop))
