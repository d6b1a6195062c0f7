;;; The REPL with live threads: a file port that suspends only the thread that reads from it.

(foreign-declare "#include \"glue/console.h\"")

(define-foreign %input-fd int ((word port)) "szg_input_fd(port)")
(define-foreign %input-ready? bool ((word port)) "szg_input_ready(port)")

(define (await-input! port)
  (perform-on 'zmq-repl (%input-fd port) #f
              (lambda () (if (%input-ready? port) #t eagain))))

;; A port's methods are a vector.  Those in front read and peek a character; two that read more at
;; once may be missing.
(define-inline (port-methods port) (##sys#slot port 2))
(define-constant read-method 0)
(define-constant peek-method 1)
(define-constant bulk-methods '(7 8))

(define live-methods #f)

(define (make-live methods)
  (let ((live (list->vector (vector->list methods))))
    (for-each
     (lambda (i)
       (let ((read (vector-ref methods i)))
         (vector-set! live i (lambda (port) (await-input! port) (read port)))))
     (list read-method peek-method))
    (for-each (lambda (i) (vector-set! live i #f)) bulk-methods)
    live))

;; Other ports, such as those of an editor of lines, stay as they are.
(define (enliven! port)
  (when (and (eq? 'stream (##sys#slot port 7)) (not (eq? live-methods (port-methods port))))
    (unless live-methods (set! live-methods (make-live (port-methods port))))
    (##sys#setslot port 2 live-methods)))

;; Whether this is csi with a REPL of its own, which runs or is about to.
(define (csi-repl?)
  (and (feature? #:csi)
       (not (any-member? (argv) '("-s" "-ss" "-sx" "-script" "-b" "-batch" "-e" "-eval" "-p" "-P"
                                  "-print" "-pretty-print")))))

(define (any-member? l others)
  (and (pair? l) (or (member (car l) others) (any-member? (cdr l) others))))

(define (evaluate form)
  (if (equal? form '(unquote q)) (quit) (eval form)))

;; In csi, its own REPL goes on with the port, and has its commands.
(define (zmq-repl)
  (let* ((port (current-input-port)) (methods (port-methods port)))
    (if (csi-repl?)
        (enliven! port)
        (dynamic-wind
         (lambda () (enliven! port))
         (lambda () (repl evaluate))
         (lambda () (##sys#setslot port 2 methods))))
    (void)))
