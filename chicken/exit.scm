;;; The end of the program: messages that were sent get a bounded time to leave.

(define zmq-exit-linger
  (make-parameter 1000
    (lambda (ms)
      (if (and (exact-natural? ms) (< ms (expt 2 31)))
          ms
          (fail-type 'zmq-exit-linger "a number of milliseconds" ms)))))

;; The thread that ends the program closes what others use.  What they would raise then is not for
;; the program.
(define ending-thread #f)

(define (end-with-program!)
  (unless (memq ending-thread (list #f (current-thread))) (end-thread!)))

;; From here on Control-C ends the process, unless the program ignores it: its handler, as that of
;; csi, could not run before the time is over, and would raise an error at the end of the program.
(define (flush-at-exit)
  (when (vector-ref ##sys#signal-vector %interrupt)
    (vector-set! ##sys#signal-vector %interrupt (lambda (n) (%end-by-interrupt)))
    (%default-interrupt))
  (set! ending-thread (current-thread))
  (%exit (zmq-exit-linger)))

(on-exit flush-at-exit)

;; CHICKEN's handler prints an error that nobody handles and leaves by _exit, so neither
;; on-exit nor atexit(3) runs.  This one prints the same text, while the sockets are still open,
;; and flushes before it ends the program in the same way.
(define (print-and-halt message . arguments)
  (let ((port (current-error-port))
        (halt (lambda (text) (flush-at-exit) (##core#inline "C_halt" text))))
    (##sys#error-handler (lambda ignored (halt "error in error")))
    (display "\nError" port)
    (when message
      (display ": " port)
      (display message port))
    (if (and (pair? arguments) (null? (cdr arguments)))
        (begin (display ": " port) (write (car arguments) port))
        (for-each (lambda (x) (newline port) (write x port)) arguments))
    (newline port)
    (print-call-chain port)
    (halt #f)))

;; A parameter that was never set returns its initial value under any parameter vector.  If the
;; handler was set, as by a REPL, which survives errors, it stays.
(let* ((now ##sys#current-parameter-vector)
       (default (begin
                  (set! ##sys#current-parameter-vector (vector))
                  (##sys#error-handler))))
  (set! ##sys#current-parameter-vector now)
  (when (eq? default (##sys#error-handler)) (##sys#error-handler print-and-halt)))

(define (zmq-version) (list (%version 0) (%version 1) (%version 2)))

;; Whether libzmq was built with a capability.  It spells some of them in capitals.  C reads the
;; name up to a NUL.
(define (zmq-has? capability)
  (let ((text (if (symbol? capability) (symbol->string capability) capability)))
    (unless (string? text) (fail-type 'zmq-has? "a symbol or a string" capability))
    (and (not (memv #\nul (string->list text)))
         (or (%has? (lower-case text))
             (%has? (list->string (map char-upcase (string->list text))))))))
