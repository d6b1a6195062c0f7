;;; A request that is sent again until it is answered, by a client whose server
;;; loses two of its requests.

(import zmq)
(include "threads.scm")

;; As a ROUTER the server need not answer; the last part is the question, what
;; comes before it leads back to who asked.
(define server (make-socket 'router))
(define endpoint (bind-socket server "tcp://127.0.0.1:*"))

(define (answer request)
  (if (null? (cdr request))
      (list (string-append (car request) " I am"))
      (cons (car request) (answer (cdr request)))))

(thread-start!
 (lambda ()
   (let loop ((to-lose 2))
     (let ((request (receive-multipart-message server as: 'string)))
       (if (= to-lose 0)
           (send-multipart-message server (answer request))
           (print "lost a request"))
       (loop (max 0 (- to-lose 1)))))))

(define client (make-socket 'req connect: endpoint))

;; prints: lost a request
;; prints: lost a request
;; prints: Are you there? I am
(print (or (request client "Are you there?" as: 'string timeout: 500 retries: 9)
           (error "the server seems to be down")))
