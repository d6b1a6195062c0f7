;;; Simple Pirate: a queue between lazy pirate clients and workers that say when they are ready.
;;; Look at: a worker that dies costs one request, which its client sends again.
;;;   csi -s spqueue.scm [CLIENTS-ENDPOINT [WORKERS-ENDPOINT]]

(import zmq)
(include "guide.scm")

(define frontend (make-socket 'router bind: (argument 0 "tcp://*:5555")))
(define backend (make-socket 'router bind: (argument 1 "tcp://*:5556")))

(let loop ((free '()))
  (cond ((eq? backend (if (null? free) backend (first-ready #t backend frontend)))
         (receive (worker reply) (unwrap-message (receive-multipart-message backend))
           (unless (equal? reply '("READY"))
             (send-multipart-message frontend reply))
           (loop (append free (list worker)))))
        (else
         (send-multipart-message
          backend (wrap-message (car free) (receive-multipart-message frontend)))
         (loop (cdr free)))))
