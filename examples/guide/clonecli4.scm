;;; Clone, model 4: a client that shares the keys of one subtree, and sets some of them.
;;; Look at: start it with two subtrees; each client has the keys of its own only.
;;;   csi -s clonecli4.scm [ENDPOINT [SUBTREE [COUNT]]]

(import zmq (zmq patterns))
(include "guide.scm")

(define subtree (argument 1 "/client/"))
(define client (clone-client (argument 0 "tcp://127.0.0.1:5556") subtree: subtree))

(say "I: the snapshot has " (length (clone-keys client)) " keys")
(do ((i 0 (+ i 1))) ((= i (argument 2 100)))
  (unless (clone-set! client
                      (string-append subtree (number->string i))
                      (number->string (random 1000000)))
    (error "the server does not answer")))
(say "I: " (length (clone-keys client)) " keys of " subtree)
