;;; Records whose fields are read without a check: each exported procedure
;;; checks its argument once, and the hot paths do not pay for it twice.

(define-syntax define-fields
  (syntax-rules ()
    ((_) (begin))
    ((_ (index getter) rest ...)
     (begin
       (define-inline (getter record) (##sys#slot record index))
       (define-fields rest ...)))
    ((_ (index getter setter) rest ...)
     (begin
       (define-inline (getter record) (##sys#slot record index))
       (define-inline (setter record value) (##sys#setslot record index value))
       (define-fields rest ...)))))
