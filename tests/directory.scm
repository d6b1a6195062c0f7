;;; Directories and files for a test.

(import (chicken base) (chicken bitwise) (chicken file) (chicken file posix) (chicken io)
        (chicken pathname))

;; Calls the procedure with the path of an empty directory.
(define (with-directory procedure)
  (let ((d (create-temporary-directory)))
    (procedure d)
    (for-each (lambda (f) (delete-file (make-pathname d f))) (directory d #t))
    (delete-directory d)))

(define (file-text path) (call-with-input-file path (lambda (p) (read-string #f p))))
(define (write-file path text) (call-with-output-file path (lambda (p) (display text p))))
(define (mode path) (bitwise-and #o777 (file-permissions path)))
