;;; Waiting: how a green thread waits, and the only file that knows the
;;; scheduler.

;; The monotonic clock, in milliseconds.  The scheduler's own clock can be
;; set, so its time limits are not used.
(define-foreign %now integer64 () "C_return(sz_now());")

(define (now) (%now))

(define-constant longest 10000000000000) ; some centuries

;; A time limit in milliseconds, or #f for none, as a point in time: the clock
;; has begun a millisecond that is not counted.
(define (deadline timeout)
  (and timeout
       (if (eqv? timeout 0)
           (now)
           (+ (now) 1 (inexact->exact (ceiling (min timeout longest)))))))


(define (passed? deadline) (and deadline (>= (now) deadline)))

(define (check-timeout location x)
  (if (or (not x) (and (real? x) (>= x 0) (finite? x)))
      x
      (fail-type location "a number of milliseconds or #f" x)))

;; The thread that waits for all: see below.
(define dispatcher #f)

(define-inline (current-thread) ##sys#current-thread)
(define-inline (thread-state thread) (##sys#slot thread 3))
(define-inline (primordial? thread) (eq? thread ##sys#primordial-thread))

(define (thread-ended? thread) (memq (thread-state thread) '(dead terminated)))

;; Whether the thread would run if it were woken.
(define (thread-alive? thread)
  (not (memq (thread-state thread) '(dead terminated suspended))))

(define (thread-ready? thread) (memq (thread-state thread) '(ready running)))

(define-inline (yield!) (##sys#thread-yield!))

;; dynamic-wind for one value.  CHICKEN's own passes the values on with apply,
;; which raises a stack overflow where a signal comes during the collection that
;; makes room for it.
(define (wind before during after)
  (before)
  (set! ##sys#dynamic-winds (cons (cons before after) ##sys#dynamic-winds))
  (let ((result (during)))
    (set! ##sys#dynamic-winds (cdr ##sys#dynamic-winds))
    (after)
    result))

;; -------------------------------------------------------- signal handlers --

;; CHICKEN runs a signal's handler in the thread that ran last, from which no
;; continuation leads back to the program, and which may be one of ours; and it
;; runs it within the scheduler too, where a thread that gave the processor up
;; is lost if its handler waits or is preempted.  So handlers run in the
;; primordial thread: at once where it is running, or before what it does next.
;; Within the scheduler its lists must not change, so a thread is made ready
;; that will see to it.
(define own-name (gensym 'zmq))

(define-inline (running? thread) (eq? 'running (thread-state thread)))

(define (handle-signal number)
  (let ((handler (##sys#slot ##sys#signal-vector number)))
    (when handler (handler number))))

;; The scheduler may be about to go on with the thread.
(define (handle-signals numbers)
  (let* ((thread (current-thread)) (go-on (##sys#slot thread 1)))
    (for-each handle-signal numbers)
    (##sys#setslot thread 1 go-on)))

(define (defer-signals! numbers)
  (start-thread
   (lambda ()
     (let ((go-on (##sys#slot ##sys#primordial-thread 1)))
       (##sys#setslot ##sys#primordial-thread 1
         (lambda ()
           (for-each handle-signal numbers)
           (go-on))))
     (##sys#thread-unblock! ##sys#primordial-thread)
     (end-thread!))))

(define-constant timer-interrupt 255)

;; The signals among the interrupts that are pending, behind whether one is the
;; timer's.
(define (pending-interrupts reason)
  (let loop ((reason reason) (timer #f) (numbers '()))
    (let ((next (and reason (##core#inline "C_i_pending_interrupt" #f))))
      (cond ((not reason) (cons timer (reverse numbers)))
            ((eq? reason timer-interrupt) (loop next #t numbers))
            (else (loop next timer (cons reason numbers)))))))

(set! ##sys#interrupt-hook
  (let ((hook ##sys#interrupt-hook))
    (lambda (reason state)
      (let* ((pending (pending-interrupts reason))
             (numbers (cdr pending))
             (thread (current-thread))
             (running (running? thread)))
        (cond ((null? numbers))
              ((and running (primordial? thread)) (handle-signals numbers))
              (else (defer-signals! numbers)))
        (hook (and running (car pending) timer-interrupt) state)))))

;; ------------------------------------------------------------- waiters --

;; A thread that waits: for an event of a socket (1 in, 2 out), or for
;; something else (0).  `roused` is set by who wakes it, also where it does
;; not sleep yet; `since` is when it began; `place` is the deadline's place in
;; the heap, or #f.
(define (make-waiter event deadline)
  (##sys#make-structure 'zmq-waiter
                        (current-thread) event #f #f (now) deadline #f))

(define-fields
  (1 waiter-thread)
  (2 waiter-event)
  (3 waiter-roused set-waiter-roused!)
  (4 waiter-direct set-waiter-direct!)
  (5 waiter-since)
  (6 waiter-deadline)
  (7 waiter-place set-waiter-place!))

(define-inline (waiter-alive? w) (thread-alive? (waiter-thread w)))

(define (rouse! w)
  (set-waiter-roused! w #t)
  (##sys#thread-unblock! (waiter-thread w)))

;; Suspends the calling thread, whose waiter w is, until it is roused, its
;; deadline has passed or the descriptor, if there is one, is readable.  It
;; may also return for nothing.  A signal handler may run at any place in it:
;; what the handler rouses before the thread has left is seen by the test, and
;; what it rouses after that finds the thread blocked.
(define (sleep! w fd)
  (let ((thread (current-thread)))
    (unless (waiter-roused w)
      (set-timer! w)
      (if fd
          (##sys#thread-block-for-i/o! thread fd #:input)
          (##sys#setslot thread 3 'blocked))
      (when (waiter-roused w) (##sys#thread-unblock! thread)))
    (yield!)))

;; For the end of a wait: who leaves it from a handler by a continuation may
;; have been told to block already, and runs on.
(define (stay-awake!)
  (let ((thread (current-thread)))
    (unless (eq? 'running (thread-state thread))
      (##sys#thread-unblock! thread)
      (##sys#setslot thread 3 'running))))

;; --------------------------------------------------------------- alone --

;; Waits, where no other thread could run and without the scheduler, until the
;; socket may have something to receive, or room for what it refused to send, a
;; signal has come or time has run out.  What other threads wait for, descriptors
;; and times, is waited for besides.
;;
;; No handler may run and take the descriptor's signal from the last attempt to
;; the sleep: signals are held back, and one that came before has lowered
;; CHICKEN's stack limit.  In a program without handlers and where nobody else
;; waits for a descriptor, libzmq may wait itself, as in C; what it receives
;; stays with the socket.
(foreign-declare "
#include <poll.h>
#include <signal.h>
#include <time.h>

enum { CROWDED, OTHERS_WOKE, NO_SLEEP, SLEPT };

/* The socket's descriptor, and behind it those of others. */
enum { MOST_AWAITED = 16 };
static struct pollfd awaited[MOST_AWAITED];
static nfds_t awaited_count;

/* The socket whose last receiving had to sleep.  It will have to again, most
 * likely, so that nobody need try before. */
static C_word sleeper;

/* A handler of CHICKEN's has run that has not reached Scheme. */
static bool interrupted(void) { return C_stack_limit != C_stack_hard_limit; }

static bool handles_signals(C_word handlers)
{
    C_word some = 0;
    for (int i = 1; i < NSIG; i++)
        some |= C_block_item(handlers, i) ^ C_SCHEME_FALSE;
    return some != 0;
}

static bool await(int fd, bool in, bool out)
{
    if (awaited_count == MOST_AWAITED) return false;
    awaited[awaited_count++] = (struct pollfd){
        .fd = fd, .events = (short)((in ? POLLIN : 0) | (out ? POLLOUT : 0))};
    return true;
}

static int poll_unless_found(sz_socket socket, int event, int timeout,
                             const sigset_t *mask)
{
    struct timespec time = {timeout / 1000, timeout % 1000 * 1000000L};
    if (event == SZ_IN && sz_socket_exhausted(socket) != event &&
        sz_receive_held(socket) != SZ_EAGAIN)
        return NO_SLEEP;
    /* Where there is a swap, its pump may have taken the signal. */
    if (sz_socket_exhausted(socket) != event) return OTHERS_WOKE;
    awaited[0] = (struct pollfd){.fd = sz_socket_fd(socket), .events = POLLIN};
    int ready = ppoll(awaited, awaited_count, timeout < 0 ? NULL : &time, mask);
    return ready < 0 || (ready == 1 && awaited[0].revents != 0) ? SLEPT
                                                                : OTHERS_WOKE;
}

static int poll_held_back(sz_socket socket, int event, int timeout)
{
    sigset_t every, before;
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    int outcome = interrupted() ? NO_SLEEP
                                : poll_unless_found(socket, event, timeout, &before);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return outcome;
}

static int64_t nanoseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Whether libzmq had to wait only the clock tells. */
static int wait_in_library(sz_socket socket, int timeout)
{
    enum { LEAST_SLEEP = 5000 };
    int64_t before = nanoseconds();
    if (sz_receive_wait(socket, timeout) == SZ_EAGAIN) return OTHERS_WOKE;
    return nanoseconds() - before < LEAST_SLEEP ? NO_SLEEP : SLEPT;
}

static int sleep_alone(C_word s, int event, int timeout, C_word handlers)
{
    int outcome;
    if (handles_signals(handlers))
        outcome = poll_held_back(SOCKET(s), event, timeout);
    else if (event == SZ_IN && awaited_count == 1)
        outcome = wait_in_library(SOCKET(s), timeout);
    else
        outcome = poll_unless_found(SOCKET(s), event, timeout, NULL);
    if (event == SZ_IN && outcome != NO_SLEEP) sleeper = s;
    return outcome;
}
")
(define-foreign %await-nothing void ()
  "awaited_count = 1; sleeper = C_fix(0);")
(define-foreign %await bool ((int fd) (bool in) (bool out))
  "C_return(await(fd, in, out));")
(define-foreign %sleep-alone int
  ((scheme-object s) (int event) (int timeout) (scheme-object handlers))
  "C_return(sleep_alone(s, event, timeout, handlers));")

;; The scheduler's clock.
(define-foreign scheduler-now integer64 ()
  "C_return(C_current_process_milliseconds());")

;; Makes ready to wait for what the other threads wait for: when the first of
;; those that sleep is to be woken, by the scheduler's clock, or #t if none
;; sleeps; #f if another one could run now, or too many descriptors are waited
;; for.
(define (await-others!)
  (%await-nothing)
  (##sys#call-with-current-continuation
   (lambda (leave)
     (##sys#all-threads
      (lambda (queue place thread rest)
        (case queue
          ((i/o)
           (let* ((block (##sys#slot thread 11)) (mode (and (pair? block) (cdr block))))
             (unless (and (pair? block)
                          (%await place (not (memq mode '(#f #:output)))
                                  (memq mode '(#f #:output #:all))))
               (leave #f))))
          ((timeout) (leave place))
          (else (leave #f))))
      #t)
     #t)))

(define-foreign-variable crowded int "CROWDED")
(define-foreign-variable others-woke int "OTHERS_WOKE")
(define-foreign-variable slept int "SLEPT")
(define-constant longest-sleep 1000000000) ; milliseconds that fit an int

;; The caller tries again, unless it is crowded, where another thread could run
;; and nothing was done; or others-woke, where another one has to run first, or
;; time has run out.  slept if the thread had to.
(define (sleep-alone! s event limit)
  (let* ((next (await-others!))
         (theirs (and (number? next) (- next (scheduler-now)))))
    (if (and next (or (not theirs) (> theirs 0)))
        (%sleep-alone
         (socket-handle s)
         event
         (let* ((mine (and limit (- limit (now))))
                (least (if (and mine theirs) (min mine theirs) (or mine theirs))))
           (cond ((not least) -1)
                 ((and (fixnum? least) (fx>= least 0) (fx<= least longest-sleep)) least)
                 (else (inexact->exact (ceiling (max 0 (min least longest-sleep)))))))
         ##sys#signal-vector)
        crowded)))

;; Whether the socket's last receiving had to sleep.
(define-foreign %sleeper? bool ((scheme-object s)) "C_return(s == sleeper);")

;; ----------------------------------------------------------- deadlines --

;; A heap of the waiters that have one, the next on top, at index 1.
(define timed (make-vector 16 #f))
(define timed-count 0)

(define-inline (before? a b) (< (waiter-deadline a) (waiter-deadline b)))

(define (put-timed! i w)
  (vector-set! timed i w)
  (set-waiter-place! w i))

(define (sift-up! i w)
  (let ((parent (fxshr i 1)))
    (if (and (fx> parent 0) (before? w (vector-ref timed parent)))
        (begin
          (put-timed! i (vector-ref timed parent))
          (sift-up! parent w))
        (put-timed! i w))))

(define (sift-down! i w)
  (let* ((left (fx* 2 i)) (right (fx+ left 1)))
    (if (fx> left timed-count)
        (put-timed! i w)
        (let* ((next (if (and (fx<= right timed-count)
                              (before? (vector-ref timed right)
                                       (vector-ref timed left)))
                         right
                         left))
               (child (vector-ref timed next)))
          (if (before? child w)
              (begin (put-timed! i child) (sift-down! next w))
              (put-timed! i w))))))

(define (set-timer! w)
  (when (and (waiter-deadline w) (not (timed? w)))
    (usable-poller)
    (when (fx= (fx+ timed-count 1) (vector-length timed)) (make-room-for-timer!))
    (set! timed-count (fx+ timed-count 1))
    (sift-up! timed-count w)
    ;; Not only for w: in a forked child the alarm is to be set anew.
    (set-alarm-for! (waiter-deadline (vector-ref timed 1)))))

;; Threads that were ended while they waited are still in the heap.
(define (make-room-for-timer!)
  (let ((old timed) (count timed-count))
    (set! timed (make-vector (vector-length old) #f))
    (set! timed-count 0)
    (do ((i 1 (fx+ i 1))) ((fx> i count))
      (let ((w (vector-ref old i)))
        (set-waiter-place! w #f)
        (unless (thread-ended? (waiter-thread w))
          (set! timed-count (fx+ timed-count 1))
          (sift-up! timed-count w))))
    (when (fx> (fx* 2 timed-count) (vector-length timed))
      (set! timed (vector-resize timed (fx* 2 (vector-length timed)) #f)))))

(define (timed? w)
  (let ((i (waiter-place w)))
    (and i (fx<= i timed-count) (eq? w (vector-ref timed i)))))

(define (clear-timer! w)
  (when (timed? w)
    (let ((i (waiter-place w)))
      (let ((last (vector-ref timed timed-count)))
        (vector-set! timed timed-count #f)
        (set! timed-count (fx- timed-count 1))
        (set-waiter-place! w #f)
        (unless (eq? last w)
          (sift-up! i last)
          (sift-down! (waiter-place last) last))))))

(define (rouse-late-waiters!)
  (when (fx> timed-count 0)
    (let ((w (vector-ref timed 1)))
      (when (or (passed? (waiter-deadline w)) (not (waiter-alive? w)))
        (clear-timer! w)
        (rouse! w)
        (rouse-late-waiters!)))))

;; ---------------------------------------------------------- dispatcher --

;; The scheduler polls each descriptor that a thread waits for whenever it
;; schedules, so only a few threads wait for a descriptor themselves.  For the
;; others a thread of our own, the dispatcher, waits for a poller of the
;; kernel that watches all of their sockets and descriptors, and rouses them.
;;
;; `places` has, at the index that is the tag of a watch, what is watched: see
;; `attend!'.
(define poller -1)
(define alarm #f)      ; when the poller will wake the dispatcher, or #f
(define summoned #f)   ; the dispatcher is to look again before it sleeps
(define places (make-vector 16 #f))
(define free-places '())
(define places-used 0)

;; The poller, made anew in a forked child and where it never was.  In a child
;; the threads of the parent may have been left behind without being ended, so
;; none of them is woken there.
(define (usable-poller)
  (when (fx< (%poller-fd poller) 0)
    (set! poller (checked 'wait (%make-poller)))
    (set! dispatcher #f)
    (set! alarm #f)
    (set! timed-count 0)
    (set! just-roused '())
    (set! places (make-vector 16 #f))
    (set! free-places '())
    (set! places-used 0))
  (unless (and dispatcher (not (thread-ended? dispatcher)))
    (set! dispatcher (start-thread dispatch)))
  poller)

(define (start-thread thunk)
  (let ((thread (##sys#make-thread thunk 'ready own-name 10000)))
    (##sys#add-to-ready-queue thread)
    thread))

;; Runs the thunk, which must handle what it raises, in a thread of its own.
(define (run-in-thread thunk)
  (let ((thread (start-thread #f)))
    (##sys#setslot thread 1
      (lambda ()
        (thunk)
        (end-thread!)))
    thread))

(define (end-thread!)
  (##sys#thread-kill! (current-thread) 'dead)
  (##sys#schedule))

;; To be called behind usable-poller.
(define (set-alarm-for! time)
  (unless (and alarm (<= alarm time))
    (checked 'wait (%set-alarm poller time))
    (set! alarm time)))

;; Lets the dispatcher run soon.
(define (summon!)
  (usable-poller)
  (set! summoned #t)
  (##sys#thread-unblock! dispatcher))

;; A tag for a thing that will be watched.
(define (allot-place! thing)
  (let ((tag (if (pair? free-places)
                 (let ((tag (car free-places)))
                   (set! free-places (cdr free-places))
                   tag)
                 (let ((tag places-used))
                   (set! places-used (fx+ tag 1))
                   (when (fx= places-used (vector-length places))
                     (set! places (vector-resize places (fx* 2 places-used) #f)))
                   tag))))
    (vector-set! places tag thing)
    tag))

(define (free-place! tag)
  (vector-set! places tag #f)
  (set! free-places (cons tag free-places)))

;; Pairs of tag and events, as the kernel found them.
(define-constant most-found 64)
(define found (make-vector (fx* 2 most-found) 0))

(define (dispatch)
  (unless (eq? (current-thread) dispatcher) (end-thread!))
  (set! summoned #f)
  (see-to-roused!)
  (let ((n (%check-poller (usable-poller) found most-found)))
    (do ((i 0 (fx+ i 1))) ((fx>= i n))
      (let ((tag (vector-ref found (fx* 2 i))))
        (attend! (vector-ref places tag) tag)))
    (when (passed? alarm) (set! alarm #f))
    (rouse-late-waiters!)
    (when (and (not alarm) (fx> timed-count 0))
      (set-alarm-for! (waiter-deadline (vector-ref timed 1))))
    (unless (or summoned (fx> n 0))
      (##sys#thread-block-for-i/o! dispatcher (%poller-fd poller) #:input)
      (when summoned (##sys#thread-unblock! dispatcher)))
    (yield!)
    (dispatch)))

;; --------------------------------------------------- for a descriptor --

;; Who waits for a descriptor itself; threads that were ended may be among
;; them.
(define direct '())
(define-constant most-direct 4)

(define (without-direct w)
  (let loop ((l direct))
    (cond ((null? l) '())
          ((or (eq? w (car l)) (thread-ended? (waiter-thread (car l)))) (loop (cdr l)))
          (else (cons (car l) (loop (cdr l)))))))

(define (direct-room?)
  (set! direct (without-direct #f))
  (fx< (length direct) most-direct))

;; Suspends the calling thread until the descriptor is readable, the deadline
;; has passed, or for nothing: the caller finds out by trying again.
(define (wait-descriptor! fd deadline)
  (let* ((w (make-waiter 0 deadline))
         (tag (and (not (primordial? (current-thread)))
                   (not (direct-room?))
                   (watch-descriptor! fd w))))
    (wind
     (lambda () (unless tag (set! direct (cons w direct))))
     (lambda () (sleep! w (if tag #f fd)))
     (lambda ()
       (stay-awake!)
       (clear-timer! w)
       (if tag
           (when (and (fx< tag places-used) (pair? (vector-ref places tag))
                      (eq? w (car (vector-ref places tag))))
             (%unwatch-fd poller fd)
             (free-place! tag))
           (set! direct (without-direct w)))))))

;; #f where the poller cannot watch it, as where another thread waits for it.
(define (watch-descriptor! fd w)
  (let* ((poller (usable-poller))
         (tag (allot-place! (cons w fd))))
    (if (fx< (%watch-fd poller fd in-bit tag) 0)
        (begin (free-place! tag) #f)
        tag)))

;; Suspends the calling thread for some milliseconds.
(define (pause! milliseconds)
  (let* ((w (make-waiter 0 (deadline milliseconds))))
    (wind
     void
     (lambda ()
       (let loop ()
         (unless (passed? (waiter-deadline w)) (sleep! w #f) (loop))))
     (lambda ()
       (stay-awake!)
       (clear-timer! w)))))
