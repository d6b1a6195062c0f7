;;; Swaps drain while the program does something else: the pump, a client of the loop, moves
;;; what waits to libzmq, a slice of at most 200 microseconds at a time.  A poller of its own
;;; tells it when messages begin to wait and when their sockets signal.

(define zmq-swap-directory
  (make-parameter (%swap-directory)
    (lambda (path)
      (if (string? path) path (fail-type 'zmq-swap-directory "a string" path)))))

(define pump-poller -1)
(define swaps (vector '()))         ; sockets with a swap, as (handle . due)
(define pump-timer #f)

;; The poller is made anew in a forked child.
(define (watch-swap! s)
  (when (fx< (%poller-fd pump-poller) 0)
    (set! pump-poller (checked 'socket-option-set! (%make-poller)))
    (%list-take swaps 0)
    (pump!))
  (let* ((handle (socket-handle s))
         (code (%watch-socket pump-poller handle swap-bit handle)))
    (cond ((fx>= code 0) (add-first! swaps 0 (cons handle #f)))
          ((not (fx= code eeexist)) (fail 'socket-option-set! code s)))))

;; Pumps the sockets that have signalled and those whose time has come, and then asks to be
;; called again.
(define (pump!)
  (pump-due!)
  (when pump-timer (cancel! pump-timer))
  (let ((due (earliest (vector-ref swaps 0))))
    (set! pump-timer (and due (at! due pump!))))
  (unwatch! (%poller-fd pump-poller) pump!)
  (watch! (%poller-fd pump-poller) pump!))

;; Until a check finds nothing: the poller's descriptor tells of what comes after that.
(define (pump-due!)
  (let* ((found (make-vector (fx* 2 most-ready) 0))
         (n (%check-poller pump-poller found most-ready)))
    (do ((i 0 (fx+ i 1))) ((fx>= i n))
      (let ((entry (assq (vector-ref found (fx* 2 i)) (vector-ref swaps 0))))
        (when entry (set-cdr! entry 0))))
    (for-each pump-socket! (vector-ref swaps 0))
    (when (fx> n 0) (pump-due!))))

;; `due` is when to pump again, or #f until the socket signals.
(define (pump-socket! entry)
  (when (passed? (cdr entry))
    (let ((code (%pump (car entry))))
      (cond ((fx>= code 0)
             (let ((next (%number))) (set-cdr! entry (and (>= next 0) next))))
            ((fx= 0 (%check-socket (car entry)))
             (set-cdr! entry #f))       ; as after shutdown-context
            (else
             (%unwatch-socket pump-poller (car entry))
             (%list-remove swaps 0 entry))))))

(define (earliest entries)
  (foldl (lambda (time entry)
           (let ((due (cdr entry)))
             (if (and due (or (not time) (< due time))) due time)))
         #f entries))

;; ------------------------------------------------------------- options --

(define (option-integer s name)
  (if (fx= 0 (%get-integer (socket-handle s) (%option-row #f name))) (%number) 0))

(define (has-swap? s) (> (option-integer s "swap") 0))

;; What sets the option swap: before it a socket gets its directory.
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
      (socket-touched! s))))
