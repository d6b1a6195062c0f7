;;; Statistics: what a socket counts.

(import zmq (chicken base) (chicken condition))
(include "check.scm")
(include "threads.scm")
(include "child.scm")
(include "pair.scm")

(define (count s key) (cdr (assq key (socket-statistics s))))

(define (counts s . keys) (map (lambda (k) (count s k)) keys))

(test "a fresh socket has done nothing"
  (let ((s (make-socket 'dealer)))
    (check= '(0 0 0 0 0 0 0 0)
            (counts s 'messages-sent 'bytes-sent 'messages-received
                    'bytes-received 'send-eagains 'receive-eagains 'waits 'drops))
    (close-socket s)
    (check-fails closed (socket-statistics s))
    (check-type (socket-statistics 5))))

(test "messages and bytes are counted, whatever way they go"
  (with-pair 'pull 'push
    (lambda (in out)
      (send-message out "abc")
      (send-message out (make-message "de"))
      (send-message out (make-message 100000))
      (send-multipart-message out '("f" "" "gh"))
      (send-message out "i" send-more: #t)
      (send-message out "j")
      (send-messages out '("k" ("l" "m")))
      (check= '(7 100013) (counts out 'messages-sent 'bytes-sent))
      (check= '(0 0) (counts out 'messages-received 'bytes-received))
      (check= "abc" (take in))
      (check= 2 (message-size (receive-message in)))
      (check= 100000 (message-size (receive-message in properties: #t)))
      (check= '("f" "" "gh") (take-parts in))
      (check= "i" (take in))
      (check= 5 (count in 'messages-received))
      (check= "j" (take in))
      (check= 2 (length (receive-messages in)))
      (check= '(7 100013) (counts in 'messages-received 'bytes-received)))))

(test "what would have to wait is counted, and who waits"
  (with-pair 'pull 'push
    (lambda (in out)
      (check= #f (receive-message in non-blocking: #t))
      (check= '(1 0) (counts in 'receive-eagains 'waits))
      (check= #f (receive-message in timeout: 5))
      (check= 1 (count in 'waits))
      (check (> (count in 'receive-eagains) 1))
      (check= 0 (count in 'send-eagains))))
  (let ((s (make-socket 'push linger: 0)))
    (check= #f (send-message s "x" non-blocking: #t))
    (check= #f (send-message s "x" timeout: 5))
    (check= 1 (count s 'waits))
    (check (>= (count s 'send-eagains) 2))
    (check= '(0 0) (counts s 'messages-sent 'bytes-sent))
    (close-socket s)))

(test "each receiving that had to sleep is counted, and no other"
  (with-pair 'pull 'push
    (lambda (in out)
      (let* ((main (this-thread)) (taken 0)
             (sender (spawn! (lambda ()
                               (do ((i 0 (+ i 1))) ((= i 5))
                                 (wait-until (lambda () (= taken i)))
                                 (until-waiting main)
                                 (send-message out "x"))))))
        (do ((i 0 (+ i 1))) ((= i 5))
          (check= "x" (take in))
          (set! taken (+ taken 1)))
        (check= 5 (count in 'waits))
        (join! sender)
        (do ((i 0 (+ i 1))) ((= i 4)) (send-message out "z"))
        (do ((i 0 (+ i 1))) ((= i 4)) (check= "z" (take in)))
        (check= 5 (count in 'waits))))))

(test "a proxy counts what names nobody as dropped"
  (with-pair 'pull 'push
    (lambda (front out)
      (let* ((back (make-socket 'router linger: 0 router-mandatory: #t
                               bind: (fresh-endpoint)))
             (somebody (make-socket 'dealer linger: 0
                                    connect: (car (socket-endpoints back)))))
        (send-multipart-message out '("nobody" "x"))
        (check= #f (proxy front back timeout: 20))
        (check= 1 (count front 'drops))
        (close-socket somebody)
        (close-socket back)))))

(test "what the full swap of a publisher drops is counted"
  (let* ((pub (make-socket 'pub linger: 0 sndhwm: 1 swap: 4096
                           bind: (fresh-endpoint)))
         (sub (make-socket 'sub linger: 0 rcvhwm: 1 subscribe: ""
                           connect: (car (socket-endpoints pub)))))
    (do ((i 0 (+ i 1))) ((= i 100)) (send-message pub (make-string 500 #\x)))
    (check (> (count pub 'drops) 0))
    (check= (socket-option pub 'swap-dropped) (count pub 'drops))
    (check= 100 (+ (count pub 'messages-sent) (count pub 'drops)))
    (close-socket sub)
    (close-socket pub)))

(test "connections are told of a socket that is observed"
  (check-child 'ok
    '((import (zmq monitor))
      (define (count s key) (cdr (assq key (socket-statistics s))))
      (define in (make-socket 'pull bind: "tcp://127.0.0.1:*"))
      (define out (make-socket 'push connect: (car (socket-endpoints in))))
      (unless (wait-until (lambda () (eqv? 1 (count in 'peers)))) (exit 1))
      (close-socket out)
      (unless (wait-until (lambda () (eqv? 0 (count in 'peers)))) (exit 2))
      (define plain (make-socket 'push linger: 0 plain-username: "a" plain-password: "b"
                                 connect: (car (socket-endpoints in))))
      (unless (wait-until (lambda () (> (count in 'handshake-failures) 0))) (exit 3))
      (define nobody (make-socket 'push linger: 0 reconnect-ivl: 5
                                  connect: "tcp://127.0.0.1:9"))
      (unless (wait-until (lambda () (> (count nobody 'reconnects) 0))) (exit 4)))))

(report-tests)
