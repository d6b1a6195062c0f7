;;; Clone, model 6: a client of a pair of servers, which goes to the other one if one is silent.
;;; Look at: it sets the keys that the table lacks; so a key that a failover loses is set again.
;;;   csi -s clonecli6.scm [PRIMARY [BACKUP [KEYS [MILLISECONDS]]]]

(import zmq (zmq patterns))
(include "guide.scm")

(define primary (argument 0 "tcp://127.0.0.1:5556"))
(define backup (argument 1 "tcp://127.0.0.1:5566"))
(define keys (argument 2 100))
(define interval (argument 3 1000))
(define patience (* 5 interval))

(define (key n) (string-append "/client/" (number->string n)))

;; The first key that the table lacks, or #f.
(define (lacking client)
  (let find ((n 1))
    (cond ((> n keys) #f)
          ((clone-ref client (key n)) (find (+ n 1)))
          (else (key n)))))

;; Returns whether the table is complete; otherwise the server does not answer.
(define (complete? client)
  (let ((key (lacking client)))
    (cond ((not (clone-synchronized? client)) #f)
          ((not key) #t)
          ((clone-set! client key (number->string (random 1000000)) timeout: patience)
           (say "I: set " key)
           (thread-sleep! 0.1)
           (complete? client))
          (else #f))))

(let try ((server primary) (other backup))
  (let* ((client (clone-client server subtree: "/client/" heartbeat: interval timeout: patience))
         (ready (clone-synchronized? client)))
    (when ready (say "I: " server " has " (length (clone-keys client)) " keys"))
    (cond ((complete? client) (say "I: the table is complete: " keys " keys"))
          (else
           (say "W: no answer from " server ", failing over")
           (clone-stop! client)
           (try other server)))))
