;;; Espresso: a proxy between publisher and subscriber, and a listener that sees what passes.
;;; Look at: subscriptions pass too, from the subscriber to the publisher: a byte 1 or 0 first.
;;;   csi -s espresso.scm [MESSAGES]

(import zmq)
(include "guide.scm")

(define front (make-socket 'xsub connect: "inproc://publisher"))
(define back (make-socket 'xpub bind: "inproc://subscribers"))
(define capture (make-socket 'pair bind: "inproc://capture"))
(define listener (make-socket 'pair connect: "inproc://capture"))

(define (publish)
  (let ((publisher (make-socket 'pub bind: "inproc://publisher")))
    (let loop ()
      (send-message publisher
        (string-append (string (integer->char (+ 65 (random 10)))) "-"
                       (number->string (random 100000))))
      (thread-sleep! 0.01)
      (loop))))

(define (subscribe)
  (let ((subscriber (make-socket 'sub subscribe: '("A" "B") connect: "inproc://subscribers")))
    (do ((i 0 (+ i 1))) ((= i (argument 0 5)))
      (say "subscriber: " (receive-message subscriber)))
    (close-socket subscriber)))

;; Ends when as many subscriptions were taken back as were made.
(define (listen subscriptions)
  (let* ((message (receive-message listener))
         (first (char->integer (string-ref message 0))))
    (cond ((= first 0)
           (say "listener: unsubscribe " (substring message 1))
           (unless (= subscriptions 1) (listen (- subscriptions 1))))
          ((= first 1)
           (say "listener: subscribe " (substring message 1))
           (listen (+ subscriptions 1)))
          (else
           (say "listener: " message)
           (listen subscriptions)))))

(thread-start! publish)
(thread-start! subscribe)
(thread-start! (lambda () (proxy front back capture: capture)))
(listen 0)
