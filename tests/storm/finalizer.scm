;;; Finalizers beside a fast timer whose handler leaves by a continuation.
;;;
;;;   finalizer HERTZ SECONDS
;;;
;;; Ends with exit code 0 when the time is over, if each object has been finalized once.

(import zmq (chicken base) (chicken fixnum) (chicken foreign) (chicken gc)
        (chicken process signal) (chicken time))
(include "timer.scm")

(define ran 0)
(define (register!)
  (set-finalizer! (list ran) (lambda (x) (set! ran (fx+ ran 1)))))

(define (check what yes?)
  (unless yes? (print what ": " ran " finalizers ran") (exit 3)))

;; What set-finalizer! does first if the table has no room: it can be left after that.
(define-foreign-variable limit int "C_max_pending_finalizers")
(define first-limit limit)
(##core#inline "C_resize_pending_finalizers" (fx* 8 limit))
(do ((i 0 (fx+ i 1))) ((fx= i (fx* 4 first-limit))) (register!))
(gc #t)
(check "the limit was beyond the table" (fx= ran (fx* 4 first-limit)))

(define escape #f)
(define left 0)
(set-signal-handler! signal/alrm
  (lambda (n)
    (let ((k escape))
      (when k
        (set! escape #f)
        (set! left (fx+ left 1))
        (k #f)))))

;; Objects for which set-finalizer! has returned.
(define registered 0)

(define end (+ (current-process-milliseconds) (* 1000 seconds)))
(set! ran 0)
(set-timer! hertz)
(let loop ()
  (when (< (current-process-milliseconds) end)
    (call/cc
     (lambda (k)
       (set! escape k)
       (do ((i 0 (fx+ i 1))) ((fx= i 100)) (make-string 20))
       (register!)
       (set! registered (fx+ registered 1))
       (set! escape #f)))
    (loop)))
(set-timer! 0)
(set-signal-handler! signal/alrm #f)

;; A finalizer that was left at its beginning has not counted.
(gc #t)
(check "finalizers were lost" (fx>= ran (fx- registered left)))
(check "finalizers ran twice" (fx<= ran (fx+ registered left)))
(print registered " registered, " ran " ran, " left " left")
(exit (if (> left (quotient (* hertz seconds) 50)) 0 4))
