;;; Continuations beside a fast timer whose handler counts: a continuation passes its values on with
;;; apply, which may ask for a collection, during which a signal comes.
;;;
;;;   apply HERTZ SECONDS
;;;
;;; Ends with exit code 0 when the time is over.

(import zmq (chicken base) (chicken fixnum) (chicken process signal)
        (chicken time))
(include "timer.scm")

(define end (+ (current-process-milliseconds) (* 1000 seconds)))

(define signals 0)
(set-signal-handler! signal/alrm (lambda (n) (set! signals (fx+ signals 1))))

;; What the collector has to copy, so that a collection takes a while.
(define kept (make-vector 100000 '()))

(define (one . more) more)

(set-timer! hertz)
(let loop ((i 0))
  (when (< (current-process-milliseconds) end)
    (vector-set! kept (fxmod i 100000)
                 (call/cc (lambda (k) (k (list i (make-vector 20 i))))))
    (call-with-values (lambda () (apply values (list i i))) one)
    (loop (fx+ i 1))))
(set-timer! 0)
(exit (if (> signals (quotient (* hertz seconds) 20)) 0 4))
