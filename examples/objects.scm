;;; Scheme objects over sockets.  What is no object within the limits of the
;;; reader is a condition, whoever has sent it; nothing is evaluated.

(import zmq (chicken condition))
(include "threads.scm")

(define server (make-socket 'rep))
(define endpoint (bind-socket server "tcp://127.0.0.1:*"))

;; Only these operations are known, whatever is asked for.
(define operations (list (cons 'add +) (cons 'multiply *) (cons 'append string-append)))

(define (answer question)
  (let ((operation (and (list? question)
                        (pair? question)
                        (assq (car question) operations))))
    (if operation
        (condition-case (list 'is (apply (cdr operation) (cdr question)))
          ((exn) (list 'wrong (cdr question))))
        (list 'unknown question))))

(thread-start!
 (lambda ()
   (let loop ()
     (send-object server
                  (condition-case (answer (receive-object server max-bytes: 10000))
                    (e (exn zmq) (list 'bad (get-condition-property e 'zmq 'code)))))
     (loop))))

(define client (make-socket 'req connect: endpoint))

(define (ask question)
  (send-object client question)
  (receive-object client timeout: 5000))

(print (ask '(add 1/2 1/3)))                    ; prints: (is 5/6)
(print (ask '(append "a" "b")))                 ; prints: (is ab)
(print (ask '(append "a" 5)))                   ; prints: (wrong (a 5))
(print (ask '(exit 1)))                         ; prints: (unknown (exit 1))
(print (ask (make-string 20000 #\x)))           ; prints: (bad ebadmsg)

(send-message client "#.(exit 1)")              ; not by send-object
(print (receive-object client timeout: 5000))   ; prints: (bad ebadmsg)
