;;; Random bytes for the parsers that are in Scheme, and random programs: fuzz/parsers.scm and
;;; fuzz/programs.scm, compiled because they do much.  `make fuzz' runs them for long.

(import (chicken base) (chicken file) (chicken pathname) (chicken process)
        (chicken process-context) (chicken string))
(include "check.scm")
(include "child.scm")

(define directory (create-temporary-directory))

(define (fuzzer name) (make-pathname directory name))

(define (check-compiled name)
  (check= 0 (system (string-append "cd fuzz && csc -O2 " name ".scm -o " (fuzzer name)))))

(define (check-fuzzer name . arguments)
  (let* ((child (start-program (fuzzer name) arguments limit: 200))
         (outcome (wait-for-child child)))
    (unless (eq? outcome 'ok)
      (wrong "it ended as ~s: ~a~a" outcome (child-output child) (child-errors child)))))

(test-limit 240)

(test "the fuzzers are compiled"
  (check-compiled "parsers")
  (check-compiled "programs"))
(test "no parser in Scheme is surprised by random bytes"
  (check-fuzzer "parsers" "20000" "1"))
(test "random programs of green threads lose nothing and leave nothing behind"
  (check-fuzzer "programs" "-n" "20" "1"))

(system (string-append "rm -r " directory))
(report-tests)
