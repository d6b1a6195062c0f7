;;; Swap: what waits in it, that it drains by itself, and that poll, timeouts,
;;; close, terminate and exit mean with it what they mean without.

(import zmq (chicken base) (chicken condition) (chicken time) (chicken file)
        (chicken file posix) (chicken fixnum) (chicken string)
        (chicken process) (chicken process signal) (chicken process-context)
        (chicken process-context posix) (chicken gc))
(include "check.scm")
(include "threads.scm")
(include "child.scm")
(include "pair.scm")

(define megabyte 1048576)

;; A sender with a swap and a receiver, whose pipe holds few messages.
(define (call-with-swapped type peer bytes procedure)
  (let* ((endpoint (string-append "inproc://" (symbol->string (gensym 'swap))))
         (in (make-socket peer rcvhwm: 2 linger: 0 bind: endpoint))
         (out (make-socket type sndhwm: 2 linger: 0 swap: bytes connect: endpoint)))
    (procedure out in)
    (close-socket out)
    (close-socket in)))

(define (option s name) (socket-option s name))

(define (send-numbers s from to size)
  (do ((i from (+ i 1))) ((= i to))
    (check (send-message s (string-append (number->string i) (make-string size #\space))
                         timeout: 5000))))

(define (number-of message) (string->number (car (string-split message))))

(define (check-numbers s from to)
  (do ((i from (+ i 1))) ((= i to))
    (let ((got (receive-message s as: 'string timeout: 10000)))
      (check got)
      (check= i (number-of got)))))

(define (lines child) (string-split (child-output child) "\n"))

(define (make-list* n x) (if (= n 0) '() (cons x (make-list* (- n 1) x))))

(define (process-time)
  (receive (user system) (cpu-time) (+ user system)))

;; ------------------------------------------------------------- options --

(test "a fresh socket has no swap"
  (let ((s (make-socket 'push)))
    (check= 0 (option s 'swap))
    (check= "" (option s 'swap-directory))
    (check= #f (option s 'swap-plaintext))
    (check= 0 (option s 'swap-count))
    (check= 0 (option s 'swap-bytes))
    (check= 0 (option s 'swap-peak))
    (check= 0 (option s 'swap-dropped))
    (check= 0 (option s 'swap-lost))
    (check= "" (option s 'swap-error))
    (close-socket s)))

(test "swap is set, read and turned off"
  (let ((s (make-socket 'push linger: 0)))
    (socket-option-set! s 'swap 12345)
    (check= 12345 (option s 'swap))
    (check= (zmq-swap-directory) (option s 'swap-directory))
    (send-message s "waits, as nobody is there")
    (check= 1 (option s 'swap-count))
    (check= 49 (option s 'swap-bytes))
    (check-fails ebusy (socket-option-set! s 'swap 0))
    (check= 12345 (option s 'swap))
    (close-socket s)))

(test "bad sizes are refused by name (case 94)"
  (let ((s (make-socket 'push)))
    (check-fails einval (socket-option-set! s 'swap -1))
    (check-fails einval (socket-option-set! s 'swap (expt 2 63)))
    (check-type (socket-option-set! s 'swap 1.5))
    (check-type (socket-option-set! s 'swap "much"))
    (check= 0 (option s 'swap))
    (check-fails einval (socket-option-set! s 'swap-count 1))
    (close-socket s)))

(test "types that cannot have it say so"
  (for-each
   (lambda (type)
     (let* ((s (make-socket type))
            (e (raised (socket-option-set! s 'swap 1000))))
       (check= 'einval (zmq-code e))
       (check (substring-index "sockets of this type have no swap" (message-of e)))
       (socket-option-set! s 'swap 0)
       (check= 0 (option s 'swap))
       (close-socket s)))
   '(sub pull rep router xsub stream)))

(test "the keywords of a socket with a swap may stand in any order"
  (let ((s (make-socket 'push swap: megabyte swap-directory: "/tmp" sndhwm: 2 swap-plaintext: #t)))
    (check= megabyte (option s 'swap))
    (check= "/tmp" (option s 'swap-directory))
    (check= 2 (option s 'sndhwm))
    (close-socket s)))

(test "what cannot go together is refused in either order"
  (for-each
   (lambda (row)
     (let ((s (make-socket 'push swap: 1000)))
       (check-fails einval (socket-option-set! s (car row) (cadr row)))
       (close-socket s))
     (let ((s (make-socket 'push)))
       (socket-option-set! s (car row) (cadr row))
       (check-fails einval (socket-option-set! s 'swap 1000))
       (close-socket s)))
   '((hwm 0) (sndhwm 0) (conflate #t) (curve-server #t))))

(test "an encrypted socket needs a permission (case 79)"
  (let ((s (make-socket 'push swap-plaintext: #t curve-server: #t swap: 1000)))
    (check-fails einval (socket-option-set! s 'swap-plaintext #f))
    (close-socket s)))

(test "a directory that cannot be written says so (case 86)"
  (let ((s (make-socket 'push)))
    (check-fails enoent (socket-option-set! s 'swap-directory "/none/here"))
    (check (substring-index "swap" (message-of (raised (socket-option-set! s 'swap-directory
                                                                           "/none/here")))))
    (check-fails enotdir (socket-option-set! s 'swap-directory "/dev/null"))
    (check-fails einval (socket-option-set! s 'swap-directory "/tmp\x00;/x"))
    (socket-option-set! s 'swap-directory "/tmp")
    (socket-option-set! s 'swap 1000)
    (check= "/tmp" (option s 'swap-directory))
    (check-fails ebusy (socket-option-set! s 'swap-directory "/var/tmp"))
    (close-socket s))
  (parameterize ((zmq-swap-directory "/none/here"))
    (check (substring-index "swap-directory" (message-of (raised (make-socket 'push swap: 65536)))))
    (let ((s (make-socket 'push)))
      (check-fails enoent (socket-option-set! s 'swap 1000))
      (close-socket s)))
  (check-type (zmq-swap-directory 7)))

(test "the environment says where swaps are"
  (set-environment-variable! "ZMQ_SWAP_DIR" "/dev/shm")
  (check-child 'ok '((exit (if (string=? "/dev/shm" (zmq-swap-directory)) 0 1))))
  (unset-environment-variable! "ZMQ_SWAP_DIR"))

;; ------------------------------------------------------------ transfer --

(test "what waits leaves in order while the program does nothing (case 92)"
  (for-each
   (lambda (types)
     (call-with-swapped (car types) (cadr types) megabyte
       (lambda (out in)
         (send-numbers out 0 1000 100)
         (check (> (option out 'swap-count) 900))
         (check-numbers in 0 1000)
         (check (wait-until (lambda () (= 0 (option out 'swap-count))))))))
   '((push pull) (dealer dealer) (pair pair))))

(test "it goes through a file (case 90)"
  (call-with-swapped 'push 'pull (* 100 megabyte)
    (lambda (out in)
      (do ((round 0 (+ round 1))) ((= round 3))
        (send-numbers out 0 300 50000)
        (check (> (option out 'swap-bytes) (* 10 megabyte)))
        (check-numbers in 0 300))
      (check (> (option out 'swap-peak) (* 10 megabyte))))))

(test "several senders and a slow receiver keep their orders"
  (call-with-swapped 'push 'pull (* 10 megabyte)
    (lambda (out in)
      (let ((senders
             (map (lambda (k)
                    (spawn! (lambda ()
                              (do ((i 0 (+ i 1))) ((= i 300))
                                (send-multipart-message
                                 out (list (number->string k) (number->string i)
                                           (make-string 3000)))
                                (when (= 0 (modulo i 50)) (nap! 1))))))
                  '(0 1 2 3)))
            (next (make-vector 4 0)))
        (do ((n 0 (+ n 1))) ((= n 1200))
          (let* ((parts (receive-multipart-message in as: 'string timeout: 10000))
                 (k (string->number (car parts))))
            (check= (vector-ref next k) (string->number (cadr parts)))
            (vector-set! next k (+ 1 (vector-ref next k)))))
        (for-each join! senders)))))

(test "batches and large messages wait too"
  (call-with-swapped 'push 'pull (* 10 megabyte)
    (lambda (out in)
      (check= 50 (send-messages out (make-list* 50 "small")))
      (let ((large (make-message 300000)))
        (check (send-message out large))
        (check (send-multipart-message out (list "head" large ""))))
      (do ((i 0 (+ i 1))) ((= i 50))
        (check= "small" (receive-message in as: 'string timeout: 5000)))
      (check= 300000 (message-size (receive-message in timeout: 5000)))
      (let ((parts (receive-multipart-message in timeout: 5000)))
        (check= '(4 300000 0) (map message-size parts))))))


(test "a full swap waits, times out or gives up"
  (call-with-swapped 'push 'pull 5000
    (lambda (out in)
      (let loop ((i 0))
        (if (send-message out (make-string 500) non-blocking: #t)
            (loop (+ i 1))
            (check (> i 8))))
      (let ((t (current-process-milliseconds)))
        (check= #f (send-message out (make-string 500) timeout: 60))
        (check (>= (- (current-process-milliseconds) t) 55)))
      (let* ((sent #f)
             (sender (spawn! (lambda ()
                               (send-message out (make-string 500))
                               (set! sent #t)))))
        (check (until-waiting sender))
        (check (not sent))
        (check (receive-message in timeout: 5000))
        (check (receive-message in timeout: 5000))
        (join! sender)
        (check sent)))))

(test "what is larger than the swap waits for the socket itself (case 87)"
  (call-with-swapped 'push 'pull 1000
    (lambda (out in)
      (send-numbers out 0 10 10)
      (check-fails emsgsize
        (send-message out (make-string 5000) non-blocking: #t))
      (check= #f (send-message out (make-string 5000) timeout: 30))
      (let ((sender (spawn! (lambda () (send-message out (make-string 5000))))))
        (check-numbers in 0 10)
        (check= 5000 (message-size (receive-message in timeout: 5000)))
        (check= #t (join! sender)))
      (send-numbers out 10 11 10)
      (check-numbers in 10 11))))

(test "a request waits for its peer, and so does its reply"
  (let* ((endpoint "inproc://late-answers")
         (req (make-socket 'req linger: 0 swap: 1000)))
    (check-fails efsm (receive-message req timeout: 100))
    (send-message req "question")
    (check-fails efsm (send-message req "another"))
    (check= #f (receive-message req timeout: 30))
    (let ((asker (spawn! (lambda () (receive-message req as: 'string timeout: 10000))))
          (rep (make-socket 'rep linger: 0)))
      (check (until-waiting asker))
      (bind-socket rep endpoint)
      (connect-socket req endpoint)
      (check= "question" (receive-message rep as: 'string timeout: 10000))
      (send-message rep "answer")
      (check= "answer" (join! asker))
      (send-message req "next")
      (check= "next" (receive-message rep as: 'string timeout: 10000))
      (close-socket rep))
    (close-socket req)))

(test "a publisher holds, and then drops the newest, and never waits"
  (call-with-swapped 'pub 'sub 20000
    (lambda (out in)
      (socket-option-set! in 'subscribe "")
      (let wait () ; until the subscription has arrived
        (when (= 0 (option out 'swap-count))
          (send-message out "-1 early")
          (option in 'events)
          (wait)))
      (send-numbers out 0 100 500)
      (let ((dropped (option out 'swap-dropped)))
        (check (> 75 dropped 40))
        (let loop ((next 0))
          (when (< next (- 100 dropped))
            (let ((n (number-of (receive-message in as: 'string timeout: 10000))))
              (cond ((= n -1) (loop next))
                    (else (check= next n) (loop (+ next 1)))))))
        (check (wait-until (lambda () (= 0 (option out 'swap-count)))))
        (send-numbers out 200 201 500)
        (check-numbers in 200 201)))))

;; ------------------------------------------------------------- waiting --

(test "poll's out is told while there is room in the swap"
  (call-with-swapped 'push 'pull 8000
    (lambda (out in)
      (let ((item (make-poll-item out out: #t)))
        (let fill ((n 0))
          (cond ((poll (list item) #f)
                 (check (send-message out (make-string 900) non-blocking: #t))
                 (fill (+ n 1)))
                (else (check (> n 8)))))
        (check= 0 (poll (list item) 30))
        (let* ((main (this-thread))
               (taker (spawn! (lambda ()
                               (until-waiting main)
                               (do ((i 0 (+ i 1))) ((= i 4)) (receive-message in))))))
          (check= 1 (poll (list item) 5000))
          (check (poll-item-out? item))
          (join! taker))))))

(test "a computing thread is not kept from its work (case 38)"
  (call-with-swapped 'push 'pull (* 50 megabyte)
    (lambda (out in)
      (send-numbers out 0 20000 200)
      ;; in time of this process, of which other processes take nothing
      (let ((ticker (start-ticker 1)) (begun (process-time)))
        (check-numbers in 0 20000)
        (let ((took (- (process-time) begun)))
          (ticker 'stop)
          (check (> (* 30 (+ 1 (ticker))) took)))))))

(test "an idle program that holds messages for nobody takes no time"
  (call-with-swapped 'push 'pull megabyte
    (lambda (out in)
      (send-numbers out 0 100 100)
      (nap! 100)
      (let ((before (process-time)))
        (nap! 1000)
        (check (< (- (process-time) before) 100)))
      (check-numbers in 0 100))))


;; ------------------------------------------------------------- closing --

;; A program that sends 500 messages to an endpoint where nobody is yet, and
;; ends so.
(define (sender endpoint linger . ending)
  `((define s (make-socket 'push sndhwm: 5 swap: 10000000 linger: ,linger
                           reconnect-ivl: 5 connect: ,endpoint))
    (do ((i 0 (+ i 1))) ((= i 500))
      (send-message s (string-append (number->string i) (make-string 1000 #\space))))
    (unless (> (socket-option s 'swap-count) 400) (exit 9))
    (print "sent")
    (flush-output)
    ,@ending))

(define (check-late-delivery . arguments)
  (let* ((endpoint (own-endpoint))
         (child (start-child (apply sender endpoint arguments))))
    (check (wait-until (lambda () (equal? '("sent") (lines child))) 20000))
    (let ((in (make-socket 'pull bind: endpoint)))
      (check-numbers in 0 500)
      (check= 'ok (wait-for-child child))
      (close-socket in))))

(test "close, terminate and exit let what waits leave (cases 20, 91)"
  (check-late-delivery -1 '(close-socket s) '(terminate-context (zmq-default-context)))
  (check-late-delivery 20000 '(close-socket s) '(terminate-context (zmq-default-context)))
  (check-late-delivery -1 '(terminate-context (zmq-default-context)))
  (check-late-delivery -1 '(zmq-exit-linger 20000) '(exit 0))
  (check-late-delivery -1 '(zmq-exit-linger 20000) '(close-socket s)))

(test "the linger bounds what waits (case 91)"
  (for-each
   (lambda (linger)
     (let ((s (make-socket 'push (make-context 1) swap: 100000 linger: linger))
           (begun (current-process-milliseconds)))
       (do ((i 0 (+ i 1))) ((= i 50)) (send-message s "nobody gets this"))
       (close-socket s)
       (check (< (- (current-process-milliseconds) begun) 10000))
       (check (terminate-context (socket-context s) timeout: 10000))
       (let ((took (- (current-process-milliseconds) begun)))
         (check (>= took (- linger 10))) ; libzmq's clock is coarse
         (check (< took (+ linger 10000))))))
   '(0 200)))

(test "exit is bounded and names what has not left"
  (receive (outcome output errors)
      (run-child (sender (own-endpoint) -1 '(zmq-exit-linger 200)))
    (check= 'ok outcome)
    (check (substring-index "not delivered: messages of a push socket" errors))))

(test "who waits for a full swap is woken by close (case 15)"
  (call-with-swapped 'push 'pull 1000
    (lambda (out in)
      (let fill ()
        (when (send-message out (make-string 300) non-blocking: #t) (fill)))
      (let ((waiter (spawn! (lambda ()
                              (zmq-code (raised (send-message out (make-string 300))))))))
        (check (until-waiting waiter))
        (close-socket out)
        (check= 'closed (join! waiter))))))

(test "a forked child leaves the swap alone, and has swaps of its own (case 32)"
  (call-with-swapped 'push 'pull (* 10 megabyte)
    (lambda (out in)
      (send-numbers out 0 1000 1000)
      (let ((pid (process-fork
                  (lambda ()
                    (let ((refused (zmq-code (raised (send-message out "x")))))
                      (call-with-swapped 'push 'pull megabyte
                        (lambda (out in)
                          (send-numbers out 0 100 100)
                          (check-numbers in 0 100)))
                      (emergency-exit (if (eq? refused 'forked) 0 1)))))))
        (receive (pid normal status) (process-wait pid)
          (check= '(#t 0) (list normal status))))
      (check-numbers in 0 1000))))

(test "after shutdown-context a swap takes nothing, and who waits for room is told"
  (let* ((context (make-context 1))
         (s (make-socket 'push context swap: 1000 linger: 0)))
    (let fill () (when (send-message s (make-string 100 #\x) non-blocking: #t) (fill)))
    (let ((waiter (spawn! (lambda () (raised (send-message s "more"))))))
      (check (until-waiting waiter))
      (shutdown-context context)
      (check (wait-until (lambda () (ended? waiter))))
      (check= 'eterm (zmq-code (join! waiter))))
    (check-fails eterm (send-message s "y"))
    (check-fails eterm (send-message s "y" non-blocking: #t))
    (check-fails eterm (send-messages s '("y" "z")))
    (terminate-context context)))

(test "a socket that nobody keeps is closed, whatever it holds (case 1)"
  (let ((context (make-context 1 max-sockets: 50)))
    (do ((i 0 (+ i 1))) ((= i 200))
      (let ((s (make-socket 'push context linger: 0 swap: 10000)))
        (send-message s "nobody gets this")))
    (check (terminate-context context timeout: 10000))))

(test "a producer goes on while its consumer is killed and comes back"
  (let* ((endpoint (own-endpoint))
         (consumer `((define in (make-socket 'pull rcvhwm: 1 bind: ,endpoint))
                     (let loop ()
                       (let ((n (substring (receive-message in as: 'string timeout: 20000) 0 6)))
                         (print n)
                         (flush-output)
                         (unless (string=? n "100599") (loop))))))
         (s (make-socket 'push sndhwm: 1 reconnect-ivl: 5 linger: 0
                         swap: (* 50 megabyte) connect: endpoint))
         (padded (lambda (i) (let ((t (number->string (+ 100000 i))))
                               (string-append t (make-string 20000 #\.)))))
         (first (start-child consumer)))
    (do ((i 0 (+ i 1))) ((= i 300)) (send-message s (padded i)))
    (check (wait-until (lambda () (> (length (lines first)) 50)) 20000))
    (kill-child first)
    (wait-for-child first)
    (do ((i 300 (+ i 1))) ((= i 600)) (send-message s (padded i)))
    ;; What was under way to the first is lost; what waits is not.
    (let* ((waiting (option s 'swap-count))
           (second (start-child consumer)))
      (check (> waiting 300))
      (check= 'ok (wait-for-child second))
      (let ((got (map string->number (lines second))))
        (check (>= (length got) waiting))
        (let loop ((l got))
          (when (pair? (cdr l))
            (check= (+ 1 (car l)) (cadr l))
            (loop (cdr l)))))
      (check= 0 (option s 'swap-count))
      (close-socket s))))

(report-tests)
