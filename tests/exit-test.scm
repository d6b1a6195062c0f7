;;; The end of a program: what was sent leaves, in bounded time.

(import zmq (chicken base) (chicken condition) (chicken time)
        (chicken process signal) (chicken process) (chicken file)
        (chicken process-context posix) (chicken string))
(include "check.scm")
(include "threads.scm")
(include "child.scm")
(include "pair.scm")

;; A program that sends a hundred messages to the endpoint and ends so.
(define (sender endpoint . ending)
  `((define s (make-socket 'push connect: ,endpoint))
    (do ((i 0 (+ i 1))) ((= i 100)) (send-message s (number->string i)))
    ,@ending))

(define (check-delivered outcome ending)
  (let* ((in (make-socket 'pull)) (e (bind-socket in "tcp://127.0.0.1:*"))
         (child (start-child (apply sender e ending))))
    (do ((i 0 (+ i 1))) ((= i 100)) (check= (number->string i) (take in)))
    (check= outcome (wait-for-child child))
    (close-socket in)))

(test "what was sent arrives however the program ends (case 20)"
  (check-delivered 'ok '())
  (check-delivered '(exit 3) '((exit 3)))
  (check-delivered 'condition '((error "nobody handles this")))
  (check-delivered '(exit 4) '((spawn! (lambda () (exit 4))) (nap! 10000)))
  (check-delivered '(exit 5)
    '((set-signal-handler! signal/usr1 (lambda (n) (exit 5)))
      (process-signal (current-process-id) signal/usr1)
      (nap! 10000)))
  (check-delivered '(exit 6)
    '((set-signal-handler! signal/term (lambda (n) (exit 6)))
      (process-signal (current-process-id) signal/term)
      (receive-message (make-socket 'pull))))
  (check-delivered 'condition '((raise 'no-condition))))

(test "an error in a REPL does not end what it uses"
  (let ((path (string-append "/tmp/szmq-repl-" (number->string (current-process-id)))))
    (with-output-to-file path
      (lambda ()
        (for-each (lambda (form) (write form) (newline))
                  '((import zmq)
                    (define in (make-socket 'pull bind: "inproc://x"))
                    (define out (make-socket 'push connect: "inproc://x"))
                    (error "seen and survived")
                    (send-message out "still here")
                    (display (receive-message in as: 'string timeout: 1000))
                    (exit 7)))))
    (receive (outcome output errors)
        (run-child `((process-execute "/bin/sh"
                       (list "-c" ,(string-append (csi) " -n -q <" path)))))
      (delete-file path)
      (check= '(exit 7) outcome)
      (check (substring-index "still here" output)))))

(test "an absent peer keeps the exit no longer than the bound (case 19)"
  (let ((t (current-process-milliseconds)))
    (check-child '(exit 6)
      '((zmq-exit-linger 100)
        (define s (make-socket 'push))
        (connect-socket s "ipc:///tmp/szmq-nobody-binds-this")
        (send-message s "x")
        (exit 6)))
    (check (< (- (current-process-milliseconds) t) 20000)))
  (check-type (zmq-exit-linger -1))
  (check-type (zmq-exit-linger #f)))

(test "what was not delivered is named, with its endpoint (case 19)"
  (receive (outcome output errors)
      (run-child
       '((zmq-exit-linger 50)
         (define a (make-socket 'push connect: "ipc:///tmp/szmq-nobody-a"))
         (define b (make-socket 'dealer connect: "tcp://127.0.0.1:9"))
         (define c (make-socket 'push connect: "ipc:///tmp/szmq-nobody-c"))
         (define d (make-socket 'push linger: 0
                                connect: "ipc:///tmp/szmq-nobody-d"))
         (for-each (lambda (s) (send-message s "x")) (list a b d))
         (close-socket b)
         (exit 3)))
    (check= '(exit 3) outcome)
    (check= (string-append
             "zmq: not delivered: messages of a push socket for ipc:///tmp/szmq-nobody-a\n"
             "zmq: not delivered: messages of a dealer socket for tcp://127.0.0.1:9\n")
            errors)))

(test "what was delivered is not named"
  (let* ((in (make-socket 'pull)) (e (bind-socket in "tcp://127.0.0.1:*")))
    (receive (outcome output errors)
        (run-child `((define s (make-socket 'push connect: ,e))
                     (send-message s "x")
                     (close-socket s)
                     (define t (make-socket 'push connect: ,e))
                     (send-message t "y")))
      (check= 'ok outcome)
      (check= "" errors)
      (check= '("x" "y") (list (take in) (take in))))
    (close-socket in)))

(test "SIGTERM ends a program that waits (case 21)"
  (let ((child (start-child '((define s (make-socket 'pull bind: "inproc://x"))
                              (print "ready") (flush-output)
                              (receive-message s)))))
    (check (wait-until (lambda () (equal? "ready\n" (child-output child)))))
    (kill-child child signal/term)
    (check= (list 'signal signal/term) (wait-for-child child))))

(report-tests)
