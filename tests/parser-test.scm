;;; The parsers that are in Scheme, with bytes of all kinds: fuzz/parsers.scm, compiled because it
;;; runs often.  `make fuzz' runs it for long.

(import (chicken base) (chicken file) (chicken pathname) (chicken process)
        (chicken process-context) (chicken string))
(include "check.scm")
(include "child.scm")

(define directory (create-temporary-directory))
(define program (make-pathname directory "parsers"))

(test "the fuzzer of the parsers is compiled"
  (check= 0 (system (string-append "cd fuzz && csc -O2 parsers.scm -o " program))))

(test "no parser in Scheme is surprised by random bytes"
  (let* ((child (start-program program '("20000" "1") limit: 55))
         (outcome (wait-for-child child)))
    (unless (eq? outcome 'ok)
      (wrong "it ended as ~s: ~a~a" outcome (child-output child) (child-errors child)))))

(system (string-append "rm -r " directory))
(report-tests)
