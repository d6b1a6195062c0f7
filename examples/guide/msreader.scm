;;; Two sockets, read in turn: tasks of a ventilator and updates of a weather server.
;;; Look at: it must sleep when neither has a message, which delays the next one.
;;;   csi -s msreader.scm [VENTILATOR-ENDPOINT [WEATHER-ENDPOINT]]

(import zmq)
(include "guide.scm")

(define receiver (make-socket 'pull connect: (argument 0 "tcp://localhost:5557")))
(define subscriber
  (make-socket 'sub subscribe: "10001" connect: (argument 1 "tcp://localhost:5556")))

;; Takes what is there.  Tasks have priority, because they are read first.
(define (drain socket name)
  (let ((message (receive-message socket non-blocking: #t)))
    (when message
      (say name " " message)
      (drain socket name))))

(let loop ()
  (drain receiver "task")
  (drain subscriber "weather")
  (thread-sleep! 0.001)
  (loop))
