;;; Sockets.

(set-record-printer! 'zmq-socket
  (lambda (s port)
    (let ((state (%check-socket (socket-handle s))))
      (display "#<zmq socket " port)
      (display (socket-type-name s) port)
      (for-each (lambda (e) (display " " port) (display e port))
                (if (fx= state 0) (endpoints s) '()))
      (display (if (fx= state 0) " open" " ") port)
      (unless (fx= state 0) (display (%error-symbol state) port))
      (display ">" port))))

;; -------------------------------------------------------------- making --

(define (close-dropped-socket! s) (%close-socket (socket-handle s)))

(define (type-name type)
  (check-symbol 'make-socket type)
  (let* ((name (symbol->string type))
         (known (%type-name name)))
    (or known
        (fail-argument 'make-socket
                       (unknown "socket type" type (%type-near name))
                       type))))

;; Sockets and descriptors that nobody uses any more may be in the way until
;; they are collected, and then for the moment that libzmq needs.
(define in-the-way (list eagain emfile esockets edescriptors))

(define (in-the-way? code) (memv code in-the-way))

;; The handle that the attempt makes, or why it could not.
(define (collect-and-make attempt)
  (let ((handle (attempt)))
    (if (in-the-way? handle)
        (begin (gc #t) (try-often 20 in-the-way? attempt))
        handle)))

(define (open-socket context name)
  (let ((handle (collect-and-make
                 (lambda () (%make-socket (context-handle context) name)))))
    (when (fx< handle 0)
      (fail 'make-socket (if (fx= handle eagain) esockets handle)
            (string->symbol name) context))
    handle))

(define (make-socket type . rest)
  (let* ((name (type-name type))
         (context? (and (pair? rest) (not (keyword? (car rest)))))
         (context (if (and context? (car rest))
                      (check-context 'make-socket (car rest))
                      (usable-default-context)))
         (s (make-socket-record (open-socket context name)
                                (string->symbol name) context)))
    (set-finalizer! s close-dropped-socket!)
    (set-at-birth! s (if context? (cdr rest) rest))
    s))

;; Options come before endpoints, whatever the order of the keywords.
(define (set-at-birth! s keywords)
  (handle-exceptions e
      (begin (close-socket s) (abort e))
    (for-each-keyword 'make-socket keywords
      (lambda (name value)
        (case name
          ((bind connect) #f)
          ((subscribe)
           (for-each (lambda (v) (set-option! 'make-socket s name v))
                     (if (list? value) value (list value))))
          (else (set-option! 'make-socket s name value)))))
    (for-each-keyword 'make-socket keywords
      (lambda (name value)
        (let ((endpoints (if (list? value) value (list value))))
          (case name
            ((bind)
             (for-each (lambda (e) (open-endpoint 'make-socket %bind s e))
                       endpoints))
            ((connect)
             (for-each (lambda (e) (open-endpoint 'make-socket %connect s e))
                       endpoints))))))))

;; Closes the socket however the procedure is left; what enters it again finds
;; the socket closed.
(define (call-with-socket type procedure . rest)
  (check-procedure 'call-with-socket procedure)
  (let ((s (apply make-socket type rest)))
    (dynamic-wind
     void
     (lambda () (procedure s))
     (lambda () (close-socket s)))))

(define (close-socket s)
  (check-socket 'close-socket s)
  (let* ((label (and tracing (trace-text s))) (code (%close-socket (socket-handle s))))
    (trace "close-socket" label)
    (socket-touched! s)
    (set-socket-staged! s '())
    (set-socket-unread! s '())
    (released!)
    (checked 'close-socket code s)
    (void)))

(define (socket-closed? s)
  (check-socket 'socket-closed? s)
  (not (fx= 0 (%check-socket (socket-handle s)))))

(define (socket-type s)
  (check-socket 'socket-type s)
  (socket-type-name s))

(define (socket-context s)
  (check-socket 'socket-context s)
  (socket-context-record s))

;; ----------------------------------------------------------- endpoints --

;; Where there is an authenticator, it guards the sockets that are bound, and
;; the servers that connect: libzmq itself lets everybody in who says nothing
;; about security, and if the authenticator has gone, every CURVE client too.
(define (guard! location s endpoint bound?)
  (let ((domain (context-guard (socket-context-record s))))
    (when (and domain
               (not (eq? 'stream (socket-type-name s)))
               (not (substring=? "inproc:" endpoint 0 0 7))
               (or bound? (security-server? s)))
      (when (equal? "" (socket-option s 'zap-domain))
        (set-option! location s 'zap-domain domain))
      (set-option! location s 'zap-enforce-domain #t))))

(define (security-server? s)
  (case (socket-option s 'mechanism)
    ((plain) (socket-option s 'plain-server))
    ((curve) (socket-option s 'curve-server))
    ((gssapi) (socket-option s 'gssapi-server))
    (else #f)))

;; When a socket was closed or unbound last: libzmq keeps its address for
;; another moment.
(define released -1000)
(define-constant moment 200)
(define-constant most-tries 40)

(define (released!) (set! released (now)))

(define (just-released? code)
  (and (fx= code eaddrinuse) (not (passed? (+ released moment)))))

(define (open-endpoint location open s endpoint)
  (check-socket location s)
  (check-string location endpoint)
  (guard! location s endpoint (eq? open %bind))
  (let ((code (try-often most-tries just-released?
                         (lambda () (open (socket-handle s) endpoint)))))
    (socket-touched! s)
    (trace location s endpoint (outcome-text code))
    (checked location code endpoint s)
    (%text)))

(define (close-endpoint location close s endpoint)
  (check-socket location s)
  (check-string location endpoint)
  (let ((code (close (socket-handle s) endpoint)))
    (socket-touched! s)
    (trace location s endpoint (outcome-text code))
    (checked location code endpoint s)
    (void)))

(define (bind-socket s endpoint)
  (open-endpoint 'bind-socket %bind s endpoint))
(define (connect-socket s endpoint)
  (open-endpoint 'connect-socket %connect s endpoint))
(define (unbind-socket s endpoint)
  (close-endpoint 'unbind-socket %unbind s endpoint)
  (released!))
(define (disconnect-socket s endpoint)
  (close-endpoint 'disconnect-socket %disconnect s endpoint))

(define (endpoints s)
  (let loop ((i 0))
    (let ((e (%endpoint (socket-handle s) i)))
      (if e (cons e (loop (fx+ i 1))) '()))))

(define (socket-endpoints s)
  (check-socket 'socket-endpoints s)
  (checked 'socket-endpoints (%check-socket (socket-handle s)) s)
  (endpoints s))

(define (socket-fd s)
  (check-socket 'socket-fd s)
  (checked 'socket-fd (%socket-fd (socket-handle s)) s))

;; --------------------------------------------------------- connections --

;; For the modules beside this one, which do not see the record's fields.
(define (handle-of location s)
  (check-socket location s)
  (socket-handle s))

;; What became of the socket's connections, as an alist; #f where nobody
;; observes them.
(define (socket-connections s)
  (let* ((handle (handle-of 'socket-connections s))
         (code (%connections handle)))
    (cond ((fx= code 0)
           (list (cons 'peers (%peers))
                 (cons 'handshakes (%accepted))
                 (cons 'disconnects (%lost))
                 (cons 'reconnects (%retried))
                 (cons 'handshake-failures (%failed))))
          ((fx= code enoent) #f)
          (else (fail 'socket-connections code s)))))
