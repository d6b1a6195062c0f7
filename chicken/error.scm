;;; Conditions.  Every failure of ZeroMQ is of the kinds (exn i/o net zmq), and its kind zmq has
;;; the properties errno and code.  A wrong argument type is the usual (exn type).

(define (make-exn location message arguments)
  (make-property-condition 'exn 'location location 'message message 'arguments arguments))

;; Raises an error code of the kernel.  Further properties of zmq may follow the arguments.
(define (fail/text location code text arguments . properties)
  (abort
   (make-composite-condition
    (make-exn location text arguments)
    (make-property-condition 'i/o)
    (make-property-condition 'net)
    (apply make-property-condition 'zmq
      'errno (%error-errno code)
      'code (string->symbol (%error-symbol code))
      properties))))

(define (fail location code . arguments)
  (when (eq? code eclosed) (end-with-program!))
  (fail/text location code (%error-text code) arguments))

;; For a failure found without the kernel.
(define (fail-argument location text . arguments)
  (fail/text location einval text arguments))

(define (fail-type location wanted x)
  (abort
   (make-composite-condition
    (make-exn location (string-append "bad argument type - not " wanted) (list x))
    (make-property-condition 'type))))

;; The text for a name that is not in a table; (near text) is a similar one that is, or #f.
(define (unknown what name near)
  (let* ((text (symbol->string name)) (similar (or (near text) (near (plain-name text)))))
    (string-append "unknown " what " " text
                   (if similar (string-append " (did you mean " similar "?)") ""))))

;; The name without the letters that C has around it: ZMQ_SNDHWM is sndhwm.
(define (plain-name text)
  (let ((plain (list->string
                (map (lambda (c) (if (eqv? c #\_) #\- (char-downcase c))) (string->list text)))))
    (if (starts-with? "zmq-" plain) (substring plain 4) plain)))

(define-syntax checked
  (syntax-rules ()
    ((_ location code argument ...)
     (let ((result code))
       (if (fx< result 0) (fail location result argument ...) result)))))

;; Other modules cannot import the kernel's constants.
(define (not-there? code) (eq? code enoent))
(define (fail-exposed location path) (fail location eexposed path))
(define (fail-unsupported location text . arguments) (fail/text location enotsup text arguments))
(define (fail-object location text . arguments) (fail/text location ebadmsg text arguments))

(define (check-string location x) (if (string? x) x (fail-type location "a string" x)))
(define (check-procedure location x) (if (procedure? x) x (fail-type location "a procedure" x)))
(define (check-symbol location x) (if (symbol? x) x (fail-type location "a symbol" x)))

(define (exact-natural? x) (and (exact-integer? x) (>= x 0)))
