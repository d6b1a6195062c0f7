;;; Freelance, model 3: asks the first server that is alive, with the client of (zmq patterns).
;;; Look at: stop a server while it runs; its requests go to another one.
;;;   csi -s flclient3.scm ENDPOINT...

(import zmq (zmq patterns))
(include "guide.scm")

(define client (freelance-client (command-line-arguments)))
(define requests 10000)

(define start (now))
(do ((i 1 (+ i 1))) ((> i requests))
  (unless (freelance-call client '("random name") timeout: 1000)
    (say "E: no server replied")
    (exit 1))
  (when (= 0 (modulo i 1000))
    (say "I: " i " replies, servers: " (freelance-servers client))))
(say requests " requests, average round trip: " (/ (- (now) start) 1.0 requests) " msec")
