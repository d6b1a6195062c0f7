;;; A last value cache: a proxy that remembers the last message of each topic.
;;; Look at: an XPUB receives each subscription; the answer goes to all subscribers of the topic.
;;;   csi -s lvcache.scm [PUBLISHER-ENDPOINT [SUBSCRIBERS-ENDPOINT]]

(import zmq)
(include "guide.scm")

(define frontend
  (make-socket 'sub subscribe: "" connect: (argument 0 "tcp://localhost:5557")))
(define backend                         ; it hears of each subscription, not only of new topics
  (make-socket 'xpub xpub-verbose: #t bind: (argument 1 "tcp://*:5558")))

(let loop ((cache '()))
  (cond ((eq? frontend (first-ready #t frontend backend))
         (let ((message (receive-multipart-message frontend)))
           (send-multipart-message backend message)
           (loop (alist-update (car message) message cache equal?))))
        (else
         (let* ((event (receive-message backend))
                (topic (substring event 1))
                (message (alist-ref topic cache equal?)))
           (when (and message (char=? (string-ref event 0) (integer->char 1)))
             (say "Sending cached topic " topic)
             (send-multipart-message backend message))
           (loop cache)))))
