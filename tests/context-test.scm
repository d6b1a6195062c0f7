;;; Contexts: making, the default one, options, termination, collection.

(import zmq (chicken base) (chicken condition) (chicken gc) (chicken time)
        (chicken string) (chicken port))
(include "check.scm")
(include "threads.scm")
(include "child.scm")
(include "pair.scm")

(test "the version is a list of three exact integers"
  (let ((v (zmq-version)))
    (check= 3 (length v))
    (for-each (lambda (n) (check (and (exact-integer? n) (>= n 0)))) v)
    (check (>= (car v) 4))))

(test "before the first socket #f stands for the default context"
  (check-child 'ok
    '((import (zmq auth))
      (context-option-set! (zmq-default-context) 'max-sockets 77)
      (unless (= 77 (context-option (zmq-default-context) 'max-sockets)) (exit 2))))
  (check-child 'ok
    '((import (zmq auth))
      (define a (start-authenticator (zmq-default-context) curve: #t))
      (unless (eq? (zmq-default-context) (socket-context (make-socket 'pull))) (exit 3))))
  (check (substring-index "make-socket" (message-of (raised (shutdown-context #f)))))
  (check (substring-index "make-socket" (message-of (raised (terminate-context #f))))))

(test "the default context is made by the first socket"
  (check= #f (zmq-default-context))
  (let ((s (make-socket 'pull)))
    (check (context? (zmq-default-context)))
    (check (eq? (zmq-default-context) (socket-context s)))
    (close-socket s)))

(test "the default context is one for all threads"
  (let* ((made #f)
         (before (spawn! (lambda () (wait-until (lambda () made)) (zmq-default-context)))))
    (yield!)
    (zmq-default-context #f)
    (check= #f (zmq-default-context))
    (let* ((t (spawn! (lambda () (make-socket 'pull bind: "inproc://all"))))
           (in (join! t))
           (out (make-socket 'push connect: "inproc://all")))
      (send-message out "met")
      (check= "met" (receive-message in as: 'string timeout: 5000))
      (check (eq? (socket-context in) (zmq-default-context)))
      (set! made #t)
      (check (eq? (socket-context in) (join! before)))
      (close-socket in)
      (close-socket out))))

(test "parameterize changes the default context for its thread alone"
  (let ((c (make-context)) (before (zmq-default-context)))
    (parameterize ((zmq-default-context c))
      (check (eq? c (zmq-default-context)))
      (check (eq? c (socket-context (make-socket 'pair))))
      (check (eq? c (join! (spawn! zmq-default-context)))))
    (check (eq? before (zmq-default-context)))
    (zmq-default-context c)
    (check (eq? c (join! (spawn! zmq-default-context))))
    (zmq-default-context before)
    (check (eq? before (zmq-default-context)))
    (check-type (zmq-default-context 7))
    (check (eq? before (zmq-default-context)))
    (terminate-context c)))

(test "a terminated default context is replaced"
  (let ((before (zmq-default-context)))
    (check= #t (terminate-context before))
    (let ((s (make-socket 'pull)))
      (check (not (eq? before (zmq-default-context))))
      (close-socket s))))

(test "a default context that was shut down is replaced"
  (let ((before (zmq-default-context)))
    (shutdown-context before)
    (let ((s (make-socket 'pull)))
      (check (not (eq? before (socket-context s))))
      (close-socket s))
    (terminate-context before)))

(test "zmq-io-threads is what the default context begins with"
  (parameterize ((zmq-default-context #f) (zmq-io-threads 2))
    (let ((s (make-socket 'pull)))
      (check= 2 (context-option (socket-context s) 'io-threads))
      (terminate-context (socket-context s)))))

(test "make-context takes threads and options"
  (let ((c (make-context 3 max-sockets: 7 ipv6: #t)))
    (check= 3 (context-option c 'io-threads))
    (check= 7 (context-option c 'max-sockets))
    (check= #t (context-option c 'ipv6))
    (context-option-set! c 'ipv6 #f)
    (check= #f (context-option c 'ipv6))
    (terminate-context c))
  (let ((c (make-context)))
    (check= 1 (context-option c 'io-threads))
    (terminate-context c)))

(test "wrong arguments of contexts are refused by name (case 40)"
  (check-fails einval (make-context -1))
  (check-type (make-context 1.5))
  (check-type (make-context "2"))
  (check-fails einval (make-context (expt 2 40)))
  (check-fails einval (make-context 1 max-socket: 5))
  (check-fails einval (make-context 1 max-sockets:))
  (check-type (zmq-default-context 1))
  (check-type (zmq-io-threads -1))
  (check-type (terminate-context 'x))
  (let ((c (make-context)))
    (check-type (context-option c "io-threads"))
    (check-fails einval (context-option c 'io-treads))
    (check (substring-index "io-threads"
                            (message-of (raised (context-option c 'io-treads)))))
    (check-fails einval (context-option c 'linger))
    (check-type (terminate-context c timeout: 'soon))
    (terminate-context c)))

(test "what the threads of a context cannot have is refused"
  (check-fails einval (make-context 1 thread-affinity-cpu-add: 512))
  (check-fails einval (make-context 1 thread-sched-policy: 99))
  (check-fails einval (make-context 1 max-sockets: 100000000))
  (check-fails einval
    (make-socket 'pull (make-context 1 thread-sched-policy: 1))))

(test "an option that must come first is refused afterwards"
  (let* ((c (make-context)) (s (make-socket 'pull c)))
    (check-fails einval (context-option-set! c 'io-threads 2))
    (terminate-context c)
    (check= #t (socket-closed? s))))

(test "terminating closes the sockets that are open (case 16)"
  (let* ((c (make-context))
         (sockets (map (lambda (t) (make-socket t c)) '(pull push rep pub))))
    (check= #t (terminate-context c))
    (for-each (lambda (s) (check= #t (socket-closed? s))) sockets)
    (check= #t (terminate-context c))))

(test "terminating with an absent peer gives up in time (case 18)"
  (let* ((c (make-context)) (s (make-socket 'push c)) (e (own-endpoint)))
    (connect-socket s e)
    (send-message s "x")
    (socket-option-set! s 'linger -1)
    (check= #f (terminate-context c timeout: 20))
    (check-fails eterm (make-socket 'pull c))
    (let ((late (make-socket 'pull bind: e)))
      (check= "x" (take late))
      (check= #t (terminate-context c))
      (close-socket late))))

(test "terminating waits for the linger of an absent peer, and no longer (case 18)"
  (let* ((c (make-context)) (s (make-socket 'push c linger: 200))
         (begun (current-process-milliseconds)))
    (connect-socket s (own-endpoint))
    (send-message s "x")
    (check= #t (terminate-context c))
    ;; libzmq's clock is coarse
    (check (>= (- (current-process-milliseconds) begun) 190))))

(test "terminating suspends only the thread that calls it"
  (let* ((c (make-context)) (s (make-socket 'push c linger: -1)) (e (own-endpoint)))
    (connect-socket s e)
    (send-message s "x")
    (let ((t (spawn! (lambda () (terminate-context c)))) (ticker (start-ticker)))
      (check (until-waiting t))
      (let ((before (ticker)))
        (check (wait-until (lambda () (> (ticker) (+ before 10))))))
      (check (not (ended? t)))
      (let ((late (make-socket 'pull bind: e)))
        (check= "x" (take late))
        (check= #t (join! t))
        (ticker 'stop)
        (close-socket late)))))

(test "a forked child that lives on does not hold termination up"
  (check-child 'ok
    '((define c (make-context))
      (define s (make-socket 'push c linger: 300))
      (connect-socket s "ipc:///tmp/szmq-nobody-binds-this")
      (send-message s "x")
      (define sleeper (process-fork (lambda () (process-sleep 60))))
      (terminate-context c)
      (process-signal sleeper signal/kill)
      (process-wait sleeper))
    #:limit 30))

(test "a terminated context refuses what it is asked"
  (let ((c (make-context)))
    (terminate-context c)
    (check-fails closed (make-socket 'pull c))
    (check-fails closed (context-option c 'io-threads))
    (check-fails closed (context-option-set! c 'ipv6 #t))
    (shutdown-context c)))

(define (check-names thing thunk)
  (let ((e (raised (thunk))))
    (check (zmq-code e))
    (check (memq thing ((condition-property-accessor 'exn 'arguments) e)))))

(test "a condition names the context or the socket that was closed"
  (let* ((c (make-context)) (s (make-socket 'pull c)))
    (terminate-context c)
    (for-each (lambda (thunk) (check-names c thunk))
              (list (lambda () (make-socket 'pull c))
                    (lambda () (context-option c 'io-threads))
                    (lambda () (context-option-set! c 'ipv6 #t))))
    (for-each (lambda (thunk) (check-names s thunk))
              (list (lambda () (bind-socket s "inproc://names"))
                    (lambda () (connect-socket s "inproc://names"))
                    (lambda () (unbind-socket s "inproc://names"))
                    (lambda () (disconnect-socket s "inproc://names"))
                    (lambda () (socket-option s 'linger))
                    (lambda () (socket-option s 'routing-id))
                    (lambda () (socket-option-set! s 'linger 1))
                    (lambda () (socket-option-set! s 'routing-id "a"))))))

(test "after shutdown everything fails with eterm but closing (case 22)"
  (let* ((c (make-context)) (s (make-socket 'pull c)))
    (shutdown-context c)
    (check-fails eterm (receive-message s))
    (check-fails eterm (receive-message s non-blocking: #t))
    (check-fails eterm (bind-socket s "inproc://late"))
    (check-fails eterm (make-socket 'pull c))
    (check= #f (socket-closed? s))
    (close-socket s)
    (terminate-context c)))

(test "pending inproc connects and no socket left do not abort (case 23)"
  (check-child 'ok
    '((define c (make-context 1 max-sockets: 2))
      (define a (make-socket 'push c))
      (define b (make-socket 'dealer c))
      (connect-socket a "inproc://never")
      (connect-socket b "inproc://nor-this")
      (send-message a "x")
      (close-socket a)
      (close-socket b)
      (terminate-context c timeout: 1000))))

(test "a context and its sockets are collected in any order (case 2)"
  (check-child 'ok
    '((define (once)
        (let* ((c (make-context)) (s (make-socket 'push c)))
          (connect-socket s "inproc://x")
          #f))
      (must-not-leak 300 once))
    #:limit 60))

(test "a socket keeps its context alive (case 2)"
  (let ((s (let ((c (make-context))) (make-socket 'pair c))))
    (gc #t) (gc #t)
    (check= #f (socket-closed? s))
    (check= "inproc://alive" (bind-socket s "inproc://alive"))
    (terminate-context (socket-context s))))

(test "the printed form tells the state and no number"
  (let* ((c (make-context)) (s (make-socket 'pull c)))
    (check= "#<zmq context 1 sockets open>"
            (with-output-to-string (lambda () (write c))))
    (terminate-context c)
    (check= "#<zmq context closed>"
            (with-output-to-string (lambda () (write c))))))

(test "several threads may terminate a context, and each returns (case 17)"
  (let* ((c (make-context))
         (s (make-socket 'push c linger: 100 connect: "ipc:///tmp/szmq-nobody-binds-this")))
    (send-message s "nobody takes this")
    (let ((threads (map (lambda (i) (spawn! (lambda () (terminate-context c timeout: 20000))))
                        '(1 2 3))))
      (for-each (lambda (t) (check= #t (join! t))) threads))))

(report-tests)
