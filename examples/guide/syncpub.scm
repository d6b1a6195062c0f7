;;; A publisher that begins when all its subscribers hear it.
;;; Look at: it repeats "probe" until each of them has said so by a request.
;;;   csi -s syncpub.scm [ENDPOINT [SYNC-ENDPOINT [SUBSCRIBERS [UPDATES]]]]

(import zmq)
(include "guide.scm")

;; It must not drop messages for a slow subscriber: no limit.
(define publisher (make-socket 'pub sndhwm: 0 bind: (argument 0 "tcp://*:5561")))
(define sync (make-socket 'rep bind: (argument 1 "tcp://*:5562")))

(say "Waiting for subscribers")
(let loop ((missing (argument 2 10)))
  (when (> missing 0)
    (send-message publisher "probe")
    (cond ((receive-message sync timeout: 10)
           (send-message sync "")
           (loop (- missing 1)))
          (else (loop missing)))))

(say "Broadcasting messages")
(do ((i 0 (+ i 1))) ((= i (argument 3 1000000)))
  (send-message publisher "Rhubarb"))
(send-message publisher "END")
(terminate-context (zmq-default-context))   ; when all of it has left
