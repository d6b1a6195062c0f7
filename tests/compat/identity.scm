;;; An xrep shows the address of each message: one that libzmq made, and one that the peer chose.

(import (zmq compat) (chicken blob))

(define sink (make-socket 'xrep))
(bind-socket sink "inproc://example")

(define anonymous (make-socket 'req))
(connect-socket anonymous "inproc://example")
(send-message anonymous "an address is made for it")

(define (dump)
  (let ((part (receive-message* sink as: 'blob)))
    (print (blob-size part) (if (= 5 (blob-size part)) "" (string-append " " (blob->string part))))
    (when (socket-option sink 'rcvmore) (dump))))

(dump)
; prints: 5
; prints: 0 
; prints: 25 an address is made for it

(define identified (make-socket 'req))
(socket-option-set! identified 'identity "Hello")
(print (socket-option identified 'identity))    ; prints: Hello
(socket-option-set! identified 'identity "mine")
(connect-socket identified "inproc://example")
(send-message identified "it has one")
(dump)
; prints: 4 mine
; prints: 0 
; prints: 10 it has one

(print (list (socket-option sink 'hwm) (socket-option sink 'swap) (socket-option sink 'affinity)))
; prints: (0 0 0)
(for-each close-socket (list sink anonymous identified))
(terminate-context (zmq-default-context))
