;;; Clone, model 2: a client that begins with a snapshot and goes on with the changes.
;;; Look at: it subscribes first, and drops changes that the snapshot has already.
;;;   csi -s clonecli2.scm [SNAPSHOT-ENDPOINT [UPDATES-ENDPOINT [COUNT]]]

(import zmq)
(include "guide.scm")
(include "clone.scm")

(define updates
  (make-socket 'sub subscribe: "" rcvhwm: 0 connect: (argument 1 "tcp://localhost:5557")))
(define snapshot (make-socket 'dealer connect: (argument 0 "tcp://localhost:5556")))

;; Returns the state and its sequence number.
(define (get-snapshot)
  (receive-update updates list)         ; the subscription has arrived
  (send-message snapshot "ICANHAZ?")
  (let loop ((state '()))
    (receive-update snapshot
      (lambda (key sequence value)
        (if (string=? key "KTHXBAI")
            (values state sequence)
            (loop (store key value state)))))))

(receive (state first-sequence) (get-snapshot)
  (say "I: received a snapshot of " (length state) " keys")
  (let loop ((state state) (last-sequence first-sequence) (count 0))
    (if (= count (argument 2 100))
        (say count " updates, " (length state) " keys")
        (receive-update updates
          (lambda (key sequence value)
            (cond ((<= sequence last-sequence) (loop state last-sequence count))
                  ((= sequence (+ last-sequence 1))
                   (loop (store key value state) sequence (+ count 1)))
                  (else (error "updates are missing before" sequence))))))))
