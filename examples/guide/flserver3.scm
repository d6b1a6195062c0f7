;;; Freelance, model 3: a server with the protocol of ZeroMQ's RFC 10, by (zmq patterns).
;;; Look at: it answers pings while it works on a request, so a busy server is not a dead one.
;;;   csi -s flserver3.scm [ENDPOINT [PUBLIC-ENDPOINT]]

(import zmq (zmq patterns))
(include "guide.scm")

;; Clients address the server by the endpoint that they connect to: the public one.
(define endpoint (argument 0 "tcp://127.0.0.1:5555"))
(define public (argument 1 endpoint))

(freelance-server endpoint (lambda (request) (list "OK")) public: public)
(say "I: service is ready at " public)
(sleep-forever)
