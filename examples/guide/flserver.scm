;;; A server without a broker, for the freelance clients: a REP that says OK.
;;; Look at: it sends back the number of the request, so that late replies are recognized.
;;;   csi -s flserver.scm ENDPOINT

(import zmq)
(include "guide.scm")

(define server (make-socket 'rep bind: (argument 0 "tcp://*:5555")))

(let loop ()
  (let ((request (receive-multipart-message server)))
    (send-multipart-message server (list (car request) "OK"))
    (loop)))
