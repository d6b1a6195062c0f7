;;; The load-balancing broker as a reactor: each socket has a procedure that handles it.
;;; Look at: the poller's values are the procedures, so the loop itself is one line.
;;;   csi -s lbbroker3.scm [CLIENTS [WORKERS]]

(import zmq)
(include "guide.scm")

(define clients (argument 0 10))
(define frontend (make-socket 'router bind: "inproc://frontend"))
(define backend (make-socket 'router bind: "inproc://backend"))

(define (ask n)
  (let ((client (make-socket 'req connect: "inproc://frontend")))
    (send-message client "HELLO")
    (say "Client: " (receive-message client))))

(define (work n)
  (let ((worker (make-socket 'req connect: "inproc://backend")))
    (let loop ((reply '("READY")))
      (send-multipart-message worker reply)
      (receive (client request) (unwrap-message (receive-multipart-message worker))
        (say "Worker: " (car request))
        (loop (wrap-message client '("OK")))))))

(define threads (start-threads clients ask))
(start-threads (argument 1 3) work)

(define poller (make-poller))
(define free '())
(define served 0)

;; The frontend is watched only while a worker is free.
(define (handle-frontend)
  (send-multipart-message
   backend (wrap-message (car free) (receive-multipart-message frontend)))
  (set! free (cdr free))
  (when (null? free) (poller-remove! poller frontend)))

(define (handle-backend)
  (receive (worker reply) (unwrap-message (receive-multipart-message backend))
    (when (null? free) (poller-add! poller frontend in: #t value: handle-frontend))
    (set! free (append free (list worker)))
    (unless (equal? reply '("READY"))
      (send-multipart-message frontend reply)
      (set! served (+ served 1)))))

(poller-add! poller backend in: #t value: handle-backend)
(do () ((= served clients))
  ((car (poller-wait poller max: 1))))
(for-each thread-join! threads)
