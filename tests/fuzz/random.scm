;;; A random generator of its own, so that a seed means the same everywhere, and what is made with
;;; it: choices, and strings that are made of pieces or changed at random.

(import (chicken base) (chicken fixnum) (chicken string))

(define random-state 1)

(define (seed! n) (set! random-state (modulo (+ 12345 (* 2654435761 (+ 1 n))) 4294967296)))

;; Below n.
(define (pick n)
  (set! random-state (modulo (+ 12345 (* 1103515245 random-state)) 4294967296))
  (modulo (quotient random-state 8192) n))

(define (one-in? n) (eq? 0 (pick n)))
(define (pick-one l) (list-ref l (pick (length l))))

(define (times n thunk) (if (fx<= n 0) '() (cons (thunk) (times (fx- n 1) thunk))))

(define (random-bytes n)
  (list->string (times n (lambda () (integer->char (pick 256))))))

;; Some of the pieces, one behind the other.
(define (random-text pieces most)
  (apply string-append (times (pick (fx+ 1 most)) (lambda () (pick-one pieces)))))

(define (change-once s)
  (let* ((n (string-length s)) (i (pick (fx+ n 1))) (before (substring s 0 i)))
    (case (pick 5)
      ((0) (string-append before (random-bytes 1) (substring s i)))
      ((1) (if (fx< i n) (string-append before (substring s (fx+ i 1))) s))
      ((2) (if (fx< i n) (string-append before (random-bytes 1) (substring s (fx+ i 1))) s))
      ((3) before)
      (else (string-append before (substring s (pick (fx+ n 1))))))))

(define (change s)
  (let loop ((n (pick 4)) (s s))
    (if (fx= n 0) s (loop (fx- n 1) (change-once s)))))
