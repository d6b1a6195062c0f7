;;; A subscriber of one topic.
;;; Look at: a message comes whole, so topic and content are never torn apart.
;;;   csi -s psenvsub.scm [ENDPOINT [COUNT]]

(import zmq)
(include "guide.scm")

(define subscriber
  (make-socket 'sub subscribe: "B" connect: (argument 0 "tcp://localhost:5563")))

(do ((i 0 (+ i 1))) ((= i (argument 1 10)))
  (let ((parts (receive-multipart-message subscriber)))
    (say "[" (car parts) "] " (cadr parts))))
