;;; A Majordomo client that waits for each reply, and asks again if none comes.
;;; Look at: the service "mmi.service" is the broker's own; it says whether another one is there.
;;;   csi -s mdclient.scm [ENDPOINT [SERVICE [BODY [COUNT [MILLISECONDS]]]]]

(import zmq)
(include "guide.scm")
(include "majordomo.scm")

(define endpoint (argument 0 "tcp://localhost:5555"))
(define service (argument 1 "echo"))
(define request (list for-clients service (argument 2 "Hello world")))

;; Each attempt has a socket of its own, so a late reply to an earlier one is lost.
(define (attempt)
  (call-with-socket 'req
    (lambda (client)
      (send-multipart-message client request)
      (receive-multipart-message client timeout: (argument 4 2500)))
    linger: 0 connect: endpoint))

(define (ask retries)
  (let ((reply (attempt)))
    (cond (reply (say service " replied " (last reply)))
          ((= retries 0)
           (say "E: no reply, abandoning")
           (exit 1))
          (else (ask (- retries 1))))))

(do ((i 0 (+ i 1))) ((= i (argument 3 10)))
  (ask 3))
