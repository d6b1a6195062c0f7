;;; A publisher with envelopes: the topic is a part of its own.
;;; Look at: a subscription is compared with the first part, never with the second.
;;;   csi -s psenvpub.scm [ENDPOINT [MILLISECONDS]]

(import zmq)
(include "guide.scm")

(define publisher (make-socket 'pub bind: (argument 0 "tcp://*:5563")))

(let loop ()
  (send-multipart-message publisher '("A" "We don't want to see this"))
  (send-multipart-message publisher '("B" "We would like to see this"))
  (thread-sleep! (/ (argument 1 1000) 1000))
  (loop))
