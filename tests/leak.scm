;;; For programs that do a thing many times and must leave nothing behind.

(import (chicken base) (chicken file) (chicken gc) (chicken io)
        (chicken string))

(define (open-descriptors) (length (directory "/proc/self/fd")))

;; Resident memory in kilobytes.
(define (resident-memory)
  (* 4 (string->number
        (cadr (string-split
               (call-with-input-file "/proc/self/statm" read-line))))))

;; Runs the thunk `times` times after it has run as often to warm up; ends
;; the program as a leak when descriptors, or more than `slack` kilobytes of
;; memory, stay behind.
(define (must-not-leak times thunk #!optional (slack 8192))
  (repeat times thunk)
  (settle)
  (let ((descriptors (open-descriptors)) (memory (resident-memory)))
    (repeat times thunk)
    (settle)
    (let ((more-descriptors (- (open-descriptors) descriptors))
          (more-memory (- (resident-memory) memory)))
      (when (or (> more-descriptors 0) (> more-memory slack))
        (print "left behind: " more-descriptors " descriptors and "
               more-memory " kB")
        (exit 97)))))

(define (repeat times thunk)
  (when (> times 0) (thunk) (repeat (- times 1) thunk)))

;; Finalizers run, and libzmq's own threads take their share.
(define (settle)
  (do ((i 0 (+ i 1))) ((= i 5)) (gc #t) (nap! 40)))
