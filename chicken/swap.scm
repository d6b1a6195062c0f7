;;; The pump sends the messages in swaps while the program does something else.  The loop calls
;;; it; it moves messages from a swap to libzmq in slices of at most 200 microseconds.  Its poller
;;; reports when messages begin to wait in a swap and when their socket's descriptor signals.

(define zmq-swap-directory
  (make-parameter (%swap-directory)
    (lambda (path) (check-string 'zmq-swap-directory path))))

(define pump-poller -1)
(define swaps (vector '()))     ; a list of (handle . due), of the sockets with a swap
(define pump-timer #f)
(define pump-found (make-found))
(define pumping #f)

;; A forked child needs a new poller.
(define (start-pump! location)
  (when (fx< (%poller-fd pump-poller) 0)
    (usable-poller)
    (set! pump-poller (new-poller-handle location collect-and-make))
    (%list-take swaps 0)
    (set! pump-timer #f)
    (set-found-count! pump-found 0)
    (set! pumping #f))
  (unless pumping
    (pump!)
    (set! pumping #t)))

(define (watch-swap! s)
  (let* ((handle (socket-handle s))
         (code (%watch-socket pump-poller handle swap-bit handle)))
    (cond ((fx>= code 0) (add-first! swaps 0 (cons handle #f)))
          ((not (fx= code eeexist)) (fail 'socket-option-set! code s)))))

;; Pumps the sockets that have signalled or are due, and then asks the loop to call it again.
(define (pump!)
  (pump-due!)
  (when pump-timer (cancel! pump-timer))
  (let ((due (earliest (vector-ref swaps 0))))
    (set! pump-timer (and due (at! due pump!))))
  (unwatch! (%poller-fd pump-poller) pump!)
  (watch! (%poller-fd pump-poller) pump!))

;; Goes on until a check finds nothing: only then the poller's descriptor signals again.
(define (pump-due!)
  (note-due!)
  (let ((n (%keep-found pump-poller pump-found)))
    (note-due!)
    (for-each pump-socket! (vector-ref swaps 0))
    (when (fx> n 0) (pump-due!))))

(define (note-due!)
  (do ((i 0 (fx+ i 1))) ((fx>= i (found-count pump-found)))
    (let ((entry (assq (found-tag pump-found i) (vector-ref swaps 0))))
      (when entry (set-cdr! entry 0))))
  (set-found-count! pump-found 0))

;; `due` is when to pump the socket again, or #f to wait until it signals, as after
;; shutdown-context.  A socket that was closed is forgotten.
(define (pump-socket! entry)
  (when (passed? (cdr entry))
    (let ((code (%pump (car entry))))
      (cond ((fx>= code 0) (let ((next (%number))) (set-cdr! entry (and (>= next 0) next))))
            ((fx= 0 (%check-socket (car entry))) (set-cdr! entry #f))
            (else
             (%unwatch-socket pump-poller (car entry))
             (%list-remove swaps 0 entry))))))

(define (earliest entries)
  (foldl (lambda (time entry)
           (let ((due (cdr entry))) (if (and due time) (min due time) (or due time))))
         #f entries))

;; --------------------------------------------------------------- options --

(define (has-swap? s)
  (> (%get-integer (socket-handle s) (%option-row #f "swap") (vector 0)) 0))

;; A swap begins at the mark for sending.  A socket that zmq-default-hwm made without one gets
;; libzmq's own with its swap.
(define (need-mark! location s)
  (let ((row (%option-row #f "sndhwm")))
    (when (and (eqv? 0 (zmq-default-hwm))
               (eqv? 0 (%get-integer (socket-handle s) row (vector 0)))
               (null? (endpoints s)))
      (set-plain-option! location s 'sndhwm (%option-initial row)))))

;; Calls `set`, which sets the option swap to the value.  A socket that has no swap-directory gets
;; that of the parameter first.
(define (with-swap location s value set)
  (let ((before (has-swap? s))
        (row (%option-row #f "swap-directory")))
    (when (and (not before) (exact-integer? value) (> value 0)
               (fx= 0 (%get-bytes (socket-handle s) row))
               (= 0 (%bytes-size)))
      (checked location (%set-bytes (socket-handle s) row (zmq-swap-directory))
               'swap-directory (zmq-swap-directory)))
    ;; Without a pump the swap would stand still.
    (when (and (exact-integer? value) (> value 0))
      (start-pump! location)
      (need-mark! location s))
    (set)
    (when (and (has-swap? s) (not before))
      (watch-swap! s)
      (socket-touched! s))))
