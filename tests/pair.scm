;;; Sockets that tests need again and again.

(import zmq (chicken base) (chicken process-context posix))

(define serial 0)

;; An endpoint that nobody else uses.
(define (fresh-endpoint)
  (set! serial (+ serial 1))
  (string-append "inproc://test-" (number->string serial)))

;; An ipc endpoint that no other process has; it leaves no file behind.
(define (own-endpoint)
  (set! serial (+ serial 1))
  (string-append "ipc://@zmq-test-" (number->string (current-process-id)) "-"
                 (number->string serial)))

;; Two connected sockets with linger 0, the first one bound.
(define (make-pair bound connected #!optional (endpoint (fresh-endpoint)))
  (let* ((a (make-socket bound linger: 0))
         (b (make-socket connected linger: 0)))
    (connect-socket b (bind-socket a endpoint))
    (values a b)))

;; Makes the pair, calls the procedure with both, and closes them.
(define (with-pair bound connected procedure #!optional (endpoint (fresh-endpoint)))
  (receive (a b) (make-pair bound connected endpoint)
    (procedure a b)
    (close-socket a)
    (close-socket b)))

;; As `with-pair', for a SUB that takes everything.
(define (take s) (receive-message s as: 'string timeout: 10000))
(define (take-parts s) (receive-multipart-message s as: 'string timeout: 10000))
