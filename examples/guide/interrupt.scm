;;; A server that ends in order when it is interrupted, by Control-C or SIGTERM.
;;; Look at: the handler runs while the server waits; `exit' sends what is still to be sent.
;;;   csi -s interrupt.scm [ENDPOINT]

(import zmq (chicken process signal))
(include "guide.scm")

(define (end signal)
  (say "W: interrupt received, ending")
  (exit 0))
(set-signal-handler! signal/int end)
(set-signal-handler! signal/term end)

(define server (make-socket 'rep bind: (argument 0 "tcp://*:5555")))
(say "waiting")
(receive-message server)
