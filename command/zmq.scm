;;; The `zmq' command: sockets of every type from a shell.  doc/zmq.1 is its manual page.

(module (zmq command) ()

  (import scheme
          (chicken base) (chicken bitwise) (chicken condition) (chicken errno) (chicken file)
          (chicken file posix) (chicken fixnum) (chicken foreign) (chicken io) (chicken pathname)
          (chicken port) (chicken process) (chicken process-context) (chicken process signal)
          (chicken sort) (chicken string) (chicken time)
          zmq (zmq auth) (zmq monitor)
          (only (zmq base) start-thread))

  (include "arguments.scm")
  (include "usage.scm")
  (include "end.scm")
  (include "text.scm")
  (include "input.scm")
  (include "output.scm")
  (include "endpoint.scm")
  (include "report.scm")
  (include "watch.scm")
  (include "talk.scm")
  (include "proxy.scm")
  (include "monitor.scm")
  (include "top.scm")
  (include "keygen.scm")
  (include "perf.scm")

  ;; A command, by name, and what runs it.
  (define (command-of name)
    (cond ((assoc name `(("proxy" . ,run-proxy) ("monitor" . ,run-monitor) ("top" . ,run-top)
                         ("keygen" . ,run-keygen) ("perf" . ,run-perf)))
           => cdr)
          ((member name type-names) (lambda (words) (run-talk (string->symbol name) words)))
          (else (wrong-usage "there is no command or socket type " name
                             (hint name (append command-names type-names))))))

  (define (main words)
    (cond ((null? words) (wrong-usage "name a socket type or a command" ""))
          ((member (car words) '("--help" "-h" "help")) (write-out (usage #f)) (end 0))
          ((member (car words) '("--version" "-V" "version")) (write-out (version)) (end 0))
          (else
           (let ((run (command-of (car words))))
             (when (any-of (lambda (word) (member word '("--help" "-h"))) (cdr words))
               (write-out (usage (car words)))
               (end 0))
             (run (cdr words))
             (end 0)))))

  (watch-signals!)
  (guarded (lambda () (main (command-line-arguments)))))
