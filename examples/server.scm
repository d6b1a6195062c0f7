;;; A server with several workers, and clients that do not wait for one answer
;;; before the next question.  The workers are threads that receive from one
;;; ROUTER: each question reaches one of them, whole, and each answer goes to
;;; the client whose name it begins with.

(import zmq (chicken sort))
(include "threads.scm")

(define server (make-socket 'router))
(define endpoint (bind-socket server "tcp://127.0.0.1:*"))

(define (worker)
  (let* ((request (receive-multipart-message server as: 'string))
         (client (car request))
         (n (string->number (cadr request))))
    (thread-sleep! (/ n 100))            ; some take longer than others
    (send-multipart-message
     server (list client (cadr request) (number->string (* n n))))
    (worker)))

(do ((i 0 (+ i 1))) ((= i 4))
  (thread-start! worker))

;; Three questions at once; the answers come in any order.
(define (client name questions)
  (call-with-socket 'dealer
    (lambda (s)
      (for-each (lambda (n) (send-message s (number->string n))) questions)
      (let ((answers (map (lambda (_) (receive-multipart-message
                                       s as: 'string timeout: 5000))
                          questions)))
        (set! results
          (cons (list name (sort answers (lambda (a b) (string<? (car a) (car b)))))
                results))))
    routing-id: name connect: endpoint))

(define results '())
(define clients
  (list (thread-start! (lambda () (client "ann" '(3 1 2))))
        (thread-start! (lambda () (client "bob" '(5 4 6))))))
(for-each thread-join! clients)

;; prints: (ann ((1 1) (2 4) (3 9)))
;; prints: (bob ((4 16) (5 25) (6 36)))
(for-each print (sort results (lambda (a b) (string<? (car a) (car b)))))
