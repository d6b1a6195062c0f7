;;; Brokers that share work and state: requests go to a peer only if it has free workers.
;;; Look at: each broker publishes at each change how many of its workers are free.
;;;   csi -s peering3.scm NAME PEER...    start one for each name, in the same directory

(import zmq (zmq monitor))
(include "guide.scm")

(define self (car (command-line-arguments)))
(define peers (cdr (command-line-arguments)))
(define (endpoint kind) (lambda (name) (string-append "ipc://" name "-" kind ".ipc")))

(define cloudfe (make-socket 'router identity: self bind: ((endpoint "cloud") self)))
(define cloudbe (make-socket 'router identity: self connect: (map (endpoint "cloud") peers)))
(define statebe (make-socket 'pub bind: ((endpoint "state") self)))
(define statefe (make-socket 'sub subscribe: "" connect: (map (endpoint "state") peers)))
(define localfe (make-socket 'router bind: "inproc://clients"))
(define localbe (make-socket 'router bind: "inproc://workers"))

(define (ask n)                         ; up to fifteen requests, then a pause
  (let ((client (make-socket 'req connect: "inproc://clients")))
    (do ((i (random 15) (- i 1))) ((<= i 0) (thread-sleep! (random 5)) (ask n))
      (send-message client "HELLO")
      (say "Client: " (or (receive-message client timeout: 10000) (error "lost a request"))))))

(define (work n)
  (let ((worker (make-socket 'req connect: "inproc://workers")))
    (let loop ((reply '("READY")))
      (send-multipart-message worker reply)
      (let ((request (receive-multipart-message worker)))
        (thread-sleep! (/ (random 500) 1000))
        (loop (replace-last request (string-append "OK from " self)))))))

(wait-connected cloudbe peers: (length peers))
(start-threads 10 ask)
(start-threads 3 work)

(define (route-reply reply)
  (send-multipart-message (if (member (car reply) peers) cloudfe localfe) reply))

(define (publish free)
  (send-multipart-message statebe (list self (number->string (length free))))
  free)

(let loop ((free '()) (ready #f))       ; our workers, and a peer that has some
  (let* ((socket (cond ((pair? free) (first-ready #t localbe cloudbe statefe cloudfe localfe))
                       (ready (first-ready #t localbe cloudbe statefe localfe))
                       (else (first-ready #t localbe cloudbe statefe))))
         (message (receive-multipart-message socket)))
    (cond ((eq? socket statefe) (loop free (and (not (equal? (cadr message) "0")) (car message))))
          ((eq? socket cloudbe) (route-reply (cdr message)) (loop free ready))
          ((eq? socket localbe)
           (receive (worker reply) (unwrap-message message)
             (unless (equal? reply '("READY")) (route-reply reply))
             (loop (publish (append free (list worker))) ready)))
          ((null? free) (send-multipart-message cloudbe (cons ready message)) (loop free #f))
          (else (send-multipart-message localbe (wrap-message (car free) message))
                (loop (publish (cdr free)) ready)))))
