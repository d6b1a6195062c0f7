;;; Operations: what may have to wait.  An operation is an attempt, a thunk that returns its
;;; result or eagain; perform runs it until it has a result or time has run out.  This is the
;;; only file that tries again.

;; Tries, and then sleeps and tries again, until there is a result; #f when the limit has
;; passed.  `try?` is whether to try before the first sleep; (sleep! tried?) may return at once.
;; A wait may be left, or entered again by a continuation, at any point, so `leave!` may be
;; called more than once.
(define (retry limit try? enter! attempt sleep! leave!)
  (wind
   void
   (lambda ()
     (let loop ((try? try?))
       (enter!)
       (let ((result (if try? (attempt) eagain)))
         (cond ((not (eq? result eagain)) result)
               ((and try? (passed? limit)) #f)
               (else (sleep! try?) (loop #t))))))
   (lambda () (stay-running!) (leave!))))

(define (check-can-wait location)
  (when (in-scheduler?) (fail location ewouldblock))
  (stay-running!)
  (release-loop!))

;; Sleeps until the loop or another thread wakes the waiter, or its time has come.
(define (suspend-until! w limit)
  (when (and limit (not (waiter-timer w))) (set-waiter-timer! w (at! limit w)))
  (keep-loop!)
  (suspend! w))

;; What an attempt returns that has to wait, for the modules beside this one.
(define not-yet eagain)

;; ------------------------------------------------------------- of a socket --

;; Stands for a timeout: that was not given: that of the socket holds.
(define socket-timeout 'socket)

(define (check-wait location timeout)
  (if (eq? timeout socket-timeout) timeout (check-timeout location timeout)))

(define (limit-of s event timeout)
  (deadline
   (if (eq? timeout socket-timeout)
       (let ((own (%socket-timeout (socket-handle s) event)))
         (and (fx>= own 0) own))
       timeout)))

;; Performs an operation of the socket that waits for the event.  #f where it was given up.
(define (perform location s event non-blocking timeout attempt)
  (let* ((handle (socket-handle s))
         (queued? (must-queue? (socket-queue s) event))
         (armed? (and (not non-blocking) (fx= event (%armed handle))))
         (first (cond ((or queued? armed?) eagain)
                      ((pair? (queue-waiters (socket-queue s)))
                       (wind void attempt (lambda () (socket-touched! s))))
                      (else (attempt)))))
    (let ((result
           (cond ((not (eq? first eagain)) first)
                 (non-blocking
                  (let ((code (%check-socket handle)))
                    (if (fx= code 0) #f code)))
                 (else
                  (check-can-wait location)
                  (%count-wait handle)
                  (trace location s "waits" (event-text event))
                  (when tracing (trace-deaf handle))
                  (wait s event (limit-of s event timeout) armed? attempt)))))
      (trace location s (outcome-text result))
      result)))

;; If `armed?`, the last use of the socket was this operation, it failed, and what changes
;; that will signal the descriptor.
(define (wait s event limit armed? attempt)
  (let ((q (socket-queue s)) (w (make-waiter event)))
    (retry
     limit
     (not armed?)
     (lambda () (enter-queue! q w))
     (lambda ()
       (set-waiter-woken! w #f)
       (if (turn? q w)
           (let ((result (attempt)))
             (wake-next! q w)
             result)
           eagain))
     (lambda (tried?) (sleep! q w event limit tried?))
     (lambda ()
       (clear-timer! w)
       (leave-queue! q w)))))

;; The loop may have seen the signal of an armed socket already, so a thread that has not
;; tried sleeps alone or not at all.
(define (sleep! q w event limit tried?)
  (let ((handle (queue-handle q)))
    (cond ((and (fx= event (%armed handle))
                (turn? q w)
                (sleep-alone! w handle event (%socket-fd handle) limit)))
          ((not tried?))
          ((watch-queue! q) (suspend-until! w limit))
          (else
           (let ((soon (+ (now) retry-time)))
             (suspend-until! w (if limit (min limit soon) soon))
             (clear-timer! w))))))

;; --------------------------------------------------------- of a descriptor --

;; Performs an operation that waits until the descriptor is readable; none if it is -1.
(define (perform-on location fd limit attempt)
  (let ((result (attempt)))
    (cond ((not (eq? result eagain)) result)
          ((passed? limit) #f)
          (else
           (check-can-wait location)
           (trace location "waits for descriptor" (number->string fd))
           (let ((w (make-waiter 0)))
             (retry
              limit
              #f
              (lambda () (set-waiter-threads! w (list (current-thread))))
              (lambda () (set-waiter-woken! w #f) (attempt))
              (lambda (tried?)
                (unless (sleep-alone! w 0 0 fd limit)
                  (unless (or (waiter-watch w) (fx< fd 0))
                    (set-waiter-watch! w fd)
                    (watch! fd w))
                  (suspend-until! w limit)
                  (unwatch-waiter! w)))
              (lambda ()
                (clear-timer! w)
                (unwatch-waiter! w))))))))

;; Suspends the calling thread for some milliseconds.
(define (pause! ms)
  (perform-on 'wait -1 (deadline ms) (lambda () eagain))
  (void))

;; Tries every 5 ms while `again?` says so of the code, but not for more than `tries` times.
(define (try-often tries again? attempt)
  (let loop ((tries tries))
    (let ((code (attempt)))
      (cond ((or (fx= tries 0) (not (again? code))) code)
            (else (pause! retry-time) (loop (fx- tries 1)))))))

;; Sockets and descriptors that are no longer used may count against a limit until they are
;; collected, and then until libzmq has released them.
(define limits-reached (list eagain emfile esockets edescriptors))

(define (limit-reached? code) (memv code limits-reached))

(define-constant release-tries 60)

;; Returns what the attempt makes, or its error code.
(define (collect-and-make attempt)
  (let ((made (make-or-collect attempt)))
    (if (limit-reached? made)
        (try-often release-tries limit-reached? attempt)
        made)))

;; The same without waiting, for what a wait needs itself.
(define (make-or-collect attempt)
  (let ((made (attempt)))
    (if (limit-reached? made)
        (begin (collect!) (attempt))
        made)))
