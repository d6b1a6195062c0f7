;;; A ROUTER that deals work to REQ workers: each asks when it is ready.
;;; Look at: a fast worker does more, because it asks more often; there is no turn.
;;;   csi -s rtreq.scm [WORKERS [MILLISECONDS]]

(import zmq)
(include "guide.scm")

(define workers (argument 0 10))
(define broker (make-socket 'router))
(define endpoint (bind-socket broker "tcp://127.0.0.1:*"))

(define (work n)
  (let ((worker (make-socket 'req connect: endpoint)))
    (let loop ((total 0))
      (send-message worker "Hi Boss")
      (cond ((string=? (receive-message worker) "Work harder")
             (thread-sleep! (/ (+ 1 (random 30)) 1000))
             (loop (+ total 1)))
            (else (say "Worker " n " completed: " total " tasks"))))))

(define threads (start-threads workers work))
(define end (+ (now) (argument 1 5000)))

;; The reply to a REQ has an empty part between the name and the content.
(let loop ((running workers))
  (when (> running 0)
    (let* ((worker (car (receive-multipart-message broker)))
           (fired (> (now) end)))
      (send-multipart-message broker (wrap-message worker (if fired '("Fired!") '("Work harder"))))
      (loop (if fired (- running 1) running)))))
(for-each thread-join! threads)
