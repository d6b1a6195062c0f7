;;; A subscriber that tells the publisher once it hears, and counts what comes.
;;; Look at: the count is complete, although the publisher was there first.
;;;   csi -s syncsub.scm [ENDPOINT [SYNC-ENDPOINT]]

(import zmq)
(include "guide.scm")

(define subscriber
  (make-socket 'sub subscribe: "" rcvhwm: 0 connect: (argument 0 "tcp://localhost:5561")))
(define sync (make-socket 'req connect: (argument 1 "tcp://localhost:5562")))

(receive-message subscriber)            ; the first "probe": it hears
(send-message sync "")
(receive-message sync)

(let loop ((updates 0))
  (let ((message (receive-message subscriber)))
    (cond ((string=? message "END") (say "Received " updates " updates"))
          ((string=? message "probe") (loop updates))
          (else (loop (+ updates 1))))))
