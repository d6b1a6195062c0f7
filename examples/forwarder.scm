;;; A forwarder between publishers and subscribers, which then need to know
;;; only its two endpoints.  News go from XSUB to XPUB, subscriptions the other
;;; way, as messages: a byte 1 or 0, then the topic.

(import zmq)
(include "threads.scm")

(define front (make-socket 'xsub))      ; publishers connect to this
(define back (make-socket 'xpub))       ; subscribers to that
(define publishers (bind-socket front "tcp://127.0.0.1:*"))
(define subscribers (bind-socket back "tcp://127.0.0.1:*"))

(define (forward from to)
  (send-multipart-message to (receive-multipart-message from))
  (forward from to))

(thread-start! (lambda () (forward front back)))
(thread-start! (lambda () (forward back front)))

(define sub (make-socket 'sub subscribe: '("rain" "sun") connect: subscribers))

;; An XPUB as publisher hears of the subscriptions, and so does not speak
;; before it is heard.
(define pub (make-socket 'xpub connect: publishers))
(define (next-subscription)
  (let ((message (receive-message pub as: 'string timeout: 5000)))
    (print "subscribed to " (substring message 1))))
(next-subscription)                     ; prints: subscribed to rain
(next-subscription)                     ; prints: subscribed to sun

(for-each (lambda (news) (send-multipart-message pub news))
          '(("rain" "in the north") ("snow" "nowhere") ("sun" "in the south")))

(define (show-news)
  (print (receive-multipart-message sub as: 'string timeout: 5000)))
(show-news)                             ; prints: (rain in the north)
(show-news)                             ; prints: (sun in the south)
