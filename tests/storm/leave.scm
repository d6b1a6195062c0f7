;;; For how long a storm lasts, and how its signal handler leaves what it interrupts.

(define end (+ (current-process-milliseconds) (* 1000 seconds)))
(define (going?) (< (current-process-milliseconds) end))

(define escape #f)              ; a continuation, while the handler may leave by it
(define left 0)

;; Leaves the primordial thread only; with `anywhere' whichever thread is current.
(define (leave!)
  (let ((k escape))
    (when (and k (or (eq? how 'anywhere)
                     (eq? ##sys#current-thread ##sys#primordial-thread)))
      (set! escape #f)
      (set! left (fx+ left 1))
      (if (eq? how 'raise) (signal 'stormed) (k 'left)))))
