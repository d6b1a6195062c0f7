;;; What a ROUTER puts before a message: the name of its sender.
;;; Look at: the first peer gets a name of five bytes from the ROUTER, the second has its own.
;;;   csi -s identity.scm

(import zmq (chicken string))
(include "guide.scm")

(define sink (make-socket 'router bind: "inproc://example"))
(define anonymous (make-socket 'req connect: "inproc://example"))
(define identified (make-socket 'req identity: "PEER2" connect: "inproc://example"))

;; A part as text, or as hexadecimal where it is none.
(define (show part)
  (let ((text? (lambda (c) (and (char<=? #\space c) (char<=? c #\~))))
        (hex (lambda (c) (substring (number->string (+ 256 (char->integer c)) 16) 1))))
    (if (memq #f (map text? (string->list part)))
        (string-intersperse (map hex (string->list part)) "")
        part)))

(define (dump parts)
  (say "----------------------------------------")
  (for-each (lambda (part) (say "[" (string-length part) "] " (show part))) parts))

(send-message anonymous "ROUTER uses a generated 5 byte identity")
(dump (receive-multipart-message sink))
(send-message identified "ROUTER uses REQ's socket identity")
(dump (receive-multipart-message sink))
