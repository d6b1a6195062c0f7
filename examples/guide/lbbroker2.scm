;;; The load-balancing broker, with messages as lists of parts.
;;; Look at: wrapping and unwrapping an envelope take one line each.
;;;   csi -s lbbroker2.scm [CLIENTS [WORKERS]]

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

(define (serve free served)
  (cond ((= served clients) (for-each thread-join! threads))
        ((eq? backend (if (null? free) backend (first-ready #t backend frontend)))
         (receive (worker reply) (unwrap-message (receive-multipart-message backend))
           (cond ((equal? reply '("READY")) (serve (append free (list worker)) served))
                 (else
                  (send-multipart-message frontend reply)
                  (serve (append free (list worker)) (+ served 1))))))
        (else
         (send-multipart-message
          backend (wrap-message (car free) (receive-multipart-message frontend)))
         (serve (cdr free) served))))

(serve '() 0)
