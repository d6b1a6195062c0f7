;;; A client of titanic: without an ID it leaves a request, with one it fetches the reply.
;;; Look at: it need not run while its request is worked on.
;;;   csi -s ticlient.scm [BROKER-ENDPOINT [ID]]

(import zmq (zmq patterns))
(include "guide.scm")

(define client (majordomo-client (argument 0 "tcp://localhost:5555")))

;; Returns the status and what comes with it.  If it has to ask again, titanic may have a request
;; twice, and has it done twice.
(define (ask service . parts)
  (or (majordomo-call client service parts) (error "no response from" service)))

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
      (say "Request " (cadr (ask "titanic.request" "echo" "Hello")))))
