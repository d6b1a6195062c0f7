;;; Freelance, model 2: sends each request to all servers, and takes the first reply.
;;; Look at: no timeout for dead servers; the price is that all servers do all the work.
;;;   csi -s flclient2.scm ENDPOINT...

(import zmq)
(include "guide.scm")

(define endpoints (command-line-arguments))
(define client (make-socket 'dealer linger: 0 connect: endpoints))

;; A DEALER sends to its peers in turn, so one message for each reaches all.
(define (ask sequence)
  (let ((number (number->string sequence)))
    (for-each
     (lambda (endpoint) (send-multipart-message client (list "" number "random name")))
     endpoints)
    (let loop ((end (+ (now) 2500)))
      (let ((reply (receive-multipart-message client timeout: (max 0 (- end (now))))))
        (cond ((not reply) #f)
              ((string=? (cadr reply) number) (caddr reply))
              (else (loop end)))))))    ; a late reply to an earlier request

(define start (now))
(do ((i 1 (+ i 1))) ((> i 100))
  (unless (ask i)
    (say "E: no server replied")
    (exit 1)))
(say "100 requests, average round trip: " (/ (- (now) start) 100.0) " msec")
