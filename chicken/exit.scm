;;; The end of the program: what was sent gets a bounded time to leave.

(define zmq-exit-linger
  (make-parameter 1000
    (lambda (ms)
      (if (and (exact-natural? ms) (< ms (expt 2 31)))
          ms
          (fail-type 'zmq-exit-linger "a number of milliseconds" ms)))))

(on-exit (lambda () (%exit (zmq-exit-linger))))

(define (zmq-version)
  (list (%version 0) (%version 1) (%version 2)))
