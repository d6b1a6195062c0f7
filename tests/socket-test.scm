;;; Sockets: making, closing, collection, limits, fork.

(import zmq (chicken base) (chicken condition) (chicken gc) (chicken string)
        (chicken port) (chicken blob) srfi-4)
(include "check.scm")
(include "threads.scm")
(include "child.scm")
(include "pair.scm")

(define types
  '(pull push pair pub sub req rep dealer router xpub xsub stream))

(test "every type can be made and tells its name"
  (for-each (lambda (t)
              (let ((s (make-socket t)))
                (check (socket? s))
                (check= t (socket-type s))
                (close-socket s)
                (check= t (socket-type s))))
            types))

(test "the old names make dealers and routers"
  (check= 'dealer (socket-type (make-socket 'xreq)))
  (check= 'router (socket-type (make-socket 'xrep))))

(test "an unknown type is refused with the nearest name (case 46)"
  (check-fails einval (make-socket 'puhs))
  (check (substring-index "push" (message-of (raised (make-socket 'puhs)))))
  (check-type (make-socket "push"))
  (check-type (make-socket 99))
  (check-type (make-socket 'push 99)))

(test "draft types are refused, not made (case 46)"
  (for-each (lambda (t) (check-fails not-supported (make-socket t)))
            '(server client radio dish gather scatter dgram peer channel)))

(test "a socket that was closed refuses every procedure (case 13)"
  (let ((s (make-socket 'pair)))
    (close-socket s)
    (check= #t (socket-closed? s))
    (for-each
     (lambda (use) (check-fails closed (use s)))
     (list (lambda (s) (bind-socket s "inproc://a"))
           (lambda (s) (connect-socket s "inproc://a"))
           (lambda (s) (unbind-socket s "inproc://a"))
           (lambda (s) (disconnect-socket s "inproc://a"))
           socket-endpoints socket-fd
           (lambda (s) (socket-option s 'linger))
           (lambda (s) (socket-option s 'identity))
           (lambda (s) (socket-option-set! s 'linger 0))
           (lambda (s) (socket-option-set! s 'identity "x"))
           (lambda (s) (send-message s "x"))
           (lambda (s) (send-message s "x" send-more: #t))
           (lambda (s) (send-message s (make-message "x") non-blocking: #t))
           (lambda (s) (send-multipart-message s '("x")))
           receive-message receive-multipart-message
           (lambda (s) (receive-message s non-blocking: #t))))
    (check (string? (with-output-to-string (lambda () (write s)))))
    (check (context? (socket-context s)))))

(test "closing twice does nothing (case 14)"
  (let ((s (make-socket 'pair)))
    (close-socket s)
    (close-socket s)
    (close-socket s)))

(test "what is no socket is refused by type"
  (for-each (lambda (x)
              (check-type (close-socket x))
              (check-type (send-message x "y"))
              (check-type (receive-message x))
              (check-type (bind-socket x "inproc://a"))
              (check-type (socket-option x 'linger))
              (check-type (socket-type x)))
            (list 1 #f "s" 'pull (make-message))))

(test "options and endpoints can be given at birth"
  (with-pair 'pair 'pair void)
  (let* ((e (fresh-endpoint))
         (b (make-socket 'sub bind: (list e) linger: 5 rcvhwm: 17
                         subscribe: '("a" "b"))))
    (check= 5 (socket-option b 'linger))
    (check= 17 (socket-option b 'rcvhwm))
    (check= (list e) (socket-endpoints b))
    (close-socket b))
  (check-fails einval (make-socket 'pull lingr: 5))
  (check-fails einval (make-socket 'pull linger: -5))
  (check-fails einval (make-socket 'pull linger:))
  (check-fails einval (make-socket 'pull bind: "nowhere"))
  (check-type (make-socket 'pull linger: 'long)))

(test "a socket that could not be finished is closed again"
  (let* ((c (make-context 1 max-sockets: 1)))
    (do ((i 0 (+ i 1))) ((= i 5))
      (check-fails einval (make-socket 'pull c bind: "nowhere")))
    (let ((s (make-socket 'pull c))) (close-socket s))
    (terminate-context c)))

(test "printing shows type, endpoints and state, and no key (case 9)"
  (let* ((e (fresh-endpoint)) (s (make-socket 'rep bind: e)))
    (check= (string-append "#<zmq socket rep " e " open>")
            (with-output-to-string (lambda () (write s))))
    (close-socket s)
    (check= "#<zmq socket rep closed>"
            (with-output-to-string (lambda () (write s))))))

(test "dropped sockets are closed by the collector (cases 1, 8)"
  (check-child 'ok
    '((define (once)
        (let* ((s (make-socket 'push linger: 0)) (loop (list s)))
          (connect-socket s "tcp://127.0.0.1:9")
          (send-message s "x")
          (set-cdr! loop loop)
          #f))
      ;; 5,000 sockets that stay take some 90 MB; how many are there at
      ;; a time, and so how much memory was ever needed, varies with the load.
      (must-not-leak 5000 once 32768))
    #:limit 100))

(test "what a dropped socket has sent arrives still (case 1)"
  (let* ((in (make-socket 'pull)) (e (bind-socket in "tcp://127.0.0.1:*")))
    (let ((out (make-socket 'push connect: e)))
      (send-message out "last words"))
    (do ((i 0 (+ i 1))) ((= i 3)) (gc #t))
    (check= "last words" (take in))
    (close-socket in)))

(test "a finalizer does not wait for linger (case 1)"
  (check-child 'ok
    '((define (once)
        (let ((s (make-socket 'push linger: -1)))
          (connect-socket s "ipc:///tmp/szmq-nobody-binds-this")
          (send-message s "x")
          #f))
      (do ((i 0 (+ i 1))) ((= i 50)) (once))
      (gc #t)
      (zmq-exit-linger 0))))

(test "an error in the midst of finalizers leaves sockets alone (case 4)"
  (check-child 'ok
    '((define s (make-socket 'pair))
      (set-finalizer! (list 1 2) (lambda (x) (error "in a finalizer")))
      (handle-exceptions e #t (gc #t))
      (unless (fixnum? (socket-option s 'linger)) (exit 1)))))

(test "too many sockets is a condition and passes (case 70)"
  (let* ((c (make-context 1 max-sockets: 3))
         (sockets (list (make-socket 'pull c) (make-socket 'pull c)
                        (make-socket 'pull c))))
    (check-fails emfile (make-socket 'pull c))
    (close-socket (car sockets))
    (check (socket? (make-socket 'pull c)))
    (terminate-context c)))

(test "many sockets are opened and closed in one context (case 70)"
  (let ((c (make-context 1 max-sockets: 10)))
    (do ((i 0 (+ i 1))) ((= i 3000))
      (close-socket (make-socket 'pull c)))
    (terminate-context c)))

(test "want of descriptors is a condition, whatever is free (case 69)"
  (do ((free 0 (+ free 3))) ((> free 30))
    (check-child 'ok
      `((define fds
          (let loop ((fds '()))
            (let ((fd (handle-exceptions e #f
                        (file-open "/dev/null" open/rdonly))))
              (if fd (loop (cons fd fds)) fds))))
        (do ((i 0 (+ i 1)) (l fds (cdr l)))
            ((or (= i ,free) (null? l)))
          (file-close (car l)))
        (define (try thunk)
          (handle-exceptions e
              (unless ((condition-predicate 'exn) e) (exit 1))
            (thunk)))
        (do ((i 0 (+ i 1))) ((= i 4))
          (try (lambda ()
                 (let ((s (make-socket 'router)))
                   (try (lambda () (bind-socket s "tcp://127.0.0.1:*")))
                   (try (lambda () (bind-socket s "ipc://*")))
                   (try (lambda () (connect-socket s "tcp://127.0.0.1:9")))
                   (try (lambda () (send-message s "x" non-blocking: #t)))
                   (try (lambda () (poll (list (make-poll-item s in: #t)) 0)))))))
        (exit 0)))))

(test "a child process is refused its parent's sockets (case 30)"
  (check-child 'ok
    '((define a (make-socket 'pair bind: "inproc://x"))
      (define b (make-socket 'pair connect: "inproc://x"))
      (define (code thunk)
        (call/cc (lambda (k)
          (with-exception-handler
            (lambda (e)
              (k ((condition-property-accessor 'zmq 'code #f) e)))
            thunk))))
      (define pid
        (process-fork
         (lambda ()
           (unless (and (eq? 'forked (code (lambda () (send-message a "x"))))
                        (eq? 'forked (code (lambda () (receive-message b))))
                        (eq? 'forked (code (lambda () (socket-option a 'linger))))
                        (eq? 'forked (code (lambda ()
                                             (make-socket 'pull
                                               (socket-context a)))))
                        (socket-closed? a))
             (exit 1))
           (close-socket a)
           (terminate-context (socket-context a))
           (let ((s (make-socket 'pair bind: "inproc://y"))
                 (t (make-socket 'pair connect: "inproc://y")))
             (send-message s "mine")
             (unless (equal? "mine" (receive-message t as: 'string))
               (exit 2)))
           (exit 0))))
      (receive (p normal status) (process-wait pid)
        (unless (and normal (= status 0)) (exit (+ 10 status))))
      (send-message a "still here")
      (unless (equal? "still here" (receive-message b as: 'string)) (exit 3)))))

(test "forking under traffic loses nothing (case 30)"
  (check-child 'ok
    '((define a (make-socket 'push bind: "tcp://127.0.0.1:*"))
      (define b (make-socket 'pull connect: (car (socket-endpoints a))))
      (do ((i 0 (+ i 1))) ((= i 50))
        (send-message a (number->string i))
        (let ((pid (process-fork (lambda () (exit 0)))))
          (unless (equal? (number->string i) (receive-message b as: 'string))
            (exit 1))
          (process-wait pid))))
    #:limit 60))

(report-tests)
