;;; Runs every *-test.scm of this folder in a process of its own and adds the
;;; counts up.
;;;
;;;   csi -s run.scm [NOUN...]    only these: `socket' for socket-test.scm

(import (chicken base) (chicken file) (chicken file posix) (chicken io) (chicken irregex)
        (chicken pathname) (chicken port) (chicken process) (chicken sort)
        (chicken process-context) (chicken process signal) (chicken time))

(include "child.scm")

;; Seconds for the tests of one file.
(define limit 280)

;; chicken-install passes the name of the egg, which stands for all.
(define (files)
  (let ((nouns (delete "zmq" (command-line-arguments))))
    (if (pair? nouns)
        (map (lambda (n) (string-append n "-test.scm")) nouns)
        (sort (glob "*-test.scm") string<?))))

(define (run-file file)
  (let* ((directory (create-temporary-directory))
         (pid (process-fork
               (lambda ()
                 (redirect "output" fileno/stdout directory)
                 (redirect "output" fileno/stderr directory)
                 (execute-tied (csi) (list "-s" file)))))
         (child (make-child pid directory
                            (+ (current-process-milliseconds) (* 1000 limit))
                            #f))
         (outcome (wait-for-child child)))
    (values outcome (child-output child))))

(define (delete x list)
  (cond ((null? list) '())
        ((equal? x (car list)) (delete x (cdr list)))
        (else (cons (car list) (delete x (cdr list))))))

(define (count-in word text)
  (let ((m (irregex-search
            `(: bol (submatch-named n (+ numeric)) " passed, "
                (submatch-named f (+ numeric)) " failed" eol)
            text)))
    (and m (string->number (irregex-match-substring m word)))))

(define passed 0)
(define failed 0)

(for-each
 (lambda (file)
   (receive (outcome text) (run-file file)
     (let ((p (count-in 'n text)) (f (count-in 'f text)))
       (print "-- " file)
       (display text)
       (unless (and p (eqv? (eq? outcome 'ok) (eqv? f 0)))
         (print file " ended as " outcome))
       (set! passed (+ passed (or p 0)))
       (set! failed (+ failed
                       (cond ((not p) 1)
                             ((and (= f 0) (not (eq? outcome 'ok))) 1)
                             (else f)))))))
 (files))

(print passed " passed, " failed " failed")
(exit (if (= failed 0) 0 1))
