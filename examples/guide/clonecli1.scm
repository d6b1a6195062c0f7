;;; Clone, model 1: a client applies the changes to a state of its own.
;;; Look at: the sequence numbers have no gap once the first has come.
;;;   csi -s clonecli1.scm [ENDPOINT [COUNT]]

(import zmq)
(include "guide.scm")
(include "clone.scm")

(define updates
  (make-socket 'sub subscribe: "" connect: (argument 0 "tcp://localhost:5556")))

(let loop ((state '()) (last-sequence #f) (count 0))
  (if (= count (argument 1 100))
      (say count " updates, " (length state) " keys")
      (receive-update updates
        (lambda (key sequence value)
          (when (and last-sequence (not (= sequence (+ last-sequence 1))))
            (error "updates are missing before" sequence))
          (loop (store key value state) sequence (+ count 1))))))
