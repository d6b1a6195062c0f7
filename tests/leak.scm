;;; For programs that do a thing many times and must leave nothing behind.

(import (chicken base) (chicken file) (chicken gc) (chicken io)
        (chicken string))

(define (open-descriptors) (length (directory "/proc/self/fd")))

;; Resident memory in kilobytes.
(define (resident-memory)
  (* 4 (string->number
        (cadr (string-split
               (call-with-input-file "/proc/self/statm" read-line))))))

;; Milliseconds after which what is still there never goes.
(define leak-patience 3000)

;; Runs the thunk `times` times after it has run as often to warm up; ends
;; the program as a leak when descriptors, or more than `slack` kilobytes of
;; memory, stay behind three times in a row.  What a program makes once, when
;; it first needs it (the poller of the loop), stays behind once.
(define (must-not-leak times thunk #!optional (slack 8192))
  (repeat times thunk)
  (let loop ((rounds 3))
    (settle)
    (let ((descriptors (open-descriptors)) (memory (resident-memory)))
      (define (left)
        (settle)
        (let ((more-descriptors (- (open-descriptors) descriptors))
              (more-memory (- (resident-memory) memory)))
          (and (or (> more-descriptors 0) (> more-memory slack))
               (list more-descriptors " descriptors and " more-memory " kB"))))
      (repeat times thunk)
      (unless (wait-until (lambda () (not (left))) leak-patience)
        (when (= rounds 1)
          (apply print "left behind: " (or (left) '()))
          (exit 97))
        (loop (- rounds 1))))))

(define (repeat times thunk)
  (when (> times 0) (thunk) (repeat (- times 1) thunk)))

;; Finalizers run, and libzmq's own threads close what they have to: until the
;; number of descriptors has not changed for some rounds.
(define (settle)
  (let loop ((same 0) (before (open-descriptors)) (rounds 0))
    (gc #t)
    (nap! 10)
    (let ((now (open-descriptors)))
      (when (and (< same 3) (< rounds 500))
        (loop (if (= now before) (+ same 1) 0) now (+ rounds 1))))))
