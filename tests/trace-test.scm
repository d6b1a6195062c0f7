;;; The trace: a line for each operation, wait, wake-up, event and closing.

(import zmq (chicken base) (chicken irregex) (chicken string) (chicken process-context))
(include "check.scm")
(include "child.scm")

;; What the program, which begins with the forms, writes to stderr, line by line, without the
;; time.
(define (trace-of . forms)
  (receive (outcome output errors) (run-child forms)
    (check= 'ok outcome)
    (map (lambda (line)
           (let ((m (irregex-match "zmq [0-9]+\\.[0-9]{3} (.*)" line)))
             (unless m (wrong "not a line of the trace: ~s" line))
             (irregex-match-substring m 1)))
         (string-split errors "\n"))))

(define (has? pattern lines)
  (let loop ((l lines))
    (and (pair? l) (or (irregex-search pattern (car l)) (loop (cdr l))))))

(define-syntax check-line
  (syntax-rules ()
    ((_ pattern lines)
     (unless (has? pattern lines) (wrong "no line ~s in ~s" pattern lines)))))

(define pair
  '((define in (make-socket 'pull bind: "inproc://x"))
    (define out (make-socket 'push connect: "inproc://x"))))

(test "the trace is off at first, and then nothing is written"
  (check= #f (zmq-trace))
  (check= '() (apply trace-of `(,@pair (send-message out "x") (receive-message in)))))

(test "each operation has a line with thread, name, socket and outcome"
  (let ((lines (apply trace-of
                 `((zmq-trace #t)
                   ,@pair
                   (send-message out "x")
                   (receive-message in)
                   (send-multipart-message out '("x" "y"))
                   (receive-multipart-message in)
                   (send-messages out '("x"))
                   (receive-messages in)
                   (receive-message in non-blocking: #t)
                   (close-socket in)))))
    (for-each
     (lambda (pattern) (check-line pattern lines))
     '("^primordial make-socket pull#[0-9]+ inproc://x done$"
       "^primordial send-message push#[0-9]+ done$"
       "^primordial receive-message pull#[0-9]+ received$"
       "^primordial send-multipart-message push#[0-9]+ done$"
       "^primordial receive-multipart-message pull#[0-9]+ received$"
       "^primordial send-messages push#[0-9]+ done$"
       "^primordial receive-messages pull#[0-9]+ received$"
       "^primordial receive-message pull#[0-9]+ gave up$"
       "^primordial close-socket pull#[0-9]+$"))))

(test "waits, signals and wake-ups have a line"
  (let ((lines (apply trace-of
                 `((zmq-trace #t)
                   ,@pair
                   (define t (spawn! (lambda () (receive-message in))))
                   (yield!)
                   (send-message out "x")
                   (join! t)
                   (receive-message in timeout: 1)))))
    (for-each
     (lambda (pattern) (check-line pattern lines))
     '("^test[0-9]+ receive-message pull#[0-9]+ waits to receive$"
       "^zmq-loop the descriptor signals for pull#[0-9]+$"
       "^zmq-loop wakes test[0-9]+$"))))

(test "the trace has neither payloads nor secrets"
  (let ((lines (apply trace-of
                 `((zmq-trace #t)
                   ,@pair
                   (send-message out "payload")
                   (receive-message in as: 'string)
                   (send-multipart-message out '("payload" "payload"))
                   (receive-multipart-message in as: 'string)
                   (define s (make-socket 'push plain-username: "me" plain-password: "hunter2"))
                   (receive (public secret) (curve-keypair)
                     (set-environment-variable! "NOTHING" secret)
                     (socket-option-set! s 'curve-secretkey secret))))))
    (check (not (has? "payload|hunter2" lines)))))

(test "ZMQ_TRACE turns the trace on, and 0 does not"
  (set-environment-variable! "ZMQ_TRACE" "1")
  (let ((lines (apply trace-of pair)))
    (set-environment-variable! "ZMQ_TRACE" "0")
    (check-line "make-socket" lines)
    (check= '() (apply trace-of pair))
    (unset-environment-variable! "ZMQ_TRACE")))

(test "parameterize turns the trace on for a while"
  (let ((lines (apply trace-of
                 `(,@pair
                   (parameterize ((zmq-trace #t)) (send-message out "x"))
                   (unless (eq? #f (zmq-trace)) (exit 1))
                   (receive-message in)))))
    (check-line "send-message" lines)
    (check (not (has? "receive-message" lines))))
  (check-type (zmq-trace 1)))

;; A server and its client over tcp, which are given the forms, until the server hears of the
;; client, or of its failure.
(define (connection-trace server client)
  (trace-of '(import (zmq monitor))
            '(zmq-trace #t)
            `(define s (make-socket 'rep bind: "tcp://127.0.0.1:*" ,@server))
            `(define c (make-socket 'req connect: (car (socket-endpoints s)) linger: 0 ,@client))
            '(define m (monitor-socket s events: '(handshake-succeeded
                                                   handshake-failed-protocol
                                                   handshake-failed-no-detail)))
            '(receive-event m timeout: 20000)))

(test "a connection that is made has a line at both ends"
  (let ((lines (connection-trace '() '())))
    (check-line "^zmq-monitor rep#[0-9]+ handshake-succeeded tcp://127.0.0.1:[0-9]+ \\(" lines)))

(test "a handshake that fails has a line that says why"
  (let ((lines (connection-trace '() '(plain-username: "me" plain-password: "hunter2"))))
    (check-line "^zmq-monitor rep#[0-9]+ handshake-failed-protocol .*another security mechanism"
                lines)
    (check (not (has? "hunter2" lines)))))

(test "waiting on a sub without a subscription is said once"
  (let ((lines (trace-of '(zmq-trace #t)
                         '(define s (make-socket 'sub bind: "inproc://x"))
                         '(receive-message s timeout: 1)
                         '(receive-message s timeout: 1))))
    (define (deaf? line) (substring-index "has no subscription" line))
    (let ((rest (let loop ((l lines)) (cond ((null? l) '()) ((deaf? (car l)) l) (else (loop (cdr l)))))))
      (check (pair? rest))
      (check (not (has? "has no subscription" (cdr rest))))))
  (check (not (has? "has no subscription"
                    (trace-of '(zmq-trace #t)
                              '(define s (make-socket 'sub bind: "inproc://x" subscribe: ""))
                              '(receive-message s timeout: 1))))))

(report-tests)
