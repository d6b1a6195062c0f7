;;; Exported names.  A program that defines one of them at its top level sets the variable of the
;;; module that exports it, so nothing of the egg may use that variable.

;; (export-aliases prefix (name type) ...) defines and exports each name with the value of the one
;; that has the prefix, and declares its type, which csc checks programs by.  In a type these words
;; stand for others:
;;
;;   socket, context, message, ...   a record of the egg
;;   part                            what can be sent
;;   (parameter T)                   a parameter of values T
;;
;; csc drops the checks of calls whose arguments it knows.  As a program may define the name itself,
;; results other than records and booleans are not declared.
(define-syntax export-aliases
  (er-macro-transformer
   (lambda (form rename compare)
     (define records
       '(socket message context poll-item poller proxy-control monitor event authenticator
         certificate))
     (define (append-symbols a b)
       (string->symbol (string-append (symbol->string a) (symbol->string b))))
     (define (whole type)
       (cond ((eq? type 'part) `(or string blob u8vector (struct zmq-message)))
             ((memq type records) `(struct ,(append-symbols 'zmq- type)))
             ;; parameterize gives a parameter two more arguments
             ((and (pair? type) (eq? 'parameter (car type)))
              `(#!optional ,(whole (cadr type)) boolean boolean -> *))
             ((not (pair? type)) type)
             ((eq? '-> (car type)) (cons '-> (results (cdr type))))
             (else (cons (whole (car type)) (whole (cdr type))))))
     (define (results types)
       (if (pair? types) (cons (result (car types)) (results (cdr types))) types))
     (define (result type)
       (cond ((or (memq type records) (memq type '(boolean undefined))) (whole type))
             ((and (pair? type) (eq? 'or (car type))) `(or false ,(result (caddr type))))
             (else '*)))
     (define (alias prefix name type)
       `((,(rename ':) ,name ,(whole type))
         (,(rename 'define) ,name ,(append-symbols prefix name))))
     (let ((prefix (cadr form)) (rows (cddr form)))
       `(,(rename 'begin)
         (,(rename 'export) ,@(map car rows))
         ,@(apply append (map (lambda (row) (alias prefix (car row) (cadr row))) rows)))))))
