;;; Clone, model 4: each client has a subtree of the keys; the server is that of (zmq patterns).
;;; Look at: one call does what models 1 to 3 do, in the wire form of ZeroMQ's RFC 12, and more.
;;;   csi -s clonesrv4.scm [ENDPOINT]

(import zmq (zmq patterns))
(include "guide.scm")

;; The endpoint is the first of three TCP ports in a row.
(define server (clone-server (argument 0 "tcp://127.0.0.1:5556")))

(say "I: serving at " (clone-endpoint server))
(sleep-forever)
