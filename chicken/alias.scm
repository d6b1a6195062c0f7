;;; Exported names.  A program that defines one of them at its top level sets the variable of the
;;; module that exports it, so nothing of the egg may use that variable.

;; (export-aliases prefix name ...) defines and exports each name with the value of the one that
;; has the prefix.
(define-syntax export-aliases
  (er-macro-transformer
   (lambda (form rename compare)
     (let ((prefix (cadr form)) (names (cddr form)) (define (rename 'define)))
       `(,(rename 'begin)
         (,(rename 'export) ,@names)
         ,@(map (lambda (name)
                  (list define name
                        (string->symbol
                         (string-append (symbol->string prefix) (symbol->string name)))))
                names))))))
