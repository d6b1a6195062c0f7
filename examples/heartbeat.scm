;;; Heartbeats find out that a peer is gone although its connection is not
;;; closed: its machine has lost its network, or, as here, it has stopped.

(import zmq (chicken condition) (except (chicken file posix) socket?) (chicken process)
        (chicken process signal))
(include "threads.scm")

(define (work endpoint)
  (let ((s (make-socket 'dealer routing-id: "worker" connect: endpoint)))
    (let loop ()
      (send-message s (string-append "did " (receive-message s as: 'string)))
      (loop))))

;; The child is made before any socket: a child must not use its parent's.  It
;; hears by a pipe where to connect.
(define-values (in out) (create-pipe))
(define child
  (process-fork
   (lambda () (work (read (open-input-file* in))))))

(define server
  (make-socket 'router heartbeat-ivl: 100 heartbeat-timeout: 300
               router-mandatory: #t))     ; who is not there is an error
(let ((port (open-output-file* out)))
  (write (bind-socket server "tcp://127.0.0.1:*") port)
  (close-output-port port))

;; Gives it work until it does it, or is gone, as is wanted.
(define (order task wanted)
  (let ((answer
         (condition-case
             (begin (send-multipart-message server (list "worker" task))
                    (receive-multipart-message server as: 'string timeout: 200))
           (e (zmq) (thread-sleep! 0.05) (get-condition-property e 'zmq 'code)))))
    (if (equal? answer wanted) (print answer) (order task wanted))))

(order "one" '("worker" "did one"))       ; prints: (worker did one)
(process-signal child signal/stop)
(order "two" 'ehostunreach)               ; prints: ehostunreach
(process-signal child signal/cont)
(order "three" '("worker" "did three"))   ; prints: (worker did three)
(process-signal child signal/term)
