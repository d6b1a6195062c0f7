;;; Brokers that share work: a request goes to a worker here, or at times to another broker.
;;; Look at: a reply finds its way back, because each broker has put a name before the request.
;;;   csi -s peering2.scm NAME PEER...    start one for each name, in the same directory

(import zmq (zmq monitor))
(include "guide.scm")

(define self (car (command-line-arguments)))
(define peers (cdr (command-line-arguments)))
(define (endpoint name) (string-append "ipc://" name "-cloud.ipc"))

;; Towards peers, a broker is known by its name on both sockets.
(define cloudfe (make-socket 'router identity: self bind: (endpoint self)))
(define cloudbe (make-socket 'router identity: self connect: (map endpoint peers)))
(define localfe (make-socket 'router bind: "inproc://clients"))
(define localbe (make-socket 'router bind: "inproc://workers"))

(define (ask n)
  (let ((client (make-socket 'req connect: "inproc://clients")))
    (let loop ()
      (send-message client "HELLO")
      (say "Client: " (receive-message client))
      (thread-sleep! 1)
      (loop))))

(define (work n)
  (let ((worker (make-socket 'req connect: "inproc://workers")))
    (let loop ((reply '("READY")))
      (send-multipart-message worker reply)
      (let ((request (receive-multipart-message worker)))
        (loop (replace-last request (string-append "OK from " self)))))))

(wait-connected cloudbe peers: (length peers))
(start-threads 10 ask)
(start-threads 3 work)

;; A reply for a client of a peer begins with the peer's name.
(define (route-reply reply)
  (send-multipart-message (if (member (car reply) peers) cloudfe localfe) reply))

(let loop ((free '()))
  (let* ((socket (if (null? free)
                     (first-ready #t localbe cloudbe)
                     (first-ready #t localbe cloudbe cloudfe localfe)))
         (message (receive-multipart-message socket)))
    (cond ((eq? socket localbe)
           (receive (worker reply) (unwrap-message message)
             (unless (equal? reply '("READY")) (route-reply reply))
             (loop (append free (list worker)))))
          ((eq? socket cloudbe) (route-reply (cdr message)) (loop free))
          ((and (eq? socket localfe) (= 0 (random 5)))
           (send-multipart-message cloudbe (cons (list-ref peers (random (length peers))) message))
           (loop free))
          (else (send-multipart-message localbe (wrap-message (car free) message))
                (loop (cdr free))))))
