;;; A Majordomo worker: offers the service "echo".
;;; Look at: it says which service it has, and which client each reply is for.
;;;   csi -s mdworker.scm [ENDPOINT [SERVICE [MILLISECONDS]]]

(import zmq)
(include "guide.scm")
(include "majordomo.scm")

(define endpoint (argument 0 "tcp://localhost:5555"))
(define interval (argument 2 2500))

(define (tell worker command . more)
  (send-multipart-message worker (append (list "" for-workers command) more)))

(define (connect)
  (let ((worker (make-socket 'dealer linger: 0 connect: endpoint)))
    (tell worker command/ready (argument 1 "echo"))
    (say "I: connected to the broker")
    worker))

(define (reconnect worker)
  (close-socket worker)
  (thread-sleep! (/ interval 1000))
  (connect))

(let loop ((worker (connect)) (lives 3) (next (+ (now) interval)))
  (let ((message (receive-multipart-message worker timeout: (max 0 (- next (now))))))
    (if (not message)
        (begin
          (tell worker command/heartbeat)
          (if (= lives 1)
              (loop (reconnect worker) 3 (+ (now) interval))
              (loop worker (- lives 1) (+ (now) interval))))
        (let ((command (caddr message)) (more (cdddr message)))
          (cond ((string=? command command/request)
                 (say "I: request")
                 (apply tell worker command/reply more)   ; client, empty part, body
                 (loop worker 3 next))
                ((string=? command command/disconnect) (loop (reconnect worker) 3 next))
                (else (loop worker 3 next)))))))
