;;; Clone, model 6: a Binary Star pair of servers; the passive one is a client of the active one.
;;; Look at: stop the active server while clients set keys, and the other one has their table.
;;;   csi -s clonesrv6.scm [primary|backup [ENDPOINT [PEER [OWN-STATE [PEER-STATE [MILLISECS]]]]]]

(import zmq (zmq patterns))
(include "guide.scm")
(include "bstar.scm")

(define endpoint (role-argument 1 "tcp://127.0.0.1:5556" "tcp://127.0.0.1:5566"))
(define peer (role-argument 2 "tcp://127.0.0.1:5566" "tcp://127.0.0.1:5556"))
(define interval (argument 5 1000))

;; While the server is passive, it has the peer's table, and clients that ask for a table vote.
(define replica (clone-client peer heartbeat: interval timeout: 0))
(define voters (make-socket 'router bind: endpoint))

(define (follow)
  (cond ((socket-closed? voters) #f)
        ((clone-synchronized? replica)
         (say "I: following " peer ", " (length (clone-keys replica)) " keys"))
        (else (thread-sleep! 0.05) (follow))))

;; A client does not learn how long the server keeps a value, so an ephemeral one stays until it is
;; set again.
(define (take-over)
  (close-socket voters)
  (let ((server (clone-server endpoint heartbeat: interval)))
    (for-each (lambda (key) (clone-set! server key (clone-ref replica key))) (clone-keys replica))
    (clone-stop! replica)
    (say "I: serving at " endpoint ", " (length (clone-keys server)) " keys")))

(define (enter state)
  (if (eq? state 'active)
      (take-over)
      (thread-start! follow)))

(binary-star (role-argument 3 "tcp://*:5003" "tcp://*:5004")
             (role-argument 4 "tcp://localhost:5004" "tcp://localhost:5003")
             interval
             voters
             (lambda (request) #f)
             enter)
