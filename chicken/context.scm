;;; Contexts.

(define (display-all port . things) (for-each (lambda (x) (display x port)) things))

;; `guard` is the ZAP domain of the context's authenticator, or #f if it has none.
(define-record-type zmq-context
  (make-context-record handle guard)
  context?
  (handle context-handle)
  (guard context-guard set-context-guard!))

(set-record-printer! zmq-context
  (lambda (c port)
    (let ((state (%check-context (context-handle c))))
      (display "#<zmq context " port)
      (if (fx< state 0)
          (display (%error-symbol state) port)
          (display-all port (%context-sockets (context-handle c)) " sockets open"))
      (display ">" port))))

(define (check-context location x)
  (cond ((context? x) x)
        (x (fail-type location "a ZeroMQ context" x))
        (else
         (fail-type location
                    "a ZeroMQ context; the default context is made by the first make-socket" x))))

;; As zmq-default-context is #f before the first socket, #f stands for the default context.
(define (context-or-default location x)
  (if x (check-context location x) (usable-default-context)))

(define (make-context #!optional (io-threads 1) . options)
  (if (keyword? io-threads)
      (apply make-context 1 io-threads options)
      (let ((c (make-context-record 0 #f)))
        (set-finalizer! c drop-context!)
        (checked 'make-context (collect-and-make (lambda () (%make-context c))))
        (finish-or
         (lambda () (drop-context! c))
         (lambda ()
           (set-context-option! 'make-context c 'io-threads io-threads)
           (for-each-keyword 'make-context options
             (lambda (name value) (set-context-option! 'make-context c name value)))))
        c)))

(define zmq-io-threads
  (make-parameter 1
    (lambda (n) (if (exact-natural? n) n (fail-type 'zmq-io-threads "a number of threads" n)))))

;; CHICKEN's parameters belong to one thread, but the default context is shared by all.  Within
;; parameterize a thread has its own: parameterize passes more arguments than the value.
(define shared-default-context #f)
(define the-shared-one (list 'shared))
(define own-default-context
  (make-parameter the-shared-one
    (lambda (c)
      (if (or (not c) (context? c) (eq? c the-shared-one))
          c
          (fail-type 'zmq-default-context "a ZeroMQ context or #f" c)))))

(define (zmq-default-context . arguments)
  (cond ((null? arguments)
         (let ((own (own-default-context)))
           (if (eq? own the-shared-one) shared-default-context own)))
        ((pair? (cdr arguments))
         (let ((c (car arguments)))
           (apply own-default-context (if (eq? c shared-default-context) the-shared-one c)
                  (cdr arguments))))
        (else
         (set! shared-default-context (own-default-context (car arguments)))
         (own-default-context the-shared-one)
         shared-default-context)))

;; The default context.  It is made when it is first needed, and again after its termination and
;; in a forked child.
(define (usable-default-context)
  (let ((c (zmq-default-context)))
    (if (and c (fx= 0 (%check-context (context-handle c))))
        c
        (let ((fresh (make-context (zmq-io-threads))))
          (if (eq? (own-default-context) the-shared-one)
              (set! shared-default-context fresh)
              (own-default-context fresh))
          fresh))))

(define (shutdown-context c)
  (check-context 'shutdown-context c)
  (let ((code (%shutdown-context (context-handle c))))
    (unless (fx= code eclosed) (checked 'shutdown-context code c))
    (void)))

;; Closes the sockets that are open; each lingers as its option says.  #f if the context has not
;; terminated after `timeout:` milliseconds; its termination then goes on.
(define (terminate-context c . rest)
  (check-context 'terminate-context c)
  (with-keywords 'terminate-context rest ((#:timeout timeout #f))
    (let* ((limit (deadline (check-timeout 'terminate-context timeout)))
           (handle (context-handle c))
           (fd (%context-fd handle))
           ;; The descriptor is closed at the end, so it wakes no other thread.
           (code (perform-on 'terminate-context fd limit
                             (lambda ()
                               (let ((code (%terminate-context handle)))
                                 (unless (eq? code eagain) (descriptor-ready! (descriptor-tag fd)))
                                 code)))))
      (and code (begin (checked 'terminate-context code c) #t)))))

;; Terminates the context however the procedure is left.
(define (call-with-context procedure . rest)
  (check-procedure 'call-with-context procedure)
  (let ((c (apply make-context rest)))
    (dynamic-wind void (lambda () (procedure c)) (lambda () (terminate-context c)))))

(define (context-option context name)
  (let* ((c (context-or-default 'context-option context))
         (row (find-option 'context-option #t name))
         (code (vector 0))
         (value (%context-option (context-handle c) row code)))
    (checked 'context-option (vector-ref code 0) name c)
    (integer->value row value)))

(define (context-option-set! context name value)
  (let ((c (context-or-default 'context-option-set! context)))
    (set-context-option! 'context-option-set! c name value)))

(define (set-context-option! location c name value)
  (let* ((row (find-option location #t name)) (integer (value->integer location row name value)))
    (checked location (%set-context-option (context-handle c) row integer) name value c)
    (void)))
