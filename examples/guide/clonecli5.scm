;;; Clone, model 5: a client that registers an address under its name for as long as it runs.
;;; Look at: it sets the value again twice in its time to live; kill it, and the value goes.
;;;   csi -s clonecli5.scm [ENDPOINT [NAME [ADDRESS [SECONDS]]]]

(import zmq (zmq patterns))
(include "guide.scm")

(define client (clone-client (argument 0 "tcp://127.0.0.1:5556") subtree: "/nodes/"))
(define key (string-append "/nodes/" (argument 1 "one")))
(define address (argument 2 "tcp://192.168.55.210:5555"))
(define seconds (argument 3 10))        ; a whole number

(let loop ()
  (if (clone-set! client key address ttl: seconds)
      (say "I: nodes: " (clone-keys client))
      (say "W: the server does not answer"))
  (thread-sleep! (/ seconds 2))
  (loop))
