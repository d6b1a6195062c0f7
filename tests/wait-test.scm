;;; Waiting: who is suspended, who is woken, in which order, for how long.

(import zmq (chicken base) (chicken condition) (chicken gc) (chicken time)
        (chicken process signal) (chicken process-context posix)
        (chicken process) (chicken file) (chicken pathname)
        (chicken process-context))
(include "check.scm")
(include "threads.scm")
(include "child.scm")
(include "pair.scm")

(define (elapsed thunk)
  (let ((t (current-process-milliseconds)))
    (thunk)
    (- (current-process-milliseconds) t)))

(test "every wait suspends only its thread (case 38)"
  (let* ((in (make-socket 'pull bind: (fresh-endpoint)))
         (out (make-socket 'push linger: 0))
         (p (make-poller)) (ticker (start-ticker)))
    (poller-add! p in in: #t)
    (for-each
     (lambda (wait)
       (let ((before (ticker)))
         (check (memv (wait) (quote (#f 0))))
         (check (> (- (ticker) before) 8))))
     (list (lambda () (receive-message in timeout: 60))
           (lambda () (receive-multipart-message in timeout: 60))
           (lambda () (send-message out "x" timeout: 60))
           (lambda () (send-multipart-message out '("x" "y") timeout: 60))
           (lambda () (poll (list (make-poll-item in in: #t)) 60))
           (lambda () (poller-wait p timeout: 60))))
    (ticker 'stop)
    (close-socket in)
    (close-socket out)))

(test "many threads wait, each on its own socket, and all are served"
  (let* ((n 300)
         (pairs (let loop ((i 0) (l '()))
                  (if (= i n)
                      l
                      (receive (in out) (make-pair 'pull 'push)
                        (loop (+ i 1) (cons (cons in out) l))))))
         (threads (map (lambda (p)
                         (spawn! (lambda ()
                                   (let loop ((i 0))
                                     (if (= i 3)
                                         'served
                                         (begin
                                           (check= (number->string i) (take (car p)))
                                           (loop (+ i 1))))))))
                       pairs)))
    (do ((i 0 (+ i 1))) ((= i 3))
      (yield!)
      (for-each (lambda (p) (send-message (cdr p) (number->string i))) pairs)
      (nap! 5))
    (for-each (lambda (t) (check= 'served (join! t))) threads)
    (for-each (lambda (p) (close-socket (car p)) (close-socket (cdr p))) pairs)))

(test "waiters of one socket are served first come, first served (case 34)"
  (with-pair 'pull 'push
    (lambda (in out)
      (let* ((served (make-vector 50 #f))
             (threads
              (let loop ((i 0) (l '()))
                (if (= i 50)
                    (reverse l)
                    (let ((t (spawn! (lambda () (vector-set! served i (take in))))))
                      (yield!)
                      (loop (+ i 1) (cons t l)))))))
        (nap! 20)
        (do ((i 0 (+ i 1))) ((= i 50)) (send-message out (number->string i)))
        (for-each join! threads)
        (do ((i 0 (+ i 1))) ((= i 50))
          (check= (number->string i) (vector-ref served i)))))))

(test "who comes later does not overtake those who wait (case 34)"
  (with-pair 'pull 'push
    (lambda (in out)
      (let ((first (spawn! (lambda () (take in)))))
        (nap! 10)
        (send-message out "1")
        (check= #f (receive-message in non-blocking: #t))
        (send-message out "2")
        (check= "2" (take in))
        (check= "1" (join! first))))))

(test "each message goes to one of several readers, whole (case 34)"
  (with-pair 'pull 'push
    (lambda (in out)
      (let* ((count 5000) (seen (make-vector count 0))
             (readers
              (let loop ((i 0) (l '()))
                (if (= i 20)
                    l
                    (loop (+ i 1)
                          (cons (spawn!
                                 (lambda ()
                                   (let loop ()
                                     (let* ((parts (take-parts in))
                                            (n (string->number (car parts))))
                                       (check= 3 (length parts))
                                       (check= (car parts) (caddr parts))
                                       (when (< n count)
                                         (vector-set! seen n (+ 1 (vector-ref seen n)))
                                         (loop))))))
                                l))))))
        (do ((i 0 (+ i 1))) ((= i (+ count 20)))
          (let ((n (number->string i)))
            (send-multipart-message out (list n "middle" n))
            (when (= 0 (modulo i 7)) (yield!))))
        (for-each join! readers)
        (do ((i 0 (+ i 1))) ((= i count)) (check= 1 (vector-ref seen i)))))))

(test "parts of several writers never mix (case 34)"
  (let* ((e (fresh-endpoint))
         (in (make-socket 'pull rcvhwm: 2 bind: e))
         (out (make-socket 'push sndhwm: 2 connect: e))
         (writers
          (let loop ((i 0) (l '()))
            (if (= i 10)
                l
                (loop (+ i 1)
                      (cons (spawn!
                             (lambda ()
                               (let ((me (number->string i)))
                                 (do ((j 0 (+ j 1))) ((= j 100))
                                   (if (even? j)
                                       (send-multipart-message out (list me "x" me))
                                       (begin
                                         (send-message out me send-more: #t)
                                         (yield!)
                                         (send-message out "x" send-more: #t)
                                         (yield!)
                                         (send-message out me)))))))
                            l))))))
    (do ((i 0 (+ i 1))) ((= i 1000))
      (let ((parts (take-parts in)))
        (check= 3 (length parts))
        (check= (car parts) (caddr parts))))
    (for-each join! writers)
    (close-socket in)
    (close-socket out)))

(test "a reader and a writer of one socket wake each other (case 36)"
  (receive (a b) (make-pair 'pair 'pair)
    (let* ((n 3000)
           (echo (spawn! (lambda ()
                           (do ((i 0 (+ i 1))) ((= i n))
                             (send-message b (take b))))))
           (writer (spawn! (lambda ()
                             (do ((i 0 (+ i 1))) ((= i n))
                               (send-message a (number->string i))
                               (when (= 0 (modulo i 3)) (socket-option a 'events)))))))
      (do ((i 0 (+ i 1))) ((= i n))
        (check= (number->string i) (take a)))
      (join! writer)
      (join! echo))
    (close-socket a)
    (close-socket b)))

(test "reading options, polls and pollers beside a waiter take no wake-up (case 36)"
  (with-pair 'pull 'push
    (lambda (in out)
      (let* ((n 2000) (stop #f) (p (make-poller))
             (reader (spawn! (lambda ()
                               (do ((i 0 (+ i 1))) ((= i n) 'all)
                                 (check= (number->string i) (take in))))))
             (nosy
              (map (lambda (look)
                     (spawn! (lambda ()
                               (let loop () (unless stop (look) (yield!) (loop))))))
                   (list (lambda () (socket-option in 'events))
                         (lambda () (socket-option in 'linger))
                         (lambda () (poll (list (make-poll-item in in: #t)) 0))
                         (lambda () (poller-wait p timeout: 0))
                         (lambda () (socket-option-set! in 'linger 0))))))
        (poller-add! p in in: #t)
        (do ((i 0 (+ i 1))) ((= i n))
          (send-message out (number->string i))
          (when (= 0 (modulo i 5)) (yield!))
          (when (= 0 (modulo i 500)) (nap! 3)))
        (check= 'all (join! reader))
        (set! stop #t)
        (for-each join! nosy)))))

(test "a thread that is killed while it waits loses no message (case 35)"
  (with-pair 'pull 'push
    (lambda (in out)
      (do ((i 0 (+ i 1))) ((= i 300))
        (let* ((early #f)
               (a (spawn! (lambda () (set! early (take in)))))
               (b (spawn! (lambda () (take in)))))
          (yield!)
          (when (even? i) (nap! 1))
          (if (= 0 (modulo i 3))
              (begin (kill! a) (send-message out (number->string i)))
              (begin (send-message out (number->string i)) (kill! a)))
          ;; This thread's time may have run out before it could kill.
          (when early (send-message out early))
          (check= (number->string i) (join! b)))))))

(test "a thread killed after it was woken passes its turn on (case 35)"
  (with-pair 'pull 'push
    (lambda (in out)
      (do ((i 0 (+ i 1))) ((= i 100))
        (let* ((early #f)
               (a (spawn! (lambda () (set! early (take in)))))
               (b (spawn! (lambda () (take in)))))
          (nap! 1)
          (send-message out "x")
          (socket-option in 'events)
          (kill! a)
          (when early (send-message out "x"))
          (check= "x" (join! b)))))))

(test "killing waiting threads again and again leaves nothing (case 35)"
  (check-child 'ok
    '((define in (make-socket 'pull bind: "inproc://x"))
      (must-not-leak 20000
        (lambda ()
          (let ((t (spawn! (lambda () (receive-message in timeout: 100000)))))
            (yield!)
            (kill! t))) 20000))
    #:limit 100))

(test "closing wakes who waits, with closed (case 15)"
  (let* ((s (make-socket 'pull bind: (fresh-endpoint)))
         (codes (map (lambda (i)
                       (spawn! (lambda () (zmq-code (raised (receive-message s))))))
                     '(1 2 3 4 5))))
    (nap! 20)
    (close-socket s)
    (for-each (lambda (t) (check= 'closed (join! t))) codes)))

(test "a waiter of a closed socket does not wait for what gets its descriptor (case 15)"
  (do ((i 0 (+ i 1))) ((= i 50))
    (let* ((s (make-socket 'pull bind: (fresh-endpoint)))
           (t (spawn! (lambda () (zmq-code (raised (receive-message s)))))))
      (yield!)
      (close-socket s)
      (receive (in out) (make-pair 'pull 'push)
        (send-message out "x")
        (check= 'closed (join! t))
        (check= "x" (take in))
        (close-socket in)
        (close-socket out)))))

(test "shutting down wakes a hundred threads with eterm (case 22)"
  (let* ((c (make-context))
         (threads
          (let loop ((i 0) (l '()))
            (if (= i 100)
                l
                (let ((s (make-socket (if (even? i) 'pull 'push) c)))
                  (loop (+ i 1)
                        (cons (spawn! (lambda ()
                                        (zmq-code (raised (if (even? i)
                                                              (receive-message s)
                                                              (send-message s "x"))))))
                              l)))))))
    (nap! 20)
    (shutdown-context c)
    (for-each (lambda (t) (check= 'eterm (join! t))) threads)
    (terminate-context c)))

(test "terminating wakes who waits, with closed (case 15)"
  (let* ((c (make-context)) (s (make-socket 'pull c)) (s2 (make-socket 'pull c))
         (threads (list (spawn! (lambda () (zmq-code (raised (receive-message s)))))
                        (spawn! (lambda () (zmq-code (raised (receive-message s2))))))))
    (nap! 10)
    (check= #t (terminate-context c))
    (for-each (lambda (t) (check (memq (join! t) '(closed eterm)))) threads)))

(test "connecting while the context ends fails or succeeds, and no more (case 24)"
  (check-child 'ok
    '((do ((i 0 (+ i 1))) ((= i 100))
        (let* ((c (make-context))
               (b (make-socket 'pull c bind: "inproc://x"))
               (threads (map (lambda (j)
                               (spawn!
                                (lambda ()
                                  (handle-exceptions e #f
                                    (let ((s (make-socket 'push c)))
                                      (yield!)
                                      (connect-socket s "inproc://x")
                                      (yield!)
                                      (close-socket s))))))
                             '(1 2 3 4 5))))
          (yield!)
          (shutdown-context c)
          (for-each join! threads)
          (terminate-context c))))
    #:limit 60))

;; Calls the procedure, with one that counts the signals, while a signal comes every millisecond
;; or so.
(define (under-storm procedure)
  (let ((signals 0))
    (set-signal-handler! signal/usr1 (lambda (n) (set! signals (+ signals 1))))
    (let ((pid (process-run
                "/bin/sh"
                (list "-c"
                      (string-append
                       "i=0; while [ $i -lt 3000 ]; do kill -USR1 "
                       (number->string (current-process-id))
                       " 2>/dev/null || exit; sleep 0.001; i=$((i+1)); done")))))
      (check (wait-until (lambda () (> signals 5))))
      (procedure (lambda () signals))
      (process-signal pid signal/kill)
      (process-wait pid))
    (set-signal-handler! signal/usr1 #f)))

(test "a time limit is kept under a storm of signals (case 26)"
  (let ((s (make-socket 'pull bind: (fresh-endpoint))))
    (under-storm
     (lambda (signals)
       (for-each
        (lambda (wait)
          (let ((ms (elapsed wait)))
            (unless (<= 200 ms 10000) (wrong "waited ~a ms, not 200" ms))))
        (list (lambda () (check= #f (receive-message s timeout: 200)))
              (lambda () (check= 0 (poll (list (make-poll-item s in: #t)) 200)))
              (lambda () (join! (spawn! (lambda ()
                                          (check= #f (receive-message s timeout: 200))))))))))
    (close-socket s)))

(test "terminating goes on under a storm of signals (case 17)"
  (let* ((c (make-context))
         (s (make-socket 'push c linger: 300 connect: "ipc:///tmp/szmq-nobody-binds-this")))
    (send-message s "nobody takes this")
    (under-storm
     (lambda (signals)
       (check= #f (terminate-context c timeout: 50))
       (let ((ms (elapsed (lambda () (check= #t (terminate-context c))))))
         (unless (<= 200 ms 10000) (wrong "waited ~a ms, not 250" ms)))))))

(test "no message is lost or late under a storm of signals (case 29)"
  (receive (a b) (make-pair 'pair 'pair "tcp://127.0.0.1:*")
    (let ((echo (spawn! (lambda ()
                          (let loop ()
                            (let ((m (take b)))
                              (send-message b m)
                              (unless (equal? m "stop") (loop))))))))
      (under-storm
       (lambda (signals)
         (do ((i 0 (+ i 1))) ((and (>= i 3000) (> (signals) 50)))
           (send-message a (number->string i))
           (check= (number->string i) (receive-message a as: 'string timeout: 20000)))))
      (send-message a "stop")
      (join! echo))
    (close-socket a)
    (close-socket b)))

(test "a handler runs while a thread waits, and the wait goes on (case 26)"
  (check-child 'ok
    '((define in (make-socket 'pull bind: "inproc://x"))
      (define out (make-socket 'push connect: "inproc://x"))
      (define handled 0)
      (set-signal-handler! signal/usr1
        (lambda (n)
          (set! handled (+ handled 1))
          (when (= handled 20) (send-message out "done"))))
      (spawn! (lambda ()
                (let loop ()
                  (process-signal (current-process-id) signal/usr1)
                  (nap! 2)
                  (loop))))
      (unless (equal? "done" (receive-message in as: 'string timeout: 10000))
        (exit 1)))))

(test "a handler may take long or wait where threads wait (case 26)"
  (check-child 'ok
    '((define in (make-socket 'pull bind: "inproc://x"))
      (define other (make-socket 'pull bind: "inproc://y"))
      (define (busy ms)
        (let ((end (+ ms (current-process-milliseconds))))
          (let loop () (when (< (current-process-milliseconds) end) (loop)))))
      ;; Afterwards the primordial thread is not alone.
      (join! (spawn! (lambda () (receive-message in timeout: 5))))
      (define kill-me
        (string-append "sleep 0.03; kill -USR1 "
                       (number->string (current-process-id))))
      (define handled 0)
      (for-each
       (lambda (handler)
         (set-signal-handler! signal/usr1
           (lambda (n) (set! handled (+ handled 1)) (handler)))
         (process-run "/bin/sh" (list "-c" kill-me))
         (when (receive-message in timeout: 200) (exit 1)))
       (list (lambda () (busy 50))
             (lambda () (receive-message in timeout: 50))
             (lambda () (receive-message other timeout: 50))
             (lambda () (nap! 50))))
      (unless (= handled 4) (exit 2)))))

(test "handlers that leave by a continuation again and again leave the rest in order (case 27)"
  (check-child 'ok
    '((define in (make-socket 'pull))
      (define out (make-socket 'push connect: (bind-socket in "tcp://127.0.0.1:*")))
      (define n 4000)
      (define escape #f)
      (define escapes 0)
      (set-signal-handler! signal/usr1
        (lambda (s)
          ;; CHICKEN runs a handler in whichever thread is current.
          (when (and escape (eq? ##sys#current-thread ##sys#primordial-thread))
            (let ((leave escape))
              (set! escape #f)
              (set! escapes (+ escapes 1))
              (leave #f)))))
      (define me (current-process-id))
      (define pid
        (process-run "/bin/sh"
          (list "-c" (string-append
                      "while kill -USR1 " (number->string me)
                      " 2>/dev/null; do sleep 0.003; done"))))
      (spawn! (lambda ()
                (do ((i 0 (+ i 1))) ((= i n))
                  (send-multipart-message out (list (number->string i) "b"))
                  (when (= 0 (modulo i 50)) (nap! 1)))))
      (define next 0)
      ;; The signals go on, so that a wait is left at the latest when nothing comes any more.
      (let loop ()
        (when (or (< next n) (= 0 escapes))
          (let ((m (call/cc
                    (lambda (leave)
                      (set! escape leave)
                      (let ((m (receive-multipart-message in as: 'string
                                                          timeout: 100)))
                        (set! escape #f)
                        m)))))
            (when m
              ;; A signal may have come after the message and before its end.
              (when (< (string->number (car m)) next) (exit 1))
              (set! next (+ 1 (string->number (car m)))))
            (loop))))
      (process-signal pid signal/kill)
      (unless (= next n) (exit 2)))
    limit: 60))

(test "a time limit that passes while a handler runs is kept (case 26)"
  (check-child 'ok
    '((define in (make-socket 'pull bind: "inproc://x"))
      (define (busy ms)
        (let ((end (+ ms (current-process-milliseconds))))
          (let loop () (when (< (current-process-milliseconds) end) (loop)))))
      (set-signal-handler! signal/usr1 (lambda (n) (busy 4)))
      (define pid
        (process-run "/bin/sh"
          (list "-c" (string-append
                      "for i in 1 2 3 4 5 6 7 8 9 10; do for j in 1 2 3 4 5 6 7 8 9 10; "
                      "do kill -USR1 " (number->string (current-process-id))
                      "; done; sleep 0.05; done"))))
      (do ((i 0 (+ i 1))) ((= i 300))
        (receive-message in timeout: 2)))))

(test "a program without handlers waits in the library and is woken (case 19)"
  (check-child 'ok
    '((set-signal-handler! signal/int #f)
      (define in (make-socket 'pull))
      (define e (bind-socket in "tcp://127.0.0.1:*"))
      (process-fork
       (lambda ()
         (let ((out (make-socket 'push connect: e)))
           (process-run "/bin/sleep" '("0.05"))
           (process-wait)
           (send-message out "one")
           (send-multipart-message out '("two" "parts"))
           (send-message out "three"))
         (exit 0)))
      (unless (equal? "one" (receive-message in as: 'string)) (exit 1))
      (unless (equal? '("two" "parts") (receive-multipart-message in as: 'string))
        (exit 2))
      (unless (equal? "three" (receive-message in as: 'string timeout: 5000))
        (exit 3))
      (close-socket in))))

;; One thread waits in a receive while the others sleep, wait for a descriptor
;; that somebody outside writes to, or for one that can be written.
(define (beside-others handlers)
  `(,@(if handlers '() '((set-signal-handler! signal/int #f)))
    (define in (make-socket 'pull bind: "inproc://x"))
    (define (tell name)
      (let ((out (make-socket 'push connect: "inproc://x")))
        (send-message out name)))
    (define (await fd mode)
      (##sys#thread-block-for-i/o! ##sys#current-thread fd mode)
      (yield!))
    (define (run command)
      (receive (from to) (create-pipe)
        (process-fork
         (lambda ()
           (duplicate-fileno to fileno/stdout)
           (process-execute "/bin/sh" (list "-c" command))))
        (file-close to)
        from))
    (define (expect name)
      (unless (equal? name (receive-message in as: 'string timeout: 5000))
        (error "not from" name)))
    (define (main)
      (spawn! (lambda () (nap! 30) (tell "sleeper")))
      (expect "sleeper")
      (spawn! (lambda () (await (run "sleep 0.05; echo") #:input) (tell "reader")))
      (expect "reader")
      (spawn! (lambda () (await fileno/stdout #:output) (tell "writer")))
      (expect "writer")
      ;; More descriptors than a thread that waits alone looks at.
      (do ((i 0 (+ i 1))) ((= i 40))
        (spawn! (lambda () (await (run "sleep 0.05; echo") #:input) (tell "one of many"))))
      (do ((i 0 (+ i 1))) ((= i 40)) (expect "one of many")))
    (main)
    (join! (spawn! main))))

(test "who waits where nobody else runs wakes the others in time (case 38)"
  (check-child 'ok (beside-others #t)))

(test "and so in a program without handlers (case 38)"
  (check-child 'ok (beside-others #f)))

(test "polling between two waits takes no wake-up (case 36)"
  (for-each
   (lambda (handlers)
     (check-child 'ok
       `(,@(if handlers '() '((set-signal-handler! signal/int #f)))
         (define in (make-socket 'pull bind: "inproc://x"))
         (define out (make-socket 'push connect: "inproc://x"))
         (define p (make-poller))
         (poller-add! p in in: #t)
         (define (look how)
           (case how
             ((poller) (poller-wait p timeout: 100))
             ((poll) (poll (list (make-poll-item in in: #t)) 100))
             ((events) (socket-option in 'events))))
         (for-each
          (lambda (how)
            (for-each
             (lambda (receive-it)
               (receive-message in timeout: 5)
               (send-message out "x")
               (look how)
               (receive-it))
             (list (lambda () (receive-message in as: 'string))
                   (lambda () (receive-multipart-message in))
                   (lambda () (receive-messages in)))))
          '(poller poll events)))
       #:limit 10))
   '(#t #f)))

(test "a socket without a wait of its own is looked at also after it has waited (case 19)"
  (with-pair 'pull 'push
    (lambda (in out)
      (check= #f (receive-message in timeout: 5))
      (socket-option-set! in 'rcvtimeo 0)
      (check= #f (receive-message in))
      (send-message out "x")
      (check= "x" (receive-message in as: 'string))
      (check= #f (receive-message in timeout: 5))
      (send-multipart-message out '("y" "z"))
      (check= '("y" "z") (receive-multipart-message in as: 'string)))))

(test "threads that sleep are woken beside a conversation that never pauses (case 38)"
  (check-child 'ok
    '((define rep (make-socket 'rep))
      (define e (bind-socket rep "tcp://127.0.0.1:*"))
      (define parent (current-process-id))
      (define peer
        (process-fork
         (lambda ()
           (let ((req (make-socket 'req connect: e)))
             (let loop ()
               (send-message req "x")
               (receive-message req)
               (when (= parent (parent-process-id)) (loop))))
           (exit 0))))
      (define ticks 0)
      (define from
        (receive (from to) (create-pipe)
          (process-fork
           (lambda ()
             (duplicate-fileno to fileno/stdout)
             (process-execute "/bin/sh" '("-c" "sleep 0.1; echo"))))
          from))
      (define read? #f)
      (spawn! (lambda () (let loop () (nap! 5) (set! ticks (+ ticks 1)) (loop))))
      (spawn! (lambda ()
                (##sys#thread-block-for-i/o! ##sys#current-thread from #:input)
                (yield!)
                (set! read? #t)))
      (let ((end (+ 600 (current-process-milliseconds))))
        (let loop ()
          (receive-message rep)
          (send-message rep "y")
          (when (< (current-process-milliseconds) end) (loop))))
      (process-signal peer signal/kill)
      (unless (and read? (> ticks 30)) (error "starved" read? ticks)))))

(test "a handler that leaves by a continuation spoils nothing (case 27)"
  (check-child 'ok
    '((define in (make-socket 'pull bind: "inproc://x"))
      (define out (make-socket 'push connect: "inproc://x"))
      (define escape #f)
      (set-signal-handler! signal/usr1 (lambda (n) (escape 'left)))
      (define kill-me
        (string-append "sleep 0.02; kill -USR1 "
                       (number->string (current-process-id))))
      (do ((i 0 (+ i 1))) ((= i 20))
        (let ((how (call/cc
                    (lambda (k)
                      (set! escape k)
                      (process-run "/bin/sh" (list "-c" kill-me))
                      (receive-message in timeout: 10000)))))
          (unless (eq? how 'left) (print how) (exit 1))
          (send-multipart-message out (list (number->string i) "b"))
          (unless (equal? (list (number->string i) "b")
                          (receive-multipart-message in as: 'string
                                                     timeout: 5000))
            (exit 2)))))))

;; In a program where threads wait, so that none is alone.
(define (check-handler-leaves wait)
  (check-child 'ok
    `((define in (make-socket 'pull bind: "inproc://x"))
      (define p (make-poller))
      (poller-add! p in in: #t)
      (define other (spawn! (lambda () (receive-message (make-socket 'pull) timeout: 20000))))
      (yield!)
      (define escape #f)
      (set-signal-handler! signal/usr1 (lambda (n) (escape 'left)))
      (set-signal-handler! signal/usr2 (lambda (n) (error "raised")))
      (define (kill-me name)
        (process-run "/bin/sh"
                     (list "-c" (string-append "sleep 0.05; kill -" name " "
                                               (number->string (current-process-id))))))
      (do ((i 0 (+ i 1))) ((= i 6))
        (kill-me "USR1")
        (unless (eq? 'left (call/cc (lambda (k) (set! escape k) ,wait))) (exit 1))
        (kill-me "USR2")
        (unless (eq? 'raised (condition-case ,wait ((exn) 'raised))) (exit 2))
        (unless (eq? ##sys#current-thread ##sys#primordial-thread) (exit 3))
        (nap! 30)
        ;; It waits as before.
        (when (receive-message in timeout: 20) (exit 4))))
    #:limit 30))

(test "a handler that raises or leaves does so in the program's thread (case 27)"
  (for-each check-handler-leaves
            '((receive-message in timeout: 5000)
              (poll (list (make-poll-item in in: #t)) 5000)
              (poller-wait p timeout: 5000))))

(test "a handler may use the socket that its thread waits for (case 28)"
  (check-child 'ok
    '((define in (make-socket 'pull bind: "inproc://x"))
      (define out (make-socket 'push connect: "inproc://x"))
      (define got '())
      (define got-by-handler '())
      (set-signal-handler! signal/usr1
        (lambda (n)
          (let ((m (receive-multipart-message in as: 'string non-blocking: #t)))
            (when m (set! got-by-handler (cons m got-by-handler))))))
      (spawn! (lambda ()
                (do ((i 0 (+ i 1))) ((= i 2000))
                  (send-multipart-message out
                    (list (number->string i) (make-string 300 #\x)))
                  (when (= 0 (modulo i 3))
                    (process-signal (current-process-id) signal/usr1))
                  (yield!))))
      (let loop ()
        (let ((m (receive-multipart-message in as: 'string timeout: 500)))
          (when m (set! got (cons m got)) (loop))))
      (set! got (append got-by-handler got))
      (unless (= 2000 (length got)) (print (length got)) (exit 1))
      (define seen (make-vector 2000 0))
      (for-each (lambda (m)
                  (unless (= 2 (length m)) (exit 2))
                  (let ((n (string->number (car m))))
                    (vector-set! seen n (+ 1 (vector-ref seen n)))))
                got)
      (do ((i 0 (+ i 1))) ((= i 2000))
        (unless (= 1 (vector-ref seen i)) (exit 3))))
    #:limit 60))

;; What a handler does that a signal calls while CHICKEN's scheduler sleeps.
(define (in-scheduler . forms)
  `((define in (make-socket 'pull bind: "inproc://x"))
    (define out (make-socket 'push connect: "inproc://x"))
    (define (code-of thunk)
      (handle-exceptions e ((condition-property-accessor 'zmq 'code #f) e) (thunk)))
    (define (kill-me)
      (process-run "/bin/sh" (list "-c" (string-append "sleep 0.1; kill -USR1 "
                                                       (number->string (current-process-id))))))
    (define handled #f)
    (define (nap-until-handled) (unless handled (nap! 1000) (nap-until-handled)))
    ,@forms))

(test "a handler that would have to wait within the scheduler fails at once (case 26)"
  (check-child 'ok
    (in-scheduler
     '(set-signal-handler! signal/usr1
        (lambda (n)
          (set! handled
            (list (code-of (lambda () (receive-message in)))
                  (code-of (lambda () (poll (list (make-poll-item in in: #t)) #t)))
                  (receive-message in non-blocking: #t)
                  (send-message out "sent" non-blocking: #t)))))
     '(kill-me)
     '(nap-until-handled)
     '(unless (equal? '(would-block would-block #f #t) handled) (print handled) (exit 1))
     '(unless (equal? "sent" (receive-message in as: 'string timeout: 5000)) (exit 2))
     '(let ((t (spawn! (lambda () (receive-message in as: 'string)))))
        (yield!)
        (send-message out "later")
        (unless (equal? "later" (join! t)) (exit 3))))))

(test "while all threads wait, a handler runs in a thread that the program knows (case 27)"
  (check-child 'ok
    '((define in (make-socket 'pull bind: "inproc://x"))
      (define known 0)
      (define unknown 0)
      (define threads (list ##sys#current-thread))
      (set-signal-handler! signal/usr1
        (lambda (n)
          (if (memq ##sys#current-thread threads)
              (set! known (+ known 1))
              (set! unknown (+ unknown 1)))))
      ;; Its time limits wake the thread of the egg, which then is the last one to wait.
      (set! threads
        (cons (spawn! (lambda ()
                        (let loop () (receive-message in timeout: 2) (loop))))
              threads))
      (process-run "/bin/sh"
        (list "-c" (string-append "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; "
                                  "do sleep 0.02; kill -USR1 "
                                  (number->string (current-process-id)) "; done")))
      (let loop () (when (< (+ known unknown) 15) (nap! 10000) (loop)))
      ;; The signal may come while that thread runs.
      (print known " in the program's threads, " unknown " in others")
      (when (> unknown 4) (exit 1)))))

(test "a handler that leaves the scheduler by a continuation leaves a thread that can wait (case 27)"
  (check-child 'ok
    (in-scheduler
     '(define escape #f)
     '(set-signal-handler! signal/usr1 (lambda (n) (set! handled #t) (escape 'left)))
     '(do ((i 0 (+ i 1))) ((= i 5))
        (set! handled #f)
        (kill-me)
        (call/cc (lambda (k) (set! escape k) (nap-until-handled)))
        (spawn! (lambda () (send-message out "x")))
        (unless (equal? "x" (receive-message in as: 'string timeout: 5000)) (exit 1))))))

(test "waking for nothing costs no time (case 37)"
  (let ((s (make-socket 'pull bind: (fresh-endpoint))))
    (receive (user system) (cpu-time)
      (check= #f (receive-message s timeout: 500))
      (receive (user* system*) (cpu-time)
        (check (< (+ (- user* user) (- system* system)) 100))))
    (close-socket s)))

(test "giving up sends nothing in part and receives nothing (case 60)"
  (let* ((e (fresh-endpoint))
         (out (make-socket 'push sndhwm: 1 bind: e)))
    (check= #f (send-multipart-message out '("a" "b") timeout: 20))
    (check= #f (send-message out "a" send-more: #t non-blocking: #t))
    (let ((in (make-socket 'pull connect: e)))
      (check= #f (receive-message in timeout: 20))
      (check= #t (send-multipart-message out '("c" "d") timeout: 1000))
      (check= '("c" "d") (take-parts in))
      (close-socket in))
    (close-socket out)))

;; Runs the forms where gettimeofday jumps by that many seconds once the file
;; named in CLOCK_JUMPS is there.
(define (check-with-clock seconds forms)
  (let* ((directory (create-temporary-directory))
         (source (make-pathname directory "clock.c"))
         (shim (make-pathname directory "clock.so")))
    (with-output-to-file source
      (lambda ()
        (print "#define _GNU_SOURCE\n#include <sys/syscall.h>\n"
               "#include <sys/time.h>\n#include <unistd.h>\n"
               "#include <stdlib.h>\n"
               "int gettimeofday(struct timeval *t, void *zone) {\n"
               "  int code = (int)syscall(SYS_gettimeofday, t, zone);\n"
               "  char *file = getenv(\"CLOCK_JUMPS\");\n"
               "  if (file && access(file, F_OK) == 0) t->tv_sec += " seconds ";\n"
               "  return code; }")))
    (check= 0 (system (string-append "cc -w -shared -fPIC -o " shim " " source)))
    (set-environment-variable! "CLOCK_JUMPS" (make-pathname directory "jump"))
    (set-environment-variable! "LD_PRELOAD" shim)
    (receive (outcome output errors) (run-child forms)
      (unset-environment-variable! "LD_PRELOAD")
      (unless (eq? outcome 'ok) (wrong "~s: ~a~a" outcome output errors)))))

(define clock-forms
  '((import (chicken foreign))
    (define in (make-socket 'pull bind: "inproc://x"))
    (define (jump!)
      (with-output-to-file (get-environment-variable "CLOCK_JUMPS") void))
    ;; milliseconds of the monotonic clock
    (define (uptime)
      (* 1000 (string->number
               (car (string-split
                     (with-input-from-file "/proc/uptime" read-line))))))
    (define begun (uptime))
    (define other (spawn! (lambda () (receive-message in timeout: 300))))
    (yield!)
    (jump!)
    (unless (eq? #f (receive-message in timeout: 300)) (exit 1))
    (unless (eq? #f (join! other)) (exit 2))
    (unless (<= 280 (- (uptime) begun) 900) (print (- (uptime) begun)) (exit 3))))

(test "the clock may be set forward while threads wait (case 98)"
  (check-with-clock 7200 clock-forms))

(test "the clock may be set back while threads wait (case 98)"
  (check-with-clock -7200 clock-forms))

(test "a socket is closed however its form is left (cases 10, 11)"
  (let ((s #f) (again #f) (times 0))
    (check= 'result (call-with-socket 'pull (lambda (x) (set! s x) 'result)))
    (check (socket-closed? s))
    (check (raised (call-with-socket 'pull (lambda (x) (set! s x) (error "out")))))
    (check (socket-closed? s))
    (call/cc (lambda (k) (call-with-socket 'pull (lambda (x) (set! s x) (k 1)))))
    (check (socket-closed? s))
    (call-with-socket 'pull
      (lambda (x)
        (set! s x)
        (call/cc (lambda (k) (set! again k)))
        (set! times (+ times 1))
        (when (= times 2) (check-fails closed (receive-message s)))))
    (when (= times 1) (again #f))
    (check= 2 times)
    (call-with-socket 'pair (lambda (x) (close-socket x)) linger: 5)
    (check-type (call-with-socket 'pair 5))
    (check-fails einval (call-with-socket 'pare void))))

(test "a context is terminated however its form is left (case 11)"
  (let ((c #f))
    (check= 7 (call-with-context (lambda (x) (set! c x) (make-socket 'pull x) 7)))
    (check-fails closed (make-socket 'pull c))
    (call/cc (lambda (k) (call-with-context (lambda (x) (set! c x) (k 1)) 2)))
    (check-fails closed (make-socket 'pull c))))

(test "a thread abandoned inside the form leaves its socket to the collector (case 12)"
  (check-child 'ok
    '((must-not-leak 300
        (lambda ()
          (let ((t (spawn! (lambda ()
                             (call-with-socket 'pull
                               (lambda (s) (receive-message s)))))))
            (yield!)
            (kill! t)))))
    #:limit 60))

(test "a child without its parent's threads waits in time (case 30)"
  (check-child 'ok
    '((define in (make-socket 'pull bind: "inproc://x"))
      (define waiting (spawn! (lambda () (receive-message in timeout: 400))))
      (nap! 10)
      (define pid
        (process-fork
         (lambda ()
           (let ((s (make-socket 'pull)) (t (current-process-milliseconds)))
             (spawn! (lambda () (nap! 5000)))
             (receive-message s timeout: 600)
             (exit (if (< 500 (- (current-process-milliseconds) t) 3000) 0 1))))
         #t))
      (receive (p normal status) (process-wait pid)
        (unless (and normal (= status 0)) (exit 2)))
      (when (join! waiting) (exit 3)))
    #:limit 10))

(test "a thread that is killed in poll leaves no descriptor (case 35)"
  (check-child 'ok
    '((define in (make-socket 'pull bind: "inproc://x"))
      (must-not-leak 300
        (lambda ()
          (let ((t (spawn! (lambda () (poll (list (make-poll-item in in: #t)) #t)))))
            (yield!)
            (kill! t)))))
    #:limit 60))

(test "threads that wait when the process forks go on in the parent (case 30)"
  (check-child 'ok
    '((define in (make-socket 'pull bind: "inproc://x"))
      (define out (make-socket 'push connect: "inproc://x"))
      (define waiting
        (map (lambda (i) (spawn! (lambda () (receive-message in as: 'string))))
             '(1 2 3)))
      (nap! 10)
      (define pid
        (process-fork
         (lambda ()
           (let ((a (make-socket 'pull bind: "inproc://y"))
                 (b (make-socket 'push connect: "inproc://y")))
             (let ((ts (map (lambda (i) (spawn! (lambda () (receive-message a as: 'string))))
                            '(1 2))))
               (yield!)
               (send-message b "c")
               (send-message b "c")
               (for-each (lambda (t) (unless (equal? "c" (join! t)) (exit 1))) ts)))
           (exit 0))))
      (receive (p normal status) (process-wait pid)
        (unless (and normal (= status 0)) (exit 2)))
      (for-each (lambda (i) (send-message out i)) '("1" "2" "3"))
      (unless (equal? '("1" "2" "3") (map join! waiting)) (exit 3)))))

;; Starts the thunk in a thread, and ends the thread when it has been woken and has not run yet.  On
;; a busy machine it may have ended before: then again.
(define end-woken
  '(define (end-woken thunk)
     (define t (spawn! thunk))
     (define (reaches? state)
       (let ((present (##sys#slot t 3)))
         (cond ((eq? state present) #t)
               ((memq present '(dead terminated)) #f)
               (else (yield!) (reaches? state)))))
     (if (and (reaches? 'blocked) (reaches? 'ready))
         (kill! t)
         (end-woken thunk))))

(test "a thread that is ended when its time limit has woken it leaves nothing behind"
  (check-child 'ok
    `(,end-woken
      (must-not-leak 30
        (lambda ()
          (end-woken (lambda () (poller-wait (make-poller) timeout: 20)))))
      (must-not-leak 30
        (lambda ()
          (end-woken (lambda () (receive-message (make-socket 'pull) timeout: 20)))))
      (exit 0))))

(test "a thread that is ended when its descriptor has woken it leaves nothing behind"
  (check-child 'ok
    `(,end-woken
      (must-not-leak 30
        (lambda ()
          (receive (in out) (create-pipe)
            (spawn! (lambda () (nap! 5) (file-write out "x")))
            (end-woken (lambda ()
                         (let ((p (make-poller)))
                           (poller-add! p in in: #t)
                           (poller-wait p timeout: 1000000))))
            (nap! 5)
            (file-close in)
            (file-close out))))
      (exit 0))))

(report-tests)
