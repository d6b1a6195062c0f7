;;; A ventilator deals tasks out to two workers, and a sink adds their results up.

(import (zmq compat) (chicken process) (chicken process-context) (chicken base))

(define count 1000)

(define (work)
  (define in (make-socket 'pull))
  (define out (make-socket 'push))
  (connect-socket in "ipc://tasks")
  (connect-socket out "ipc://results")
  (let loop ()
    (let ((task (receive-message* in)))
      (send-message out (number->string (* 2 (string->number task))))
      (loop))))

(define workers (list (process-fork work) (process-fork work)))

(define tasks (make-socket 'push))
(define results (make-socket 'pull))
(socket-option-set! tasks 'hwm 100)
(bind-socket tasks "ipc://tasks")
(bind-socket results "ipc://results")

(do ((i 1 (+ i 1))) ((> i count))
  (send-message tasks (number->string i)))
(let loop ((i 0) (sum 0))
  (if (< i count)
      (loop (+ i 1) (+ sum (string->number (receive-message results))))
      (print sum)))
; prints: 1001000
(for-each process-signal workers)
(close-socket tasks)
(close-socket results)
(terminate-context (zmq-default-context))
