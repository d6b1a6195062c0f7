;;; CHICKEN's ports over sockets, and the log port.

(import zmq (chicken base) (chicken io) (chicken format) (chicken port) (chicken string)
        (chicken time))
(include "check.scm")
(include "threads.scm")
(include "child.scm")
(include "pair.scm")

(define (send-all out . texts) (for-each (lambda (t) (send-message out t)) texts))

;; Calls the procedure with an input port and the socket that feeds it.
(define (with-input procedure)
  (with-pair 'pull 'push (lambda (in out) (procedure (socket-input-port in) out))))

(define (take-many in n) (if (= n 0) '() (let ((m (take in))) (cons m (take-many in (- n 1))))))

(define (with-output procedure)
  (with-pair 'pull 'push (lambda (in out) (procedure in (socket-output-port out)))))

(define (nothing? in) (not (receive-message in timeout: 20)))

;; ----------------------------------------------------------------- input --

(test "lines and data are read over the bounds of messages"
  (with-input
    (lambda (port out)
      (send-all out "one li" "" "ne\ntwo\r" "\n(a lis" "t) 5" " rest\n\n")
      (check= "one line" (read-line port))
      (check= "two" (read-line port))
      (check= '(a list) (read port))
      (check= 5 (read port))
      (check= " rest" (read-line port))
      (check= "" (read-line port)))))

(test "characters are peeked and read"
  (with-input
    (lambda (port out)
      (send-all out "a" "bc")
      (check= #\a (peek-char port))
      (check= #\a (peek-char port))
      (check= '(#\a #\b #\c) (list (read-char port) (read-char port) (read-char port))))))

(test "strings of a length are read, and no byte more"
  (with-input
    (lambda (port out)
      (send-all out "ab" "cd" "efg")
      (check= "abcde" (read-string 5 port))
      (check= "f" (read-line port 1))
      (check= "" (read-string 0 port))
      (let ((to (make-string 3 #\-)))
        (check= 1 (read-string! 1 to port 1))
        (check= "-g-" to)))))

(test "a port takes any bytes, and the parts of messages one after the other"
  (with-input
    (lambda (port out)
      (send-multipart-message out (list (string #\nul #\xff) "z"))
      (check= (string #\nul #\xff #\z) (read-string 3 port)))))

(test "char-ready? does not wait"
  (with-input
    (lambda (port out)
      (check (not (char-ready? port)))
      (send-all out "")
      (check (not (char-ready? port)))
      (send-all out "x")
      (check (wait-until (lambda () (char-ready? port))))
      (check= #\x (read-char port)))))

(test "a read that gives up answers the end of file, and the next one goes on"
  (with-pair 'pull 'push
    (lambda (in out)
      (let ((port (socket-input-port in timeout: 20)))
        (check (eof-object? (read-char port)))
        (check (eof-object? (read-line port)))
        (send-all out "par" "t")
        (check= "part" (read-line port))
        (send-all out "more\n")
        (check= "more" (read-line port))))
    (fresh-endpoint))
  (with-pair 'pull 'push
    (lambda (in out)
      (socket-option-set! in 'rcvtimeo 20)
      (check (eof-object? (read-line (socket-input-port in)))))))

(test "a read suspends its own thread only"
  (with-input
    (lambda (port out)
      (let* ((ticks (start-ticker)) (t (spawn! (lambda () (read-line port)))))
        (until-waiting t)
        (let ((before (ticks))) (check (wait-until (lambda () (> (ticks) (+ before 3))))))
        (send-all out "line\n")
        (check= "line" (join! t))
        (ticks 'stop)))))

(test "what several threads read is lost by none"
  (with-input
    (lambda (port out)
      (let* ((seen 0)
             (reader (lambda ()
                       (let loop ()
                         (unless (string=? "end" (read-string 3 port))
                           (set! seen (+ seen 1))
                           (loop)))))
             (threads (list (spawn! reader) (spawn! reader) (spawn! reader))))
        (for-each until-waiting threads)
        (do ((i 0 (+ i 1))) ((= i 300)) (send-message out "abc"))
        (check (wait-until (lambda () (= seen 300))))
        (send-all out "end" "end" "end")
        (for-each join! threads)))))

(test "closing the socket ends a read"
  (let* ((s (make-socket 'pull)) (t (spawn! (let ((port (socket-input-port s)))
                                              (lambda () (read-line port))))))
    (until-waiting t)
    (close-socket s)
    (check-fails closed (join! t))))

;; ---------------------------------------------------------------- output --

(test "a line is sent at its newline, the rest when it is flushed"
  (with-output
    (lambda (in port)
      (display "one " port)
      (check (nothing? in))
      (display "line\ntwo\nand" port)
      (check= "one line\n" (take in))
      (check= "two\n" (take in))
      (check (nothing? in))
      (flush-output port)
      (check= "and" (take in))
      (flush-output port)
      (check (nothing? in)))))

(test "everything that writes to ports writes to sockets"
  (with-output
    (lambda (in port)
      (write '(a "b" #\c) port)
      (newline port)
      (fprintf port "~a + ~s~%" 1 "x")
      (with-output-to-port port (lambda () (print "printed " 2)))
      (write-line "line" port)
      (write-char #\! port)
      (write-string "abc" 2 port)
      (close-output-port port)
      (check= '("(a \"b\" #\\c)\n" "1 + \"x\"\n" "printed 2\n" "line\n" "!ab")
              (take-many in 5)))))

(test "what is written is read at the other end as it was"
  (with-pair 'pair 'pair
    (lambda (a b)
      (let ((in (socket-input-port a)) (out (socket-output-port b)))
        (write '(1 "two\nthree" #\nul) out)
        (newline out)
        (check= '(1 "two\nthree" #\nul) (read in))
        (display (make-string 200000 #\x) out)
        (flush-output out)
        (check= #\newline (read-char in))
        (check= 200000 (string-length (read-string 200000 in)))))))

(test "lines that threads write at the same time are not mixed"
  (with-output
    (lambda (in port)
      (let ((threads
             (map (lambda (name)
                    (spawn! (lambda ()
                              (do ((i 0 (+ i 1))) ((= i 50))
                                (display name port)
                                (yield!)
                                (display name port)
                                (yield!)
                                (newline port)))))
                  '("a" "b" "c"))))
        (for-each join! threads)
        (for-each (lambda (line) (check (member line '("aa\n" "bb\n" "cc\n"))))
                  (take-many in 150))))))

(test "what a thread has written before its end is sent by the next who writes"
  (with-output
    (lambda (in port)
      (join! (spawn! (lambda () (display "last words" port))))
      (display "alive\n" port)
      (check= "last words" (take in))
      (check= "alive\n" (take in)))))

(test "what nobody takes in time stays in the port"
  (let* ((s (make-socket 'push linger: 0)) (port (socket-output-port s timeout: 20)))
    (check-fails eagain (display "kept\n" port))
    (check-fails eagain (flush-output port))
    (let* ((endpoint (fresh-endpoint)) (in (make-socket 'pull bind: endpoint)))
      (connect-socket s endpoint)
      (display "and more\n" port)
      (check= "kept\nand more\n" (take in))
      (close-socket in))
    (close-socket s)))

(test "a port is for sockets that can do it and name no peer"
  (let ((closed (make-socket 'pair)))
    (close-socket closed)
    (for-each
     (lambda (make cannot)
       (check-type (make 5))
       (call-with-socket cannot (lambda (s) (check-fails enotsup (make s))))
       (call-with-socket 'router (lambda (s) (check-fails einval (make s))))
       (call-with-socket 'stream (lambda (s) (check-fails einval (make s))))
       (check-fails closed (make closed)))
     (list socket-input-port socket-output-port make-log-port)
     '(push pull sub))
    (call-with-socket 'pair
      (lambda (s)
        (check-type (socket-input-port s timeout: 'soon))
        (check-fails einval (socket-output-port s wait: 1))
        (check-type (make-log-port s 5))))))

;; ------------------------------------------------------------------- log --

(define (take-line s #!optional (timeout 10000))
  (receive-multipart-message s as: 'string timeout: timeout))

;; The next line but those that were repeated until the subscription had come.
(define (take-later-line sub)
  (let ((parts (take-line sub))) (if (equal? '("app" "?") parts) (take-later-line sub) parts)))

(test "lines are published under a topic"
  (with-pair 'pub 'sub
    (lambda (pub sub)
      (socket-option-set! sub 'subscribe "app")
      (let ((port (make-log-port pub "app")) (other (make-log-port pub "other")))
        (check (wait-until (lambda () (display "?\n" port) (take-line sub 20))))
        (display "not for us\n" other)
        (fprintf port "one ~a~%and\n" 1)
        (check= '("app" "one 1") (take-later-line sub))
        (check= '("app" "and") (take-later-line sub))
        (display "half" port)
        (flush-output port)
        (check= '("app" "half") (take-later-line sub))))
    (fresh-endpoint)))

(test "without a topic a line is a message of one part"
  (with-pair 'pull 'push
    (lambda (in out)
      (display "line\n\n" (make-log-port out))
      (check= '("line") (take-line in))
      (check= '("") (take-line in)))))

(test "call-with-zmq-log-port binds, or connects to what is bound"
  (let ((endpoint (fresh-endpoint)) (sub (make-socket 'sub subscribe: "")))
    (connect-socket sub endpoint)
    (check= 'result (call-with-zmq-log-port endpoint
                      (lambda (port) (display "bound\nrest" port) 'result)))
    (check= '(("bound") ("rest")) (list (take-line sub) (take-line sub)))
    (close-socket sub))
  (let ((sub (make-socket 'sub subscribe: "t" bind: "tcp://127.0.0.1:*")))
    (for-each
     (lambda (mark topic)
       ;; A SUB that is bound sends its subscriptions while it receives.
       (let ((line (spawn! (lambda () (take-line sub)))))
         (call-with-zmq-log-port (string-append mark (socket-option sub 'last-endpoint))
           (lambda (port) (display "connected\n" port))
           topic: topic wait: 10000)
         (check= (list topic "connected") (join! line))))
     '("" ">") '("topic" "t"))
    (close-socket sub)))

(test "call-with-zmq-log-port sends what was written before it is left by a condition"
  (let ((endpoint (fresh-endpoint)) (sub (make-socket 'sub subscribe: "")))
    (connect-socket sub endpoint)
    (check (raised (call-with-zmq-log-port endpoint
                     (lambda (port) (display "last" port) (error "left")))))
    (check= '("last") (take-line sub))
    (close-socket sub)))

(test "a log without a reader does not wait"
  (let ((start (current-process-milliseconds)))
    (call-with-zmq-log-port (fresh-endpoint)
      (lambda (port) (do ((i 0 (+ i 1))) ((= i 5000)) (fprintf port "line ~a~%" i)))
      wait: 0)
    (check (< (- (current-process-milliseconds) start) 20000))))

(test "arguments of the log port are checked"
  (check-type (call-with-zmq-log-port 5 void))
  (check-type (call-with-zmq-log-port "inproc://x" 5))
  (check-type (call-with-zmq-log-port "inproc://x" void topic: 5))
  (check-type (call-with-zmq-log-port "inproc://x" void wait: "long"))
  (check-fails einval (call-with-zmq-log-port "inproc://x" void prefix: "a"))
  (check-fails einval (call-with-zmq-log-port "" void))
  (check-fails einval (call-with-zmq-log-port "nowhere" void)))

(report-tests)
