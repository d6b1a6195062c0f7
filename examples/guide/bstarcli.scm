;;; A client of the Binary Star pair: it asks the other server when one does not reply.
;;; Look at: the backup takes over only when a client asks it, so the two never serve at once.
;;;   csi -s bstarcli.scm [PRIMARY-ENDPOINT [BACKUP-ENDPOINT [COUNT [MILLISECONDS]]]]

(import zmq)
(include "guide.scm")

(define primary (argument 0 "tcp://localhost:5001"))
(define backup (argument 1 "tcp://localhost:5002"))

(define (connect endpoint) (make-socket 'req linger: 0 connect: endpoint))

(let loop ((client (connect primary)) (endpoint primary) (sequence 1))
  (when (<= sequence (argument 2 10))
    (send-message client (number->string sequence))
    (let ((reply (receive-message client timeout: (argument 3 1000))))
      (cond (reply
             (say "I: server replied OK (" reply ")")
             (thread-sleep! 0.1)
             (loop client endpoint (+ sequence 1)))
            (else
             (say "W: no response from server, failing over")
             (close-socket client)
             (let ((other (if (eq? endpoint primary) backup primary)))
               (loop (connect other) other sequence)))))))
