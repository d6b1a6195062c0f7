;;; Lists of parts: envelopes, and several parts as one run of bytes.

(define (check-parts location x)
  (unless (list? x) (fail-type location "a list of parts" x))
  (for-each (lambda (part) (check-part location part)) x)
  x)

(define (part-size part)
  (if (message? part) (message-size part) (bytes-size (bytes-storage part))))

;; ------------------------------------------------------------- envelopes --

(define (wrap-message identity parts)
  (check-part 'wrap-message identity)
  (cons identity (cons "" (check-parts 'wrap-message parts))))

;; Two values: the first part, and the parts after it and after the empty part that may follow
;; it.
(define (unwrap-message parts)
  (check-parts 'unwrap-message parts)
  (when (null? parts) (fail-type 'unwrap-message "a list of one part or more" parts))
  (let ((rest (cdr parts)))
    (values (car parts)
            (if (and (pair? rest) (eqv? 0 (part-size (car rest)))) (cdr rest) rest))))

;; -------------------------------------------------------------- encoding --

;; The format is that of czmq's zmsg_encode and of cppzmq.
(define (encode-message parts . rest)
  (with-keywords 'encode-message rest ((#:as as (zmq-receive-as)))
    (check-as 'encode-message as)
    (check-parts 'encode-message parts)
    (present (settled (held-message (checked 'encode-message (%encode-parts parts)))) as)))

(define (decode-message encoded . rest)
  (with-keywords 'decode-message rest ((#:as as (zmq-receive-as)))
    (check-as 'decode-message as)
    (check-part 'decode-message encoded)
    (let* ((data (if (message? encoded) (message-data encoded) (bytes-storage encoded)))
           (own (if (fixnum? data)
                    encoded
                    (held-message (checked 'decode-message (%make-message data)))))
           (parts (decode-parts own)))
      (unless (eq? own encoded) (%free-message (message-data own)))
      (map (lambda (part) (present part as)) parts))))

;; Small parts as strings, large ones as messages.
(define (decode-parts m)
  (let loop ((offset 0) (count 1) (parts '()))
    (let ((code (%decode-part (message-data m) offset)))
      (cond ((fx> code 0)
             (let ((next (%number)))
               (loop next (fx+ count 1) (cons (decoded-part m) parts))))
            ((fx= code 0) (reverse parts))
            (else
             (fail/text 'decode-message code
                        (string-append (%error-text code) ": part " (number->string count)
                                       ", at byte " (number->string offset) ", is cut off")
                        (list m)))))))

(define (decoded-part m)
  (if (<= (%bytes-size) largest-small-part)
      (found-bytes 'decode-message m)
      (held-message (checked 'decode-message (%message-of-bytes)))))
