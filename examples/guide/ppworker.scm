;;; A worker of the Paranoid Pirate queue: a DEALER, as it sends heartbeats between replies.
;;; Look at: it connects anew when the queue is silent, after a pause that doubles each time.
;;;   csi -s ppworker.scm [ENDPOINT [MILLISECONDS]]

(import zmq)
(include "guide.scm")

(define endpoint (argument 0 "tcp://localhost:5556"))
(define interval (argument 1 1000))
(define ready (string (integer->char 1)))        ; the words of RFC 6
(define heartbeat (string (integer->char 2)))
(define liveness 3)                     ; intervals of silence before it gives up

(define (connect)
  (let ((worker (make-socket 'dealer linger: 0 connect: endpoint)))
    (send-message worker ready)
    (say "I: worker ready")
    worker))

(define (reconnect worker pause)
  (say "W: no heartbeat, reconnecting in " pause " msec")
  (thread-sleep! (/ pause 1000))
  (close-socket worker)
  (connect))

(let loop ((worker (connect)) (lives liveness) (pause interval) (next (+ (now) interval)))
  (let ((message (receive-multipart-message worker timeout: (max 0 (- next (now))))))
    (cond ((not message)
           (send-message worker heartbeat)
           (if (= lives 1)
               (loop (reconnect worker pause) liveness (min 32000 (* 2 pause))
                     (+ (now) interval))
               (loop worker (- lives 1) pause (+ (now) interval))))
          ((equal? message (list heartbeat)) (loop worker liveness interval next))
          (else
           (say "I: normal reply")
           (send-multipart-message worker message)
           (loop worker liveness interval next)))))
