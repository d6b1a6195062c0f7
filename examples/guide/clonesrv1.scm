;;; Clone, model 1: a server publishes changes of its state, numbered.
;;; Look at: a client that comes late lacks what was published before.
;;;   csi -s clonesrv1.scm [ENDPOINT [MILLISECONDS]]

(import zmq)
(include "guide.scm")
(include "clone.scm")

(define publisher (make-socket 'pub bind: (argument 0 "tcp://*:5556")))

(let loop ((sequence 1) (state '()))
  (let ((key (number->string (random 100)))
        (value (number->string (random 1000000))))
    (send-update publisher key sequence value)
    (thread-sleep! (/ (argument 1 10) 1000))
    (loop (+ sequence 1) (store key value state))))
