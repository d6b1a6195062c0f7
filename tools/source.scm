;;; Reads the project's source files.  The tools include this file; they start
;;; in the project's root.

(import (chicken base) (chicken file) (chicken io) (chicken irregex) (chicken pathname)
        (chicken plist) (chicken port) (chicken process-context) (chicken sort) (chicken string))

;; ------------------------------------------------------------- findings --

(define findings 0)

(define (finding . parts)
  (set! findings (+ findings 1))
  (print (apply conc parts)))

(define (finish)
  (exit (if (= findings 0) 0 1)))

(define (usage text)
  (with-output-to-port (current-error-port) (lambda () (print "usage: " text)))
  (exit 2))

;; ---------------------------------------------------------------- files --

(define (file-text file)
  (let ((text (with-input-from-file file read-string)))
    (if (eof-object? text) "" text)))

(define (file-lines file)
  (with-input-from-file file read-lines))

;; The files of a folder and its subfolders that have one of the endings.
(define (files folder . endings)
  (if (directory-exists? folder)
      (sort (find-files folder
                        test: `(: (* any) "." (or ,@endings) eos))
            string<?)
      '()))

;; The words of C in a text, as symbols.
(define (words text)
  (map string->symbol (irregex-extract '(: (or alpha "_") (* (or alphanumeric "_"))) text)))

;; ---------------------------------------------------------------- lists --

(define (append-map f list)
  (apply append (map f list)))

(define (filter keep? list)
  (foldr (lambda (x rest) (if (keep? x) (cons x rest) rest)) '() list))

(define (any holds? list)
  (and (pair? list) (or (holds? (car list)) (any holds? (cdr list)))))

;; The symbols in their first order, each once.
(define (distinct symbols)
  (reverse (foldl (lambda (seen s) (if (memq s seen) seen (cons s seen))) '() symbols)))

(define (symbol<? a b)
  (string<? (symbol->string a) (symbol->string b)))

;; ------------------------------------------------------------------- C --

;; The text with every comment and every literal replaced by a blank.
(define (plain-c text)
  (let* ((size (string-length text))
         (out (open-output-string))
         (at (lambda (i) (if (< i size) (string-ref text i) #\nul))))
    ;; The index behind the literal that ends with `quote`.
    (define (literal-end i quote)
      (cond ((>= i size) size)
            ((char=? (at i) #\\) (literal-end (+ i 2) quote))
            ((char=? (at i) quote) (+ i 1))
            (else (literal-end (+ i 1) quote))))
    (let loop ((i 0))
      (when (< i size)
        (let ((c (at i)))
          (cond ((and (char=? c #\/) (char=? (at (+ i 1)) #\*))
                 (write-char #\space out)
                 (loop (let ((end (substring-index "*/" text (+ i 2))))
                         (if end (+ end 2) size))))
                ((and (char=? c #\/) (char=? (at (+ i 1)) #\/))
                 (loop (or (substring-index "\n" text i) size)))
                ((or (char=? c #\") (char=? c #\'))
                 (write-char #\space out)
                 (loop (literal-end (+ i 1) c)))
                (else (write-char c out)
                      (loop (+ i 1)))))))
    (get-output-string out)))

;; A function: its file, its name (a symbol), whether it is static, and its body.
(define-record-type c-function
  (make-c-function file name static? body)
  c-function?
  (file function-file)
  (name function-name)
  (static? function-static?)
  (body function-body))

(define (ends-with? char line)
  (let ((found (irregex-search `(: ,char (* space) eos) line)))
    (and found #t)))

(define (head-line? line)
  (not (or (irregex-match '(* space) line)
           (ends-with? #\; line)
           (ends-with? #\} line)
           (char=? (string-ref line 0) #\#))))

;; Calls (function f) for each function of a C file, and returns the lines that
;; belong to none.  A function's braces are alone in column 0; its head is what
;; stands before them up to an empty line, a directive or the end of something.
(define (walk-c file function)
  (let loop ((lines (string-split (plain-c (file-text file)) "\n" #t)) (before '()))
    (cond ((null? lines) (reverse before))
          ((string=? (car lines) "{")
           (let collect ((head '()) (before before))
             (if (and (pair? before) (head-line? (car before)))
                 (collect (cons (car before) head) (cdr before))
                 (let body ((rest (cdr lines)) (inside '()))
                   (if (and (pair? rest) (not (string=? (car rest) "}")))
                       (body (cdr rest) (cons (car rest) inside))
                       (let ((name (head-name (string-intersperse head " "))))
                         (when name
                           (function
                            (make-c-function
                             file name
                             (and (irregex-search '(: bow "static" eow) (car head)) #t)
                             (string-intersperse (reverse inside) "\n"))))
                         (loop (if (pair? rest) (cdr rest) '()) before)))))))
          (else (loop (cdr lines) (cons (car lines) before))))))

;; The name before the first parenthesis that is not an attribute's.
(define (head-name head)
  (let ((found (irregex-search
                '(: (submatch-named name (or alpha "_") (* (or alphanumeric "_")))
                    (* space) "(")
                (irregex-replace/all '(: "__attribute__" (* space) "((" (*? any) "))")
                                     head ""))))
    (and found (string->symbol (irregex-match-substring found 'name)))))

(define (c-functions file)
  (let ((functions '()))
    (walk-c file (lambda (f) (set! functions (cons f functions))))
    (reverse functions)))
