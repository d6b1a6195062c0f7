;;; Clone, model 3: a client that makes changes, and applies everybody's, also its own.
;;; Look at: its own changes, too, count only when they come back with their numbers.
;;;   csi -s clonecli3.scm [SNAPSHOT-ENDPOINT [UPDATES-ENDPOINT [CHANGES-ENDPOINT [COUNT]]]]

(import zmq)
(include "guide.scm")
(include "clone.scm")

(define updates
  (make-socket 'sub subscribe: "" rcvhwm: 0 connect: (argument 1 "tcp://localhost:5557")))
(define snapshot (make-socket 'dealer connect: (argument 0 "tcp://localhost:5556")))
(define changes (make-socket 'push connect: (argument 2 "tcp://localhost:5558")))

(define (change)
  (send-update changes (number->string (random 100)) 0 (number->string (random 1000000))))

(define (get-snapshot)
  (change)
  (if (receive-update updates list timeout: 100)   ; the subscription has arrived
      (send-message snapshot "ICANHAZ?")
      (get-snapshot)))

(define (receive-snapshot state)
  (receive-update snapshot
    (lambda (key sequence value)
      (if (string=? key "KTHXBAI")
          (values state sequence)
          (receive-snapshot (store key value state))))))

(get-snapshot)
(receive (state first-sequence) (receive-snapshot '())
  (say "I: received a snapshot of " (length state) " keys")
  (let loop ((state state) (last-sequence first-sequence) (count 0))
    (if (= count (argument 3 100))
        (say count " updates, " (length state) " keys")
        (or (receive-update updates
              (lambda (key sequence value)
                (cond ((<= sequence last-sequence) (loop state last-sequence count))
                      ((= sequence (+ last-sequence 1))
                       (loop (store key value state) sequence (+ count 1)))
                      (else (error "updates are missing before" sequence))))
              timeout: 10)
            (begin (change) (loop state last-sequence count))))))
