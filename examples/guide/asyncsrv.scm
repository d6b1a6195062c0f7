;;; Clients that send requests without waiting for replies, and a server that replies when it can.
;;; Look at: both sides are DEALER and ROUTER, so a request may have no reply, or several.
;;;   csi -s asyncsrv.scm [CLIENTS [WORKERS [MILLISECONDS]]]

(import zmq)
(include "guide.scm")

(define frontend (make-socket 'router))
(define endpoint (bind-socket frontend "tcp://127.0.0.1:*"))
(define backend (make-socket 'dealer bind: "inproc://backend"))
(define end (+ (now) (argument 2 5000)))

;; Sends a request each 100 ms, and takes what replies there are meanwhile.
(define (talk n)
  (let* ((name (string-append "client-" (number->string n)))
         (client (make-socket 'dealer identity: name connect: endpoint)))
    (do ((request 1 (+ request 1))) ((> (now) end))
      (send-message client (string-append "request #" (number->string request)))
      (let loop ((until (+ (now) 100)))
        (let ((reply (receive-message client timeout: (max 0 (- until (now))))))
          (when reply
            (say name ": " reply)
            (loop until)))))))

;; Replies up to four times, each after a while.
(define (work n)
  (let ((worker (make-socket 'dealer connect: "inproc://backend")))
    (let loop ()
      (let ((message (receive-multipart-message worker)))
        (do ((i (random 5) (- i 1))) ((= i 0))
          (thread-sleep! (/ (+ 1 (random 20)) 1000))
          (send-multipart-message worker message))
        (loop)))))

(start-threads (argument 1 5) work)
(thread-start! (lambda () (proxy frontend backend)))
(for-each thread-join! (start-threads (argument 0 3) talk))
