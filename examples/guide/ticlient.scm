;;; A client of titanic: without an ID it leaves a request, with one it fetches the reply.
;;; Look at: it need not run while its request is worked on.
;;;   csi -s ticlient.scm [ENDPOINT [ID]]

(import zmq)
(include "guide.scm")

(define client (make-socket 'req connect: (argument 0 "tcp://localhost:5556")))

(define (ask . parts)
  (send-multipart-message client parts)
  (receive-multipart-message client))

(define (fetch id)
  (let ((reply (ask "titanic.reply" id)))
    (cond ((string=? (car reply) "200")
           (say "Reply: " (cadr reply))
           (ask "titanic.close" id))
          ((string=? (car reply) "300")
           (thread-sleep! 0.1)
           (fetch id))
          (else (error "no such request" id)))))

(let ((id (argument 1 #f)))
  (if id
      (fetch id)
      (say "Request " (cadr (ask "titanic.request" "Hello")))))
