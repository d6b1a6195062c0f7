;;; The same broker, with the procedure that does it.
;;; Look at: `proxy' does in C what the loop of rrbroker does, and for other types of sockets too.
;;;   csi -s msgqueue.scm [CLIENTS-ENDPOINT [WORKERS-ENDPOINT]]

(import zmq)
(include "guide.scm")

(proxy (make-socket 'router bind: (argument 0 "tcp://*:5559"))
       (make-socket 'dealer bind: (argument 1 "tcp://*:5560")))
