;;; Clone, model 2: the server also sends a snapshot of its state to clients that ask.
;;; Look at: the snapshot ends with the number of the last change that it contains.
;;;   csi -s clonesrv2.scm [SNAPSHOT-ENDPOINT [UPDATES-ENDPOINT [MILLISECONDS]]]

(import zmq)
(include "guide.scm")
(include "clone.scm")

(define snapshot                        ; without a limit, above which a ROUTER drops messages
  (make-socket 'router sndhwm: 0 bind: (argument 0 "tcp://*:5556")))
(define publisher (make-socket 'pub bind: (argument 1 "tcp://*:5557")))

(define (send-snapshot client sequence state)
  (for-each
   (lambda (entry) (send-multipart-message snapshot (list client (car entry) "0" (cdr entry))))
   state)
  (send-multipart-message snapshot (list client "KTHXBAI" (number->string sequence) ""))
  (say "I: sent a snapshot of " (length state) " keys"))

;; Snapshots go out between changes, so each is the state after one of them.
(let loop ((sequence 0) (state '()))
  (let ((request (receive-multipart-message snapshot timeout: (argument 2 10))))
    (cond (request
           (send-snapshot (car request) sequence state)
           (loop sequence state))
          (else
           (let ((key (number->string (random 100)))
                 (value (number->string (random 1000000))))
             (send-update publisher key (+ sequence 1) value)
             (loop (+ sequence 1) (store key value state)))))))
