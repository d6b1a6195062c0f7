;;; A storm of signals beside threads that send, receive, open and close: storm/storm.scm, whose
;;; timer's handler counts, leaves a wait by a continuation, or raises.  It needs a timer faster
;;; than csi can set, so it is compiled.  `make storm' runs it for long.

(import (chicken base) (chicken file) (chicken pathname) (chicken process)
        (chicken process-context) (chicken string))
(include "check.scm")
(include "child.scm")

(define directory (create-temporary-directory))
(define program (make-pathname directory "storm"))

(test "the storm's program is compiled"
  (check= 0 (system (string-append "cd storm && csc -O2 storm.scm -o " program))))

;; An ordinary error is allowed: CHICKEN itself raises a stack overflow in apply where a signal
;; comes at the wrong time.
(define (check-storm hertz how)
  (let* ((child (start-program program (list (number->string hertz) "2" how) limit: 40))
         (outcome (wait-for-child child)))
    (unless (or (eq? outcome 'ok)
                (and (eq? outcome 'condition)
                     (substring-index "(apply) stack overflow" (child-errors child))))
      (wrong "the storm ended as ~s: ~a~a" outcome (child-output child) (child-errors child)))))

(test "a handler that counts disturbs nothing (case 26)"
  (check-storm 2500 "count"))
(test "a handler that leaves the primordial thread disturbs nothing (case 27)"
  (check-storm 400 "escape")
  (check-storm 2500 "escape"))
(test "a handler that raises disturbs nothing (case 27)"
  (check-storm 1000 "raise"))
(test "a handler that leaves whichever thread is current ends nothing else (case 27)"
  (check-storm 1000 "anywhere"))

(system (string-append "rm -r " directory))
(report-tests)
