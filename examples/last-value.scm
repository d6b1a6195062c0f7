;;; A publisher that remembers: who subscribes late gets the last value of its
;;; topic at once.  An XPUB hears of subscriptions, and answers each with what
;;; it remembers.

(import zmq)
(include "threads.scm")

(define pub (make-socket 'xpub xpub-verbose: #t))   ; also of repeated ones
(define endpoint (bind-socket pub "tcp://127.0.0.1:*"))
(define values-of-topics '())

(define (publish! topic value)
  (set! values-of-topics (cons (cons topic value) values-of-topics))
  (send-multipart-message pub (list topic value)))

(define (remember)
  (let* ((message (receive-message pub as: 'string))
         (topic (substring message 1))
         (entry (assoc topic values-of-topics)))
    (when (and entry (char=? (string-ref message 0) (integer->char 1)))
      (send-multipart-message pub (list topic (cdr entry)))))
  (remember))

(thread-start! remember)

(publish! "dollar" "1.10")
(publish! "pound" "0.80")
(publish! "dollar" "1.12")

(define (late-subscriber topic)
  (call-with-socket 'sub
    (lambda (s) (print (receive-multipart-message s as: 'string timeout: 5000)))
    subscribe: topic connect: endpoint))

(late-subscriber "dollar")              ; prints: (dollar 1.12)
(late-subscriber "pound")               ; prints: (pound 0.80)
(late-subscriber "dollar")              ; prints: (dollar 1.12)
