;;; What a round trip costs: the same requests one after the other, and then all at once.
;;; Look at: nothing but the order of sending and receiving differs.
;;;   csi -s tripping.scm [REQUESTS]

(import zmq)
(include "guide.scm")

(define requests (argument 0 10000))
(define frontend (make-socket 'router sndhwm: 0))   ; with a limit it would drop replies
(define endpoint (bind-socket frontend "tcp://127.0.0.1:*"))
(define backend (make-socket 'dealer bind: "inproc://worker"))
(define worker (make-socket 'dealer connect: "inproc://worker"))
(define client (make-socket 'dealer connect: endpoint))

(define (work)
  (send-multipart-message worker (receive-multipart-message worker))
  (work))

(define (ask) (send-message client "hello"))
(define (take) (receive-message client))

(define (repeat procedure)
  (do ((i 0 (+ i 1))) ((= i requests)) (procedure)))

(define (measure name test)
  (let ((start (now)))
    (test)
    (say name ": " (quotient (* 1000 requests) (max 1 (- (now) start))) " calls/second")))

(thread-start! work)
(thread-start! (lambda () (proxy frontend backend)))

(measure "Synchronous" (lambda () (repeat (lambda () (ask) (take)))))
(measure "Asynchronous" (lambda () (repeat ask) (repeat take)))
