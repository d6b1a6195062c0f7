;;; Threads: the only file that knows CHICKEN's scheduler.

(define-inline (current-thread) ##sys#current-thread)
(define-inline (thread-state thread) (##sys#slot thread 3))
;; A thread that is preempted in a signal handler that interrupted the scheduler loses its
;; continuation.  So the scheduler is entered with a whole time slice, and a handler there gets one
;; that is too long for it.
(define-foreign start-time-slice! void ()
  "C_timer_interrupt_counter = C_initial_timer_interrupt_period, C_initial_timer_interrupt_period = 1000000")

;; Field 1 of a thread is what continues it, if it has given up the processor, or is about to.  In
;; the latter case a signal handler may run and wait: then what it interrupted is put back.  Nothing
;; is put back otherwise, so that the field keeps no garbage alive.
(define (yield!)
  (let* ((thread (current-thread))
         (go-on (##sys#slot thread 1))
         (interrupted (and go-on (in-handler?) go-on)))
    (start-time-slice!)
    (##sys#thread-yield!)
    (##sys#setslot thread 1 interrupted)))

;; Only the current thread runs.  One that says so and is not current has lost its
;; continuation: CHICKEN overwrites it if a thread is preempted in a signal handler that
;; interrupted the scheduler.
(define (thread-ended? thread)
  (case (thread-state thread)
    ((dead terminated) #t)
    ((running) (not (eq? thread (current-thread))))
    (else #f)))

(define-foreign scheduler-now int64 () "C_current_process_milliseconds()")

(define-inline (primordial? thread) (eq? thread ##sys#primordial-thread))
(define-inline (thread-name thread) (##sys#slot thread 6))

(define (thread-ready? thread) (memq (thread-state thread) '(ready running)))

;; CHICKEN runs a signal handler also within the scheduler, where the current thread has given
;; up the processor and cannot give it up again.  A handler that leaves by a continuation may
;; leave the thread marked so, although it goes on running; then the continuation does not
;; lead back into the scheduler.
(define (running?) (eq? 'running (thread-state (current-thread))))

(define (in-scheduler?) (and (not (running?)) (in-handler?)))

(define (in-handler?) (##sys#call-with-current-continuation %interrupted-continuation?))

(define (stay-running!)
  (unless (running?)
    (##sys#thread-unblock! (current-thread))
    (##sys#setslot (current-thread) 3 'running)))

;; Such a handler may also lose a thread that the scheduler was about to run.
(define (requeue! thread)
  (when (and (eq? 'ready (thread-state thread)) (not (in-ready-queue? thread)))
    (##sys#add-to-ready-queue thread)))

;; Looks at the first threads only: if there are more, they run before anybody waits for this one
;; alone, and the next of them looks again.
(define (in-ready-queue? thread)
  (let loop ((l (##sys#ready-queue)) (left 32))
    (and (pair? l)
         (or (eq? thread (car l)) (fx= left 0) (loop (cdr l) (fx- left 1))))))

;; The same for a thread that waits for nothing but a descriptor: a handler that is preempted
;; within the scheduler makes it write back an old list of those.  #f if the thread has ended, or
;; a handler has gone on in it with something else.
(define (keep-waiting! thread fd)
  (requeue! thread)
  (cond ((not (eq? 'blocked (thread-state thread))) (not (thread-ended? thread)))
        ((pair? (##sys#slot thread 11))
         (let ((entry (assv fd ##sys#fd-list)))
           (unless (and entry (memq thread (cdr entry)))
             (##sys#thread-block-for-i/o! thread fd #:input))
           #t))
        (else #f)))

;; CHICKEN's apply raises "stack overflow" if a signal comes during a collection that it began.
(%mend-apply)

;; dynamic-wind for one value.  In CHICKEN's own another thread may run.  A handler may leave at
;; any point, so `after` may run more than once.
(define (wind before during after)
  (before)
  (let ((outside ##sys#dynamic-winds))
    (set! ##sys#dynamic-winds (cons (cons before after) outside))
    (let ((result (during)))
      (after)
      (set! ##sys#dynamic-winds outside)
      result)))

;; Runs the thunk, which must handle what it raises, in a thread of its own.
(define (start-thread name thunk)
  (let ((thread (##sys#make-thread #f 'ready name 10000)))
    (##sys#setslot thread 1
      (lambda ()
        (thunk)
        (end-thread!)))
    (##sys#add-to-ready-queue thread)
    thread))

(define (end-thread!)
  (##sys#thread-kill! (current-thread) 'dead)
  (##sys#schedule))

;; As the scheduler does where it is told to hand on what ends a thread.
(define (raise-in-primordial! e)
  (let* ((primordial ##sys#primordial-thread) (go-on (##sys#slot primordial 1)))
    (##sys#setslot primordial 1 (lambda () (signal e) (go-on)))
    (##sys#thread-unblock! primordial)))

;; Calls the thunk, and `undo` if it is left in any other way than by returning.
(define (finish-or undo thunk)
  (let ((finished #f))
    (wind
     void
     (lambda () (thunk) (set! finished #t))
     (lambda () (unless finished (undo))))))

;; ----------------------------------------------------------- suspending --

;; A waiter stands for one wait of a thread: for an event of a socket (1 in, 2 out) or for
;; something else (0).  `woken` is set by whoever wakes it, also before it sleeps.  To the
;; scheduler it is a condition variable: that takes a thread that ends out of the list in
;; field 2, so neither a queue nor a timer keeps the thread alive.  `timer`, `watch` (a descriptor)
;; and `queued` (a queue) are where the loop and the socket name it.
(define (make-waiter event)
  (##sys#make-structure 'condition-variable 'zmq (list (current-thread)) event #f #f #f #f))

(define-inline (waiter? x) (##sys#structure? x 'condition-variable))

(define-fields
  (2 waiter-threads set-waiter-threads!)
  (3 waiter-event)
  (4 waiter-woken set-waiter-woken!)
  (5 waiter-timer set-waiter-timer!)
  (6 waiter-watch set-waiter-watch!)
  (7 waiter-queued set-waiter-queued!))

(define-inline (waiter-thread w)
  (let ((threads (waiter-threads w))) (and (pair? threads) (car threads))))

(define (waiter-ended? w)
  (let ((thread (waiter-thread w))) (or (not thread) (thread-ended? thread))))

;; Whether the thread would run if it were woken.
(define (waiter-alive? w)
  (let ((thread (waiter-thread w)))
    (not (or (not thread) (thread-ended? thread) (eq? 'suspended (thread-state thread))))))

(define-inline (blocked-on? thread w)
  (and (eq? 'blocked (thread-state thread)) (eq? w (##sys#slot thread 11))))

(define (resume! w)
  (let ((thread (waiter-thread w)))
    (when (and thread (blocked-on? thread w)) (##sys#thread-basic-unblock! thread))))

;; Suspends the calling thread until its waiter is woken.  It may return early.
(define (suspend! w)
  (let ((thread (current-thread)))
    (##sys#setslot thread 11 w)
    (##sys#setslot thread 3 'blocked)
    (when (waiter-woken w) (resume! w))
    (yield!)))

;; Gives up the processor until the descriptor is readable.  While no thread can run, CHICKEN calls
;; signal handlers in the thread that ran last.  The program does not know this one, so the
;; primordial thread takes its place if it waits: a handler that leaves then leaves its wait.
(define (suspend-for-descriptor! fd)
  (start-time-slice!)
  (##sys#call-with-current-continuation
   (lambda (return)
     (let ((thread (current-thread)))
       (##sys#setslot thread 1 (lambda () (return #f)))
       (##sys#thread-block-for-i/o! thread fd #:input)
       (primordial-stands-in! thread ##sys#primordial-thread)
       (##sys#schedule)))))

;; Makes it the current thread, as the scheduler does.  A signal handler could run within a call, so
;; there is none here.
(define (primordial-stands-in! thread primordial)
  (let ((mine (##sys#slot thread 5)) (its (##sys#slot primordial 5)))
    (when (or (eq? 'blocked (thread-state primordial)) (eq? 'sleeping (thread-state primordial)))
      (##sys#setslot mine 0 ##sys#dynamic-winds)
      (##sys#setslot mine 1 ##sys#standard-input)
      (##sys#setslot mine 2 ##sys#standard-output)
      (##sys#setslot mine 3 ##sys#standard-error)
      (##sys#setslot mine 4 ##sys#current-exception-handler)
      (##sys#setslot mine 5 ##sys#current-parameter-vector)
      (set! ##sys#dynamic-winds (##sys#slot its 0))
      (set! ##sys#standard-input (##sys#slot its 1))
      (set! ##sys#standard-output (##sys#slot its 2))
      (set! ##sys#standard-error (##sys#slot its 3))
      (set! ##sys#current-exception-handler (##sys#slot its 4))
      (set! ##sys#current-parameter-vector (##sys#slot its 5))
      (set! ##sys#current-thread primordial))))

;; ------------------------------------------------------- sleeping alone --

;; Adds what the other threads wait for to the descriptors that %sleep-alone watches.
;; Returns the milliseconds until one of them is to be woken, or #t if there is no such
;; time.  #f if another thread can run, or they wait for more descriptors than the set
;; holds.
(define (watch-others!)
  (%watch-none)
  (let ((next (##sys#call-with-current-continuation
               (lambda (leave)
                 (##sys#all-threads
                  (lambda (list place thread rest)
                    (case list
                      ((i/o) (if (watch-for-thread! place thread) rest (leave #f)))
                      ((timeout) (if (number? rest) (min rest place) place))
                      (else (leave #f))))
                  #t)))))
    (if (number? next)
        (let ((left (- next (scheduler-now))))
          (and (> left 0) left))
        next)))

(define (watch-for-thread! fd thread)
  (let* ((block (##sys#slot thread 11)) (mode (and (pair? block) (cdr block))))
    (and mode
         (%watch-also fd
                      (not (eq? mode #:output))
                      (memq mode '(#:output #:all))))))

(define-constant longest-sleep 1000000000) ; milliseconds that fit an int

;; Sleeps in one call, if no other thread can run.  #f if one can, and nothing was done.
(define (sleep-alone! w socket event fd limit)
  (let ((theirs (watch-others!)))
    (and theirs
         (let* ((mine (and limit (max 0 (- limit (now)))))
                (least (cond ((eq? theirs #t) mine)
                             (mine (min mine theirs))
                             (else theirs))))
           (when (%sleep-alone w socket event fd
                               (if least
                                   (inexact->exact (ceiling (min least longest-sleep)))
                                   -1)
                               ##sys#signal-vector)
             (yield!))
           #t))))
