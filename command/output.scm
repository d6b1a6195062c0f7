;;; Standard output.  A pipe that nobody reads any more ends the program quietly.

(define-constant output-size 65536)

(define waiting '())            ; texts, the newest first
(define waiting-size 0)

;; Keeps the text until there is much, or `flush-out' is called.
(define (write-later text)
  (set! waiting (cons text waiting))
  (set! waiting-size (+ waiting-size (string-length text)))
  (when (>= waiting-size output-size) (flush-out)))

(define (flush-out)
  (unless (null? waiting)
    (let ((text (string-intersperse (reverse waiting) "")))
      (set! waiting '())
      (set! waiting-size 0)
      (write-out text))))

(define (write-out text)
  (unless (string=? text "")
    (let ((n (handle-exceptions e (cannot-write e) (file-write 1 text))))
      (write-out (substring text n)))))

;; The number of bytes written, which is 0 where it can be tried again.
(define (cannot-write e)
  (let ((code (errno)))
    (cond ((= code errno/intr) 0)
          ((= code errno/again) (poll (list (make-poll-item 1 out: #t)) #f) 0)
          (else
           (unless (= code errno/pipe) (complain "cannot write: " (car (condition-texts e))))
           (set! waiting '())
           (end (if (= code errno/pipe) done failed))
           0))))
