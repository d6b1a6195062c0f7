;;; The loop: one thread in the background, for everything that waits while other threads
;;; run.  It waits for a poller of the kernel, which watches sockets, descriptors and times.
;;; So the scheduler, which polls each descriptor whenever it schedules, sees one only.

;; -------------------------------------------------------------- the clock --

;; The monotonic clock, in milliseconds.  The scheduler's clock can be set by the system, so
;; its time limits are not used.
(define-foreign now int64 () "sz_now()")

(define-constant longest 10000000000000) ; some centuries

;; A time limit in milliseconds, or #f for none, as a point in time.  The clock's present
;; millisecond has begun already, and is not counted.
(define (deadline timeout)
  (and timeout
       (if (eqv? timeout 0)
           (now)
           (+ (now) 1 (inexact->exact (ceiling (min timeout longest)))))))

(define (passed? deadline) (and deadline (>= (now) deadline)))

(define (check-timeout location x)
  (if (or (not x) (and (real? x) (>= x 0) (finite? x)))
      x
      (fail-type location "a number of milliseconds or #f" x)))

;; ----------------------------------------------------------------- tables --

;; What is to be called, by tag: a queue, a procedure, or a waiter to be woken.  A signal
;; handler may change a table too, so a bucket is changed by C in one call.
(define-constant buckets 512)

(define (make-table) (make-vector buckets '()))

;; For timers, szg_add_timer_for has the same.
(define-inline (bucket tag) (fxmod (fxxor tag (fxshr tag 24)) buckets))

(define (table-find table tag)
  (let loop ((l (vector-ref table (bucket tag))))
    (cond ((null? l) #f)
          ((eq? tag (caar l)) (cdar l))
          (else (loop (cdr l))))))

(define (table-add! table tag thing)
  (add-first! table (bucket tag) (cons tag thing)))

(define (table-remove! table tag thing)
  (for-each (lambda (entry)
              (when (and (eq? tag (car entry)) (eq? thing (cdr entry)))
                (%list-remove table (bucket tag) entry)))
            (vector-ref table (bucket tag))))

;; ----------------------------------------------------------------- thread --

(define poller -1)
(define loop-thread #f)
(define loop-wanted #f)         ; it must not wait before it has looked again
(define watched (make-table))   ; by handle of a socket, or -1 - descriptor
(define timers (make-table))    ; by id

;; What a poller has found and is not dispatched yet.  The poller reports it only once, so it is kept
;; for the thread that takes over if a signal handler leaves or waits in this one.
(define (make-found) (make-vector (fx+ 1 (fx* 2 most-ready)) 0))
(define-inline (found-tag found i) (vector-ref found (fx* 2 i)))
(define-inline (found-events found i) (vector-ref found (fx+ 1 (fx* 2 i))))
(define-inline (found-count found) (vector-ref found (fx* 2 most-ready)))
(define-inline (set-found-count! found n) (vector-set! found (fx* 2 most-ready) n))

(define found (make-found))

;; The poller.  It is made anew in a forked child, where the parent's threads may have been
;; left behind without being ended: none of them is woken there.
(define (usable-poller)
  (when (fx< (%poller-fd poller) 0)
    (set! poller (make-loop-poller))
    (set! loop-thread #f)
    (set! watched (make-table))
    (set! timers (make-table))
    (set-found-count! found 0)
    (%list-take rechecks 0))
  (unless (and loop-thread (keep-waiting! loop-thread (%poller-fd poller))) (start-loop!))
  poller)

;; Of a poller that stays.
(define (new-poller-handle location make)
  (let ((owner (vector #f 0)))
    (checked location (make (lambda () (%make-poller owner))))
    (vector-ref owner 1)))

;; A poller takes a descriptor for its first timer.  Later there may be none.
(define (make-loop-poller)
  (let* ((made (new-poller-handle 'wait make-or-collect))
         (timer (make-or-collect (lambda () (%add-timer made (+ (now) longest))))))
    (when (< timer 0)
      (%free-poller made)
      (fail 'wait timer))
    (%remove-timer made timer)
    made))

;; For a thread that is about to be suspended, and so is not the loop, whatever it was before a
;; signal handler went on in it.
(define (keep-loop!)
  (when (eq? (current-thread) loop-thread) (set! loop-thread #f))
  (usable-poller))

(define (start-loop!) (set! loop-thread (start-thread 'zmq-loop run-loop)))

;; The poller's descriptor ends the wait of the loop.  The scheduler's own lists are not
;; touched: a signal handler may call this while the scheduler changes them.
(define (wake-loop!)
  (unless loop-wanted
    (set! loop-wanted #t)
    (%wake-poller (usable-poller))))

;; A signal handler that runs here may leave by a continuation, which goes on in this thread,
;; or raise something, which is meant for the program.  Another thread takes over.
(define (run-loop)
  (let* ((thread (current-thread))
         (leave (lambda ()
                  (stay-running!)
                  (when (eq? thread loop-thread)
                    (set! loop-thread #f)
                    (unless (fx< (%poller-fd poller) 0) (start-loop!))))))
    (with-exception-handler
     (lambda (e)
       (leave)
       (raise-in-primordial! e)
       (end-thread!))
     (lambda ()
       (wind
        void
        (lambda ()
          (let loop ()
            (when (eq? thread loop-thread)
              (let ((last (fx- (found-count found) 1)))
                (cond ((fx>= last 0)
                       (dispatch! (found-tag found last) (found-events found last))
                       (when (eq? thread loop-thread)
                         (set-found-count! found last)
                         (when (fx= last 0) (yield!)))
                       (loop))
                      ((turn!) (loop)))))))
        leave)))))

;; A signal handler that waits in the loop's thread must not stop the loop: another thread takes
;; over.
(define (release-loop!)
  (when (eq? (current-thread) loop-thread)
    (set! loop-thread #f)
    (start-loop!)))

;; One turn; #f in a forked child.
(define (turn!)
  (set! loop-wanted #f)
  (recheck-woken!)
  (let ((n (%keep-found poller found)))
    (and (fx>= n 0)
         (begin
           (cond ((fx> n 0))
                 (loop-wanted (yield!))
                 (else (suspend-for-descriptor! (%poller-fd poller))))
           #t))))

(define (dispatch! tag events)
  (cond ((eq? events timer-bit) (timer-passed! tag))
        ((fx< tag 0) (descriptor-ready! tag))
        ((table-find watched tag) => queue-signalled!)
        (else (%unwatch-socket poller tag))))

(define (call! thing) (if (procedure? thing) (thing) (wake! thing)))

;; ------------------------------------------------------------ descriptors --

(define-inline (descriptor-tag fd) (fx- -1 fd))

(define-constant retry-time 5)

;; Calls the thing, a procedure or a waiter, once, when the descriptor is readable.
(define (watch! fd thing)
  (let ((poller (usable-poller)) (tag (descriptor-tag fd)))
    (drop-ended! watched tag)
    (let ((first? (not (table-find watched tag))))
      (table-add! watched tag thing)
      (when first?
        ;; The number may be that of a descriptor that was closed without a word.
        (%unwatch-fd poller fd)
        (when (fx< (%watch-fd poller fd in-bit tag) 0) (at! (+ (now) retry-time) thing))))))

(define (unwatch! fd thing)
  (let ((tag (descriptor-tag fd)))
    (table-remove! watched tag thing)
    (drop-ended! watched tag)
    (unless (table-find watched tag) (%unwatch-fd poller fd))))

(define (drop-ended! table tag)
  (for-each (lambda (entry)
              (when (and (eq? tag (car entry)) (waiter? (cdr entry)) (waiter-ended? (cdr entry)))
                (%list-remove table (bucket tag) entry)))
            (vector-ref table (bucket tag))))

(define (descriptor-ready! tag)
  (trace "ready: descriptor" (number->string (descriptor-tag tag)))
  (%unwatch-fd poller (descriptor-tag tag))
  (for-each (lambda (entry)
              (when (eq? tag (car entry))
                (call! (cdr entry))
                (%list-remove watched (bucket tag) entry)
                (when (waiter? (cdr entry)) (forget-wait! (cdr entry)))))
            (vector-ref watched (bucket tag))))

;; A thread that was woken may be ended before it runs, and would be kept by the table that names
;; its waiter.
(define (forget-wait! w)
  (clear-timer! w)
  (unwatch-waiter! w)
  (when (waiter-queued w) (add-first! rechecks 0 (cons (waiter-queued w) w))))

(define (clear-timer! w)
  (when (waiter-timer w)
    (cancel! (waiter-timer w))
    (set-waiter-timer! w #f)))

(define (unwatch-waiter! w)
  (when (waiter-watch w)
    (unwatch! (waiter-watch w) w)
    (set-waiter-watch! w #f)))

;; ------------------------------------------------------------------ times --

;; Calls the thing, a procedure or a waiter, once, at that time.  Returns the timer.
(define (at! time thing)
  (let ((poller (usable-poller)))
    (checked 'wait (%add-timer-for poller time timers (list (cons 0 thing))))))

(define (cancel! timer)
  (%remove-timer poller timer)
  (let ((thing (table-find timers timer)))
    (when thing (table-remove! timers timer thing))))

(define (timer-passed! timer)
  (trace "a time limit has passed")
  (let ((thing (table-find timers timer)))
    (when thing
      (call! thing)
      (table-remove! timers timer thing)
      (when (waiter? thing) (forget-wait! thing)))))
