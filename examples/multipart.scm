;;; Two clients ask a server that may answer in any order.  A router puts the
;;; name of the client before its message as a first part, and sends what it is
;;; given to the client named there.

(import zmq)

(zmq-receive-as 'string)

(define server (make-socket 'router))
(define endpoint (bind-socket server "tcp://127.0.0.1:*"))

(define (make-client name)
  (make-socket 'dealer routing-id: name connect: endpoint))

(define ann (make-client "ann"))
(define bob (make-client "bob"))
(send-multipart-message ann '("add" "1" "2"))
(send-multipart-message bob '("add" "30" "4"))

(define (answer request)
  (let ((name (car request)) (terms (map string->number (cddr request))))
    (list name "sum" (number->string (apply + terms)))))

(define (next-request)
  (or (receive-multipart-message server timeout: 5000) (error "no request")))

(let* ((first (next-request)) (second (next-request)))
  (send-multipart-message server (answer second))
  (send-multipart-message server (answer first)))

;; prints: ann: (sum 3)
;; prints: bob: (sum 34)
(print "ann: " (receive-multipart-message ann timeout: 5000))
(print "bob: " (receive-multipart-message bob timeout: 5000))
