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

(define (free-dropped-message! m) (%free-message (message-data m)))

;; The collector does not see what the kernel holds, so it is run when that
;; has doubled.
(define-constant least-held 67108864)
(define held-limit least-held)

(define (held-message handle)
  (let ((m (make-message-record handle)))
    (set-finalizer! m free-dropped-message!)
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
                (found-bytes location)))))

;; Calls (procedure pointer size) while the bytes cannot move.  They are held
;; by a message of their own, which is freed when the procedure returns or is
;; left; it cannot be entered again.
(define (call-with-bytes m procedure)
  (let* ((data (message-data m))
         (own (if (string? data)
                  (checked 'receive-message (%make-message data))
                  data)))
    (dynamic-wind
     (lambda () (checked 'receive-message (%message-bytes own)))
     (lambda () (procedure (%bytes-pointer) (%bytes-size)))
     (lambda () (%free-message own)))))
