;;; A broker: clients and workers that know only its two endpoints, a proxy
;;; between them that is paused, asked and stopped, and a third socket that
;;; sees everything that passes.

(import zmq)
(include "threads.scm")

(define front (make-socket 'router))     ; clients connect to this
(define back (make-socket 'dealer))      ; workers to that
(define clients (bind-socket front "tcp://127.0.0.1:*"))
(define workers (bind-socket back "tcp://127.0.0.1:*"))
(define capture (make-socket 'pub bind: "inproc://passing"))
(define watcher (make-socket 'sub subscribe: "" connect: "inproc://passing"))

(define control (make-proxy-control))
(define broker
  (thread-start!
   (lambda () (proxy front back capture: capture control: control))))

(define (work s)
  (let ((word (receive-message s as: 'string)))
    (send-message s (string-append word ", " word))
    (work s)))
(do ((i 0 (+ i 1))) ((= i 3))
  (thread-start! (lambda () (work (make-socket 'rep connect: workers)))))

(define client (make-socket 'req identity: "ann" connect: clients))
(define (ask word)
  (send-message client word)
  (receive-message client as: 'string timeout: 200))

(print (ask "hello"))                   ; prints: hello, hello

;; What a ROUTER receives begins with who sent it, and an empty part.
(define (show-passing)
  (receive (who parts)
      (unwrap-message (receive-multipart-message watcher as: 'string))
    (print who " " parts)))
(show-passing)                          ; prints: ann (hello)
(show-passing)                          ; prints: ann (hello, hello)

;; While it is paused, messages wait where they are.
(pause-proxy control)
(print (ask "anybody"))                 ; prints: #f
(resume-proxy control)
(print (receive-message client as: 'string timeout: 5000))
;; prints: anybody, anybody

(stop-proxy control)
(thread-join! broker)
(define counts (proxy-statistics control))
(print (cdr (assq 'front-received counts)) " questions, "
       (cdr (assq 'front-sent counts)) " answers")   ; prints: 2 questions, 2 answers
