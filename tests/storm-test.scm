;;; A storm of signals beside threads that send, receive, open and close: storm/storm.scm, whose
;;; timer's handler counts, leaves a wait by a continuation, or raises.  It needs a timer faster
;;; than csi can set, so it is compiled.  `make storm' runs it for long.

(import (chicken base) (chicken file) (chicken pathname) (chicken process)
        (chicken process-context))
(include "check.scm")
(include "child.scm")

(define directory (create-temporary-directory))

(test "the storm's programs are compiled"
  (for-each
   (lambda (name)
     (check= 0 (system (string-append "cd storm && csc -O2 " name ".scm -o "
                                      (make-pathname directory name)))))
   '("apply" "finalizer" "storm" "varied")))

(define (check-ends-well name . arguments)
  (let* ((child (start-program (make-pathname directory name) arguments limit: 40))
         (outcome (wait-for-child child)))
    (unless (eq? outcome 'ok)
      (wrong "~a ended as ~s: ~a~a" name outcome (child-output child) (child-errors child)))))

(define (check-storm hertz how)
  (check-ends-well "storm" (number->string hertz) "2" how))

(test "apply finds room on the stack whenever a signal comes (case 26)"
  (check-ends-well "apply" "1000" "2"))

(test "a handler that leaves set-finalizer! or a finalizer damages and stops no other (case 27)"
  (check-ends-well "finalizer" "20000" "2"))

(test "a handler that counts disturbs nothing (case 26)"
  (check-storm 2500 "count"))
(test "a handler that leaves the primordial thread disturbs nothing (case 27)"
  (check-storm 400 "escape")
  (check-storm 2500 "escape"))
(test "a handler that raises disturbs nothing (case 27)"
  (check-storm 1000 "raise"))
(test "a handler that leaves whichever thread is current ends nothing else (case 27)"
  (check-storm 1000 "anywhere"))

(define (check-varied hertz how)
  (check-ends-well "varied" (number->string hertz) "2" how))

(test "a handler that sends and receives disturbs nothing (case 28)"
  (check-varied 1000 "call"))
(test "a handler that waits returns once, and disturbs nothing (case 28)"
  (check-varied 400 "wait"))
(test "handlers that leave or raise disturb no proxy, swap, monitor, port or request (case 27)"
  (check-varied 1000 "escape")
  (check-varied 1000 "raise"))

(system (string-append "rm -r " directory))
(report-tests)
