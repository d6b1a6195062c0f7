;;; JSON: objects are association lists with symbols as keys, arrays are vectors,
;;; true and false are #t and #f, null is the symbol null.  Strings are UTF-8.

(import (chicken base) (chicken bitwise) (chicken io) (chicken port) (chicken string))

(define (malformed what) (error "malformed JSON" what))

;; ---------------------------------------------------------------- reading --

(define (string->json text)
  (call-with-input-string text
    (lambda (port)
      (let ((value (read-value port)))
        (skip-space port)
        (unless (eof-object? (peek-char port)) (malformed "something behind the value"))
        value))))

(define (skip-space port)
  (when (memv (peek-char port) '(#\space #\tab #\newline #\return))
    (read-char port)
    (skip-space port)))

;; The next character that is no space.
(define (next port)
  (skip-space port)
  (read-char port))

(define (expect port text value)
  (if (equal? text (read-string (string-length text) port))
      value
      (malformed text)))

(define (read-value port)
  (skip-space port)
  (case (peek-char port)
    ((#\{) (read-char port) (read-members port))
    ((#\[) (read-char port) (list->vector (read-elements port)))
    ((#\") (read-char port) (read-text port))
    ((#\t) (expect port "true" #t))
    ((#\f) (expect port "false" #f))
    ((#\n) (expect port "null" 'null))
    (else (read-number port))))

;; Elements up to the closing character; `read-one' reads one.
(define (read-sequence port close read-one)
  (skip-space port)
  (if (eqv? (peek-char port) close)
      (begin (read-char port) '())
      (let loop ((l (list (read-one port))))
        (let ((c (next port)))
          (cond ((eqv? c close) (reverse l))
                ((eqv? c #\,) (loop (cons (read-one port) l)))
                (else (malformed "a list without its end")))))))

(define (read-elements port) (read-sequence port #\] read-value))

(define (read-members port)
  (read-sequence port #\}
    (lambda (port)
      (unless (eqv? (next port) #\") (malformed "a member without a name"))
      (let ((name (string->symbol (read-text port))))
        (unless (eqv? (next port) #\:) (malformed "a member without a value"))
        (cons name (read-value port))))))

(define (read-number port)
  (let* ((text (read-token (lambda (c) (memv c (string->list "+-.eE0123456789"))) port))
         (number (string->number text)))
    (or number (malformed text))))

;; Behind the opening quote.
(define (read-text port)
  (with-output-to-string
    (lambda ()
      (let loop ()
        (let ((c (read-char port)))
          (cond ((eof-object? c) (malformed "a string without its end"))
                ((char=? c #\"))
                ((char=? c #\\) (write-escaped port) (loop))
                (else (write-char c) (loop))))))))

(define escapes
  '((#\" . #\") (#\\ . #\\) (#\/ . #\/) (#\b . #\backspace) (#\f . #\page)
    (#\n . #\newline) (#\r . #\return) (#\t . #\tab)))

(define (write-escaped port)
  (let* ((c (read-char port)) (entry (assv c escapes)))
    (cond (entry (write-char (cdr entry)))
          ((eqv? c #\u) (write-utf-8 (read-code-point port)))
          (else (malformed c)))))

(define (read-hexadecimal port)
  (let ((text (read-string 4 port)))
    (or (and (string? text) (= 4 (string-length text)) (string->number text 16))
        (malformed "\\u without four digits"))))

;; Two surrogates are one character.  The second one alone is none.
(define (read-code-point port)
  (let ((high (read-hexadecimal port)))
    (cond ((<= #xDC00 high #xDFFF) #xFFFD)
          ((not (<= #xD800 high #xDBFF)) high)
          (else
           (expect port "\\u" #t)
           (let ((low (read-hexadecimal port)))
             (unless (<= #xDC00 low #xDFFF) (malformed "half a character"))
             (+ #x10000 (* #x400 (- high #xD800)) (- low #xDC00)))))))

(define (write-utf-8 n)
  (define (put x) (write-char (integer->char x)))
  (define (continue shift)
    (put (bitwise-ior #x80 (bitwise-and #x3F (arithmetic-shift n (- shift))))))
  (cond ((< n #x80) (put n))
        ((< n #x800) (put (bitwise-ior #xC0 (arithmetic-shift n -6))) (continue 0))
        ((< n #x10000)
         (put (bitwise-ior #xE0 (arithmetic-shift n -12))) (continue 6) (continue 0))
        (else
         (put (bitwise-ior #xF0 (arithmetic-shift n -18)))
         (continue 12) (continue 6) (continue 0))))

;; ---------------------------------------------------------------- writing --

(define (json->string value)
  (with-output-to-string (lambda () (write-value value))))

(define (write-value value)
  (cond ((eq? value #t) (display "true"))
        ((eq? value #f) (display "false"))
        ((eq? value 'null) (display "null"))
        ((number? value) (write-json-number value))
        ((string? value) (write-text value))
        ((vector? value) (write-list "[" "]" (vector->list value) write-value))
        ((list? value)
         (write-list "{" "}" value
           (lambda (member)
             (write-text (symbol->string (car member)))
             (display ":")
             (write-value (cdr member)))))
        (else (error "not to be written as JSON" value))))

(define (write-list open close l write-one)
  (display open)
  (let loop ((l l) (separator ""))
    (when (pair? l)
      (display separator)
      (write-one (car l))
      (loop (cdr l) ",")))
  (display close))

;; JSON has neither fractions nor infinities.
(define (write-json-number x)
  (cond ((exact-integer? x) (display x))
        ((and (real? x) (finite? x)) (display (number->string (exact->inexact x))))
        (else (display "null"))))

(define (write-text text)
  (write-char #\")
  (let loop ((i 0))
    (when (< i (string-length text))
      (let* ((c (string-ref text i))
             (entry (rassoc c escapes eqv?))
             (n (utf-8-length text i)))
        (cond ((= n 0) (write-utf-8 #xFFFD) (loop (+ i 1)))
              (else
               (cond ((and entry (not (char=? c #\/))) (write-char #\\) (write-char (car entry)))
                     ((char<? c #\space)
                      (display "\\u")
                      (display (substring (number->string (+ #x10000 (char->integer c)) 16) 1)))
                     (else (display (substring text i (+ i n)))))
               (loop (+ i n)))))))
  (write-char #\"))

;; How many bytes the character at i has; 0 if it is not well formed.
(define (utf-8-length text i)
  (define (byte k)
    (if (< (+ i k) (string-length text)) (char->integer (string-ref text (+ i k))) 0))
  (define (continued? from to)
    (or (> from to)
        (and (<= #x80 (byte from) #xBF) (continued? (+ from 1) to))))
  (let ((first (byte 0)) (second (byte 1)))
    (cond ((< first #x80) 1)
          ((<= #xC2 first #xDF) (if (continued? 1 1) 2 0))
          ((and (<= #xE0 first #xEF) (continued? 1 2)
                (not (and (= first #xE0) (< second #xA0)))     ; too long
                (not (and (= first #xED) (> second #x9F))))    ; a surrogate
           3)
          ((and (<= #xF0 first #xF4) (continued? 1 3)
                (not (and (= first #xF0) (< second #x90)))
                (not (and (= first #xF4) (> second #x8F))))
           4)
          (else 0))))
