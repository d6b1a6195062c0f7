;;; A request that is made again until it is answered.  A REQ that waits for an
;;; answer cannot ask again; `req-relaxed' lets it, and `req-correlate' makes it
;;; drop late answers to what it asked before.

(import zmq)
(include "threads.scm")

(define (ask socket question attempts)
  (if (= attempts 0)
      (error "the server seems to be down")
      (or (and (send-message socket question timeout: 500)
               (receive-message socket as: 'string timeout: 500))
          (begin
            (print "no answer, " (- attempts 1) " attempts left")
            (ask socket question (- attempts 1))))))

;; A server that loses two requests.  As a ROUTER it need not answer; the last
;; part is the question, what comes before it leads back to who asked.
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
       (when (= to-lose 0)
         (send-multipart-message server (answer request)))
       (loop (max 0 (- to-lose 1)))))))

(define client
  (make-socket 'req req-relaxed: #t req-correlate: #t connect: endpoint))

;; prints: no answer, 9 attempts left
;; prints: no answer, 8 attempts left
;; prints: Are you there? I am
(print (ask client "Are you there?" 10))
