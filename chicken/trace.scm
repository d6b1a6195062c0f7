;;; The trace: a line on stderr for each operation, wait, wake-up, event and closing, to be read
;;; when a program waits and nobody knows why.  It has neither payloads nor secrets.  The kernel
;;; writes the lines about connections.

(define tracing #f)

(define-syntax trace
  (syntax-rules () ((_ item ...) (when tracing (write-trace (list item ...))))))

;; Time in seconds, the thread, and the items; a handle of a socket is written as its type and
;; number.
(define (write-trace items)
  (%trace-line
   (string-intersperse
    (append (list (seconds-text (now)) (thread-label (current-thread))) (map trace-text items)))))

(define (seconds-text ms)
  (let ((rest (number->string (fx+ 1000 (fxmod ms 1000)))))
    (string-append (number->string (fx/ ms 1000)) "." (substring rest 1))))

(define (trace-text x)
  (cond ((string? x) x)
        ((symbol? x) (symbol->string x))
        ((fixnum? x) (string-append (or (%socket-type-name x) "socket") "#"
                                    (number->string (fxand x #xffffff))))
        ((is-socket? x) (trace-text (socket-handle x)))
        ((waiter? x) (let ((thread (waiter-thread x))) (if thread (thread-label thread) "nobody")))
        (else (number->string x))))

(define (thread-label thread)
  (if (primordial? thread) "primordial" (->string (thread-name thread))))

(define told-deaf '())            ; handles

;; Says once that a sub has no subscription.
(define (trace-deaf handle)
  (when (and (%deaf handle) (not (memv handle told-deaf)))
    (set! told-deaf (cons handle told-deaf))
    (trace handle "has no subscription and receives nothing: set subscribe, \"\" for all")))

;; What an attempt has returned.
(define (outcome-text result)
  (cond ((not result) "gave up")
        ((not (fixnum? result)) "received")
        ((fx= result 0) "done")
        (else (%error-symbol result))))

(define (event-text event) (if (eq? event in-bit) "to receive" "to send"))

;; For all threads: (zmq-trace) tells whether the trace is on, (zmq-trace on?) turns it on or
;; off, and parameterize does so for a while.  While it is on, the fast paths are not taken.
(define (zmq-trace #!optional (on? tracing) (convert? #t) (set? #t))
  (unless (boolean? on?) (fail-type 'zmq-trace "a boolean" on?))
  (when set?
    (set! tracing on?)
    (%trace-connections on?)
    (%set-fast! (not on?)))
  on?)

(define (trace-from-environment!)
  (let ((value (get-environment-variable "ZMQ_TRACE")))
    (when (and value (not (member value '("" "0")))) (zmq-trace #t))))
