;;; Contexts.

;; `guard` is the ZAP domain of the authenticator of the context, or #f.
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
          (begin
            (display (%context-sockets (context-handle c)) port)
            (display " sockets open" port)))
      (display ">" port))))

(define (check-context location x)
  (if (context? x) x (fail-type location "a ZeroMQ context" x)))

;; A finalizer must not wait, so it leaves the context to the kernel.
(define (drop-context! c) (%drop-context (context-handle c)))

(define (make-context #!optional (io-threads 1) . options)
  (if (keyword? io-threads)
      (apply make-context 1 io-threads options)
      (let* ((handle (checked 'make-context (%make-context)))
             (c (make-context-record handle #f)))
        (set-finalizer! c drop-context!)
        (handle-exceptions e
            (begin (drop-context! c) (abort e))
          (set-context-integer! 'make-context c 'io-threads io-threads)
          (for-each-keyword 'make-context options
            (lambda (name value)
              (set-context-option! 'make-context c name value))))
        c)))

(define zmq-io-threads
  (make-parameter 1
    (lambda (n)
      (if (exact-natural? n)
          n
          (fail-type 'zmq-io-threads "a number of threads" n)))))

;; One for the whole program; and one for a thread inside of `parameterize',
;; which calls a parameter with more arguments than the value.
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
         (apply own-default-context
                (if (eq? (car arguments) shared-default-context)
                    the-shared-one
                    (car arguments))
                (cdr arguments)))
        (else
         (set! shared-default-context (own-default-context (car arguments)))
         (own-default-context the-shared-one)
         shared-default-context)))

;; The default context, made anew where there is none that can be used: in
;; the beginning, after its termination, in a forked child.
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

;; Sockets that are still open are closed, each by its linger.  #f if the
;; context is not gone after `timeout:` milliseconds; it goes on going.
(define (terminate-context c . rest)
  (check-context 'terminate-context c)
  (with-keywords 'terminate-context rest ((#:timeout timeout #f))
    (let ((limit (deadline (check-timeout 'terminate-context timeout)))
          (handle (context-handle c)))
      (let ((code (perform-on 'terminate-context (%context-fd handle) limit
                              (lambda () (%terminate-context handle)))))
        (and code
             (begin (checked 'terminate-context code c) #t))))))

;; Terminates the context however the procedure is left.
(define (call-with-context procedure . rest)
  (check-procedure 'call-with-context procedure)
  (let ((c (apply make-context rest)))
    (dynamic-wind
     void
     (lambda () (procedure c))
     (lambda () (terminate-context c)))))

(define (context-option c name)
  (check-context 'context-option c)
  (let ((row (find-option 'context-option #t name)))
    (checked 'context-option (%context-option (context-handle c) row) name c)
    (integer->value row (%number))))

(define (context-option-set! c name value)
  (check-context 'context-option-set! c)
  (set-context-option! 'context-option-set! c name value))

(define (set-context-option! location c name value)
  (set-context-integer! location c name value))

(define (set-context-integer! location c name value)
  (let ((row (find-option location #t name)))
    (checked location
             (%set-context-option (context-handle c) row
                                  (value->integer location row name value))
             name value c)
    (void)))
