;;; Services: threads that repeat a step while what they serve is there; waiting for what another
;;; thread makes so; and loops that a proxy control stops.

;; -------------------------------------------------------------- services --

;; Whether the condition comes from the egg, or from CHICKEN where the stack is full.
(define (own-condition? e)
  (and (condition? e)
       (or (get-condition-property e 'zmq 'code #f)
           (equal? "stack overflow" (get-condition-property e 'exn 'message #f)))
       #t))

;; Any condition is survived: a want of memory passes, and what a signal handler of the program
;; raises here is for the program.
(define (serve on? step)
  (let ((e (call-with-current-continuation
            (lambda (leave)
              (with-exception-handler
               leave
               (lambda ()
                 (let loop ()
                   (when (on?)
                     (step)
                     (loop)))))))))
    (when (on?)
      (unless (own-condition? e) (raise-in-primordial! e))
      (handle-exceptions e #f (pause! 10))
      (serve on? step))))

;; Repeats the step in a thread of its own while (on?).  A signal handler may leave the thread by
;; a continuation, which then runs the program in it: another thread takes over.  (current) is the
;; thread, which (set-current! thread) notes.
(define (start-service name current set-current! on? step)
  (letrec ((thread (start-thread
                    name
                    (lambda ()
                      (wind
                       void
                       (lambda () (serve on? step))
                       (lambda ()
                         (when (and (eq? thread (current)) (on?))
                           (start-service name current set-current! on? step))))))))
    (set-current! thread)))

;; Waits until the thread of a service whose (on?) has become false has ended.
(define (await-end! thread)
  (unless (or (eq? (current-thread) thread) (thread-ended? thread))
    (pause! 1)
    (await-end! thread)))

;; ----------------------------------------------------------------- signals --

;; A list of the waiters that wait until something is so.
(define (make-signal) (vector '()))

;; What (so?) returns once it is not #f; #f after the limit.  Whoever makes it so calls
;; send-signal!.
(define (wait-until signal limit so?)
  (or (so?)
      (let ((w (make-waiter 0)))
        (check-can-wait 'wait)
        (retry
         limit
         #t
         (lambda ()
           (set-waiter-threads! w (list (current-thread)))
           (unless (memq w (vector-ref signal 0)) (add-first! signal 0 w)))
         (lambda ()
           (set-waiter-woken! w #f)
           (or (so?) eagain))
         (lambda (tried?) (suspend-until! w limit))
         (lambda ()
           (clear-timer! w)
           (%list-remove signal 0 w))))))

(define (send-signal! signal)
  (for-each (lambda (w) (if (waiter-ended? w) (%list-remove signal 0 w) (wake! w)))
            (vector-ref signal 0)))

;; -------------------------------------------------------- controlled loops --

(define (control-or-new location control)
  (cond ((not control) (make-proxy-control))
        (else
         (check-control location control)
         (check-control-free location control)
         control)))

(define (control-stopped? c) (eq? 'stopped (control-state c)))
(define (control-paused? c) (eq? 'paused (control-state c)))

;; Waits until the poller, which is the control's, has something ready, the control has stopped
;; or (so?).  #f after the limit.
(define (await-controlled location c p limit so?)
  (let ((ready (make-vector 8 0)))
    (perform-on location (%poller-fd (poller-handle p)) limit
                (lambda ()
                  (if (and (eq? 0 (checked location (%check-poller (poller-handle p) ready 4)))
                           (not (control-stopped? c))
                           (not (so?)))
                      eagain
                      #t)))))

;; Ends the wait of await-controlled, which looks again.
(define (wake-controlled! p) (%wake-poller (poller-handle p)))
