;;; Lazy Pirate: a client that asks again, with a new socket, when no reply comes.
;;; Look at: a REQ that waits for a reply cannot send, so it is closed, with all it holds.
;;;   csi -s lpclient.scm [ENDPOINT [REQUESTS [MILLISECONDS [RETRIES]]]]

(import zmq)
(include "guide.scm")

(define endpoint (argument 0 "tcp://localhost:5555"))

(define (connect) (make-socket 'req linger: 0 connect: endpoint))

;; Returns the socket with which to go on.
(define (ask client text retries)
  (send-message client text)
  (let ((reply (receive-message client timeout: (argument 2 2500))))
    (cond ((equal? reply text)
           (say "I: server replied OK (" reply ")")
           client)
          (reply (error "malformed reply from server" reply))
          ((= retries 0)
           (say "E: server seems to be offline, abandoning")
           (exit 1))
          (else
           (say "W: no response from server, retrying")
           (close-socket client)
           (ask (connect) text (- retries 1))))))

(let loop ((client (connect)) (i 1))
  (when (<= i (argument 1 10))
    (loop (ask client (number->string i) (argument 3 3)) (+ i 1))))
