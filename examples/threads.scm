;;; Threads by the names that the egg srfi-18 gives them, so that the examples
;;; need no egg: a program that has it says (import srfi-18) instead.  They are
;;; the same threads, those of CHICKEN's runtime.

(import (chicken time))
(declare (uses scheduler))

(define (thread-start! thunk)
  (let ((thread (##sys#make-thread #f 'created 'example 10000)))
    (##sys#setslot thread 1
      (lambda ()
        (thunk)
        (##sys#thread-kill! thread 'dead)
        (##sys#schedule)))
    (##sys#setslot thread 3 'ready)
    (##sys#add-to-ready-queue thread)
    thread))

(define (thread-join! thread)
  (unless (memq (##sys#slot thread 3) '(dead terminated))
    (##sys#thread-block-for-termination! ##sys#current-thread thread)
    (##sys#thread-yield!)
    (thread-join! thread)))

(define (thread-sleep! seconds)
  (##sys#thread-sleep! (+ (current-process-milliseconds) (* 1000 seconds))))
