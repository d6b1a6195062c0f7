;;; Monitors: events, their values, waiting for connections, every end.

(import zmq (zmq monitor) (chicken base) (chicken condition) (chicken gc) (chicken port)
        (chicken process) (chicken process signal) (chicken string) (chicken time))
(include "check.scm")
(include "threads.scm")
(include "child.scm")
(include "pair.scm")
(include "leak.scm")

(define (bound type . options)
  (let ((s (apply make-socket type linger: 0 options)))
    (values s (bind-socket s "tcp://127.0.0.1:*"))))

;; The next event that is one of the symbols.
(define (next-event m . symbols)
  (let loop ()
    (let ((e (receive-event m timeout: 10000)))
      (cond ((not e) (wrong "no event of ~s came" symbols))
            ((memq (event-symbol e) symbols) e)
            (else (loop))))))

;; -------------------------------------------------------------- events --

(test "a connection is told in order, with endpoint and descriptor"
  (receive (server endpoint) (bound 'pull)
    (let* ((client (make-socket 'push linger: 0))
           (m (monitor-socket client)))
      (connect-socket client endpoint)
      (for-each
       (lambda (name)
         (let ((e (receive-event m timeout: 10000)))
           (check= name (event-symbol e))
           (check= endpoint (event-endpoint e))
           (check= 0 (event-missed e))
           (if (eq? name 'connected)
               (check (> (event-value e) 2))
               (check= #f (event-value e)))))
       '(connect-delayed connected handshake-succeeded))
      (check= #f (receive-event m timeout: 20))
      (close-monitor m)
      (close-socket client)
      (close-socket server))))

(test "a bind that fails and a retry tell errno and interval"
  (let* ((s (make-socket 'push linger: 0 reconnect-ivl: 30 connect: "tcp://127.0.0.1:9"))
         (m (monitor-socket s events: '(connect-retried closed)))
         (e (next-event m 'connect-retried)))
    (check (<= 1 (event-value e) 100))
    (check (substring-index "connect-retried" (with-output-to-string (lambda () (write e)))))
    (check (memq (event-symbol (receive-event m timeout: 10000)) '(closed connect-retried)))
    (close-monitor m)
    (close-socket s)))

(test "handshakes that fail tell why, on both sides (case 76)"
  (receive (server endpoint) (bound 'pull)
    (let* ((of-server (monitor-socket server))
           (client (make-socket 'push linger: 0 plain-username: "a" plain-password: "b"))
           (of-client (monitor-socket client)))
      (connect-socket client endpoint)
      (for-each
       (lambda (m)
         (let ((e (next-event m 'handshake-failed-protocol)))
           (check= 'zmtp-mechanism-mismatch (event-value e))
           (check= #x11000002 (event-code e))
           (check (string? (event-text e)))))
       (list of-server of-client))
      (check (<= 1 (cdr (assq 'handshake-failures (socket-connections server)))))
      (for-each close-monitor (list of-server of-client))
      (for-each close-socket (list server client)))))

(test "only the events asked for are told"
  (receive (server endpoint) (bound 'pull)
    (let ((m (monitor-socket server events: '(accepted disconnected)))
          (client (make-socket 'push linger: 0 connect: endpoint)))
      (check= 'accepted (event-symbol (receive-event m timeout: 10000)))
      (close-socket client)
      (check= 'disconnected (event-symbol (receive-event m timeout: 10000)))
      (close-monitor m)
      (close-socket server))))

(test "the events are data"
  (check= 15 (length (monitor-events)))
  (for-each (lambda (row) (check (symbol? (car row))) (check (string? (cdr row))))
            (monitor-events)))

(test "what is no socket, event or monitor is refused"
  (let ((s (make-socket 'pair)))
    (check-type (monitor-socket 'x))
    (check-type (monitor-socket s events: 'accepted))
    (check-type (monitor-socket s events: '("accepted")))
    (check-fails einval (monitor-socket s events: '(acepted)))
    (check (substring-index "accepted"
                            (message-of (raised (monitor-socket s events: '(acepted))))))
    (check-fails einval (monitor-socket s all: #t))
    (check-type (receive-event s))
    (check-type (close-monitor s))
    (let ((m (monitor-socket s)))
      (check-type (receive-event m timeout: -1))
      (close-socket s)
      (check-fails closed (monitor-socket s))
      (close-monitor m))))

;; ------------------------------------------------------------- waiting --

(test "waiting for an event suspends only the thread that waits"
  (receive (server endpoint) (bound 'pull)
    (let* ((m (monitor-socket server events: '(accepted)))
           (ticker (start-ticker))
           (waiter (spawn! (lambda () (receive-event m timeout: 10000)))))
      (check (until-waiting waiter))
      (let ((before (ticker)))
        (check (wait-until (lambda () (> (ticker) (+ before 5))))))
      (check (not (ended? waiter)))
      (let ((client (make-socket 'push linger: 0 connect: endpoint)))
        (check= 'accepted (event-symbol (join! waiter)))
        (ticker 'stop)
        (close-monitor m)
        (for-each close-socket (list client server))))))

(test "several threads share a monitor"
  (receive (server endpoint) (bound 'pull)
    (let* ((m (monitor-socket server events: '(accepted)))
           (waiters (map (lambda (i) (spawn! (lambda () (receive-event m timeout: 10000))))
                         '(1 2 3 4 5 6)))
           (clients (map (lambda (i) (make-socket 'push linger: 0 connect: endpoint))
                         '(1 2 3 4 5 6))))
      (for-each (lambda (w) (check= 'accepted (event-symbol (join! w)))) waiters)
      (close-monitor m)
      (for-each close-socket (cons server clients)))))

(test "closing a monitor wakes who waits for it (case 75)"
  (let* ((s (make-socket 'pull))
         (m (monitor-socket s))
         (waiters (map (lambda (i) (spawn! (lambda () (receive-event m)))) '(1 2 3))))
    (for-each until-waiting waiters)
    (close-monitor m)
    (for-each (lambda (w) (check-fails closed (join! w))) waiters)
    (check-fails closed (receive-event m))
    (close-monitor m)
    (close-socket s)))

(test "a thread ended while it waits is in nobody's way"
  (receive (server endpoint) (bound 'pull)
    (let* ((m (monitor-socket server events: '(accepted)))
           (waiter (spawn! (lambda () (receive-event m)))))
      (check (until-waiting waiter))
      (kill! waiter)
      (let ((client (make-socket 'push linger: 0 connect: endpoint)))
        (check= 'accepted (event-symbol (receive-event m timeout: 10000)))
        (close-monitor m)
        (for-each close-socket (list client server))))))

(test "the last event says that the socket is gone"
  (let* ((s (make-socket 'pull)) (m (monitor-socket s)))
    (close-socket s)
    (check= 'monitor-stopped (event-symbol (receive-event m timeout: 10000)))
    (check-fails closed (receive-event m))
    (close-monitor m)))

(test "a monitor's descriptor can be polled"
  (receive (server endpoint) (bound 'pull)
    (let ((m (monitor-socket server events: '(accepted))) (p (make-poller)))
      (poller-add! p (monitor-fd m) in: #t value: 'event)
      (check= #f (poller-wait p timeout: 10))
      (let ((client (make-socket 'push linger: 0 connect: endpoint)))
        (check= '(event) (poller-wait p timeout: 10000))
        (check (receive-event m timeout: 0))
        (check= #f (poller-wait p timeout: 10))
        (poller-remove! p (monitor-fd m))
        (close-monitor m)
        (check-fails closed (monitor-fd m))
        (for-each close-socket (list client server))))))

;; ---------------------------------------------------------- connections --

(test "wait-connected waits for the peer, however late it is"
  (let* ((e (own-endpoint)) (s (make-socket 'push linger: 0 connect: e)))
    (check= #f (wait-connected s timeout: 50))
    (check= #f (wait-connected s timeout: 0))
    (let* ((peer #f) (main (this-thread))
           (t (spawn! (lambda ()
                        (until-waiting main)
                        (set! peer (make-socket 'pull bind: e))))))
      (check= #t (wait-connected s timeout: 10000))
      (check= #t (wait-connected peer timeout: 10000))
      (join! t)
      (for-each close-socket (list s peer)))))

(test "wait-connected knows a connection that stood before it was called"
  (receive (server endpoint) (bound 'pull)
    (let ((client (make-socket 'push linger: 0 connect: endpoint)))
      (send-message client "x")
      (take server)
      ;; the connections are counted by a thread of their own
      (check (wait-until (lambda () (wait-connected client timeout: 0))))
      (check (wait-until (lambda () (wait-connected server timeout: 0))))
      (check= #f (wait-connected server peers: 2 timeout: 20))
      (disconnect-socket client endpoint)
      (check= #f (wait-connected client timeout: 20))
      (for-each close-socket (list client server)))))

(test "wait-connected does not take a peer that is refused for one (case 76)"
  (receive (server endpoint) (bound 'pull plain-server: #t)
    (let ((client (make-socket 'push linger: 0 connect: endpoint)))
      (check= #f (wait-connected client timeout: 100))
      (check= #f (wait-connected server timeout: 0))
      (for-each close-socket (list client server)))))

(test "wait-connected works over inproc"
  (let* ((e (fresh-endpoint)) (s (make-socket 'push connect: e)))
    (check= #f (wait-connected s timeout: 20))
    (let ((peer (make-socket 'pull bind: e)))
      (check= #t (wait-connected s timeout: 10000))
      (check= #t (wait-connected peer timeout: 10000))
      (check= 1 (cdr (assq 'peers (socket-connections peer))))
      (for-each close-socket (list s peer)))))

(test "wait-connected ends when the socket is closed"
  (let* ((s (make-socket 'pull bind: "tcp://127.0.0.1:*"))
         (waiter (spawn! (lambda () (wait-connected s timeout: 10000)))))
    (check (until-waiting waiter))
    (close-socket s)
    (check-fails closed (join! waiter))))

(test "wait-connected leaves a program's own monitor alone"
  (receive (server endpoint) (bound 'pull)
    (let* ((client (make-socket 'push linger: 0)) (m (monitor-socket client)))
      (connect-socket client endpoint)
      (check= #t (wait-connected client timeout: 10000))
      (next-event m 'handshake-succeeded)
      (close-monitor m)
      (for-each close-socket (list client server)))))

(test "the first publication reaches subscribers that join slowly"
  (do ((round 0 (+ round 1))) ((= round 5))
    (receive (pub endpoint) (bound 'pub)
      (let ((children
             (map (lambda (i)
                    (start-child
                     `((nap! ,(* i 120))
                       (define s (make-socket 'sub subscribe: '("" "a" "b") connect: ,endpoint))
                       (exit (if (equal? "first" (receive-message s as: 'string timeout: 20000))
                                 0 1)))))
                  '(0 1 2))))
        (check= #t (wait-for-subscribers pub 3 timeout: 20000))
        (send-message pub "first")
        (for-each (lambda (c) (check= 'ok (wait-for-child c))) children)
        (close-socket pub)))))

(test "an XPUB waits for subscribers without taking their subscriptions"
  (receive (pub endpoint) (bound 'xpub)
    (let ((sub (make-socket 'sub linger: 0 subscribe: "news" connect: endpoint)))
      (check= #t (wait-for-subscribers pub 1 timeout: 10000))
      (check= (string-append (string (integer->char 1)) "news") (take pub))
      (send-message pub "news: first")
      (check= "news: first" (take sub))
      (for-each close-socket (list sub pub)))))

(test "subscribers over inproc and over ipc are waited for too"
  (for-each
   (lambda (e)
     (let* ((pub (make-socket 'pub linger: 0 bind: e))
            (sub (make-socket 'sub subscribe: "" connect: e)))
       (check= #t (wait-for-subscribers pub 1 timeout: 10000))
       (send-message pub "first")
       (check= "first" (take sub))
       (for-each close-socket (list sub pub))))
   (list (fresh-endpoint) (own-endpoint))))

(test "waiting for subscribers gives up and is only for publishers"
  (receive (pub endpoint) (bound 'pub)
    (check= #f (wait-for-subscribers pub 1 timeout: 20))
    (check= #t (wait-for-subscribers pub 0 timeout: 20))
    (check-type (wait-for-subscribers pub 'one))
    (check-fails einval (wait-for-subscribers (make-socket 'push) 1))
    (check-type (wait-connected 1))
    (check-type (wait-connected pub peers: -1))
    (close-socket pub)))

(test "a peer that is killed and comes back is counted (case 64)"
  (let* ((e (own-endpoint))
         (s (make-socket 'push linger: 0 connect: e reconnect-ivl: 10))
         (peer `((define s (make-socket 'pull bind: ,e)) (nap! 30000))))
    (do ((i 0 (+ i 1))) ((= i 3))
      (let ((child (start-child peer)))
        (check= #t (wait-connected s timeout: 20000))
        (kill-child child)
        (wait-for-child child)
        (check (wait-until (lambda () (= 0 (cdr (assq 'peers (socket-connections s)))))))))
    (let ((counts (socket-connections s)))
      (check= 3 (cdr (assq 'handshakes counts)))
      (check= 3 (cdr (assq 'disconnects counts)))
      (check (> (cdr (assq 'reconnects counts)) 0)))
    (close-socket s)))

(test "a peer that is stopped is noticed by heartbeats (case 65)"
  (let* ((e (own-endpoint))
         (s (make-socket 'push linger: 0 heartbeat-ivl: 50 heartbeat-timeout: 200 connect: e))
         (m (monitor-socket s events: '(disconnected)))
         (child (start-child `((define s (make-socket 'pull bind: ,e)) (nap! 30000)))))
    (check= #t (wait-connected s timeout: 20000))
    (kill-child child signal/stop)
    (check= 'disconnected (event-symbol (receive-event m timeout: 10000)))
    (kill-child child)
    (wait-for-child child)
    (close-monitor m)
    (close-socket s)))

;; ---------------------------------------------------------------- ends --

(test "monitors end in every order and leave nothing behind (case 75)"
  (check-child 'ok
    '((import (zmq monitor))
      (define (start)
        (let* ((s (make-socket 'pull)) (m (monitor-socket s)))
          (bind-socket s "tcp://127.0.0.1:*")
          (values s m)))
      (must-not-leak 100
        (lambda () (receive (s m) (start) (close-monitor m) (close-socket s))))
      (must-not-leak 100
        (lambda () (receive (s m) (start) (close-socket s) (close-monitor m))))
      (must-not-leak 20 (lambda () (receive (s m) (start) (close-socket s))))
      (must-not-leak 20 start)
      (must-not-leak 20
        (lambda ()
          (let* ((c (make-context 1)) (s (make-socket 'pull c)) (m (monitor-socket s)))
            (bind-socket s "tcp://127.0.0.1:*")
            (terminate-context c timeout: 10000)
            (close-monitor m)))))
    limit: 60))

(test "a program may end with monitors open, unread and awaited (case 75)"
  (check-child '(exit 3)
    '((import (zmq monitor))
      (define s (make-socket 'pull bind: "tcp://127.0.0.1:*"))
      (define m (monitor-socket s))
      (until-waiting (spawn! (lambda () (receive-event m))))
      (exit 3))))

(test "an unread monitor holds up nothing and tells what it missed (case 75)"
  (check-child 'ok
    '((import (zmq monitor))
      (define s (make-socket 'pull))
      (define m (monitor-socket s events: '(listening))) ; libzmq reports not every close
      (define other (make-socket 'push))
      (do ((i 0 (+ i 1))) ((= i 5000))
        (unbind-socket s (bind-socket s "tcp://127.0.0.1:*")))
      (connect-socket other (bind-socket s "tcp://127.0.0.1:*"))
      (send-message other "still there")
      (unless (equal? "still there" (receive-message s as: 'string timeout: 10000)) (exit 1))
      (let loop ((told 0) (missed 0))
        (if (< (+ told missed) 5001)
            (let ((e (receive-event m timeout: 10000)))
              (unless e (exit 2))
              (loop (+ told 1) (+ missed (event-missed e))))
            (unless (> missed 1000) (exit 3)))))))

(test "a child cannot use its parent's monitor"
  (let* ((s (make-socket 'pull)) (m (monitor-socket s)))
    (receive (pid normal status)
        (process-wait
         (process-fork
          (lambda ()
            (exit (if (eq? 'forked (zmq-code (raised (receive-event m)))) 5 6)))))
      (check= 5 status))
    (close-monitor m)
    (close-socket s)))

(test "a child observes its own sockets"
  (let ((s (make-socket 'pull bind: "tcp://127.0.0.1:*")))
    (receive (pid normal status)
        (process-wait
         (process-fork
          (lambda ()
            (let* ((in (make-socket 'pull)) (e (bind-socket in "tcp://127.0.0.1:*"))
                   (out (make-socket 'push linger: 0 connect: e)))
              (emergency-exit (if (and (wait-connected in timeout: 10000)
                                       (wait-connected out timeout: 10000))
                                  5 6))))))
      (check= 5 status))
    (close-socket s)))

(test "sockets are not observed where that is not wanted"
  (check-child 'ok
    '((import (zmq monitor))
      (observe-sockets #f)
      (define a (make-socket 'pull bind: "tcp://127.0.0.1:*"))
      (when (socket-connections a) (exit 1))
      (define m (monitor-socket a events: '()))
      (unless (= 0 (cdr (assq 'peers (socket-connections a)))) (exit 2))
      (close-monitor m)
      (when (socket-connections a) (exit 3))
      (observe-sockets #t)
      (define b (make-socket 'pull bind: "tcp://127.0.0.1:*"))
      (unless (socket-connections b) (exit 4))))
  (check-type (observe-sockets 'yes)))

(test "why a bind failed is told beside a monitor, too"
  (let* ((s (make-socket 'push)) (m (monitor-socket s)))
    (check-fails enodev (bind-socket s "tcp://nosuchif:4000"))
    (close-monitor m)
    (close-socket s)))

(test "a monitored socket tells why an ipc file cannot be made"
  (let* ((s (make-socket 'pull)) (m (monitor-socket s)))
    (do ((i 0 (+ i 1))) ((= i 100))
      (check-fails enoent (bind-socket s "ipc:///no/such/directory/x")))
    (close-monitor m)
    (close-socket s)))

(report-tests)
