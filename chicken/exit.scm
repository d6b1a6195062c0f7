;;; The end of the program: what was sent gets a bounded time to leave.

(define zmq-exit-linger
  (make-parameter 1000
    (lambda (ms)
      (if (and (exact-natural? ms) (< ms (expt 2 31)))
          ms
          (fail-type 'zmq-exit-linger "a number of milliseconds" ms)))))

(define (flush-at-exit) (%exit (zmq-exit-linger)))

(on-exit flush-at-exit)

;; CHICKEN leaves by _exit after an error that nobody handles, so neither its own exit
;; handlers nor those of atexit(3) run.  The error is printed before the sockets are closed.  A
;; parameter answers what it began with where it was never set: this one is left alone where
;; it was, as by a REPL, which survives errors.
(let* ((now ##sys#current-parameter-vector)
       (default (begin
                  (set! ##sys#current-parameter-vector (vector))
                  (##sys#error-handler))))
  (set! ##sys#current-parameter-vector now)
  (when (eq? default (##sys#error-handler))
    (##sys#error-handler
     (lambda (message . arguments)
       (flush-at-exit)
       (apply default message arguments)))))

(define (zmq-version)
  (list (%version 0) (%version 1) (%version 2)))

;; Whether the libzmq that runs was built with a capability; C reads its name
;; up to a NUL.
(define (zmq-has? capability)
  (let ((text (if (symbol? capability) (symbol->string capability) capability)))
    (unless (string? text)
      (fail-type 'zmq-has? "a symbol or a string" capability))
    (and (not (memv #\nul (string->list text)))
         (%has? text))))
