;;; A server that is not reliable: every fourth request takes it two seconds.
;;; Look at: clients give up waiting for that reply, and it does not disturb the next one.
;;;   csi -s lpserver.scm [ENDPOINT [EVERY [MILLISECONDS]]]

(import zmq)
(include "guide.scm")

(define server (make-socket 'rep bind: (argument 0 "tcp://*:5555")))
(define every (argument 1 4))

(let loop ((cycles 1))
  (let ((request (receive-message server)))
    (cond ((= 0 (modulo cycles every))
           (say "I: simulating CPU overload")
           (thread-sleep! (/ (argument 2 2000) 1000)))
          (else (say "I: normal request (" request ")")))
    (send-message server request)
    (loop (+ cycles 1))))
