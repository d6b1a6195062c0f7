;;; Programs in processes of their own, watched: what became of one is told
;;; apart as
;;;   ok          it ended with exit code 0
;;;   (exit N)    it ended with another code
;;;   condition   it ended by an error that nobody handled
;;;   abort       it was aborted (SIGABRT: an assertion of libzmq)
;;;   (signal N)  it died of another signal
;;;   hang        it still ran at its limit, and was killed
;;;   leak        what it did again and again left something behind

(import (chicken base) (chicken file) (chicken file posix) (chicken io)
        (chicken pathname) (chicken process) (chicken process-context)
        (chicken process signal) (chicken time) (chicken port))
(declare (uses scheduler))

(define-record child pid directory limit outcome)

(define tests-directory (current-directory))

;; What every child begins with.
(define child-prelude
  `((import zmq (chicken base) (chicken condition) (chicken gc)
            (chicken file posix) (chicken process) (chicken process-context)
            (chicken process-context posix)
            (chicken process signal) (chicken time) (chicken io)
            (chicken file) (chicken format) (chicken blob) (chicken string)
            (chicken foreign) srfi-4)
    (include ,(make-pathname tests-directory "threads.scm"))
    (include ,(make-pathname tests-directory "leak.scm"))))

;; Starts a program given as forms, which may run for `limit` seconds.
;; `options` are the run-time system's; `before` are commands of the shell.
(define (start-child forms #!key (limit 30) (options '()) (before ""))
  (let* ((directory (create-temporary-directory))
         (source (make-pathname directory "child.scm")))
    (with-output-to-file source
      (lambda ()
        (for-each (lambda (form) (write form) (newline))
                  (append child-prelude forms))))
    (start-program "/bin/sh"
                   (append (list "-c" (string-append before "\n" with-descriptors) (csi))
                           options (list "-s" source))
                   limit: limit directory: directory)))

;; Starts any other program.
(define (start-program command arguments
                       #!key (limit 30) (directory (create-temporary-directory)))
  (let ((pid (process-fork
              (lambda ()
                (redirect "output" fileno/stdout directory)
                (redirect "errors" fileno/stderr directory)
                (execute-tied command arguments)))))
    (make-child pid directory
                (+ (current-process-milliseconds) (* 1000 limit)) #f)))

;; Executes a program that is killed when the process that started it has ended.
(define (execute-tied command arguments)
  (let ((tie "/usr/bin/setpriv"))
    (if (file-exists? tie)
        (process-execute tie (append '("--pdeathsig" "KILL") (list command) arguments))
        (process-execute command arguments))))

;; Runs a command with as many descriptors as a thousand sockets take.
(define with-descriptors
  "ulimit -S -n 8192 2>/dev/null || ulimit -S -n $(ulimit -H -n); exec \"$0\" \"$@\"")

(define (csi) (or (get-environment-variable "CSI") "csi"))

(define (redirect name fd directory)
  (duplicate-fileno
   (file-open (make-pathname directory name)
              (+ open/wronly open/creat open/append))
   fd))

(define (child-text child name)
  (let ((path (make-pathname (child-directory child) name)))
    (if (file-exists? path)
        (let ((text (with-input-from-file path read-string)))
          (if (eof-object? text) "" text))
        "")))

(define (child-output child) (child-text child "output"))
(define (child-errors child) (child-text child "errors"))

(define (kill-child child #!optional (signal signal/kill))
  (unless (child-outcome child) (process-signal (child-pid child) signal)))

;; Waits for its end, and says what became of it.
(define (wait-for-child child)
  (or (child-outcome child)
      (let loop ()
        (receive (pid normal status) (process-wait (child-pid child) #t)
          (cond ((not (= 0 pid))
                 (child-outcome-set! child (outcome-of child normal status))
                 (child-outcome child))
                ((> (current-process-milliseconds) (child-limit child))
                 (process-signal (child-pid child) signal/kill)
                 (process-wait (child-pid child))
                 (child-outcome-set! child 'hang)
                 'hang)
                (else
                 (##sys#thread-sleep! (+ 5 (current-process-milliseconds)))
                 (loop)))))))

(define (outcome-of child normal status)
  (cond ((and normal (= status 0)) 'ok)
        ((and normal (= status 97)) 'leak)
        ((and normal (= status 70)) 'condition)
        (normal (list 'exit status))
        ((= status signal/abrt) 'abort)
        (else (list 'signal status))))

;; Starts it and waits for its end: what became of it, its output and its
;; errors.
(define (run-child forms . keywords)
  (let* ((child (apply start-child forms keywords))
         (outcome (wait-for-child child)))
    (values outcome (child-output child) (child-errors child))))

;; The program ends in that way.
(define-syntax check-child
  (syntax-rules ()
    ((_ outcome forms keyword ...)
     (receive (became output errors) (run-child forms keyword ...)
       (unless (equal? became outcome)
         (wrong "the program ended as ~s, not ~s: ~a~a" became outcome
                output errors))))))
