;;; A client of the broker: sends ten requests.
;;; Look at: it is hwclient with another port; a client does not see that there is a broker.
;;;   csi -s rrclient.scm [ENDPOINT [COUNT]]

(import zmq)
(include "guide.scm")

(define requester (make-socket 'req connect: (argument 0 "tcp://localhost:5559")))

(do ((i 0 (+ i 1))) ((= i (argument 1 10)))
  (send-message requester "Hello")
  (say "Received reply " i " " (receive-message requester)))
