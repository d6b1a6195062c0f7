;;; zmq monitor: writes what happens to the connections of a socket, a line for each event.

(define (run-monitor words)
  (unless (and (pair? words) (member (car words) type-names))
    (wrong-usage "zmq monitor needs a socket type"
                 (if (pair? words) (hint (car words) type-names) "")))
  (read-arguments! 'monitor (cdr words))
  (let* ((endpoints (all-endpoints))
         (socket (open-socket (string->symbol (car words)) (open-context)))
         (monitor (monitor-socket socket)))
    (for-each (lambda (endpoint) (attach! socket endpoint)) endpoints)
    (let loop ((n 1))
      (let ((event (or (receive-event monitor timeout: (option "timeout")) (give-up "event"))))
        (write-out (event-line event))
        (unless (eqv? n (option "count")) (loop (+ n 1)))))))

(define (event-line event)
  (define (text x) (cond ((not x) '()) ((number? x) (list (number->string x)))
                         (else (list (->string x)))))
  (string-append
   (string-intersperse
    (append (text (event-symbol event)) (text (event-endpoint event)) (text (event-value event))
            (if (event-text event) (list (string-append "(" (event-text event) ")")) '()))
    " ")
   "\n"))
