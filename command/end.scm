;;; The end of the program: exit statuses, signals, and conditions without a backtrace.

(define-constant done 0)
(define-constant failed 1)
(define-constant bad-usage 2)
(define-constant timed-out 3)

(define ended #f)

;; Ends the program: what was received is written, and what was sent has the linger to leave.
(define (end status #!optional (linger (or (option "linger") 1000)))
  (unless ended
    (set! ended #t)
    (when (memv status (list done timed-out)) (flush-out))
    ;; The next signal ends the wait.
    (set-signal-handler! signal/int #f)
    (set-signal-handler! signal/term #f)
    (zmq-exit-linger linger)
    (exit status)))

(define (complain . texts)
  (handle-exceptions e #f
    (display (string-append "zmq: " (apply string-append texts) "\n") (current-error-port))
    (flush-output (current-error-port))))

(define (wrong-usage . texts)
  (complain (apply string-append texts))
  (complain "see zmq --help")
  (set! ended #t)
  (exit bad-usage))

;; Ends the program because the time limit has passed.
(define (give-up what)
  (unless ended (complain "no " what " within " (number->string (option "timeout")) " ms"))
  (end timed-out))

;; Calls the thunk in any thread.  A condition ends the program.
(define (guarded thunk)
  (let ((e (call/cc (lambda (leave)
                      (with-exception-handler (lambda (e) (leave e))
                                              (lambda () (thunk) #f))))))
    (when e
      (apply complain (condition-texts e))
      (end failed))))

(define (start name thunk) (start-thread name (lambda () (guarded thunk))))

;; The message of a condition, and its arguments where they are short.
(define (condition-texts e)
  (let ((message (get-condition-property e 'exn 'message "failed"))
        (arguments (get-condition-property e 'exn 'arguments '())))
    (cons (if (string? message) message (->string message))
          (let ((texts (keep (lambda (a) (or (string? a) (symbol? a) (number? a)))
                             (if (list? arguments) arguments '()))))
            (if (null? texts)
                '()
                (list ": " (string-intersperse (map ->string texts) ", ")))))))

;; Milliseconds after the first signal from which another one ends the program at once.  What runs
;; the program (timeout(1), a terminal) may send it the first one twice.
(define-constant patience 500)

(define interrupted #f)         ; when

(define (watch-signals!)
  (let ((handle (lambda (n)
                  (let ((now (current-process-milliseconds)))
                    (cond ((not interrupted)
                           (set! interrupted now)
                           (end done))
                          ((> now (+ interrupted patience)) (emergency-exit failed)))))))
    (set-signal-handler! signal/int handle)
    (set-signal-handler! signal/term handle))
  ;; Writing to a closed pipe fails instead.
  (set-signal-handler! signal/pipe void))
