;;; Random programs of green threads over the module.
;;;
;;;   programs [-s SECONDS] [-n PROGRAMS] [-v] SEED     compile it with csc -O2
;;;
;;; Runs programs from SEED on, each in a process of its own that is watched.  A program has two to
;;; eight threads, which make sockets of all types, bind, connect, send, receive, poll, monitor,
;;; proxy, close what others wait for, end each other, and shut contexts down; half of them under a
;;; timer whose handler counts, sends, leaves a wait or raises.  Beside them run channels, whose
;;; sockets are left alone and whose messages are checked.  A program fails if it
;;;
;;;   crashes, hangs, or writes to stderr;
;;;   gets a condition that is not of the kind zmq;
;;;   has a thread that still waits when its context was shut down;
;;;   loses, repeats or reorders a message of a channel;
;;;   leaves a descriptor behind.
;;;
;;; `programs run SEED' runs one, with -v and what it does.  Which thread runs when is not repeated.

(import zmq (zmq auth) (zmq monitor) (only (zmq base) requeue!)
        (chicken base) (chicken blob) (chicken condition) (chicken file) (chicken file posix)
        (chicken fixnum) (chicken foreign) (chicken gc) (chicken pathname) (chicken process)
        (chicken process-context) (chicken process-context posix) (chicken process signal)
        (chicken string) (chicken time))
(include "../child.scm")
(include "../threads.scm")
(include "../leak.scm")
(include "random.scm")
(include "checked-channels.scm")

(foreign-declare "#include <sys/time.h>")
(define set-timer!
  (foreign-lambda* void ((int hertz))
    "struct itimerval t = {{0, hertz ? 1000000 / hertz : 0}, {0, hertz ? 1000000 / hertz : 0}};
     setitimer(ITIMER_REAL, &t, NULL);"))

(define seed 1)
(define verbose #f)
(define patience 10000)

;; ------------------------------------------------------------- findings --

(define (found! . what)
  (apply print "seed " seed ": " what)
  (print "threads: " doing)
  (print "descriptors: " (descriptor-names))
  (flush-output)
  (end-now 1))

(define (end-now n) ((foreign-lambda void "_exit" int) n))

(define (said e)
  (if (condition? e)
      (list (get-condition-property e 'exn 'location #f) (get-condition-property e 'exn 'message #f)
            (get-condition-property e 'exn 'arguments #f))
      e))

(define (expected? e)
  (or (eq? e 'stormed)
      (and (condition? e) (get-condition-property e 'zmq 'code #f))))

(define (attempt thunk)
  (call/cc
   (lambda (return)
     (with-exception-handler
      (lambda (e)
        (return (if (expected? e)
                    #f
                    (found! "a condition of another kind: " (said e)))))
      thunk))))

;; What each thread does; 0 is the primordial one.
(define most-threads 40)
(define doing (make-vector most-threads #f))

;; -------------------------------------------------------------- objects --

(define (slots n) (make-vector n #f))
(define contexts (slots 2))
(define sockets (slots 10))
(define pollers (slots 2))
(define monitors (slots 3))
(define controls (slots 2))
(define tcp-endpoints (slots 4))
(define identities (slots 4))

(define (put! slots x) (vector-set! slots (pick (vector-length slots)) x) x)

(define (some slots make)
  (or (vector-ref slots (pick (vector-length slots))) (put! slots (make))))

(define (some-context)
  (some contexts
        (lambda ()
          (let ((c (make-context)))
            (set! all-contexts (cons c all-contexts))
            c))))
(define all-contexts '())
(define (some-socket) (some sockets make-some-socket))
(define (some-poller) (some pollers make-poller))
(define (some-control) (some controls make-proxy-control))

(define types '(pair pub sub req rep dealer router pull push xpub xsub stream))

(define (some-options type)
  (apply append
         `(linger: ,(if (one-in? 3) (pick 20) 0))
         (if (eq? type 'sub) '(subscribe: "") '())
         (times (pick 3)
                (lambda ()
                  (pick-one
                   `((sndhwm: 1) (rcvhwm: 1) (hwm: 3) (immediate: #t) (rcvtimeo: 10) (sndtimeo: 10)
                     (conflate: #t) (plain-server: #t)
                     (plain-username: "u" plain-password: "p")
                     (router-mandatory: #t) (req-relaxed: #t) (req-correlate: #t)
                     (identity: "same") (probe-router: #t) (xpub-verbose: #t) (maxmsgsize: 1000)
                     (swap: 100000) (swap: 200) (reconnect-ivl: 1) (xpub-nodrop: #t)))))))

(define (make-some-socket)
  (let ((type (pick-one types)))
    (apply make-socket type (some-context) (some-options type))))

;; An address of loopback that no other process uses.
(define own-address
  (let ((pid (current-process-id)))
    (string-append "tcp://127." (number->string (+ 1 (modulo (quotient pid 62500) 250))) "."
                   (number->string (+ 1 (modulo (quotient pid 250) 250))) "."
                   (number->string (+ 1 (modulo pid 250))) ":*")))

(define (local-name)
  (pick-one
   (list "inproc://a" "inproc://b" "inproc://c"
         (string-append "ipc://@zmq-programs-" (number->string (current-process-id)) "-"
                        (number->string (pick 3))))))

;; Nobody wakes the primordial thread.
(define (limit)
  (case (pick 8)
    ((0) (and (eq? (this-thread) ##sys#primordial-thread) 20))
    ((1) 0)
    (else (pick 15))))

(define (some-bytes)
  (let ((s (make-string (if (one-in? 20) 70000 (pick 60)) #\x)))
    (case (pick 4)
      ((0) (string->blob s))
      ((1) (make-message s))
      (else s))))

(define (some-parts)
  (let ((parts (times (+ 1 (pick 3)) some-bytes)) (name (vector-ref identities (pick 4))))
    (if (and name (one-in? 2)) (cons name parts) parts)))

(define (heard parts)
  (when (and (pair? parts) (pair? (cdr parts)) (message? (car parts)))
    (put! identities (message->string (car parts)))))

;; ----------------------------------------------------------- operations --

(define (take-some s)
  (let ((as (pick-one '(message string blob u8vector))))
    (case (pick 6)
      ((0) (receive-message s as: as non-blocking: #t))
      ((1) (receive-message* s timeout: (limit)))
      ((2) (heard (receive-multipart-message s as: 'message timeout: (limit))))
      ((3) (receive-messages s as: as max: (+ 1 (pick 9)) timeout: (limit)))
      (else (receive-message s as: as timeout: (limit))))))

(define (send s)
  (case (pick 6)
    ((0) (send-message s (some-bytes) non-blocking: #t))
    ((1) (send-message s (some-bytes) send-more: #t timeout: (limit)))
    ((2) (send-multipart-message s (some-parts) timeout: (limit)))
    ((3) (send-messages s (times (pick 9) (if (one-in? 2) some-parts some-bytes))
                        timeout: (limit)))
    (else (send-message s (some-bytes) timeout: (limit)))))

(define (attach s)
  (case (pick 5)
    ((0) (put! tcp-endpoints (bind-socket s own-address)))
    ((1) (let ((e (vector-ref tcp-endpoints (pick 4)))) (when e (connect-socket s e))))
    ((2) (bind-socket s (local-name)))
    (else (connect-socket s (local-name)))))

(define (part-with s)
  (let ((all (socket-endpoints s)))
    (unless (null? all)
      ((pick-one (list unbind-socket disconnect-socket)) s (pick-one all)))))

(define (poll-some)
  (poll (times (+ 1 (pick 4))
               (lambda () (make-poll-item (some-socket) in: (one-in? 2) out: (one-in? 2))))
        (limit)))

(define (use-poller)
  (let ((p (some-poller)) (s (some-socket)))
    (case (pick 5)
      ((0) (poller-remove! p s))
      ((1) (poller-modify! p s in: (one-in? 2) out: (one-in? 2)))
      ((2) (poller-add! p s in: #t out: (one-in? 2)))
      (else (poller-wait p timeout: (pick 20))))))

(define (use-monitor)
  (case (pick 4)
    ((0) (put! monitors (monitor-socket (some-socket))))
    ((1) (let ((m (vector-ref monitors (pick 3)))) (when m (close-monitor m))))
    ((2) (case (pick 3)
           ((0) (socket-connections (some-socket)))
           ((1) (wait-connected (some-socket) timeout: (limit)))
           (else (wait-for-subscribers (some-socket) 1 timeout: (limit)))))
    (else (let ((m (vector-ref monitors (pick 3)))) (when m (receive-event m timeout: (limit)))))))

(define (use-proxy)
  (let ((c (some-control)))
    (case (pick 5)
      ((0) (pause-proxy c))
      ((1) (resume-proxy c))
      ((2) (stop-proxy c) (put! controls (make-proxy-control)))
      (else
       (proxy (some-socket) (some-socket) control: (if (one-in? 3) (some-socket) c)
              capture: (and (one-in? 3) (some-socket)) timeout: (limit))))))

(define (use-options)
  (let ((s (some-socket)))
    (case (pick 5)
      ((0) (socket-option-set! s (pick-one '(sndhwm rcvhwm hwm)) (pick 5)))
      ((1) (socket-option-set! s (pick-one '(rcvtimeo sndtimeo linger)) (pick 30)))
      ((2) (socket-option-set! s (pick-one '(subscribe unsubscribe)) (pick-one '("" "x"))))
      ((3) (socket-statistics s))
      (else (socket-option s (pick-one '(events last-endpoint swap-count rcvmore fd type)))))))

(define (end-context)
  (let* ((i (pick 2)) (c (vector-ref contexts i)))
    (when c
      (vector-set! contexts i #f)
      (if (one-in? 2) (shutdown-context c) (terminate-context c timeout: (pick 30))))))

(define (use-messages)
  (call-with-context
   (lambda (c)
     (call-with-socket 'pair
       (lambda (s) (bind-socket s "inproc://x") (receive-message s timeout: (pick 3)))
       c))))

(define (use-authenticator)
  (let ((a (start-authenticator (some-context) allow: "127.0.0.0/8"
                                plain: (lambda (user password) (nap! 1) #t))))
    (nap! (pick 4))
    (stop-authenticator a)))

;; A wait that is entered a second time, by a continuation of what runs in it.
(define (enter-again)
  (let* ((again #f) (entered 0) (s (some-socket))
         (m (receive-message s timeout: (pick 9)
                             as: (lambda (bytes size) (call/cc (lambda (k) (set! again k) #t))))))
    (set! entered (+ entered 1))
    (when (and again (= entered 1)) (again #t))))

(define operations
  (list
   (list 9 'send (lambda () (send (some-socket))))
   (list 9 'receive (lambda () (take-some (some-socket))))
   (list 8 'attach (lambda () (attach (some-socket))))
   (list 5 'make (lambda () (put! sockets (make-some-socket))))
   (list 2 'part (lambda () (part-with (some-socket))))
   (list 3 'close (lambda () (close-socket (some-socket))))
   (list 4 'poll poll-some)
   (list 4 'poller use-poller)
   (list 3 'monitor use-monitor)
   (list 2 'proxy use-proxy)
   (list 4 'option use-options)
   (list 1 'context end-context)
   (list 1 'messages use-messages)
   (list 1 'authenticator use-authenticator)
   (list 1 'again enter-again)
   (list 1 'kill (lambda () (end-thread!)))
   (list 2 'drop (lambda () (vector-set! sockets (pick 10) #f)
                         (vector-set! pollers (pick 2) #f)
                         (vector-set! monitors (pick 3) #f)))
   (list 2 'gc (lambda () (##sys#gc (one-in? 4))))
   (list 3 'nap (lambda () (nap! (pick 4))))))

(define table
  (list->vector
   (apply append (map (lambda (o) (times (car o) (lambda () (cdr o)))) operations))))

(define (operate i)
  (let ((o (vector-ref table (pick (vector-length table)))))
    (vector-set! doing i (car o))
    (when verbose (print i " " (car o)) (flush-output))
    (attempt (cadr o))
    (vector-set! doing i #f)))

;; -------------------------------------------------------------- threads --

(define threads '())
(define started 0)
(define stopping #f)

(define (start-worker!)
  (when (< started (- most-threads 1))
    (set! started (+ started 1))
    (let ((i started))
      (set! threads
        (cons (cons i (spawn! (lambda ()
                                (let loop ((n 0))
                                  (unless (or stopping (= n 60))
                                    (seed! (+ (* seed 100000) (* i 1000) n))
                                    (operate i)
                                    (when (one-in? 3) (yield!))
                                    (loop (+ n 1)))))))
              threads)))))

;; Ends a worker wherever it is, and starts another one.
(define (end-thread!)
  (let ((t (pick-one threads)))
    (unless (or (eq? (cdr t) (this-thread)) (ended? (cdr t)))
      (kill! (cdr t))
      (vector-set! doing (car t) 'killed)
      (start-worker!))))

;; -------------------------------------------------------------- signals --

(define how 'none)
(define escape #f)

(define (handle-signal n)
  (case how
    ((send)
     (handle-exceptions e (unless (expected? e) (found! "in a handler: " (said e)))
       (let ((s (vector-ref sockets (pick 10))))
         (when s
           (if (one-in? 50) (close-socket s) (send-message s "signal" non-blocking: #t))))))
    ((escape raise)
     (let ((k escape))
       (when (and k (eq? ##sys#current-thread ##sys#primordial-thread) (one-in? 4))
         (set! escape #f)
         (if (eq? how 'raise) (signal 'stormed) (k 'left)))))))

;; The primordial thread may be left by the handler.
(define (supervise)
  (call/cc
   (lambda (k)
     (handle-exceptions e
         (unless (expected? e) (found! "in the primordial thread: " (said e)))
       (set! escape k)
       (operate 0)
       (set! escape #f)))))

;; -------------------------------------------------------------- the run --

(define (wait-for what thunk)
  (unless (wait-until thunk patience) (found! what)))

;; What is made once and stays.
(define (warm-up)
  (call-with-context
   (lambda (c)
     (let ((a (make-socket 'push c bind: "inproc://warm" swap: 100000 linger: 0))
           (b (make-socket 'pull c connect: "inproc://warm" linger: 0)))
       (monitor-socket a)
       (spawn! (lambda () (nap! 3) (send-message a "x")))
       (receive-message b timeout: 5000)
       (poll (list (make-poll-item b in: #t)) 1)))))

(define (finish-threads)
  (set! stopping #t)
  (for-each (lambda (c) (attempt (lambda () (shutdown-context c))))
            all-contexts)
  (for-each (lambda (c) (when c (attempt (lambda () (stop-proxy c))))) (vector->list controls))
  (for-each (lambda (m) (when m (attempt (lambda () (close-monitor m))))) (vector->list monitors))
  (wait-for "a thread still waits"
            (lambda () (every* (lambda (t) (ended? (cdr t))) threads))))

(define (every* ok? l) (or (null? l) (and (ok? (car l)) (every* ok? (cdr l)))))
(define (filter* ok? l)
  (foldr (lambda (x rest) (if (ok? x) (cons x rest) rest)) '() l))

(define (forget!)
  (for-each (lambda (v) (vector-fill! v #f))
            (list contexts sockets pollers monitors controls))
  (set! threads '())
  (set! all-contexts '())
  (set! escape #f))

(define (descriptor-names)
  (map (lambda (fd)
         (handle-exceptions e fd
           (list fd (read-symbolic-link (string-append "/proc/self/fd/" fd)))))
       (directory "/proc/self/fd")))

(define (run-program)
  (warm-up)
  (settle)
  (let ((descriptors (open-descriptors)))
    (seed! seed)
    (set! how (pick-one '(none none none none count send escape raise)))
    (let ((channels (times (pick 3) start-channel))
          (rounds (+ 10 (pick 60)))
          (workers (+ 1 (pick 7))))
      (times workers start-worker!)
      (unless (eq? how 'none)
        (set-signal-handler! signal/alrm handle-signal)
        (set-timer! (+ 100 (pick 1500))))
      (let loop ((n 0))
        (when (< n rounds)
          (seed! (+ (* seed 100000) n))
          (supervise)
          (yield!)
          (loop (+ n 1))))
      (set-timer! 0)
      (set! escape #f)
      (set-signal-handler! signal/alrm #f)
      (for-each finish-channel! channels))
    (when (one-in? 5) (exit 0)) ; with all that is open and waits
    (finish-threads)
    (for-each
     (lambda (c)
       (wait-for "a context does not end" (lambda () (terminate-context c timeout: 1000))))
     all-contexts)
    (forget!)
    (wait-for "descriptors stay"
              (lambda () (gc #t) (<= (open-descriptors) descriptors)))))

;; ---------------------------------------------------------- the watcher --

;; A program that ends while messages wait says so, and CHICKEN says what a handler raises in a
;; finalizer.
(define (quiet? errors)
  (or (equal? "" errors)
      (substring-index "in finalizer: uncaught exception: stormed" errors)
      (every* (lambda (line) (substring-index "not delivered" line))
              (string-split errors "\n"))))

(define (run-one)
  (let* ((child (start-program (executable-pathname) (list "run" (number->string seed))
                               limit: 40))
         (outcome (wait-for-child child))
         (good? (and (eq? outcome 'ok)
                     (quiet? (child-errors child)))))
    (unless good?
      (print "seed " seed " ended as " outcome ": " (child-output child) (child-errors child))
      (flush-output))
    (delete-directory (child-directory child) #t)
    good?))

(define (watch-programs seconds count first)
  (let ((end (+ (current-process-milliseconds) (* 1000 seconds))))
    (let loop ((n 0) (failed 0))
      (cond ((if count (< n count) (< (current-process-milliseconds) end))
             (set! seed (+ first n))
             (loop (+ n 1) (if (run-one) failed (+ failed 1))))
            (else
             (print n " programs from seed " first)
             (print (if (= failed 0) 1 0) " passed, " failed " failed")
             (exit (if (= failed 0) 0 1)))))))

(let loop ((l (command-line-arguments)) (seconds 60) (count #f))
  (cond ((null? l) (watch-programs seconds count 1))
        ((string=? "-v" (car l)) (set! verbose #t) (loop (cdr l) seconds count))
        ((string=? "-s" (car l)) (loop (cddr l) (string->number (cadr l)) count))
        ((string=? "-n" (car l)) (loop (cddr l) seconds (string->number (cadr l))))
        ((string=? "run" (car l))
         (set! seed (string->number (cadr l)))
         (zmq-exit-linger 200)
         (run-program)
         (exit 0))
        (else (watch-programs seconds count (string->number (car l))))))
