;;; Messages: immutable bytes.  The data of a small one is a string that the program has no
;;; reference to; the kernel holds the bytes of a large one, whose data is the handle.

(define-inline (make-message-record data) (##sys#make-structure 'zmq-message data))

(define-inline (is-message? x) (##sys#structure? x 'zmq-message))
(define (message? x) (is-message? x))

(define-fields (1 message-data))

(set-record-printer! 'zmq-message
  (lambda (m port)
    (display "#<zmq message " port)
    (display (message-size m) port)
    (display " bytes>" port)))

(define (check-message location x)
  (if (message? x) x (fail-type location "a ZeroMQ message" x)))

;; ------------------------------------------------------ held by the kernel

;; The collector does not count what the kernel holds.  Most messages are dropped soon, which a
;; minor collection tells, by a weak locative, for less than a microsecond: one follows each few
;; megabytes.  A message that survives it gets a finalizer, and the whole heap is collected when
;; those hold twice as much.
(define-constant most-young 4194304)
(define-constant least-held 67108864)
(define young (vector '()))     ; a list of (locative . handle)
(define young-bytes 0)
(define held-limit least-held)

(define (held-message handle)
  (settle-young!)
  (young-message handle))

(define (young-message handle)
  (let ((m (make-message-record handle)))
    (add-first! young 0 (cons (make-weak-locative m) handle))
    (set! young-bytes (fx+ young-bytes (held-size handle)))
    m))

(define (settle-young!)
  (when (fx> young-bytes most-young)
    (##sys#gc #f)
    (set! young-bytes 0)
    (for-each settle! (%list-take young 0))
    (when (> (%messages-held) held-limit)
      (collect!)
      (set! held-limit (max least-held (* 2 (%messages-held)))))))

(define (settle! entry)
  (let ((m (locative->object (car entry))))
    (if m
        (set-finalizer! m drop-message!)
        (%free-message (cdr entry)))))

;; ---------------------------------------------------------------- making --

(define (make-message #!optional data)
  (cond ((not data) (make-message-record ""))
        ((bytes? data) (bytes->message 'make-message (bytes-storage data)))
        ((exact-natural? data) (make-zeros data))
        ((exact-integer? data) (fail-argument 'make-message "a size is not negative" data))
        (else (fail-type 'make-message "a string, blob, u8vector, size or #f" data))))

(define (bytes->message location storage)
  (if (fx<= (bytes-size storage) largest-small-part)
      (make-message-record (bytes->string location storage))
      (held-message (checked location (%make-message storage)))))

(define (make-zeros size)
  (if (<= size largest-small-part)
      (make-message-record (make-string size #\nul))
      (held-message (held-zeros 'make-message size))))

(define (held-zeros location size)
  (if (< size (expt 2 62))
      (checked location (%make-zeros size) size)
      (fail location enomem size)))

(define (copy-message m)
  (let ((data (message-data (check-message 'copy-message m))))
    (if (string? data)
        (make-message-record (bytes->string 'copy-message data))
        (held-message (checked 'copy-message (%copy-message data) m)))))

;; --------------------------------------------------------------- reading --

(define (message-size m)
  (if (is-message? m)
      (let ((data (message-data m)))
        (if (string? data) (string-length data) (held-size data)))
      (check-message 'message-size m)))

(define (held-size handle)
  (checked 'message-size (%message-size handle)))

(define (message->string m)
  (if (is-message? m)
      (message-string 'message->string m)
      (check-message 'message->string m)))

(define (message-string location m)
  (let ((data (message-data m)))
    (if (string? data)
        (bytes->string location data)
        (let ((string (make-bytes location (checked location (%message-size data)))))
          (%copy-message-to data string m)
          string))))

;; Calls (procedure pointer size) while the bytes cannot move, because the kernel holds them.
;; They are freed when the procedure returns or is left, so it cannot be entered again.
(define (call-with-bytes location m procedure)
  (let* ((data (message-data m))
         (own (if (string? data) (checked location (%make-message data)) data)))
    (dynamic-wind
     (lambda () (checked location (%message-size own)))
     (lambda () (procedure (%message-pointer own) (%message-size own)))
     (lambda () (%free-message own)))))

;; The same for a message that stays in use, and which the last thunk keeps alive.
(define (call-with-message m procedure)
  (check-message 'call-with-message m)
  (check-procedure 'call-with-message procedure)
  (let ((data (message-data m)))
    (if (string? data)
        (call-with-bytes 'call-with-message m procedure)
        (dynamic-wind
         (lambda () (checked 'call-with-message (%message-size data)))
         (lambda () (procedure (%message-pointer data) (%message-size data)))
         (lambda () m)))))

;; ------------------------------------------------------------ properties --

;; The names of libzmq for the properties that have a symbol.
(define-constant property-names
  '((peer-address . "Peer-Address") (user-id . "User-Id")
    (socket-type . "Socket-Type") (routing-id . "Routing-Id")))

(define (property-name name)
  (cond ((and (symbol? name) (assq name property-names)) => cdr)
        ((symbol? name) (symbol->string name))
        ((and (string? name) (not (memv #\nul (string->list name)))) name)
        (else (fail-type 'message-property "a symbol or a string" name))))

;; #f for a property that the message does not have.
(define (message-property m name)
  (let ((data (message-data (check-message 'message-property m)))
        (text (property-name name)))
    (when (string? data)
      (fail-argument 'message-property
                     "nothing is known of this message: receive it with properties: #t"
                     m name))
    (let ((code (%message-property data text)))
      (and (not (eq? code enoent))
           (let ((value (begin (checked 'message-property code m) (%text))))
             (if (eq? name 'socket-type) (wire-type->symbol value) value))))))

;; The type that a peer reports; #f unless it is known, so that no peer can make a symbol.
(define (wire-type->symbol text)
  (let ((known (%type-name (lower-case text)))) (and known (string->symbol known))))

(define (lower-case s) (list->string (map char-downcase (string->list s))))

;; -------------------------------------------------------------- building --

;; A message of `size` bytes, all zero at first, that the procedure fills in.  The program has
;; no message before the procedure returns, and cannot enter it again afterwards, so the bytes
;; of a message never change.
(define (build-message size procedure)
  (check-procedure 'build-message procedure)
  (unless (exact-natural? size) (fail-type 'build-message "a size in bytes" size))
  (let ((handle (held-zeros 'build-message size)) (made #f))
    (dynamic-wind
     (lambda ()
       (when made (fail-argument 'build-message "this message was built already" made))
       (checked 'build-message (%fill-message handle)))
     (lambda ()
       (procedure (%fill-pointer handle) size)
       (set! made (part->message (settled (held-message handle))))
       made)
     (lambda () (unless made (%free-message handle))))))
