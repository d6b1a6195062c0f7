;;; Finalizers of the program that wait, are left or use the module.  With CHICKEN's own way to run
;;; finalizers no other would run again, and (gc #t) and `exit' would wait for ever or fail.

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

;; What must go on when a finalizer did not return.
(define everything-works
  '((hold)
    (define ran '())
    (set-finalizer! (list 2) (lambda (x) (set! ran (cons x ran))))
    (gc #t)
    (unless (equal? '((2)) ran) (exit 4))
    (exit 0)))

(define (check-goes-on . forms) (apply check-quiet (append forms everything-works)))

(test "finalizers run after a thread was ended in one"
  (check-goes-on
   '(define t (spawn! (lambda ()
                        (set-finalizer! (list 1) (lambda (x) (nap! 1000000)))
                        (gc #t))))
   '(until-waiting t)
   '(kill! t)))

(test "finalizers run while a thread waits in one"
  (check-goes-on
   '(define t (spawn! (lambda ()
                        (set-finalizer! (list 1) (lambda (x) (nap! 1000000)))
                        (gc #t))))
   '(until-waiting t)))

(test "finalizers run after one was left by a continuation"
  (check-goes-on
   '(call/cc (lambda (leave)
               (set-finalizer! (list 1) (lambda (x) (leave 'left)))
               (gc #t)))))

(test "of those that become garbage together, all run though each is left"
  (check-quiet
   '(define left 0)
   '(define (register n)
      (when (> n 0)
        (set-finalizer! (list n)
                        (lambda (x) (set! left (+ left 1)) (leave #f)))
        (register (- n 1))))
   '(define leave #f)
   '(register 10)
   '(let loop ((n 20))
      (when (> n 0)
        (call/cc (lambda (k) (set! leave k) (gc #t)))
        (loop (- n 1))))
   '(exit (if (= left 10) 0 4))))

(test "a finalizer collects and ends the program"
  (check-quiet
   '(set-finalizer! (list 1) (lambda (x) (gc #t) (exit 0)))
   '(gc #t)
   '(exit 4)))

(test "finalizers run in the order of CHICKEN: the newest first"
  (check-quiet
   '(define ran '())
   '(for-each (lambda (i) (set-finalizer! (list i) (lambda (x) (set! ran (cons i ran)))))
              '(1 2 3))
   '(gc #t)
   '(exit (if (equal? ran '(1 2 3)) 0 4))))

(test "a finalizer is not interrupted by another"
  (check-quiet
   '(define in 0)
   '(define most 0)
   '(define (work n) (if (= n 0) '() (cons n (work (- n 1)))))
   '(define (register)
      (set-finalizer! (list 1)
                      (lambda (x)
                        (set! in (+ in 1))
                        (set! most (max in most))
                        (work 20000)
                        (set! in (- in 1)))))
   '(let loop ((n 300)) (when (> n 0) (register) (work 1000) (loop (- n 1))))
   '(gc #t)
   '(exit (if (= most 1) 0 4))))

(test "a finalizer makes a large message"
  (check-quiet
   '(define made #f)
   '(set-finalizer! (list 1) (lambda (x) (hold) (set! made #t)))
   '(gc #t)
   '(exit (if made 0 1))))

(report-tests)
