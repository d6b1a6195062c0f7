;;; Security: keys and Z85.  A secret never gets into a condition.

;; ----------------------------------------------------------------- Z85 --

;; Names the place of a failure, not the text, which may be secret.
(define (fail-at location code place)
  (fail/text location code
             (string-append (%error-text code) ", at index " (number->string place))
             (list place)))

(define (check-bytes location x)
  (if (bytes? x) (bytes-storage x) (fail-type location "a string, blob or u8vector" #f)))

(define (z85-encode bytes)
  (let* ((data (check-bytes 'z85-encode bytes))
         (size (bytes-size data))
         (text (make-bytes 'z85-encode (fx* 5 (fx/ size 4)))))
    (checked 'z85-encode (if (fx= 0 (fxmod size 4)) (%z85-encode data text) ez85size) size)
    text))

(define (z85-decode text)
  (unless (string? text) (fail-type 'z85-decode "a string" #f))
  (let* ((bytes (make-bytes 'z85-decode (fx* 4 (fx/ (string-length text) 5))))
         (code (%z85-decode text bytes)))
    (when (fx< code 0) (fail-at 'z85-decode code (%number)))
    (string->blob! bytes)))

;; ---------------------------------------------------------------- keys --

(define-constant key-length 40)

;; The key, in Z85, that C makes of a key in bytes or Z85.
(define (made-key location make x)
  (let* ((text (make-string key-length)) (code (make (check-bytes location x) text)))
    (cond ((fx= code 0) text)
          ((or (fx= code ekey) (fx= code eunsupported)) (fail location code))
          (else (fail-at location code (%number))))))

(define (key-text location x) (made-key location %key-text x))
(define (curve-public-key secret) (made-key 'curve-public-key %curve-public secret))

(define (curve-keypair)
  (let ((public (make-string key-length)) (secret (make-string key-length)))
    (checked 'curve-keypair (%curve-keypair public secret))
    (values public secret)))

;; Whether two strings are the same, in a time that depends only on their lengths.
(define (same-text? a b)
  (and (fx= (string-length a) (string-length b)) (%same-bytes? a b)))
