;;; Suicidal Snail: a subscriber that ends itself when it is too slow for its publisher.
;;; Look at: messages carry their time, and a late one is worse than none.
;;;   csi -s suisnail.scm [MAXIMUM-DELAY [MILLISECONDS-OF-WORK]]

(import zmq)
(include "guide.scm")

(define publisher (make-socket 'pub bind: "inproc://times"))
(define subscriber (make-socket 'sub subscribe: "" connect: "inproc://times"))
(define maximum-delay (argument 0 1000))

(define (publish)
  (send-message publisher (number->string (now)))
  (thread-sleep! 0.001)
  (publish))
(thread-start! publish)

(let loop ()
  (let ((delay (- (now) (string->number (receive-message subscriber)))))
    (cond ((> delay maximum-delay)
           (say "E: subscriber cannot keep up, aborting"))
          (else
           (thread-sleep! (/ (argument 1 3) 1000))   ; the work
           (loop)))))
