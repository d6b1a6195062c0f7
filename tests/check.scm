;;; The test harness: named tests, each with a deadline, and what they check.

(import (chicken base) (chicken condition) (chicken format) (chicken port)
        (chicken process signal) (chicken file posix))

(define tests-passed 0)
(define tests-failed 0)

;; Seconds after which a test that still runs ends the process: the default
;; action of the signal works even where no Scheme code runs any more.
(define test-limit (make-parameter 60))

(define-syntax test
  (syntax-rules ()
    ((_ name body ...) (run-test name (lambda () body ...)))))

(define (run-test name thunk)
  (printf "~a ... " name)
  (flush-output)
  (set-alarm! (test-limit))
  (let ((problem (call/cc
                  (lambda (leave)
                    (with-exception-handler
                     (lambda (e) (leave (describe e)))
                     (lambda () (thunk) #f))))))
    (set-alarm! 0)
    (cond (problem
           (set! tests-failed (+ tests-failed 1))
           (printf "FAILED~%    ~a~%" problem))
          (else
           (set! tests-passed (+ tests-passed 1))
           (printf "ok~%")))
    (flush-output)))

(define (describe e)
  (if (condition? e)
      (with-output-to-string
        (lambda () (print-error-message e (current-output-port) "raised")))
      (sprintf "~a" e)))

;; The last line, and the exit code.
(define (report-tests)
  (printf "~a passed, ~a failed~%" tests-passed tests-failed)
  (flush-output)
  (exit (if (= 0 tests-failed) 0 1)))

;; --------------------------------------------------------------- checks --

(define (wrong text . arguments) (signal (apply sprintf text arguments)))

(define-syntax check
  (syntax-rules ()
    ((_ expression)
     (unless expression (wrong "not so: ~s" 'expression)))))

(define-syntax check=
  (syntax-rules ()
    ((_ wanted expression)
     (let ((w wanted) (got expression))
       (unless (equal? w got)
         (wrong "~s gave ~a, not ~a" 'expression (abridged got)
                (abridged w)))))))

(define (abridged x)
  (let ((s (sprintf "~s" x)))
    (if (< (string-length s) 300) s (string-append (substring s 0 300) "..."))))

;; The condition that the expression raises, or #f.
(define-syntax raised
  (syntax-rules ()
    ((_ expression)
     (call/cc
      (lambda (leave)
        (with-exception-handler leave (lambda () expression #f)))))))

;; The expression fails in libzmq's sense, with that code.
(define-syntax check-fails
  (syntax-rules ()
    ((_ code expression)
     (let ((e (raised expression)))
       (cond ((not e) (wrong "~s did not fail" 'expression))
             ((not (zmq-code e))
              (wrong "~s raised another thing: ~a" 'expression (describe e)))
             ((not (eq? 'code (zmq-code e)))
              (wrong "~s failed with ~a, not ~a: ~a" 'expression (zmq-code e)
                     'code (describe e))))))))

;; The expression is refused for the type of an argument.
(define-syntax check-type
  (syntax-rules ()
    ((_ expression)
     (let ((e (raised expression)))
       (cond ((not e) (wrong "~s was not refused" 'expression))
             ((not (and (condition? e) ((condition-predicate 'type) e)))
              (wrong "~s raised another thing: ~a" 'expression
                     (describe e))))))))

(define (zmq-code e)
  (and (condition? e)
       ((condition-predicate 'zmq) e)
       ((condition-property-accessor 'zmq 'code) e)))

(define (message-of e)
  ((condition-property-accessor 'exn 'message "") e))
