;;; Swaps drain while the program does something else: a thread of our own,
;;; the drainer, moves what waits to libzmq, a slice of at most 200
;;; microseconds at a time.  It waits for a poller of its own, in which the
;;; kernel tells when messages begin to wait and when their sockets signal.

(define-constant swap-bit 16)

(define zmq-swap-directory
  (make-parameter (%swap-directory)
    (lambda (path)
      (if (string? path) path (fail-type 'zmq-swap-directory "a string" path)))))

;; A socket with a swap: its tag in the poller, its handle, and when to pump it
;; again, #f until it signals.
(define (make-swapping tag handle) (vector tag handle #f))
(define (swapping-tag e) (vector-ref e 0))
(define (swapping-handle e) (vector-ref e 1))
(define (swapping-due e) (vector-ref e 2))
(define (set-swapping-due! e time) (vector-set! e 2 time))

(define drainer #f)
(define drain-poller -1)
(define swapping '())
(define swaps-used 0)

;; The poller, made anew in a forked child and where it never was.
(define (watch-swap! s)
  (when (fx< (%poller-fd drain-poller) 0)
    (set! drain-poller (checked 'socket-option-set! (%make-poller)))
    (set! drainer #f)
    (set! swapping '()))
  (let* ((tag swaps-used)
         (handle (socket-handle s))
         (code (%watch-socket drain-poller handle swap-bit tag)))
    (cond ((fx>= code 0)
           (set! swaps-used (if (fx= tag 1000000000) 0 (fx+ tag 1)))
           (set! swapping (cons (make-swapping tag handle) swapping)))
          ((not (fx= code eeexist)) (fail 'socket-option-set! code s))))
  (unless (and drainer (not (thread-ended? drainer)))
    (set! drainer (start-thread drain))))

(define (note-signals! found n)
  (do ((i 0 (fx+ i 1))) ((fx= i n))
    (let ((tag (vector-ref found (fx* 2 i))))
      (for-each (lambda (e) (when (fx= tag (swapping-tag e)) (set-swapping-due! e 0)))
                swapping))))

;; Pumps the socket if it is time, and says when to do so again; #f for a
;; socket that was closed.
(define (pump! e)
  (if (not (passed? (swapping-due e)))
      #t
      (let ((code (%pump (swapping-handle e))))
        (cond ((fx>= code 0)
               (set-swapping-due! e (let ((next (%number))) (and (>= next 0) next)))
               #t)
              ((fx= 0 (%check-socket (swapping-handle e)))
               (set-swapping-due! e #f)    ; as after shutdown-context
               #t)
              (else
               (%unwatch-socket drain-poller (swapping-handle e))
               #f)))))

(define (keep-if ok? l)
  (cond ((null? l) '())
        ((ok? (car l)) (cons (car l) (keep-if ok? (cdr l))))
        (else (keep-if ok? (cdr l)))))

(define (earliest l)
  (foldl (lambda (time e)
           (let ((due (swapping-due e)))
             (if (and due (or (not time) (< due time))) due time)))
         #f l))

(define (drain)
  (let* ((found (make-vector (fx* 2 most-found) 0))
         (n (%check-poller drain-poller found most-found)))
    (when (and (fx>= n 0) (eq? (current-thread) drainer)) ; else the parent's
      (note-signals! found n)
      (set! swapping (keep-if pump! swapping))
      (let ((time (earliest swapping)))
        (unless (or (fx> n 0) (and time (passed? time)))
          (wait-descriptor! (%poller-fd drain-poller) time)))
      (yield!)
      (drain))))

;; ------------------------------------------------------------- options --

(define (option-integer s name)
  (if (fx= 0 (%get-integer (socket-handle s) (%option-row #f name))) (%number) 0))

(define (has-swap? s) (> (option-integer s "swap") 0))

;; What sets the option swap: before it a socket gets its directory.  While it
;; has one, the drainer takes its signals, so that nobody else waits for its
;; descriptor directly.
(define (with-swap location s value set)
  (let ((before (has-swap? s))
        (row (%option-row #f "swap-directory")))
    (when (and (not before) (exact-integer? value) (> value 0)
               (fx= 0 (%get-bytes (socket-handle s) row))
               (= 0 (%bytes-size)))
      (checked location
               (%set-bytes (socket-handle s) row (zmq-swap-directory))
               'swap-directory (zmq-swap-directory)))
    (set)
    (when (and (has-swap? s) (not before))
      (watch-swap! s)
      (begin-polling! s))))
