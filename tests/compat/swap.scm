;;; A push without a reader keeps what it sends on the disk; neither order of the two options
;;; matters.

(import (zmq compat))

(define (burst s endpoint count)
  (connect-socket s endpoint)
  (do ((i 0 (+ i 1))) ((= i count)) (send-message s (number->string i))))

(define a (make-socket 'push))
(socket-option-set! a 'swap 1000000)
(burst a "inproc://a" 3000)

(define b (make-socket 'push))
(socket-option-set! b 'swap 1000000)
(socket-option-set! b 'hwm 10)
(burst b "inproc://b" 3000)

(define c (make-socket 'push))
(socket-option-set! c 'hwm 10)
(socket-option-set! c 'swap 1000000)
(burst c "inproc://c" 3000)

(define (last-of endpoint count)
  (define in (make-socket 'pull))
  (bind-socket in endpoint)
  (do ((i 1 (+ i 1))) ((= i count)) (receive-message in))
  (receive-message in))

(print (map last-of '("inproc://a" "inproc://b" "inproc://c") '(3000 3000 3000)))
; prints: (2999 2999 2999)
