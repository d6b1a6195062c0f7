;;; A CHICKEN kernel for Jupyter: the program that evaluates what is entered in a
;;; notebook.  It has five sockets, and speaks version 5.3 of Jupyter's protocol:
;;; jupyter-client.readthedocs.io/en/stable/messaging.html
;;;
;;;   shell      requests, most of all to evaluate, one after the other
;;;   control    requests that must not wait for those: interrupt, shutdown
;;;   iopub      results, output and errors, for all who look at the notebook
;;;   stdin      questions to the user; this kernel asks none
;;;   heartbeat  what comes is sent back, so that the front end knows the kernel lives
;;;
;;; What is entered is evaluated in the first thread.  The other sockets have
;;; threads of their own, so that it can be interrupted.
;;;
;;; The kernel is a module: a notebook may define any name without disturbing it.

(module jupyter-kernel (run-kernel)

(import scheme zmq (chicken base) (chicken condition) (chicken eval) (chicken format)
        (chicken io) (chicken platform) (chicken port) (chicken process signal)
        (chicken random) (chicken string) (chicken time posix))
(include "../threads.scm")
(include "sha256.scm")
(include "json.scm")

;; ------------------------------------------------------------- messages --

;; The connection file, which the front end writes: ports and the key.
(define connection '())

(define (endpoint port)
  (string-append (alist-ref 'transport connection) "://" (alist-ref 'ip connection)
                 (if (equal? (alist-ref 'transport connection) "ipc") "-" ":")
                 (number->string (alist-ref port connection))))

(define session (hexadecimal (random-bytes (make-string 16))))

(define next-id
  (let ((count 0))
    (lambda ()
      (set! count (+ count 1))
      (string-append session "-" (number->string count)))))

;; A request: who asks, its type, its header as it came, and its content.
(define-record request identities type header content)

(define (content request key) (alist-ref key (request-content request)))

(define delimiter "<IDS|MSG>")

(define (signature parts)
  (let ((key (alist-ref 'key connection)))
    (if (string=? key "")
        ""
        (hexadecimal (hmac-sha256 key (apply string-append parts))))))

;; Before the delimiter are the identities; behind it the signature, and what is
;; signed: header, parent header, metadata and content.
(define (parts->request parts)
  (let loop ((identities '()) (l parts))
    (cond ((null? l) (error "no delimiter"))
          ((not (string=? (car l) delimiter)) (loop (cons (car l) identities) (cdr l)))
          ((< (length l) 6) (error "too few parts"))
          (else
           (let ((signed (list-head (cddr l) 4)))
             (unless (string=? (cadr l) (signature signed)) (error "wrong signature"))
             (make-request (reverse identities)
                           (alist-ref 'msg_type (string->json (car signed)))
                           (car signed)
                           (string->json (cadddr signed))))))))

(define (list-head l n) (if (= n 0) '() (cons (car l) (list-head (cdr l) (- n 1)))))

;; The next request.  What is none is reported and dropped.
(define (receive-request socket #!key timeout)
  (let ((parts (receive-multipart-message socket as: 'string timeout: timeout)))
    (and parts
         (condition-case (parts->request parts)
           (e (exn)
              (print-error-message e (current-error-port) "jupyter-kernel: dropped a message")
              (receive-request socket timeout: timeout))))))

(define (send socket identities request type content)
  (let ((signed
         (list (json->string
                `((msg_id . ,(next-id)) (session . ,session) (username . "kernel")
                  (date . ,(time->string (seconds->utc-time) "%Y-%m-%dT%H:%M:%SZ"))
                  (msg_type . ,type) (version . "5.3")))
               (request-header request)
               "{}"
               (json->string content))))
    (send-multipart-message
     socket (append identities (list delimiter (signature signed)) signed))))

(define iopub #f)

(define (publish request type content) (send iopub (list type) request type content))

(define (reply socket request content)
  (send socket (request-identities request) request
        (string-translate* (request-type request) '(("_request" . "_reply")))
        content))

;; ----------------------------------------------------------- evaluating --

(define evaluating? #f)

(define interruption
  (make-composite-condition (make-property-condition 'exn 'message "interrupted")
                            (make-property-condition 'user-interrupt)))

;; Raises the condition in the thread that evaluates, as thread-signal! of srfi-18
;; does, unless the evaluation is over when that thread runs again.
(define (interrupt! thread)
  (let ((continue (##sys#slot thread 1)))
    (##sys#setslot thread 1
      (lambda ()
        (when evaluating? (signal interruption))
        (continue)))
    (when evaluating? (##sys#thread-unblock! thread))))

;; A port whose lines are published as they are complete, and the rest when it
;; is flushed.
(define (make-stream-port name request)
  (let ((pending ""))
    (define (flush)
      (unless (string=? pending "")
        (let ((text pending))
          (set! pending "")
          (publish request "stream" `((name . ,name) (text . ,text))))))
    (make-output-port
     (lambda (text)
       (set! pending (string-append pending text))
       (when (substring-index "\n" text) (flush)))
     flush
     flush)))

(define (read-all code)
  (call-with-input-string code
    (lambda (port) (port-map identity (lambda () (read port))))))

;; The values of the last expression, as a list.
(define (evaluate-all code)
  (let loop ((forms (read-all code)) (results '()))
    (if (null? forms)
        results
        (loop (cdr forms) (call-with-values (lambda () (eval (car forms))) list)))))

;; Calls (return results) or (fail condition), whatever the code does.
(define (evaluate code request return fail)
  (define output (make-stream-port "stdout" request))
  (define errors (make-stream-port "stderr" request))
  (define finish
    (call/cc
     (lambda (leave)
       (with-exception-handler
        (lambda (e)
          (set! evaluating? #f)
          (leave (lambda () (fail e))))
        (lambda ()
          (parameterize ((current-output-port output) (current-error-port errors)
                         (current-input-port (open-input-string "")))
            (set! evaluating? #t)
            (let ((results (evaluate-all code)))
              (set! evaluating? #f)
              (lambda () (return results)))))))))
  (flush-output output)
  (flush-output errors)
  (finish))

(define execution-count 0)

(define (execute socket request)
  (define silent? (content request 'silent))
  (define (show type content) (unless silent? (publish request type content)))
  (define (return results)
    (let ((results (filter-specified results)))
      (when (pair? results)
        (show "execute_result"
              `((execution_count . ,execution-count) (metadata)
                (data . ((text/plain . ,(string-intersperse (map ->text results) "\n")))))))
      (reply socket request
             `((status . "ok") (execution_count . ,execution-count)
               (payload . #()) (user_expressions)))))
  (define (fail e)
    (let ((what `((ename . ,(error-name e)) (evalue . ,(error-text e))
                  (traceback . ,(vector (error-text e)))))
          (queued (if (content request 'stop_on_error) (queued-requests socket) '())))
      (show "error" what)
      (reply socket request
             `((status . "error") (execution_count . ,execution-count) ,@what))
      (for-each (lambda (request) (abort-queued socket request)) queued)))
  (unless silent?
    (set! execution-count (+ execution-count 1))
    (show "execute_input"
          `((code . ,(content request 'code)) (execution_count . ,execution-count))))
  (evaluate (content request 'code) request return fail))

(define (->text x) (sprintf "~s" x))

(define (filter-specified l)
  (cond ((null? l) '())
        ((eq? (car l) (void)) (filter-specified (cdr l)))
        (else (cons (car l) (filter-specified (cdr l))))))

(define (error-name e)
  (if (condition? e)
      (string-intersperse (map (lambda (kind) (symbol->string (car kind))) (condition->list e)))
      "raised"))

(define (error-text e)
  (if (condition? e)
      (without-empty-lines
       (call-with-output-string (lambda (port) (print-error-message e port))))
      (string-append "uncaught: " (->text e))))

(define (without-empty-lines text) (string-intersperse (string-split text "\n") "\n"))

;; After an error, what was entered behind it is not evaluated.  It is received
;; before the error is told: what comes later is an answer to the error.
(define (queued-requests socket)
  (let ((request (receive-request socket timeout: 0)))
    (if request (cons request (queued-requests socket)) '())))

(define (abort-queued socket request)
  (if (string=? (request-type request) "execute_request")
      (surround request (lambda () (reply socket request '((status . "aborted")))))
      (handle socket request)))

(define (complete? code)
  (condition-case (begin (read-all code) "complete")
    (e (exn)
       (if (substring-index "unterminated" (error-text e)) "incomplete" "invalid"))))

;; ------------------------------------------------------------- requests --

(define kernel-info
  `((status . "ok") (protocol_version . "5.3") (implementation . "chicken")
    (implementation_version . ,(chicken-version))
    (banner . ,(string-append "CHICKEN " (chicken-version)))
    (help_links . #())
    (language_info . ((name . "scheme") (version . ,(chicken-version))
                      (mimetype . "text/x-scheme") (file_extension . ".scm")
                      (codemirror_mode . "scheme") (pygments_lexer . "scheme")))))

(define (answer socket request)
  (define (ok . more) (reply socket request (cons '(status . "ok") more)))
  (case (string->symbol (request-type request))
    ((execute_request) (execute socket request))
    ((kernel_info_request) (reply socket request kernel-info))
    ((is_complete_request)
     (reply socket request `((status . ,(complete? (content request 'code))) (indent . ""))))
    ((complete_request)
     (ok '(matches . #()) '(metadata) `(cursor_start . ,(content request 'cursor_pos))
         `(cursor_end . ,(content request 'cursor_pos))))
    ((inspect_request) (ok '(found . #f) '(data) '(metadata)))
    ((history_request) (ok '(history . #())))
    ((comm_info_request) (ok '(comms)))
    ((interrupt_request) (interrupt! first-thread) (ok))
    ((shutdown_request) (ok `(restart . ,(content request 'restart))))
    (else
     (fprintf (current-error-port) "jupyter-kernel: unknown request ~a~%" (request-type request)))))

;; Front ends show a kernel as busy between these two.
(define (surround request thunk)
  (publish request "status" '((execution_state . "busy")))
  (thunk)
  (publish request "status" '((execution_state . "idle"))))

(define (handle socket request)
  (surround request (lambda () (answer socket request)))
  (when (string=? (request-type request) "shutdown_request") (exit 0)))

(define (serve socket)
  (handle socket (receive-request socket))
  (serve socket))

(define first-thread ##sys#current-thread)

(define (run-kernel connection-file)
  (set! connection
    (string->json (call-with-input-file connection-file (lambda (port) (read-string #f port)))))
  (set-signal-handler! signal/int #f)   ; interrupts come as messages
  (eval '(import scheme (chicken base) (chicken syntax)))
  (set! iopub (make-socket 'pub bind: (endpoint 'iopub_port)))
  (let ((shell (make-socket 'router bind: (endpoint 'shell_port)))
        (control (make-socket 'router bind: (endpoint 'control_port)))
        (stdin (make-socket 'router bind: (endpoint 'stdin_port)))
        (heartbeat (make-socket 'router bind: (endpoint 'hb_port))))
    (thread-start! (lambda () (proxy heartbeat heartbeat)))
    (thread-start! (lambda () (serve control)))
    (serve shell)))
)

(import jupyter-kernel (chicken process-context))
(run-kernel (car (command-line-arguments)))
