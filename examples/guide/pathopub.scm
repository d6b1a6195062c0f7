;;; A pathological publisher: a message for each of a thousand topics, then one each second.
;;; Look at: a late subscriber waits long, as a PUB remembers nothing.  See lvcache.
;;;   csi -s pathopub.scm [ENDPOINT [TOPICS [MILLISECONDS]]]

(import zmq (zmq monitor))
(include "guide.scm")

(define publisher (make-socket 'pub bind: (argument 0 "tcp://*:5556")))
(define topics (argument 1 1000))

(define (topic n) (substring (number->string (+ 1000 n)) 1))

(wait-for-subscribers publisher 1)
(do ((n 0 (+ n 1))) ((= n topics))
  (send-multipart-message publisher (list (topic n) "Save Roger")))
(let loop ()
  (thread-sleep! (/ (argument 2 1000) 1000))
  (send-multipart-message publisher (list (topic (random topics)) "Off with his head!"))
  (loop))
