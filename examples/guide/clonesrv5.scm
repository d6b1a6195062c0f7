;;; Clone, model 5: a server whose values can be ephemeral; it prints what keys come and go.
;;; Look at: a key goes when its client has not set it again in time.  See clonecli5.
;;;   csi -s clonesrv5.scm [ENDPOINT]

(import zmq (zmq patterns))
(include "guide.scm")

(define server (clone-server (argument 0 "tcp://127.0.0.1:5556")))
(say "I: serving at " (clone-endpoint server))

(define (without these keys) (filter (lambda (key) (not (member key these))) keys))

(let loop ((known '()))
  (let ((keys (clone-keys server)))
    (for-each (lambda (key) (say "I: " key " is " (clone-ref server key))) (without known keys))
    (for-each (lambda (key) (say "I: " key " is gone")) (without keys known))
    (thread-sleep! 0.1)
    (loop keys)))
