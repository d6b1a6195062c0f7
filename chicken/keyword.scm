;;; Keyword arguments.  They are parsed in one pass without a procedure call each, and unknown
;;; ones are refused by name, which #!key does not do.

;; (with-keywords location rest ((key: name default) ...) body ...)
(define-syntax with-keywords
  (syntax-rules ()
    ((_ location rest ((key name default) ...) body ...)
     (let ((name default) ...)
       (let loop ((r rest))
         (if (pair? r)
             (let ((k (car r)) (values (cdr r)))
               (cond ((not (pair? values)) (fail-keyword location k '(key ...)))
                     ((eq? k key) (set! name (car values)) (loop (cdr values)))
                     ...
                     (else (fail-keyword location k '(key ...)))))
             (begin body ...)))))))

(define (keyword-text k) (string-append (keyword->string k) ":"))

(define (fail-keyword location x known)
  (cond ((not (keyword? x)) (fail-type location "a keyword" x))
        ((memq x known)
         (fail-argument location (string-append "no value for " (keyword-text x)) x))
        (else
         (fail-argument location
                        (string-append "unknown keyword " (keyword-text x) " (there are: "
                                       (string-intersperse (map keyword-text known)) ")")
                        x))))

;; Calls (set symbol value) for each keyword and value of `rest`.
(define (for-each-keyword location rest set)
  (let loop ((r rest))
    (cond ((null? r) #t)
          ((not (keyword? (car r))) (fail-type location "a keyword" (car r)))
          ((null? (cdr r)) (fail-keyword location (car r) (list (car r))))
          (else
           (set (string->symbol (keyword->string (car r))) (cadr r))
           (loop (cddr r))))))
