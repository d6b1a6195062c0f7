;;; Finalizers of the program that wait, are left or use the module.  CHICKEN then runs no other
;;; finalizer, or waits for ever in (gc #t); what the module does must still end.

(import zmq (chicken base))
(include "check.scm")
(include "child.scm")

;; More bytes than the kernel may hold before the collector is run.
(define hold '((define (hold) (check-size (make-message 70000000)))
               (define (check-size m)
                 (unless (= 70000000 (message-size m)) (exit 3)))))

(define (check-quiet . forms)
  (receive (outcome output errors) (run-child (append hold forms))
    (unless (and (eq? outcome 'ok) (string=? "" errors))
      (wrong "the program ended as ~s: ~a~a" outcome output errors))))

(test "a large message is made, and the program ends, after a thread was ended in a finalizer"
  (check-quiet
   '(define t (spawn! (lambda ()
                        (set-finalizer! (list 1) (lambda (x) (nap! 1000000)))
                        (gc #t))))
   '(until-waiting t)
   '(kill! t)
   '(hold)))

(test "a large message is made, and the program ends, after a finalizer was left by a continuation"
  (check-quiet
   '(call/cc (lambda (leave)
               (set-finalizer! (list 1) (lambda (x) (leave 'left)))
               (gc #t)))
   '(hold)))

(test "a finalizer makes a large message"
  (check-quiet
   '(define made #f)
   '(set-finalizer! (list 1) (lambda (x) (hold) (set! made #t)))
   '(gc #t)
   '(exit (if made 0 1))))

(report-tests)
