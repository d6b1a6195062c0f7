;;; A request-reply broker, written out: a ROUTER for clients and a DEALER for workers.
;;; Look at: it passes all parts on, so replies find their client by the envelope.
;;;   csi -s rrbroker.scm [CLIENTS-ENDPOINT [WORKERS-ENDPOINT]]

(import zmq)
(include "guide.scm")

(define frontend (make-socket 'router bind: (argument 0 "tcp://*:5559")))
(define backend (make-socket 'dealer bind: (argument 1 "tcp://*:5560")))

(define poller (make-poller))
(poller-add! poller frontend in: #t value: (cons frontend backend))
(poller-add! poller backend in: #t value: (cons backend frontend))

(let loop ()
  (for-each
   (lambda (way)
     (send-multipart-message (cdr way) (receive-multipart-message (car way))))
   (poller-wait poller))
  (loop))
