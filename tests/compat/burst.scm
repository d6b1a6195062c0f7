;;; A publisher waits for its subscriber, sends a burst that the subscriber does not read before
;;; it is over, and then END.

(import (zmq compat) (chicken process) (chicken process-context) (chicken base))

(define count 20000)
(define text (make-string 100 #\x))

(define (subscribe)
  (define sub (make-socket 'sub))
  (define sync (make-socket 'req))
  (connect-socket sub "ipc://news")
  (socket-option-set! sub 'subscribe "")
  (connect-socket sync "ipc://sync")
  (receive-message sub)
  (send-message sync "ready")
  (receive-message sync)
  (let loop ((n 0))
    (let ((m (receive-message sub)))
      (cond ((string=? m "HELO") (loop n))
            ((string=? m "END") (if (= n count) "all" n))
            (else (loop (+ n 1)))))))

(define (publish)
  (define pub (make-socket 'pub))
  (define sync (make-socket 'rep))
  (bind-socket pub "ipc://news")
  (bind-socket sync "ipc://sync")
  (define items (list (make-poll-item sync in: #t)))
  (let loop ()
    (send-message pub "HELO")
    (when (= 0 (poll items 5)) (loop)))
  (receive-message sync)
  (do ((i 0 (+ i 1))) ((= i count)) (send-message pub text))
  (send-message pub "END")
  (send-message sync "read it now")
  (terminate-context (zmq-default-context)))

(define child (process-fork (lambda () (print (subscribe)) (exit 0))))
(publish)
(process-wait child)
; prints: all
