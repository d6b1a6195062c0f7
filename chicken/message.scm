;;; Messages: immutable bytes.  Small ones are a string of their own, which
;;; nobody else sees; large ones are held by the kernel, and their data is its
;;; handle.

(define-inline (make-message-record data)
  (##sys#make-structure 'zmq-message data))

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

(define (free-message! m) (%free-message (message-data m)))

;; The collector does not see what the kernel holds, so it is run when that
;; has doubled.
(define-constant least-held 67108864)
(define held-limit least-held)

(define (held-message handle)
  (let ((m (make-message-record handle)))
    (set-finalizer! m free-message!)
    (when (> (%messages-held) held-limit)
      (gc #t)
      (set! held-limit (max least-held (* 2 (%messages-held)))))
    m))

;; ---------------------------------------------------------------- making --

(define (make-message #!optional data)
  (cond ((not data) (make-message-record ""))
        ((bytes? data) (bytes->message 'make-message (bytes-storage data)))
        ((exact-natural? data) (make-zeros data))
        ((exact-integer? data)
         (fail-argument 'make-message "a size is not negative" data))
        (else (fail-type 'make-message
                         "a string, blob, u8vector, size or #f" data))))

(define (bytes->message location storage)
  (if (fx<= (bytes-size storage) largest-small-part)
      (make-message-record (bytes->string location storage))
      (held-message (checked location (%make-message storage)))))

(define (make-zeros size)
  (cond ((<= size largest-small-part)
         (make-message-record (make-string size #\nul)))
        ((< size (expt 2 62))
         (held-message (checked 'make-message (%make-zeros size) size)))
        (else (fail 'make-message enomem size))))

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
  (checked 'message-size (%message-bytes handle))
  (%bytes-size))

(define (message->string m)
  (if (is-message? m)
      (message-string 'message->string m)
      (check-message 'message->string m)))

(define (message-string location m)
  (let ((data (message-data m)))
    (cond ((string? data) (bytes->string location data))
          (else (checked location (%message-bytes data))
                (found-bytes location m)))))

;; Calls (procedure pointer size) while the bytes cannot move.  They are held
;; by a message of their own, which is freed when the procedure returns or is
;; left; it cannot be entered again.
(define (call-with-bytes location m procedure)
  (let* ((data (message-data m))
         (own (if (string? data)
                  (checked location (%make-message data))
                  data)))
    (dynamic-wind
     (lambda () (checked location (%message-bytes own)))
     (lambda () (procedure (%bytes-pointer) (%bytes-size)))
     (lambda () (%free-message own)))))

;; The same for a message that goes on to be used, which is kept alive.
(define (call-with-message m procedure)
  (check-message 'call-with-message m)
  (check-procedure 'call-with-message procedure)
  (let ((data (message-data m)))
    (if (string? data)
        (call-with-bytes 'call-with-message m procedure)
        (dynamic-wind
         (lambda () (checked 'call-with-message (%message-bytes data)))
         (lambda () (procedure (%bytes-pointer) (%bytes-size)))
         (lambda () m)))))

;; ------------------------------------------------------------ properties --

;; Names of libzmq's that have a symbol of ours.
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
      (cond ((eq? code enoent) #f)
            ((eq? name 'socket-type)
             (begin (checked 'message-property code m)
                    (wire-type->symbol (%text))))
            (else (checked 'message-property code m) (%text))))))

;; The type a peer says it has; never a symbol that it makes up.
(define (wire-type->symbol text)
  (let ((known (%type-name (lower-case text)))) (and known (string->symbol known))))

(define (lower-case s) (list->string (map char-downcase (string->list s))))

;; -------------------------------------------------------------- building --

;; A message of `size` bytes, all zero at first, that the procedure fills in.
;; Nobody else has the message before it returns, and it cannot be entered
;; again, so that the bytes of a message never change.
(define (build-message size procedure)
  (check-procedure 'build-message procedure)
  (unless (exact-natural? size)
    (fail-type 'build-message "a size in bytes" size))
  (unless (< size (expt 2 62)) (fail 'build-message enomem size))
  (let ((handle (checked 'build-message (%make-zeros size) size))
        (made #f))
    (dynamic-wind
     (lambda ()
       (when made
         (fail-argument 'build-message "this message was built already" made))
       (checked 'build-message (%fill-message handle)))
     (lambda ()
       (procedure (%bytes-pointer) size)
       (set! made (part->message (settled (held-message handle))))
       made)
     (lambda () (unless made (%free-message handle))))))
