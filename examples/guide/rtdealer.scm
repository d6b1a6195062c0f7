;;; A ROUTER that deals work to DEALER workers.
;;; Look at: a DEALER adds no empty part, so the workers add and remove it, to look like a REQ.
;;;   csi -s rtdealer.scm [WORKERS [MILLISECONDS]]

(import zmq)
(include "guide.scm")

(define workers (argument 0 10))
(define broker (make-socket 'router))
(define endpoint (bind-socket broker "tcp://127.0.0.1:*"))

(define (work n)
  (let ((worker (make-socket 'dealer connect: endpoint)))
    (let loop ((total 0))
      (send-multipart-message worker '("" "Hi Boss"))
      (cond ((string=? (cadr (receive-multipart-message worker)) "Work harder")
             (thread-sleep! (/ (+ 1 (random 30)) 1000))
             (loop (+ total 1)))
            (else (say "Worker " n " completed: " total " tasks"))))))

(define threads (start-threads workers work))
(define end (+ (now) (argument 1 5000)))

(let loop ((running workers))
  (when (> running 0)
    (let* ((worker (car (receive-multipart-message broker)))
           (fired (> (now) end)))
      (send-multipart-message broker (list worker "" (if fired "Fired!" "Work harder")))
      (loop (if fired (- running 1) running)))))
(for-each thread-join! threads)
