;;; Records whose fields are read without a check: each exported procedure checks its
;;; argument once, and the fast paths do not pay for it twice.

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

;; A socket.  `staged` maps threads to the parts they have sent with send-more:, `unread` to
;; the parts of a message they have begun to receive, so that a message that is whole for one
;; thread is never mixed with what another does.  glue/word.h knows these fields.
(define (make-socket-record type context)
  (##sys#make-structure 'zmq-socket 0 type context
                        (make-queue (memq type '(router stream)))
                        '() '()))

(define-inline (is-socket? x) (##sys#structure? x 'zmq-socket))
(define (socket? x) (is-socket? x))
(define (zmq-socket? x) (is-socket? x))

(define-fields
  (1 socket-handle)
  (2 socket-type-name)
  (3 socket-context-record)
  (4 socket-queue)
  (5 socket-staged set-socket-staged!)
  (6 socket-unread set-socket-unread!))

(define-constant staged-field 5)
(define-constant unread-field 6)

(define-inline (check-socket location x)
  (unless (is-socket? x) (fail-type location "a ZeroMQ socket" x)))

;; A list that a signal handler may change too.
(define-inline (add-first! record field x) (%list-add record field (list x) #t))
