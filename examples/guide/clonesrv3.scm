;;; Clone, model 3: clients make the changes; the server orders, numbers and publishes them.
;;; Look at: there is one order of all changes, because they all pass through one socket.
;;;   csi -s clonesrv3.scm [SNAPSHOT-ENDPOINT [UPDATES-ENDPOINT [CHANGES-ENDPOINT]]]

(import zmq)
(include "guide.scm")
(include "clone.scm")

(define snapshot                        ; without a limit, above which a ROUTER drops messages
  (make-socket 'router sndhwm: 0 bind: (argument 0 "tcp://*:5556")))
(define publisher (make-socket 'pub bind: (argument 1 "tcp://*:5557")))
(define collector (make-socket 'pull bind: (argument 2 "tcp://*:5558")))

(define (send-snapshot client sequence state)
  (for-each
   (lambda (entry) (send-multipart-message snapshot (list client (car entry) "0" (cdr entry))))
   state)
  (send-multipart-message snapshot (list client "KTHXBAI" (number->string sequence) ""))
  (say "I: sent a snapshot of " (length state) " keys"))

(let loop ((sequence 0) (state '()))
  (cond ((eq? collector (first-ready #t collector snapshot))
         (receive-update collector
           (lambda (key ignored value)
             (send-update publisher key (+ sequence 1) value)
             (say "I: publishing update " (+ sequence 1))
             (loop (+ sequence 1) (store key value state)))))
        (else
         (send-snapshot (car (receive-multipart-message snapshot)) sequence state)
         (loop sequence state))))
