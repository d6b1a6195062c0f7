;;; The server of the page: a REP that greets, and a PUB that tells the time.
;;; Sockets of browsers speak WebSocket, so both are bound to ws:// endpoints.
;;;
;;;   csi -s server.scm [REP-ENDPOINT [PUB-ENDPOINT]]

(import zmq (chicken process-context) (chicken time))
(include "../threads.scm")

(define-values (rep-endpoint pub-endpoint)
  (apply (lambda (#!optional (rep "ws://127.0.0.1:5581") (pub "ws://127.0.0.1:5582"))
           (values rep pub))
         (command-line-arguments)))

(define rep (make-socket 'rep))
(define pub (make-socket 'pub))
(print "rep " (bind-socket rep rep-endpoint))
(print "pub " (bind-socket pub pub-endpoint))
(flush-output)

(define (greet)
  (let ((name (receive-message rep as: 'string)))
    (send-message rep (string-append "hello, " name))
    (greet)))
(thread-start! greet)

(let tell ()
  (send-multipart-message pub
    (list "time" (number->string (quotient (current-process-milliseconds) 1000))))
  (thread-sleep! 0.5)
  (tell))
