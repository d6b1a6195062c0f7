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

(test "an error is printed before the sockets are closed, and what was sent arrives"
  (let* ((in (make-socket 'pull)) (e (bind-socket in "tcp://127.0.0.1:*")))
    (receive (outcome output errors)
        (run-child `((define s (make-socket 'push connect: ,e))
                     (send-message s "sent")
                     (receive-message s)))
      (check= 'condition outcome)
      (check (substring-index "Error: (receive-message)" errors))
      (check (substring-index (string-append "#<zmq socket push " e " open>") errors))
      (check (substring-index "Call history" errors)))
    (check= "sent" (take in))
    (close-socket in)))

;; Sends Control-C to a program each time when it has printed the next of the texts, and returns what
;; it has printed.
(define (check-interrupted outcome texts forms)
  (let* ((child (start-child forms limit: 30))
         (printed (lambda () (string-append (child-output child) (child-errors child)))))
    (for-each (lambda (text)
                (check (wait-until (lambda () (substring-index text (printed)))))
                (kill-child child signal/int))
              texts)
    (check= outcome (wait-for-child child))
    (printed)))

(define (ends-with? end text)
  (let ((from (- (string-length text) (string-length end))))
    (and (>= from 0) (string=? end (substring text from)))))

;; A program that holds an unsent message for long when it ends.
(define unsent
  '((define c (make-context))
    (define s (make-socket 'push c linger: -1 connect: "tcp://127.0.0.1:9"))
    (zmq-exit-linger 100000)
    (send-message s "nobody takes this")
    (print "ready")
    (flush-output)))

(test "Control-C ends the wait for what has not left, without a word (case 20)"
  (let ((interrupted `(signal ,signal/int)))
    (check= "ready\nleaving\n"
            (check-interrupted interrupted '("leaving")
              `(,@unsent
                (on-exit (lambda () (print "leaving") (flush-output)))
                (exit 3))))
    (check-interrupted interrupted '("Call history")
      `(,@unsent (error "nobody handles this")))
    (for-each
     (lambda (wait)
       (check (ends-with? "*** user interrupt ***\n"
                          (check-interrupted interrupted '("ready" "*** user interrupt ***")
                            `(,@unsent ,wait)))))
     '((terminate-context c)
       (receive-message (make-socket 'pull))))))

(test "Control-C in a wait ends a script with CHICKEN's message (case 27)"
  (check (ends-with? "*** user interrupt ***\n"
                     (check-interrupted 'condition '("ready")
                       '((print "ready")
                         (flush-output)
                         (receive-message (make-socket 'pull)))))))

(test "a program that ignores Control-C is not ended by it (case 20)"
  (check-interrupted '(exit 3) '("leaving")
    `(,@unsent
      (zmq-exit-linger 500)
      (set-signal-handler! signal/int #f)
      (on-exit (lambda () (print "leaving") (flush-output)))
      (exit 3))))

(test "threads that wait say nothing when the program ends (case 20)"
  (receive (outcome output errors)
      (run-child
       '((define in (make-socket 'pull bind: "inproc://x"))
         (define (start-waiting)
           (let ((t (##sys#make-thread #f 'ready 'waits 10000)))
             (##sys#setslot t 1 (lambda () (receive-message in)))
             (##sys#add-to-ready-queue t)))
         (do ((i 0 (+ i 1))) ((= i 5)) (start-waiting))
         (nap! 20)
         ;; The end takes longer than a time slice.
         (do ((i 0 (+ i 1))) ((= i 1000))
           (set-finalizer! (list i)
                           (lambda (x) (do ((j 0 (+ j 1))) ((= j 200)) (list j)))))))
    (check= 'ok outcome)
    (check= "" errors)))

(test "an error that nobody handles is printed as CHICKEN prints it"
  (let* ((path (string-append "/tmp/szmq-error-" (number->string (current-process-id))))
         (printed
          (lambda (forms)
            (with-output-to-file path
              (lambda () (for-each (lambda (form) (write form) (newline)) forms)))
            (let ((child (start-program (csi) (list "-s" path))))
              (check= 'condition (wait-for-child child))
              (child-errors child))))
         ;; the call history has no room for what comes before these
         (calls (let loop ((i 0))
                  (if (= i 10) '() (cons '(list (list) (list)) (loop (+ i 1)))))))
    (for-each
     (lambda (form)
       (let ((program `((import (chicken condition) (chicken port)) ,@calls ,form)))
         (check= (printed program) (printed (cons '(import zmq) program)))))
     `((error "text")
       (error 'here "text" "one argument")
       (error "text" '|two arguments| ,(make-string 200 #\x) '(1 #\a))
       (error 'not-a-text 1)
       (abort (make-property-condition 'exn 'arguments '(1)))
       (abort 'no-condition)
       (car 5)
       (begin (current-error-port (make-output-port (lambda (text) (error "broken")) void))
              (error "text"))))
    (delete-file path)))

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
