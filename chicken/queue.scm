;;; Queues: whose turn it is at a socket.
;;;
;;; Threads that wait for a socket stand in its queue, in the order in which they came.  Two
;;; rules keep a wake-up from being lost.
;;;
;;; 1. A thread tries only while it is the first of those that wait for its event.  It sleeps
;;;    only if its try failed and nobody has woken it since.
;;; 2. Whoever uses the socket, and so may have taken the signal of its descriptor, wakes the
;;;    first waiter of each event; whoever leaves the queue wakes the next one.
;;;
;;; So while the first waiter sleeps, nothing has been done with the socket since its try
;;; failed, and the next thing that happens to the socket signals the descriptor.

;; `waiters` is changed by C in one call each; glue/word.h knows the field.  Messages of a
;; ROUTER or STREAM go to the peer that each one names, so sending is `unordered`: who waits
;; for one peer does not wait behind who waits for another.  `poller` watches the socket.
(define (make-queue unordered)
  (##sys#make-structure 'zmq-queue 0 '() unordered #f))

(define-fields
  (1 queue-handle set-queue-handle!)
  (2 queue-waiters)
  (3 queue-unordered)
  (4 queue-poller set-queue-poller!))

(define-constant waiters-field 2)

(define-inline (unordered? q event) (and (eq? event out-bit) (queue-unordered q)))

(define (first-waiter q event)
  (let loop ((l (queue-waiters q)))
    (cond ((null? l) #f)
          ((and (eq? event (waiter-event (car l))) (waiter-alive? (car l))) (car l))
          (else (loop (cdr l))))))

(define (turn? q w)
  (let ((event (waiter-event w)))
    (or (unordered? q event) (eq? w (first-waiter q event)))))

;; Whether a thread that comes now has to stand behind another.
(define (must-queue? q event)
  (and (pair? (queue-waiters q)) (not (unordered? q event)) (first-waiter q event) #t))

;; ---------------------------------------------------------------- waking --

(define (wake! w)
  (trace "wakes" w)
  (resume! w)
  (set-waiter-woken! w #t))

;; To be called after every use of a socket.
(define-inline (socket-touched! s)
  (when (pair? (queue-waiters (socket-queue s))) (wake-next! (socket-queue s) #f)))

;; `but` is the waiter of the thread that used the socket, or #f.
(define (wake-next! q but)
  (wake-event! q in-bit but)
  (wake-event! q out-bit but))

(define (wake-event! q event but)
  (if (unordered? q event)
      (for-each (lambda (w)
                  (when (and (eq? event (waiter-event w)) (not (eq? w but))) (wake! w)))
                (queue-waiters q))
      (let ((w (first-waiter q event)))
        (unless (or (not w) (eq? w but) (waiter-woken w))
          (wake! w)
          (when (several? (queue-waiters q)) (recheck! q w))))))

(define (several? l) (and (pair? l) (pair? (cdr l))))

;; A thread that was woken may end before it runs, and those behind it would sleep on.  So
;; the loop looks at it until it has run.
(define rechecks (vector '()))

(define (recheck! q w)
  (add-first! rechecks 0 (cons q w))
  (wake-loop!))

;; A signal handler may leave at any point: an entry stays until it has been dealt with.
(define (recheck-woken!)
  (for-each
   (lambda (entry)
     (let ((q (car entry)) (w (cdr entry)))
       (cond ((not (waiter-alive? w))
              (prune! q)
              (wake-next! q #f)
              (%list-remove rechecks 0 entry))
             ((not (waiter-woken w)) (%list-remove rechecks 0 entry))
             (else
              ;; Its thread may also be in a signal handler that waits for something else.
              (let ((thread (waiter-thread w)))
                (when (and thread (thread-ready? thread))
                  (requeue! thread)
                  (set! loop-wanted #t)))))))
   (vector-ref rechecks 0)))

;; ---------------------------------------------------- entering, leaving --

;; A signal handler that waits for the socket for which its thread waits goes before it.
(define (enter-queue! q w)
  (unless (waiter-queued w)
    (set-waiter-threads! w (list (current-thread)))
    (prune! q)
    (let ((front? (own-waiter? q)) (first (first-waiter q (waiter-event w))))
      (set-waiter-queued! w q)
      (%list-add q waiters-field (list w) front?)
      (when (and first (waiter-woken first)) (recheck! q first)))))

(define (own-waiter? q)
  (let loop ((l (queue-waiters q)))
    (and (pair? l)
         (or (eq? (current-thread) (waiter-thread (car l))) (loop (cdr l))))))

(define (leave-queue! q w)
  (set-waiter-queued! w #f)
  (set-waiter-woken! w #f)
  (%list-remove q waiters-field w)
  (when (pair? (queue-waiters q))
    (prune! q)
    (wake-next! q #f)))

;; Takes ended threads out of the queue.
(define (prune! q)
  (for-each (lambda (w) (when (waiter-ended? w) (%list-remove q waiters-field w)))
            (queue-waiters q)))

;; ------------------------------------------------------------- the loop --

;; Has the loop watch the socket.  The watch outlives the wait, so that a thread that waits
;; often does not pay for it each time.  #f if the poller cannot watch it.
(define (watch-queue! q)
  (let ((poller (usable-poller)))
    (or (eq? poller (queue-poller q))
        (begin
          ;; The signal may come before a signal handler returns.
          (unless (table-find watched (queue-handle q)) (table-add! watched (queue-handle q) q))
          (let ((code (%watch-socket poller (queue-handle q) signal-bit (queue-handle q))))
            (if (or (fx= code 0) (fx= code eeexist))
                (set-queue-poller! q poller)
                (table-remove! watched (queue-handle q) q))
            (eq? poller (queue-poller q)))))))

;; What the loop does when the descriptor of the socket has signalled, or was closed.
(define (queue-signalled! q)
  (trace "the descriptor signals for" (queue-handle q))
  (prune! q)
  (unless (pair? (queue-waiters q))
    (%unwatch-socket poller (queue-handle q))
    (table-remove! watched (queue-handle q) q)
    (set-queue-poller! q #f))
  ;; A thread that came in between, while a signal handler waited here, has the socket watched anew.
  (when (pair? (queue-waiters q)) (wake-next! q #f)))
