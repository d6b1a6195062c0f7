;;; A broker between clients and workers, all of which are requesters: a worker says READY, and
;;; the broker gives each request to the worker that has waited longest.

(import (zmq compat) (chicken process) (chicken process-context) (chicken base))

(define clients 4)

(define (client)
  (define s (make-socket 'req))
  (connect-socket s "ipc://frontend.ipc")
  (send-message s "HELLO")
  (exit (if (string=? "OK" (receive-message s)) 0 1)))

(define (worker)
  (define s (make-socket 'req))
  (connect-socket s "ipc://backend.ipc")
  (send-message s "READY")
  (let loop ()
    (let ((address (receive-message* s)))
      (receive-message* s)
      (receive-message* s)
      (send-message s address send-more: #t)
      (send-message s "" send-more: #t)
      (send-message s "OK")
      (loop))))

(define (children n proc)
  (if (= n 0) '() (cons (process-fork proc) (children (- n 1) proc))))

(define worker-processes (children 3 worker))
(define client-processes (children clients client))

(define frontend (make-socket 'xrep))
(define backend (make-socket 'xrep))
(bind-socket frontend "ipc://frontend.ipc")
(bind-socket backend "ipc://backend.ipc")

(define back-item (make-poll-item backend in: #t))
(define front-item (make-poll-item frontend in: #t))

(define (send-parts s . parts)
  (let loop ((parts parts))
    (send-message s (car parts) send-more: (pair? (cdr parts)))
    (when (pair? (cdr parts)) (loop (cdr parts)))))

;; The rest of the message, which rcvmore tells.
(define (receive-rest s)
  (if (socket-option s 'rcvmore)
      (let ((part (receive-message s))) (cons part (receive-rest s)))
      '()))

(let loop ((free '()) (answered 0))
  (when (< answered clients)
    (poll (if (null? free) (list back-item) (list back-item front-item)) #t)
    (cond ((poll-item-in? back-item)
           (let* ((address (receive-message backend)) (parts (receive-rest backend)))
             (if (equal? parts '("" "READY"))
                 (loop (append free (list address)) answered)
                 (begin
                   (apply send-parts frontend (cdr parts))
                   (loop (append free (list address)) (+ answered 1))))))
          ((poll-item-in? front-item)
           (let* ((address (receive-message frontend)) (parts (receive-rest frontend)))
             (send-parts backend (car free) "" address "" (cadr parts))
             (loop (cdr free) answered)))
          (else (loop free answered)))))

(for-each (lambda (pid)
            (receive (pid normal status) (process-wait pid) (print status)))
          client-processes)
; prints: 0
; prints: 0
; prints: 0
; prints: 0
(for-each process-signal worker-processes)
(close-socket frontend)
(close-socket backend)
(terminate-context (zmq-default-context))
