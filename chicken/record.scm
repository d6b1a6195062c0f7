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

;; A socket.  `waiters` stand in line for it; `place` is its tag with the
;; dispatcher, which may be out of date.  `staged` maps threads to the parts they sent with send-more:, `unread`
;; to the parts of a message they have begun to receive: what is whole for a
;; thread is never mixed with what another does.
(define (make-socket-record handle type context)
  (##sys#make-structure 'zmq-socket handle type context '() '() '() #f))

(define-inline (is-socket? x) (##sys#structure? x 'zmq-socket))
(define (socket? x) (is-socket? x))

(define-fields
  (1 socket-handle)
  (2 socket-type-name)
  (3 socket-context-record)
  (4 socket-waiters set-socket-waiters!)
  (5 socket-staged set-socket-staged!)
  (6 socket-unread set-socket-unread!)
  (7 socket-place set-socket-place!))

;; The same places for C.
(foreign-declare "
enum { SOCKET_HANDLE = 1, SOCKET_WAITERS = 4, SOCKET_STAGED, SOCKET_UNREAD };
")

(define-inline (check-socket location x)
  (unless (is-socket? x) (fail-type location "a ZeroMQ socket" x)))
