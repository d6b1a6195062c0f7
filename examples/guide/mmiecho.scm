;;; Asks a Majordomo broker whether there is a service, with the client of (zmq patterns).
;;; Look at: the question is a request too, to a service of the broker's own (RFC 8).
;;;   csi -s mmiecho.scm [ENDPOINT [SERVICE]]

(import zmq (zmq patterns))
(include "guide.scm")

(define client (majordomo-client (argument 0 "tcp://localhost:5555")))
(define service (argument 1 "echo"))

;; 200: yes; 404: no.
(let ((reply (majordomo-call client "mmi.service" (list service))))
  (cond (reply (say "Lookup " service " service: " (car reply)))
        (else (say "E: no response from broker, make sure it is running") (exit 1))))
