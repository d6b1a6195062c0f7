;;; The line of threads that wait for a socket: first come, first served.
;;;
;;; A thread stands in line before it tries, and tries only while it is first
;;; among those that wait for the same event.  What keeps wake-ups from being
;;; lost is this: while a thread is first and asleep, nothing has been done
;;; with the socket since its last attempt, which failed, so the next thing to
;;; happen signals the socket's descriptor.  Whoever does something with the
;;; socket rouses the first of each event; whoever leaves the line rouses the
;;; next; and the signal rouses them through the descriptor, which either the
;;; thread itself waits for, where it is the only one in line, or the
;;; dispatcher.

(define-inline (waited? s) (pair? (socket-waiters s)))

;; Messages of a ROUTER go to the peer that each one names, so that who waits
;; for one peer is in nobody's way.
(define (own-way? s event)
  (and (eq? event out-bit) (memq (socket-type-name s) '(router stream))))

(define (first-in-line waiters event)
  (cond ((null? waiters) #f)
        ((and (eq? event (waiter-event (car waiters)))
              (waiter-alive? (car waiters)))
         (car waiters))
        (else (first-in-line (cdr waiters) event))))

(define (in-turn? s w)
  (let ((event (waiter-event w)))
    (or (own-way? s event)
        (eq? w (first-in-line (socket-waiters s) event)))))

;; Whether a thread that comes now would have to stand behind others.
(define (line? s event)
  (and (waited? s)
       (not (own-way? s event))
       (first-in-line (socket-waiters s) event)
       #t))

;; ------------------------------------------------------------- rousing --

;; To be called after every use of a socket, which may have taken the signal
;; that others wait for.
(define-inline (used! s) (when (waited? s) (rouse-first! s #f)))

;; `but` is the waiter that has just used the socket itself, or #f.
(define (rouse-first! s but)
  (rouse-event! s in-bit but)
  (rouse-event! s out-bit but))

(define (rouse-event! s event but)
  (if (own-way? s event)
      (for-each (lambda (w)
                  (when (and (eq? event (waiter-event w)) (not (eq? w but)))
                    (rouse! w)))
                (socket-waiters s))
      (let ((w (first-in-line (socket-waiters s) event)))
        (unless (or (not w) (eq? w but) (waiter-roused w))
          (rouse! w)
          (when (pair? (cdr (socket-waiters s))) (see-to! s w))))))

(define (see-to! s w)
  (set! just-roused (cons (cons s w) just-roused))
  (summon!))

;; Who was roused may be ended or suspended before it runs, and the others in
;; line would sleep on.  So the dispatcher looks after it until it has run.
(define just-roused '())

(define (see-to-roused!)
  (let ((entries just-roused))
    (set! just-roused '())
    (for-each
     (lambda (entry)
       (let ((s (car entry)) (w (cdr entry)))
         (cond ((not (waiter-alive? w))
                (prune! s)
                (rouse-first! s #f))
               ((waiter-roused w)
                (set! just-roused (cons entry just-roused))
                ;; Unless it is in a handler that waits for something else.
                (when (thread-ready? (waiter-thread w)) (set! summoned #t))))))
     entries)))

;; Takes ended threads out of the line.
(define (prune! s) (remove-waiter! s #f))

;; Takes the waiter out of the line, and ended threads too.
(define (remove-waiter! s gone)
  (set-socket-waiters!
   s
   (let loop ((l (socket-waiters s)))
     (cond ((null? l) '())
           ((or (eq? gone (car l)) (thread-ended? (waiter-thread (car l))))
            (loop (cdr l)))
           (else (cons (car l) (loop (cdr l))))))))

;; What the dispatcher does for a thing that was watched: a waiter for its
;; descriptor, a socket, or the handle of a socket that nobody waits for now.
(define (attend! thing tag)
  (cond ((not thing))
        ((fixnum? thing)
         (%unwatch-socket poller thing)
         (free-place! tag))
        ((pair? thing)
         (%unwatch-fd poller (cdr thing))
         (free-place! tag)
         (rouse! (car thing)))
        (else
         (prune! thing)
         (rouse-first! thing #f)
         (unless (and (waited? thing) (fx= 0 (%check-socket (socket-handle thing))))
           (%unwatch-socket poller (socket-handle thing))
           (free-place! tag)))))

;; ------------------------------------------------------------- waiting --

(define (enlist! s w)
  (prune! s)
  (let* ((others (socket-waiters s))
         (first (first-in-line others (waiter-event w))))
    (set-socket-waiters! s (append others (list w)))
    ;; Who waits alone for the descriptor must make way for the dispatcher, and
    ;; may have been woken by it already.
    (when (and (pair? others) (waiter-direct (car others)))
      (rouse! (car others)))
    (when (and first (waiter-roused first)) (see-to! s first))))

(define (delist! s w)
  (stay-awake!)
  (set-waiter-roused! w #f)
  (clear-timer! w)
  (release-descriptor! w)
  (remove-waiter! s w)
  (if (waited? s)
      (rouse-first! s #f)
      (leave-place! s)))

;; Tries until the attempt answers something else than eagain; #f when time
;; has run out.
(define (wait-to-do s event limit attempt)
  (cond ((or (waited? s)
             (and (eq? event out-bit)
                  (not (eq? out-bit (%exhausted (socket-handle s))))))
         (stand-in-line s event limit attempt #f))
        ((passed? limit) #f)
        (else
         (let ((outcome (sleep-alone! s event limit)))
           (if (fx<= outcome others-woke)
               (stand-in-line s event limit attempt (fx= outcome others-woke))
               (let ((result (attempt)))
                 (used! s)
                 (if (eq? result eagain)
                     (wait-to-do s event limit attempt)
                     result)))))))

;; Tries at once, or lets others run first.
(define (stand-in-line s event limit attempt yield)
  (let ((w (make-waiter event limit)))
    (wind
     (lambda () (enlist! s w))
     (lambda ()
       (when yield (yield!))
       (let loop ()
         (set-waiter-roused! w #f)
         (let* ((mine (in-turn? s w))
                (result (if mine (attempt) eagain)))
           (when mine (rouse-first! s w))
           (cond ((not (eq? result eagain)) result)
                 ((passed? limit) #f)
                 (else
                  (sleep-in-line! s w)
                  (loop))))))
     (lambda () (delist! s w)))))

(define (sleep-in-line! s w)
  (let ((fd (%socket-fd (socket-handle s))))
    (if (and (null? (cdr (socket-waiters s)))
             (not (%socket-polled? (socket-handle s)))
             (claim-descriptor! w))
        (begin
          (set-waiter-direct! w #t)
          (sleep! w fd)
          (release-descriptor! w))
        (sleep! w (if (watch-place! s) #f fd)))))

;; Who waits for a descriptor itself: the primordial thread, which always may,
;; and one other.  One that does so for long makes way for another.
(define primordial-holder #f)
(define holder #f)
(define-constant long 20)

(define (claim-descriptor! w)
  (cond ((primordial? (waiter-thread w))
         (set! primordial-holder w)
         #t)
        ((or (not holder) (not (waiter-alive? holder)))
         (set! holder w)
         #t)
        ((> (now) (+ long (waiter-since holder)))
         (rouse! holder)
         (set! holder w)
         #t)
        (else #f)))

(define (release-descriptor! w)
  (set-waiter-direct! w #f)
  (when (eq? w holder) (set! holder #f))
  (when (eq? w primordial-holder) (set! primordial-holder #f)))

;; Rouses them, where sockets were closed without the dispatcher's hearing.
(define (rouse-direct!)
  (when holder (rouse! holder))
  (when primordial-holder (rouse! primordial-holder)))

;; Has the dispatcher watch the socket.  The watch outlives the line, so that
;; a thread that waits often does not pay for it each time; but it does not
;; keep the socket alive.
(define (watch-place! s)
  (let ((poller (usable-poller)) (tag (socket-place s)) (handle (socket-handle s)))
    (if (and tag
             (fx< tag places-used)
             (let ((thing (vector-ref places tag)))
               (or (eq? thing s) (eq? thing handle))))
        (begin (vector-set! places tag s) #t)
        (let* ((tag (allot-place! s))
               (code (%watch-socket poller handle signal-bit tag)))
          (cond ((fx< code 0) (free-place! tag) #f)
                (else (set-socket-place! s tag) #t))))))

(define (leave-place! s)
  (let ((tag (socket-place s)))
    (when (and tag (fx< tag places-used) (eq? s (vector-ref places tag)))
      (vector-set! places tag (socket-handle s)))))
