;;; A load-balancing broker, part by part: a request goes to the worker that has been free longest.
;;; Look at: while no worker is free, the broker reads no requests; they wait in its socket.
;;;   csi -s lbbroker.scm [CLIENTS [WORKERS]]

(import zmq)
(include "guide.scm")

(define clients (argument 0 10))
(define frontend (make-socket 'router bind: "inproc://frontend"))
(define backend (make-socket 'router bind: "inproc://backend"))

(define (ask n)
  (let ((client (make-socket 'req connect: "inproc://frontend")))
    (send-message client "HELLO")
    (say "Client: " (receive-message client))))

;; "READY" first, then each reply, which makes it free again.
(define (work n)
  (let ((worker (make-socket 'req connect: "inproc://backend")))
    (send-message worker "READY")
    (let loop ()
      (let ((client (receive-message worker)))
        (receive-message worker)        ; the empty part
        (say "Worker: " (receive-message worker))
        (send-message worker client send-more: #t)
        (send-message worker "" send-more: #t)
        (send-message worker "OK")
        (loop)))))

(define threads (start-threads clients ask))
(start-threads (argument 1 3) work)

;; Passes one reply on, if it is one, and returns the name of the worker.
(define (take-reply)
  (let ((worker (receive-message backend)))
    (receive-message backend)
    (let ((client (receive-message backend)))
      (unless (string=? client "READY")
        (send-message frontend client send-more: #t)
        (send-message frontend (receive-message backend) send-more: #t)
        (send-message frontend (receive-message backend))
        (set! clients (- clients 1)))
      worker)))

(let loop ((free '()))
  (when (> clients 0)
    (cond ((eq? backend (if (null? free) backend (first-ready #t backend frontend)))
           (loop (append free (list (take-reply)))))
          (else
           (send-message backend (car free) send-more: #t)
           (send-message backend "" send-more: #t)
           (send-multipart-message backend (receive-multipart-message frontend))
           (loop (cdr free))))))
(for-each thread-join! threads)
