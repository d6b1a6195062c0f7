;;; Binary Star: a primary and a backup server, of which one at most is active at any time.
;;; Look at: stop the active one, and the other one serves; start it again, and nothing changes.
;;;   csi -s bstarsrv.scm [primary|backup [CLIENTS [OWN-STATE [PEER-STATE [MILLISECONDS]]]]]

(import zmq)
(include "guide.scm")
(include "bstar.scm")

(define frontend (make-socket 'router bind: (role-argument 1 "tcp://*:5001" "tcp://*:5002")))

(binary-star (role-argument 2 "tcp://*:5003" "tcp://*:5004")
             (role-argument 3 "tcp://localhost:5004" "tcp://localhost:5003")
             (argument 4 1000)
             frontend
             (lambda (request) (send-multipart-message frontend request)))
