;;; Peers that stop, die, and come back.

(import zmq (chicken base) (chicken gc) (chicken process signal))
(include "check.scm")
(include "threads.scm")
(include "child.scm")
(include "leak.scm")
(include "pair.scm")
(include "interop/peer.scm")

(define (stop child) (process-signal (child-pid child) signal/stop))
(define (continue child) (process-signal (child-pid child) signal/cont))

(define (kill-9 child)
  (kill-child child)
  (check= '(signal 9) (wait-for-child child)))

;; An endpoint that can be bound again and again: a free port below those that
;; the system gives to others, and to connections.
(define (reusable-endpoint)
  (call-with-socket 'pull
    (lambda (s)
      (let loop ((port (+ 10000 (modulo (* 7 (current-process-id)) 20000))))
        (let ((e (string-append "tcp://127.0.0.1:" (number->string port))))
          (if (raised (bind-socket s e))
              (loop (+ port 1))
              (begin (unbind-socket s e) e)))))))

;; Whether a mandatory router still has the peer.
(define (there? router name)
  (not (eq? 'ehostunreach
            (zmq-code (raised (send-multipart-message router (list name "x")
                                                      timeout: 100))))))

(test-with-peers (peer) "heartbeats end the connection of a stopped peer, which comes back (case 65)"
  (let* ((s (make-socket 'router router-mandatory: #t heartbeat-ivl: 100
                         heartbeat-timeout: 1000 linger: 0))
         (e (bind-socket s "tcp://127.0.0.1:*"))
         (child (start-peer peer "dealer" "connect" e "routing-id=name"
                            "repeat:1")))
    (check= '("name" "1") (take-parts s))
    (nap! 1400)                  ; longer than without an answer
    (check (there? s "name"))
    (stop child)
    (check (wait-until (lambda () (not (there? s "name")))))
    (let drain ()
      (when (receive-multipart-message s timeout: 100) (drain)))
    (continue child)
    (check= '("name" "1") (take-parts s))
    (check (there? s "name"))
    (dismiss child)
    (close-socket s)))

(test-with-peers (peer) "heartbeats of the peer are answered (case 65)"
  (let* ((s (make-socket 'router router-mandatory: #t linger: 0))
         (e (bind-socket s "tcp://127.0.0.1:*"))
         (child (start-peer peer "dealer" "connect" e "routing-id=name"
                            "heartbeat-ivl=50" "heartbeat-timeout=1000"
                            "send:1" "get:x" "send:2" "stay")))
    (check= '("name" "1") (take-parts s))
    (do ((i 0 (+ i 1))) ((= i 140)) ; longer than without an answer
      (nap! 10)
      (check= '(out) (socket-option s 'events)))
    (check (there? s "name"))
    (check= '("name" "2") (take-parts s))
    (dismiss child)
    (close-socket s)))

(test-with-peers (peer) "a peer that was killed and started again is heard again (case 64)"
  (for-each
   (lambda (e)
     (let* ((s (make-socket 'pull linger: 0))
            (e (bind-socket s e)))
       (do ((i 0 (+ i 1))) ((= i 3))
         (let ((child (start-peer peer "push" "connect" e "send:hello" "stay")))
           (check= "hello" (take s))
           (kill-9 child)))
       (close-socket s)))
   (list "tcp://127.0.0.1:*"
         (string-append "ipc://" (create-temporary-directory) "/socket"))))

(test-with-peers (peer) "a bound peer that was killed and started again is reached again (cases 64, 73)"
  (let* ((e (reusable-endpoint))
         (s (make-socket 'dealer linger: 0 reconnect-ivl: 20 connect: e)))
    (do ((i 0 (+ i 1))) ((= i 3))
      (let ((child (start-peer peer "rep" "bind" e "echo:100000")))
        ;; What was on its way to one that dies may be lost with it.
        (check (wait-until
                (lambda ()
                  (send-multipart-message s '("" "are you there"))
                  (equal? '("" "are you there")
                          (receive-multipart-message s as: 'string
                                                     timeout: 200)))))
        (kill-9 child)))
    (close-socket s)))

(test-with-peers (peer) "a server that is killed does not keep its client for ever (case 45)"
  (let* ((e (reusable-endpoint))
         (s (make-socket 'req req-relaxed: #t req-correlate: #t linger: 0
                         reconnect-ivl: 20 connect: e))
         (child (start-peer peer "rep" "bind" e "get:1" "stay")))
    (send-message s "1")
    (check= #f (receive-message s timeout: 300))
    (kill-9 child)
    (check= #f (receive-message s timeout: 100))
    (let ((child (start-peer peer "rep" "bind" e "echo:100000")))
      (check (wait-until
              (lambda ()
                (send-message s "2")
                (equal? "2" (receive-message s as: 'string timeout: 300)))))
      (kill-9 child))
    (close-socket s)))

(define (whole? parts)
  (and (= 3 (length parts)) (string=? "head" (car parts))
       (string=? "tail" (list-ref parts 2))))

(test-with-peers (peer) "a peer killed while it sends leaves whole messages only (case 58)"
  (let* ((s (make-socket 'pull rcvhwm: 2 linger: 0))
         (e (bind-socket s "tcp://127.0.0.1:*")))
    (do ((i 0 (+ i 1))) ((= i 3))
      (let ((child (start-peer peer "push" "connect" e
                               "repeat:head|#3000000|tail")))
        (check (whole? (take-parts s)))
        (kill-9 child)
        (let loop ()
          (let ((parts (receive-multipart-message s as: 'string timeout: 100)))
            (when parts
              (check (whole? parts))
              (loop))))))
    (close-socket s)))

(test-with-peers (peer) "what is sent to a peer that is killed reaches another whole or not at all (case 58)"
  (let* ((s (make-socket 'push sndhwm: 2 linger: 0))
         (e (bind-socket s "tcp://127.0.0.1:*"))
         (first (start-peer peer "pull" "connect" e "stay"))
         (message (list "head" (pattern 3000000) "tail")))
    (check (send-multipart-message s message timeout: 10000))
    (stop first)
    ;; Until its queues are full, somewhere in a message.
    (let loop ((n 0))
      (when (send-multipart-message s message timeout: 300)
        (check (< n 100))
        (loop (+ n 1))))
    (kill-9 first)
    (let ((second (start-peer peer "pull" "connect" e "get:head|#3000000|tail"
                              "get:head|#3000000|tail")))
      (do ((i 0 (+ i 1))) ((= i 2))
        (check (send-multipart-message s message timeout: 10000)))
      (check-peer second))
    (close-socket s)))

(test-with-peers (peer) "a stopped subscriber costs its own messages only (case 63)"
  (let* ((s (make-socket 'xpub sndhwm: 100 sndbuf: 100000 linger: 0))
         (e (bind-socket s "tcp://127.0.0.1:*"))
         (stopped (start-peer peer "sub" "connect" e "subscribe=a" "stay")))
    (check= 2 (string-length (take s)))
    (stop stopped)
    (let ((body (make-string 10000 #\a)) (memory (resident-memory)))
      (do ((i 0 (+ i 1))) ((= i 6000))
        (check= #t (send-message s body timeout: 1000)))
      (check (< (- (resident-memory) memory) 30000)))
    (let ((other (start-peer peer "sub" "connect" e "subscribe=b" "get:b|1")))
      (check= "b" (substring (take s) 1))
      (send-multipart-message s '("b" "1"))
      (check-peer other))
    (continue stopped)
    (dismiss stopped)
    (close-socket s)))

;; Our own, killed while it is bound.
(define (server e)
  `((define s (make-socket 'rep bind: ,e))
    (let loop () (send-message s (receive-message s)) (loop))))

(test-with-peers (peer) "an endpoint can be bound again at once after its owner was killed (case 73)"
  (for-each
   (lambda (e)
     (do ((i 0 (+ i 1))) ((= i 2))
       (let ((ours (start-child (server e)))
             (child (start-peer peer "req" "connect" e "send:1" "get:1")))
         (check-peer child)
         (kill-9 ours))))
   (list (reusable-endpoint)
         (string-append "ipc://" (create-temporary-directory) "/socket"))))

(report-peers)
