;;; The same broker, with the procedure that does it.
;;; Look at: `proxy' moves messages in C; it takes its place wherever two sockets are joined.
;;;   csi -s msgqueue.scm [CLIENTS-ENDPOINT [WORKERS-ENDPOINT]]

(import zmq)
(include "guide.scm")

(proxy (make-socket 'router bind: (argument 0 "tcp://*:5559"))
       (make-socket 'dealer bind: (argument 1 "tcp://*:5560")))
