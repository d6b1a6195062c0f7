;;; Sockets.

(set-record-printer! 'zmq-socket
  (lambda (s port)
    (let ((state (%check-socket (socket-handle s))))
      (display-all port "#<zmq socket " (socket-type-name s))
      (when (fx= state 0) (for-each (lambda (e) (display-all port " " e)) (endpoints s)))
      (display-all port " " (if (fx= state 0) "open" (%error-symbol state)) ">"))))

;; ---------------------------------------------------------------- making --

(define (type-name type)
  (check-symbol 'make-socket type)
  (let ((name (symbol->string type)))
    (or (%type-name name)
        (fail-argument 'make-socket
                       (string-append
                        (unknown "socket type" type %type-near) " (there are: "
                        (string-intersperse (type-names)) ")")
                       type))))

(define (type-names)
  (let loop ((i 0))
    (let ((name (%type-at i))) (if name (cons name (loop (fx+ i 1))) '()))))

(define (open-socket! s context name)
  (let ((code (collect-and-make (lambda () (%make-socket s (context-handle context) name)))))
    (when (fx< code 0)
      (fail 'make-socket (if (fx= code eagain) esockets code) (string->symbol name) context))
    (set-queue-handle! (socket-queue s) (socket-handle s))))

(define (make-socket type . rest)
  (let* ((name (type-name type))
         (given? (and (pair? rest) (not (keyword? (car rest)))))
         (context (context-of-socket (and given? (car rest))))
         (s (make-socket-record (string->symbol name) context)))
    (set-finalizer! s drop-socket!)
    (open-socket! s context name)
    (finish-or
     (lambda () (close-socket s))
     (lambda () (configure-socket! s (if given? (cdr rest) rest))))
    s))

(define (context-of-socket x)
  (if (or (not x) (context? x))
      (context-or-default 'make-socket x)
      (fail-type 'make-socket "a ZeroMQ context, or a keyword such as connect:" x)))

;; Both high water marks of a new socket, or #f for those of libzmq.
(define zmq-default-hwm
  (make-parameter #f
    (lambda (n)
      (and n (value->integer 'zmq-default-hwm (%option-row #f "hwm") 'hwm n)))))

;; Sets the options, the swap after those that it depends on, and then opens the endpoints,
;; whatever the order of the keywords.
(define (configure-socket! s keywords)
  (define (for-each-value proc value) (for-each proc (if (list? value) value (list value))))
  (define (open-all open value)
    (for-each-value (lambda (e) (open-endpoint 'make-socket open s e)) value))
  (when (zmq-default-hwm) (set-option! 'make-socket s 'hwm (zmq-default-hwm)))
  (for-each-keyword 'make-socket keywords
    (lambda (name value)
      (case name
        ((bind connect swap) #f)
        ((subscribe) (for-each-value (lambda (v) (set-option! 'make-socket s name v)) value))
        (else (set-option! 'make-socket s name value)))))
  (for-each-keyword 'make-socket keywords
    (lambda (name value) (when (eq? name 'swap) (set-option! 'make-socket s name value))))
  (for-each-keyword 'make-socket keywords
    (lambda (name value)
      (case name
        ((bind) (open-all %bind value))
        ((connect) (open-all %connect value))))))

;; Closes the socket however the procedure is left.  A continuation that enters the procedure
;; again finds the socket closed.
(define (call-with-socket type procedure . rest)
  (check-procedure 'call-with-socket procedure)
  (let ((s (apply make-socket type rest)))
    (dynamic-wind void (lambda () (procedure s)) (lambda () (close-socket s)))))

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

(define (socket-closed? s) (not (fx= 0 (%check-socket (handle-of 'socket-closed? s)))))

(define (socket-type s)
  (check-socket 'socket-type s)
  (socket-type-name s))

(define (socket-context s)
  (check-socket 'socket-context s)
  (socket-context-record s))

;; 0 while the socket can be used; for waits that do not call libzmq, which would tell.
(define (socket-state s)
  (let ((code (%check-socket (socket-handle s))))
    (if (fx< code 0) code (%check-context (context-handle (socket-context-record s))))))

(define (socket-usable? s) (fx= 0 (socket-state s)))

;; ------------------------------------------------------------- endpoints --

;; If the context has an authenticator, sockets that bind and security servers that connect get
;; its ZAP domain, which is enforced.  libzmq by itself accepts every peer that uses no security,
;; and if the authenticator has ended, also every CURVE client.
(define (guard! location s endpoint bound?)
  (let ((domain (context-guard (socket-context-record s))))
    (when (and domain
               (not (eq? 'stream (socket-type-name s)))
               (not (starts-with? "inproc:" endpoint))
               (or bound? (security-server? s)))
      (when (equal? "" (socket-option s 'zap-domain)) (set-option! location s 'zap-domain domain))
      (set-option! location s 'zap-enforce-domain #t))))

(define (security-server? s)
  (case (socket-option s 'mechanism)
    ((plain) (socket-option s 'plain-server))
    ((curve) (socket-option s 'curve-server))
    ((gssapi) (socket-option s 'gssapi-server))
    (else #f)))

;; When a socket was closed or unbound last: libzmq releases its address a little later.
(define released -1000)
(define-constant release-time 200)      ; milliseconds
(define-constant most-tries 40)

(define (released!) (set! released (now)))

(define (just-released? code)
  (and (fx= code eaddrinuse) (not (passed? (+ released release-time)))))

(define (open-endpoint location open s endpoint)
  (check-socket location s)
  (check-string location endpoint)
  (guard! location s endpoint (eq? open %bind))
  (let ((code (collect-and-make
               (lambda ()
                 (try-often most-tries just-released?
                            (lambda () (open (socket-handle s) endpoint)))))))
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

(define (bind-socket s endpoint) (open-endpoint 'bind-socket %bind s endpoint))
(define (connect-socket s endpoint) (open-endpoint 'connect-socket %connect s endpoint))
(define (disconnect-socket s endpoint) (close-endpoint 'disconnect-socket %disconnect s endpoint))

(define (unbind-socket s endpoint)
  (close-endpoint 'unbind-socket %unbind s endpoint)
  (released!))

(define (endpoints s)
  (let loop ((i 0))
    (let ((e (%endpoint (socket-handle s) i)))
      (if e (cons e (loop (fx+ i 1))) '()))))

(define (socket-endpoints s)
  (checked 'socket-endpoints (%check-socket (handle-of 'socket-endpoints s)) s)
  (endpoints s))

(define (socket-fd s) (checked 'socket-fd (%socket-fd (handle-of 'socket-fd s)) s))

;; ----------------------------------------------------------- connections --

;; The handle, after a check: for fields that other modules do not see.
(define (handle-of location s)
  (check-socket location s)
  (socket-handle s))

;; Counts of the socket's connections, as an alist; #f if the socket is not observed.
(define (socket-connections s)
  (let ((code (%connections (handle-of 'socket-connections s))))
    (cond ((fx= code 0)
           `((peers . ,(%peers)) (handshakes . ,(%accepted)) (disconnects . ,(%lost))
             (reconnects . ,(%retried)) (handshake-failures . ,(%failed))))
          ((fx= code enoent) #f)
          (else (fail 'socket-connections code s)))))
