;;; Waiting: how a green thread waits, and the only file that knows the
;;; scheduler.

;; The clock of the scheduler, in milliseconds.
(define (now) (current-process-milliseconds))

;; A time limit in milliseconds, or #f for none, as a point in time.
(define (deadline timeout) (and timeout (+ (now) timeout)))

(define (passed? deadline) (and deadline (>= (now) deadline)))

(define (check-timeout location x)
  (if (or (not x) (and (real? x) (>= x 0)))
      x
      (fail-type location "a number of milliseconds or #f" x)))

;; The scheduler hands its pause to poll() as an int.
(define-constant longest-pause 86400000)

;; Suspends the calling thread until the descriptor is readable, the deadline
;; has passed, or somebody wakes the thread; which of them, the caller finds
;; out by trying again.
(define (wait-descriptor! fd deadline)
  (let ((thread ##sys#current-thread))
    (##sys#thread-block-for-timeout!
     thread
     (let ((latest (+ (now) longest-pause)))
       (if (and deadline (< deadline latest)) deadline latest)))
    (##sys#thread-block-for-i/o! thread fd #:input)
    (##sys#thread-yield!)))

;; Suspends the calling thread for some milliseconds.
(define (pause! milliseconds)
  (##sys#thread-sleep! (+ (now) milliseconds)))

(define (current-thread) ##sys#current-thread)

(define (wake! thread) (##sys#thread-unblock! thread))

(define (thread-ended? thread)
  (memq (##sys#slot thread 3) '(dead terminated)))

;; Runs the thunk with no signal handler, finalizer or other thread in
;; between.  It must not raise or escape.
(define (uninterrupted thunk)
  (%disable-interrupts)
  (let ((result (thunk)))
    (%enable-interrupts)
    result))

(define-foreign %disable-interrupts void () "C_disable_interrupts();")
(define-foreign %enable-interrupts void () "C_enable_interrupts();")
