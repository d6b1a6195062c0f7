;;; Endpoints: real names, unbinding, what is refused.

(import zmq (chicken base) (chicken condition) (chicken file) (chicken string))
(include "check.scm")
(include "threads.scm")
(include "child.scm")
(include "pair.scm")

(define (refused-with code endpoint . procedures)
  (for-each (lambda (open)
              (let* ((s (make-socket 'pull)) (e (raised (open s endpoint))))
                (check e)
                (unless (eq? code (zmq-code e))
                  (wrong "~a failed with ~a, not ~a" endpoint (zmq-code e) code))
                (check= '() (socket-endpoints s))
                (close-socket s)))
            procedures))

(test "binding answers the port that was chosen"
  (let* ((s (make-socket 'rep)) (e (bind-socket s "tcp://127.0.0.1:*")))
    (check (substring=? "tcp://127.0.0.1:" e 0 0 16))
    (check (not (substring-index "*" e)))
    (check= (list e) (socket-endpoints s))
    (close-socket s)))

(test "endpoints that are none are refused (case 41)"
  (for-each (lambda (e) (refused-with 'einval e bind-socket connect-socket))
            '("" "x" "tcp:/x" "tcp://" "tcp://127.0.0.1" "tcp://127.0.0.1:"
              "tcp://127.0.0.1:x"))
  (refused-with 'eprotonosupport "foo://x" bind-socket connect-socket)
  (refused-with 'enoent "ipc:///nonexistent/x" bind-socket)
  (refused-with 'enodev "tcp://no-such-if:5555" bind-socket)
  (let ((s (make-socket 'pull)))
    (check-fails enoent (disconnect-socket s "tcp://127.0.0.1:5"))
    (check-fails enoent (unbind-socket s "tcp://127.0.0.1:5"))
    (check-type (bind-socket s 'inproc))
    (check-type (connect-socket s #f))
    (close-socket s)))

(test "the text of a failure has the endpoint and what to do (case 41)"
  (let* ((s (make-socket 'pull))
         (e (raised (bind-socket s "tcp://127.0.0.1:70000"))))
    (check (member "tcp://127.0.0.1:70000"
                   ((condition-property-accessor 'exn 'arguments) e)))
    (check (substring-index "65535" (message-of e)))
    (close-socket s)))

(test "an endpoint in use says so (case 41)"
  (let* ((a (make-socket 'pull)) (e (bind-socket a "tcp://127.0.0.1:*")))
    (refused-with 'eaddrinuse e bind-socket)
    (close-socket a)))

(test "ports above 65535 are refused (case 42)"
  (refused-with 'einval "tcp://127.0.0.1:65536" bind-socket connect-socket)
  (refused-with 'einval "tcp://127.0.0.1:99999" bind-socket connect-socket))

(test "an endpoint does not end at a NUL (case 43)"
  (refused-with 'einval (string #\i #\n #\p #\r #\o #\c #\: #\/ #\/ #\a #\nul #\b)
                bind-socket connect-socket))

(test "a path that is too long for ipc is refused (case 41)"
  (refused-with 'enametoolong
                (string-append "ipc:///tmp/" (make-string 200 #\x))
                bind-socket connect-socket))

(test "inproc may connect before it is bound (case 71)"
  (let* ((e (fresh-endpoint))
         (out (make-socket 'push connect: e)))
    (send-message out "early")
    (let ((in (make-socket 'pull bind: e)))
      (check= "early" (take in))
      (close-socket in))
    (close-socket out)))

(test "what was unbound accepts no more"
  (let* ((in (make-socket 'pull)) (e (bind-socket in "tcp://127.0.0.1:*"))
         (other (make-socket 'pull)))
    (unbind-socket in e)
    (check= '() (socket-endpoints in))
    (check (wait-until (lambda () (not (raised (bind-socket other e))))))
    (close-socket other)
    (close-socket in)))

(test "what was disconnected gets no more"
  (let* ((a (make-socket 'pull)) (b (make-socket 'pull))
         (ea (bind-socket a "tcp://127.0.0.1:*"))
         (eb (bind-socket b "tcp://127.0.0.1:*"))
         (out (make-socket 'push connect: (list ea eb))))
    (check= (list ea eb) (socket-endpoints out))
    (disconnect-socket out ea)
    (check= (list eb) (socket-endpoints out))
    (do ((i 0 (+ i 1))) ((= i 10)) (send-message out "x"))
    (do ((i 0 (+ i 1))) ((= i 10)) (check= "x" (take b)))
    (check= #f (receive-message a non-blocking: #t))
    (for-each close-socket (list a b out))))

(test "ipc carries messages, and abstract names leave no file"
  (with-pair 'pull 'push
    (lambda (in out)
      (send-message out "through a file that is not there")
      (check= "through a file that is not there" (take in)))
    "ipc://@szmq-endpoint-test")
  (with-pair 'pull 'push
    (lambda (in out)
      (send-message out "x")
      (check= "x" (take in)))
    "ipc://*"))

(report-tests)
