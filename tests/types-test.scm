;;; The types that csc checks programs by: every exported name has one, wrong programs are reported
;;; and right ones are not.

(import (chicken base) (chicken file) (chicken io) (chicken irregex) (chicken pathname)
        (chicken port) (chicken process-context) (chicken sort) (chicken string))
(include "check.scm")
(include "child.scm")

(define modules '((zmq "names") (zmq.compat "names") (zmq.monitor "monitor") (zmq.auth "auth")
                  (zmq.patterns "patterns")))

(define (read-file file) (with-input-from-file file read-list))

(define (exported file)
  (let find ((datum (read-file (make-pathname "../chicken" file "scm"))))
    (cond ((and (pair? datum) (eq? 'export-aliases (car datum))) (map car (cddr datum)))
          ((pair? datum) (append (find (car datum)) (find (cdr datum))))
          (else '()))))

(define (types-file module)
  (let loop ((folders (string-split (get-environment-variable "CHICKEN_REPOSITORY_PATH") ":")))
    (if (null? folders)
        (wrong "no types of ~a" module)
        (let ((file (make-pathname (car folders) (symbol->string module) "types")))
          (if (file-exists? file) file (loop (cdr folders)))))))

(test "every exported name has the type of a procedure"
  (for-each
   (lambda (row)
     (let ((types (read-file (types-file (car row)))) (names (exported (cadr row))))
       (check (> (length names) 5))
       (for-each
        (lambda (name)
          (let ((type (assq (symbol-append (car row) '|#| name) types)))
            (unless (and type (equal? '#(procedure) (caadr type))) (wrong "~a has no type" name))))
        names)))
   modules))

;; ------------------------------------------------------------- compiling --

(define place (create-temporary-directory))

;; The lines of a program that the compiler warns about, and what it printed.
(define (compile file)
  (let* ((child (start-program "chicken"
                               (list file "-output-file" (make-pathname place "out.c")
                                     "-include-path" (pathname-directory file))))
         (outcome (wait-for-child child))
         (text (child-errors child)))
    (check= 'ok outcome)
    (values
     (irregex-fold '(: "Warning:" (+ (~ ":")) ".scm:" (submatch-named line (+ num)))
                   (lambda (i m lines)
                     (cons (string->number (irregex-match-substring m 'line)) lines))
                   '() text
                   (lambda (i lines) (sort lines <)))
     text)))

(define (warned-lines . lines)
  (let ((file (make-pathname place "program.scm")))
    (with-output-to-file file (lambda () (for-each print lines)))
    (receive (warned text) (compile file) warned)))

(define wrong-calls
  '("(close-socket)"
    "(close-socket s s)"
    "(send-message s)"
    "(send-message s 42)"
    "(send-message \"s\" \"x\")"
    "(receive-message)"
    "(receive-message 'pull)"
    "(send-multipart-message s \"x\")"
    "(bind-socket s 'endpoint)"
    "(connect-socket s)"
    "(make-socket \"pub\")"
    "(make-socket)"
    "(socket-option s \"hwm\")"
    "(socket-option-set! s 'hwm)"
    "(message-size \"x\")"
    "(message->string 5)"
    "(poll 5 1)"
    "(poll '() \"now\")"
    "(make-poll-item \"x\")"
    "(poller-wait (make-message))"
    "(terminate-context (make-message))"
    "(zmq-receive-as \"string\")"
    "(zmq-default-hwm 'none)"
    "(request s)"
    "(send-object s)"
    "(make-log-port s 'topic)"
    "(call-with-socket 'pub 5)"
    "(z85-decode 5)"
    "(string-length (make-message \"x\"))"
    "(wait-connected 5)"
    "(wait-for-subscribers s)"
    "(receive-event s 5 (event-symbol 5))"
    "(start-authenticator)"
    "(save-certificate (make-certificate) 'path)"))

(define (numbers from to) (if (> from to) '() (cons from (numbers (+ from 1) to))))

(test "csc reports every wrong number and type of arguments"
  (let* ((beginning "(import zmq (zmq monitor) (zmq auth))")
         (lines (map (lambda (call) (string-append "(define (f s) " call ")")) wrong-calls))
         (warned (apply warned-lines beginning lines)))
    (for-each
     (lambda (line call) (unless (memv line warned) (wrong "no warning for ~a" call)))
     (numbers 2 (+ 1 (length wrong-calls)))
     wrong-calls)))

(test "csc reports them for (zmq compat) too"
  (check= '(2 3)
          (warned-lines "(import (zmq compat))"
                        "(define (f s) (send-message s))"
                        "(define (g s) (send-message s 5))"
                        "(define (h s) (send-message s (receive-message s)))")))

(test "what a procedure returns is known, and a type that fits is not reported"
  (check= '(3)
          (warned-lines "(import zmq)"
                        "(define (f) (close-socket (make-socket 'pub hwm: 5)))"
                        "(define (g) (close-socket (make-context)))"
                        "(define (h s) (parameterize ((zmq-receive-as 'blob)) (receive-message s)))"
                        "(define (i s) (send-multipart-message s (cons \"a\" (list (make-message)))))"
                        "(define (j) (receive (a b) (curve-keypair) (string-append a b)))"
                        "(define (k) (poll (list (make-poll-item 0 in: #t)) #t))")))

;; With -O3 csc leaves out the checks of what it knows the type of.
(test "a program that defines exported names itself runs as it says"
  (let ((file (make-pathname place "own.scm")) (program (make-pathname place "own")))
    (with-output-to-file file
      (lambda ()
        (for-each print
          '("(import (zmq compat) (zmq monitor) (chicken base))"
            "(define (request a b c) (list a b c))"
            "(define (message-size x) (* 1.5 x))"
            "(define (poll x) \"text\")"
            "(define (socket-endpoints x) (vector x))"
            "(define (event-symbol) 1/2)"
            "(define zmq-io-threads 1.5)"
            "(define s (make-socket 'push))"
            "(write (list (request 1 2 3) (+ 1 (message-size 2)) (string-length (poll 1))"
            "             (vector-length (socket-endpoints 1)) (+ 1 (event-symbol))"
            "             (+ 1 zmq-io-threads) (socket-type s)))"))))
    (let ((compiler (start-program "csc" (list "-O3" "-o" program file))))
      (check= 'ok (wait-for-child compiler))
      (let* ((child (start-program program '())) (outcome (wait-for-child child)))
        (check= '(ok "((1 2 3) 4.0 4 1 3/2 2.5 push)")
                (list outcome (child-output child)))))))

;; Other warnings of theirs are not about this egg.
(define (egg-warnings file)
  (receive (lines text) (compile file)
    (irregex-extract '(: "Warning: " (or "Wrong number" "Invalid")
                         (*? any) "module `zmq" (* (~ "\n")))
                     text)))

(test "the examples and the programs for the old egg are compiled without a warning"
  (let ((files (append (glob (make-pathname (list tests-directory ".." "examples") "*.scm"))
                       (glob (make-pathname (list tests-directory "compat") "*.scm")))))
    (check (> (length files) 20))
    (for-each
     (lambda (file)
       ;; errors.scm makes one mistake to catch it.
       (unless (string=? "errors" (pathname-file file))
         (check= (list file) (cons file (egg-warnings file)))))
     files)))

(report-tests)
