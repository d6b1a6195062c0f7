;;; Freelance, model 1: asks one server after the other until one replies.
;;; Look at: simple, but each dead server before the one that lives costs a timeout.
;;;   csi -s flclient1.scm ENDPOINT...

(import zmq)
(include "guide.scm")

(define (ask endpoint)
  (say "I: trying server at " endpoint)
  (call-with-socket 'req
    (lambda (client)
      (send-multipart-message client '("1" "random name"))
      (receive-multipart-message client timeout: 500))
    linger: 0 connect: endpoint))

(let try ((endpoints (command-line-arguments)))
  (cond ((null? endpoints) (say "E: no server replied") (exit 1))
        ((ask (car endpoints)) (say "Service is running OK"))
        (else (try (cdr endpoints)))))
