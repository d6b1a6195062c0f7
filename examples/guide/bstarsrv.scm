;;; Binary Star: a primary and a backup server, of which one at most is active at any time.
;;; Look at: stop the active one, and the other one serves; start it again, and nothing changes.
;;;   csi -s bstarsrv.scm primary|backup CLIENTS-ENDPOINT OWN-STATE PEER-STATE [MILLISECONDS]

(import zmq)
(include "guide.scm")
(include "bstar.scm")

(define frontend (make-socket 'router bind: (argument 1 "tcp://*:5001")))

(binary-star (string->symbol (argument 0 "primary"))
             (argument 2 "tcp://*:5003")
             (argument 3 "tcp://localhost:5004")
             (argument 4 1000)
             frontend
             (lambda (request) (send-multipart-message frontend request)))
