;;; A weather server: publishes random weather for random zip codes.
;;; Look at: it does not know its subscribers or wait for them; without any it drops all.
;;;   csi -s wuserver.scm [ENDPOINT [ZIP-CODES]]

(import zmq)
(include "guide.scm")

(define publisher (make-socket 'pub bind: (argument 0 "tcp://*:5556")))
(define zip-codes (argument 1 100000))

;; Five digits.
(define (zip-code n) (substring (number->string (+ 100000 n)) 1))

(let loop ()
  (send-message publisher
    (string-append (zip-code (random zip-codes)) " "
                   (number->string (- (random 215) 80)) " "
                   (number->string (+ 10 (random 50)))))
  (loop))
