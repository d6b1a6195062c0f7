;;; Freelance, model 1: asks one server after the other until one replies.
;;; Look at: each dead server before the first live one costs a timeout, at every request.
;;;   csi -s flclient1.scm ENDPOINT...

(import zmq)
(include "guide.scm")

(define (ask endpoint)
  (say "I: trying server at " endpoint)
  (call-with-socket 'req
    (lambda (client)
      (send-message client "Hello world")
      (receive-message client timeout: 1000))
    linger: 0 connect: endpoint))

;; A single server is asked up to three times.
(define endpoints
  (let ((given (command-line-arguments)))
    (if (= 1 (length given)) (append given given given) given)))

(let try ((endpoints endpoints))
  (cond ((null? endpoints) (say "E: no server replied") (exit 1))
        ((ask (car endpoints)) (say "Service is running OK"))
        (else (try (cdr endpoints)))))
