;;; Green threads from CHICKEN's core, so that the tests need no egg: the
;;; same objects as those of srfi-18.

(import (chicken base) (chicken condition) (chicken time))
(declare (uses scheduler))

;; Runs the thunk in a thread of its own.
(define (spawn! thunk)
  (let ((t (##sys#make-thread #f 'created (gensym 'test) 10000)))
    (##sys#setslot t 1
      (lambda ()
        (let ((outcome
               (call/cc
                (lambda (leave)
                  (with-exception-handler
                   (lambda (e) (leave (cons 'raised e)))
                   (lambda () (cons 'returned (thunk))))))))
          (##sys#setslot t 2 (list outcome))
          (##sys#thread-kill! t 'dead)
          (##sys#schedule))))
    (##sys#setslot t 3 'ready)
    (##sys#add-to-ready-queue t)
    t))

(define (ended? t) (and (memq (##sys#slot t 3) '(dead terminated)) #t))

;; What the thread's thunk returned; raises what it raised.
(define (join! t)
  (let loop ()
    (unless (ended? t)
      (##sys#thread-block-for-termination! ##sys#current-thread t)
      (yield!)
      (loop)))
  (let ((outcome (car (##sys#slot t 2))))
    (if (eq? (car outcome) 'raised) (abort (cdr outcome)) (cdr outcome))))

;; Ends the thread where it is, as thread-terminate! does.
(define (kill! t) (##sys#thread-kill! t 'terminated))

(define (yield!) (##sys#thread-yield!))

;; Waits until the thread waits for something, or has ended.
(define (until-waiting t)
  (wait-until (lambda () (memq (##sys#slot t 3) '(blocked sleeping dead terminated)))))

(define (this-thread) ##sys#current-thread)

(define (nap! ms) (##sys#thread-sleep! (+ ms (current-process-milliseconds))))

;; Waits until the thunk is true; #f after `ms` milliseconds.
(define (wait-until thunk #!optional (ms 10000))
  (let ((end (+ ms (current-process-milliseconds))))
    (let loop ()
      (cond ((thunk) => values)
            ((> (current-process-milliseconds) end) #f)
            (else (nap! 2) (loop))))))

;; A thread that counts every few milliseconds: how far it came while
;; something else ran tells whether that stopped the others.
(define (start-ticker #!optional (ms 2))
  (let ((ticks 0) (running #t))
    (spawn! (lambda ()
              (let loop ()
                (when running (nap! ms) (set! ticks (+ ticks 1)) (loop)))))
    (lambda command
      (when (equal? command '(stop)) (set! running #f))
      ticks)))
