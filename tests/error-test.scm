;;; Conditions, and what ends a process.

(import zmq (chicken base) (chicken condition))
(include "check.scm")
(include "threads.scm")
(include "child.scm")

(test "a failure has the kinds exn, i/o, net and zmq, an errno and a code"
  (let* ((s (make-socket 'pull))
         (e (raised (bind-socket s "tcp:/x"))))
    (for-each (lambda (kind) (check ((condition-predicate kind) e)))
              '(exn i/o net zmq))
    (check (integer? ((condition-property-accessor 'zmq 'errno) e)))
    (check (symbol? (zmq-code e)))
    (check= 'bind-socket ((condition-property-accessor 'exn 'location) e))
    (close-socket s)))

(test "the driver tells ok, exit codes, conditions, aborts, signals, hangs and leaks apart"
  (check-child 'ok '((exit 0)))
  (check-child '(exit 7) '((exit 7)))
  (check-child 'condition '((error "nobody handles this")))
  (check-child 'abort
    '((process-signal (current-process-id) signal/abrt) (nap! 5000)))
  (check-child (list 'signal signal/term)
    '((process-signal (current-process-id) signal/term) (nap! 5000)))
  (check-child 'hang '((nap! 60000)) #:limit 1)
  (check-child 'leak
    '((set! leak-patience 100)
      (must-not-leak 3 (lambda () (create-pipe))))))

(report-tests)
