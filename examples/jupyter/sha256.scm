;;; SHA-256 (FIPS 180-4) and HMAC (RFC 2104), with which Jupyter signs messages.
;;; Strings are bytes.  Words have 32 bits.

(import (chicken base) (chicken bitwise))

(define (word x) (bitwise-and x #xFFFFFFFF))
(define (shift-right x n) (arithmetic-shift x (- n)))
(define (rotate x n) (word (bitwise-ior (shift-right x n) (arithmetic-shift x (- 32 n)))))

(define initial-state
  '(#x6a09e667 #xbb67ae85 #x3c6ef372 #xa54ff53a #x510e527f #x9b05688c #x1f83d9ab #x5be0cd19))

(define round-constants
  '#(#x428a2f98 #x71374491 #xb5c0fbcf #xe9b5dba5 #x3956c25b #x59f111f1 #x923f82a4 #xab1c5ed5
     #xd807aa98 #x12835b01 #x243185be #x550c7dc3 #x72be5d74 #x80deb1fe #x9bdc06a7 #xc19bf174
     #xe49b69c1 #xefbe4786 #x0fc19dc6 #x240ca1cc #x2de92c6f #x4a7484aa #x5cb0a9dc #x76f988da
     #x983e5152 #xa831c66d #xb00327c8 #xbf597fc7 #xc6e00bf3 #xd5a79147 #x06ca6351 #x14292967
     #x27b70a85 #x2e1b2138 #x4d2c6dfc #x53380d13 #x650a7354 #x766a0abb #x81c2c92e #x92722c85
     #xa2bfe8a1 #xa81a664b #xc24b8b70 #xc76c51a3 #xd192e819 #xd6990624 #xf40e3585 #x106aa070
     #x19a4c116 #x1e376c08 #x2748774c #x34b0bcb5 #x391c0cb3 #x4ed8aa4a #x5b9cca4f #x682e6ff3
     #x748f82ee #x78a5636f #x84c87814 #x8cc70208 #x90befffa #xa4506ceb #xbef9a3f7 #xc67178f2))

;; A number as a string of n bytes, the highest first.
(define (bytes x n)
  (let loop ((x x) (n n) (l '()))
    (if (= n 0)
        (list->string l)
        (loop (shift-right x 8) (- n 1)
              (cons (integer->char (bitwise-and x 255)) l)))))

;; To a multiple of 64 bytes: a one bit, zeros, and the length in bits.
(define (pad text)
  (let ((n (string-length text)))
    (string-append text (string (integer->char #x80))
                   (make-string (modulo (- 55 n) 64) (integer->char 0))
                   (bytes (* 8 n) 8))))

;; The 64 words that a block of 16 is spread to.
(define (schedule text start)
  (define w (make-vector 64))
  (define (byte i) (char->integer (string-ref text (+ start i))))
  (do ((i 0 (+ i 1))) ((= i 16))
    (vector-set! w i
      (bitwise-ior (arithmetic-shift (byte (* 4 i)) 24)
                   (arithmetic-shift (byte (+ (* 4 i) 1)) 16)
                   (arithmetic-shift (byte (+ (* 4 i) 2)) 8)
                   (byte (+ (* 4 i) 3)))))
  (do ((i 16 (+ i 1))) ((= i 64) w)
    (let ((a (vector-ref w (- i 15))) (b (vector-ref w (- i 2))))
      (vector-set! w i
        (word (+ (vector-ref w (- i 16))
                 (bitwise-xor (rotate a 7) (rotate a 18) (shift-right a 3))
                 (vector-ref w (- i 7))
                 (bitwise-xor (rotate b 17) (rotate b 19) (shift-right b 10))))))))

(define (mix state w)
  (let loop ((i 0) (l state))
    (if (= i 64)
        (map (lambda (x y) (word (+ x y))) state l)
        (apply
         (lambda (a b c d e f g h)
           (let ((t1 (+ h
                        (bitwise-xor (rotate e 6) (rotate e 11) (rotate e 25))
                        (bitwise-xor (bitwise-and e f)
                                     (bitwise-and (word (bitwise-not e)) g))
                        (vector-ref round-constants i)
                        (vector-ref w i)))
                 (t2 (+ (bitwise-xor (rotate a 2) (rotate a 13) (rotate a 22))
                        (bitwise-xor (bitwise-and a b) (bitwise-and a c) (bitwise-and b c)))))
             (loop (+ i 1) (list (word (+ t1 t2)) a b c (word (+ d t1)) e f g))))
         l))))

;; The digest, 32 bytes.
(define (sha256 text)
  (let ((padded (pad text)))
    (let loop ((start 0) (state initial-state))
      (if (= start (string-length padded))
          (apply string-append (map (lambda (x) (bytes x 4)) state))
          (loop (+ start 64) (mix state (schedule padded start)))))))

(define (hmac-sha256 key text)
  (let* ((key (if (> (string-length key) 64) (sha256 key) key))
         (key (string-append key (make-string (- 64 (string-length key)) (integer->char 0))))
         (mixed (lambda (n)
                  (list->string
                   (map (lambda (c) (integer->char (bitwise-xor n (char->integer c))))
                        (string->list key))))))
    (sha256 (string-append (mixed #x5c)
                           (sha256 (string-append (mixed #x36) text))))))

(define (hexadecimal text)
  (apply string-append
         (map (lambda (c) (substring (number->string (+ 256 (char->integer c)) 16) 1))
              (string->list text))))
