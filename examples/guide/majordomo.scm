;;; The words of the Majordomo protocol, MDP/0.1: see rfc.zeromq.org/spec/7.
;;; Look at: the part behind the empty one says whether a client or a worker speaks.
;;; A part of mdbroker, mdworker, mdclient and mdclient2.

(define for-clients "MDPC01")
(define for-workers "MDPW01")

(define (command n) (string (integer->char n)))
(define command/ready (command 1))
(define command/request (command 2))
(define command/reply (command 3))
(define command/heartbeat (command 4))
(define command/disconnect (command 5))
