;;; A question and its answer.  In two terminals:
;;;
;;;   csi -s hello.scm serve
;;;   csi -s hello.scm ask
;;;
;;; Without an argument, both, each in a process of its own.

(import zmq (chicken file) (chicken process) (chicken process-context))

(define (serve endpoint)
  (let ((s (make-socket 'rep)))
    (bind-socket s endpoint)
    (let ((question (receive-message s as: 'string)))
      (send-message s (string-append "hello, " question)))))

(define (ask endpoint)
  (let ((s (make-socket 'req)))
    (connect-socket s endpoint)
    (send-message s "world")
    ;; prints: hello, world
    (print (or (receive-message s as: 'string timeout: 5000)
               (error "no answer")))))

;; The child is made before any socket: a child must not use its parent's.
(define (both)
  (let* ((directory (create-temporary-directory))
         (endpoint (string-append "ipc://" directory "/hello"))
         (server (process-fork (lambda () (serve endpoint)))))
    (ask endpoint)
    (receive _ (process-wait server)
      (delete-directory directory #t))))

(let ((arguments (command-line-arguments))
      (endpoint "tcp://127.0.0.1:5555"))
  (cond ((equal? arguments '("serve")) (serve endpoint))
        ((equal? arguments '("ask")) (ask endpoint))
        (else (both))))
