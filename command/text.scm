;;; Messages as text: a message is a list of parts, which are strings of bytes.

;; A format, by name: how a part is written, what stands before a message, between its parts and
;; behind it.
(define formats
  (list (list "text" (lambda (part) part) "" "\t" "\n")
        (list "quoted" (lambda (part) (quoted part)) "" "\t" "\n")
        (list "hex" (lambda (part) (hex part)) "" "\t" "\n")
        (list "json" (lambda (part) (json part)) "[" "," "]\n")
        (list "raw" (lambda (part) part) "" "" "")))

(define (chosen-format)
  (let ((name (or (option "format") "text")))
    (or (assoc name formats)
        (wrong-usage "there is no format " name (hint name (map car formats))))))

(define (message->text format parts)
  (string-append (list-ref format 2)
                 (string-intersperse (map (cadr format) parts) (list-ref format 3))
                 (list-ref format 4)))

(define (text->message line) (string-split line "\t" #t))

;; Each byte by a procedure from a byte to a text.
(define (by-bytes part byte->text)
  (string-intersperse
   (map (lambda (c) (byte->text (char->integer c))) (string->list part)) ""))

(define (hex-digits byte)
  (string (string-ref "0123456789abcdef" (fxshr byte 4))
          (string-ref "0123456789abcdef" (fxand byte 15))))

(define (hex part) (by-bytes part hex-digits))

(define (printable? byte) (and (fx>= byte 32) (fx< byte 127)))

(define (escaped byte)
  (case byte
    ((34) "\\\"")
    ((92) "\\\\")
    ((9) "\\t")
    ((10) "\\n")
    ((13) "\\r")
    (else #f)))

(define (quoted part)
  (string-append
   "\""
   (by-bytes part
             (lambda (byte)
               (cond ((escaped byte))
                     ((printable? byte) (string (integer->char byte)))
                     (else (string-append "\\x" (hex-digits byte))))))
   "\""))

;; JSON has text in UTF-8 only.  A byte that is none is written as a lone surrogate, \udc80 to
;; \udcff, as Python's `surrogateescape' reads and writes it.
(define (json part)
  (let ((size (string-length part)))
    (let loop ((i 0) (texts '("\"")))
      (if (fx= i size)
          (string-intersperse (reverse (cons "\"" texts)) "")
          (let* ((byte (char->integer (string-ref part i)))
                 (length (utf-8-length part i)))
            (cond ((escaped byte) => (lambda (text) (loop (fx+ i 1) (cons text texts))))
                  ((fx< byte 32)
                   (loop (fx+ i 1) (cons (string-append "\\u00" (hex-digits byte)) texts)))
                  ((fx> length 0)
                   (loop (fx+ i length) (cons (substring part i (fx+ i length)) texts)))
                  (else
                   (loop (fx+ i 1) (cons (string-append "\\udc" (hex-digits byte)) texts)))))))))

;; The number of bytes of the character that begins there; 0 where none does (RFC 3629).
(define (utf-8-length part i)
  (define (byte j)
    (if (fx< (fx+ i j) (string-length part)) (char->integer (string-ref part (fx+ i j))) 0))
  (define (follow? j least most) (and (fx>= (byte j) least) (fx<= (byte j) most)))
  (define (tail? j) (follow? j 128 191))
  (let ((first (byte 0)))
    (cond ((fx< first 128) 1)
          ((fx< first #xc2) 0)
          ((fx< first #xe0) (if (tail? 1) 2 0))
          ((fx< first #xf0)
           (if (and (follow? 1 (if (fx= first #xe0) #xa0 128) (if (fx= first #xed) #x9f 191))
                    (tail? 2))
               3
               0))
          ((fx< first #xf5)
           (if (and (follow? 1 (if (fx= first #xf0) #x90 128) (if (fx= first #xf4) #x8f 191))
                    (tail? 2)
                    (tail? 3))
               4
               0))
          (else 0))))
