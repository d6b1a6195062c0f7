;;; Thousands of objects with finalizers, made beside a fast timer whose handler leaves.
;;;
;;;   finalizers HERTZ OBJECTS
;;;
;;; Ends with exit code 0 when all were made and collected.

(import zmq (chicken base) (chicken fixnum) (chicken gc) (chicken process-context)
        (chicken process signal))
(include "timer.scm")

(define-values (hertz objects)
  (apply values (map string->number (command-line-arguments))))

(define escape #f)
(set-signal-handler! signal/alrm
  (lambda (n) (let ((k escape)) (when k (set! escape #f) (k 'left)))))

(define kept '())
(define made 0)

(set-timer! hertz)
(let loop ()
  (when (fx< made objects)
    (call/cc
     (lambda (k)
       (set! escape k)
       (do ((i 0 (fx+ i 1))) ((fx= i 20))
         (set! kept (cons (make-context) kept))
         (set! made (fx+ made 1)))
       (set! escape #f)))
    (loop)))
(set-timer! 0)
(set-signal-handler! signal/alrm #f)

;; All of them are garbage at once.
(set! kept #f)
(gc #t)
(exit 0)
