;;; Endpoints: real names, unbinding, what is refused.

(import zmq (chicken base) (chicken condition) (chicken file)
        (chicken file posix) (chicken pathname) (chicken port)
        (chicken process) (chicken process-context) (chicken string))
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

(test "an ipc path where a socket answers is not taken from it (case 73)"
  (let* ((file (create-temporary-file)) (e (string-append "ipc://" file)))
    (delete-file file)
    (let* ((rep (make-socket 'rep bind: e)) (req (make-socket 'req connect: e)))
      (refused-with 'eaddrinuse e bind-socket)
      (send-message req "still?")
      (check= "still?" (receive-message rep as: 'string timeout: 5000))
      (close-socket req)
      (close-socket rep)
      (delete-file* file))))

(test "binding an ipc path does not remove a file that is no socket"
  (let* ((file (create-temporary-file)) (e (string-append "ipc://" file)))
    (with-output-to-file file (lambda () (display "kept")))
    (refused-with 'eaddrinuse e bind-socket)
    (check= "kept" (with-input-from-file file read-line))
    (delete-file file)))

(test "what a killed process left at an ipc path is replaced (case 73)"
  (let* ((file (create-temporary-file)) (e (string-append "ipc://" file)))
    (delete-file file)
    (let ((child (start-child `((make-socket 'rep bind: ,e)
                                (print "bound")
                                (flush-output)
                                (nap! 60000)))))
      (check (wait-until (lambda () (equal? "bound\n" (child-output child)))))
      (kill-child child)
      (check= '(signal 9) (wait-for-child child)))
    (check (file-exists? file))
    (close-socket (make-socket 'rep bind: e))
    (delete-file* file)))

(test "an endpoint can be bound again as soon as its socket was closed"
  (for-each
   (lambda (given)
     (let* ((first (make-socket 'rep)) (e (bind-socket first given)))
       (close-socket first)
       (do ((i 0 (+ i 1))) ((= i 30))
         (let ((s (make-socket 'rep bind: e)))
           (unbind-socket s e)
           (bind-socket s e)
           (close-socket s)))))
   (list (own-endpoint) "tcp://127.0.0.1:*"
         (let ((file (create-temporary-file)))
           (delete-file file)
           (string-append "ipc://" file)))))

(test "what was connected twice is disconnected at once, and not listed"
  (let* ((pull (make-socket 'pull)) (e (bind-socket pull "tcp://127.0.0.1:*"))
         (push (make-socket 'push linger: 0)))
    (connect-socket push e)
    (connect-socket push e)
    (check= (list e e) (socket-endpoints push))
    (disconnect-socket push e)
    (check= '() (socket-endpoints push))
    (close-socket push)
    (close-socket pull)))

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
    (own-endpoint))
  (with-pair 'pull 'push
    (lambda (in out)
      (send-message out "x")
      (check= "x" (take in)))
    "ipc://*"))

(test "unbind and disconnect take what was given and what was returned"
  (for-each
   (lambda (given)
     (let* ((a (make-socket 'pull)) (real (bind-socket a given)))
       (check (not (string=? given real)))
       (unbind-socket a given)
       (check= '() (socket-endpoints a))
       (unbind-socket a (bind-socket a given))
       (check= '() (socket-endpoints a))
       (check-fails enoent (unbind-socket a given))
       (close-socket a)))
   '("tcp://127.0.0.1:*" "ipc://*" "ws://127.0.0.1:*"))
  (let* ((a (make-socket 'pull)) (real (bind-socket a "tcp://127.0.0.1:*"))
         (named (string-append "tcp://localhost:"
                               (list-ref (string-split real ":") 2)))
         (b (make-socket 'push linger: 0)))
    (connect-socket b named)
    (disconnect-socket b named)
    (disconnect-socket b (connect-socket b named))
    (check= '() (socket-endpoints b))
    (close-socket a)
    (close-socket b)))

(test "of two binds to the same wildcard the older one is unbound first"
  (let* ((a (make-socket 'pull)) (one (bind-socket a "tcp://127.0.0.1:*"))
         (two (bind-socket a "tcp://127.0.0.1:*")))
    (check= (list one two) (socket-endpoints a))
    (unbind-socket a "tcp://127.0.0.1:*")
    (check= (list two) (socket-endpoints a))
    (close-socket a)))

(test "a socket is born with as many endpoints as it is given"
  (let* ((in (make-socket 'pull linger: 0
                          bind: '("tcp://127.0.0.1:*" "inproc://birth" "ipc://*")))
         (out (make-socket 'push linger: 0 connect: (socket-endpoints in))))
    (check= 3 (length (socket-endpoints in)))
    (check= (socket-endpoints in) (socket-endpoints out))
    (do ((i 0 (+ i 1))) ((= i 9)) (send-message out "x"))
    (do ((i 0 (+ i 1))) ((= i 9)) (check= "x" (take in)))
    (close-socket out)
    (close-socket in))
  (let ((c (make-context)))
    (check-fails einval
      (make-socket 'pull c bind: '("tcp://127.0.0.1:*" "nonsense")))
    (check-type (make-socket 'pull c bind: '("tcp://127.0.0.1:*" 5)))
    (check= #t (terminate-context c timeout: 5000))))

(define (exchange endpoint . options)
  (let* ((in (apply make-socket 'pull linger: 0 options))
         (real (bind-socket in endpoint))
         (out (apply make-socket 'push linger: 0 options)))
    (connect-socket out real)
    (send-message out "through")
    (check= "through" (take in))
    (close-socket out)
    (close-socket in)
    real))

(test "IPv6 carries messages"
  (if (raised (bind-socket (make-socket 'pull ipv6: #t) "tcp://[::1]:*"))
      (display "(skipped: this system has no IPv6) ")
      (check (substring=? "tcp://[::1]:" (exchange "tcp://[::1]:*" #:ipv6 #t)
                          0 0 12))))

(test "a WebSocket carries messages"
  (check (substring=? "ws://127.0.0.1:" (exchange "ws://127.0.0.1:*") 0 0 15))
  (check (substring-index "/chat" (exchange "ws://127.0.0.1:*/chat"))))

(test "every address of this machine is an endpoint"
  (let* ((in (make-socket 'pull linger: 0)) (real (bind-socket in "tcp://*:*"))
         (out (make-socket 'push linger: 0)))
    (check (substring=? "tcp://0.0.0.0:" real 0 0 14))
    (connect-socket out (string-append "tcp://127.0.0.1:"
                                       (list-ref (string-split real ":") 2)))
    (send-message out "x")
    (check= "x" (take in))
    (close-socket out)
    (close-socket in)))

(define (last list) (if (null? (cdr list)) (car list) (last (cdr list))))

(test "inproc connects before it is bound, to a socket of any pattern"
  (for-each
   (lambda (types)
     (let* ((e (fresh-endpoint))
            (early (make-socket (car types) linger: 0 connect: e)))
       (send-message early "early")
       (let* ((late (make-socket (cadr types) linger: 0 bind: e)))
         (check= "early" (last (take-parts late)))
         (close-socket late))
       (close-socket early)))
   '((push pull) (dealer router) (req rep) (pair pair) (dealer dealer))))

(test "multicast that cannot work is refused, and ends no process"
  (refused-with 'enocompatproto "norm://lo;239.192.1.1:5556"
                bind-socket connect-socket)
  (let ((s (make-socket 'pub)))
    (when (zmq-has? 'norm)
      (check-fails einval (bind-socket s "norm://x"))
      (check-fails einval (bind-socket s "norm://nohost:5556"))
      (check-fails enodev (bind-socket s "norm://nosuch;239.192.1.1:5556")))
    (when (zmq-has? 'pgm)
      (check-fails einval (bind-socket s "epgm://lo;x"))
      (socket-option-set! s 'rate 1)
      (check-fails einval (bind-socket s "epgm://127.0.0.1;239.192.1.1:5555"))
      (socket-option-set! s 'rate 100)
      (check-fails einval (bind-socket s "epgm://nosuch;239.192.1.1:5555")))
    (close-socket s)))

;; Runs the forms where there is a loopback device that does multicast and
;; nothing else; #f where no such place can be made.
(define (check-in-network forms)
  (let* ((directory (create-temporary-directory))
         (wrapper (make-pathname directory "csi"))
         (before (get-environment-variable "CSI")))
    (with-output-to-file wrapper
      (lambda ()
        (display (string-append
                  "#!/bin/sh\nexec unshare -n sh -c '"
                  "ip link set lo up multicast on && "
                  "exec \"$0\" \"$@\"' " (csi) " \"$@\"\n"))))
    (set-file-permissions! wrapper #o755)
    (and (= 0 (system (string-append wrapper " -version >/dev/null 2>&1")))
         (begin
           (dynamic-wind
            (lambda () (set-environment-variable! "CSI" wrapper))
            (lambda () (check-child 'ok forms))
            (lambda ()
              (if before
                  (set-environment-variable! "CSI" before)
                  (unset-environment-variable! "CSI"))))
           #t))))

(test "multicast reaches who subscribed"
  (for-each
   (lambda (endpoint)
     (unless
         (check-in-network
          `((define pub (make-socket 'pub linger: 0 bind: ,endpoint))
            (define sub (make-socket 'sub linger: 0 subscribe: "a"
                                     connect: ,endpoint))
            (unless (wait-until
                     (lambda ()
                       (send-message pub "b: not for it")
                       (send-message pub "a: for it")
                       (equal? "a: for it"
                               (receive-message sub as: 'string timeout: 50))))
              (exit 1))))
       (display "(skipped: no network namespace can be made) ")))
   (append (if (zmq-has? 'norm) '("norm://lo;239.192.1.1:5556") '())
           (if (zmq-has? 'pgm) '("epgm://127.0.0.1;239.192.1.1:5555") '()))))

(report-tests)
