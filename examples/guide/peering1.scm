;;; Brokers that tell each other their state, here how many workers each has: a random number.
;;; Look at: a PUB for the own state, and one SUB that is connected to all peers.
;;;   csi -s peering1.scm NAME PEER...    start one for each name, in the same directory

(import zmq)
(include "guide.scm")

(define self (car (command-line-arguments)))
(define peers (cdr (command-line-arguments)))
(define (endpoint name) (string-append "ipc://" name "-state.ipc"))

(define state-out (make-socket 'pub bind: (endpoint self)))
(define state-in (make-socket 'sub subscribe: "" connect: (map endpoint peers)))

;; What peers tell is shown; the own state goes out each second.
(let loop ((next (now)))
  (let ((state (receive-multipart-message state-in timeout: (max 0 (- next (now))))))
    (when state (say (car state) " - " (cadr state) " workers free"))
    (cond ((< (now) next) (loop next))
          (else
           (send-multipart-message state-out (list self (number->string (random 10))))
           (loop (+ (now) 1000))))))
