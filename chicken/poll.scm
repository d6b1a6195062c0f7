;;; Polling of a list of sockets and descriptors, over a poller for the time.

(define-record-type zmq-poll-item
  (make-poll-item-record target wanted found)
  poll-item?
  (target poll-item-target)
  (wanted poll-item-wanted)
  (found poll-item-found set-poll-item-found!))

(set-record-printer! zmq-poll-item
  (lambda (i port)
    (display "#<zmq poll item " port)
    (write (poll-item-target i) port)
    (for-each (lambda (bit name)
                (unless (eqv? 0 (bitwise-and bit (poll-item-wanted i)))
                  (display name port)))
              (list in-bit out-bit error-bit) '(" in" " out" " error"))
    (display ">" port)))

(define (make-poll-item target . rest)
  (with-keywords 'make-poll-item rest
      ((#:in in #f) (#:out out #f) (#:error error #f))
    (check-target 'make-poll-item target)
    (make-poll-item-record target (event-bits in out error) 0)))

(define (check-item location x)
  (if (poll-item? x) x (fail-type location "a poll item" x)))

(define (poll-item-socket i)
  (let ((target (poll-item-target (check-item 'poll-item-socket i))))
    (and (socket? target) target)))

(define (poll-item-fd i)
  (let ((target (poll-item-target (check-item 'poll-item-fd i))))
    (and (fixnum? target) target)))

(define (found? location i bit)
  (not (eqv? 0 (bitwise-and bit (poll-item-found (check-item location i))))))

(define (poll-item-in? i) (found? 'poll-item-in? i in-bit))
(define (poll-item-out? i) (found? 'poll-item-out? i out-bit))
(define (poll-item-error? i) (found? 'poll-item-error? i error-bit))

;; Watches the items' targets, each once, for what all of its items want.
;; `tags` gets the place in `events` where an item's events will stand, and
;; `events` already has those of targets that cannot be watched.
(define (watch-items handle items tags events)
  (let loop ((items items) (i 0) (before '()))
    (when (pair? items)
      (let* ((item (car items))
             (target (poll-item-target item))
             (wanted (poll-item-wanted item))
             (code (watch-target handle target wanted i)))
        (vector-set! tags i i)
        (cond ((eq? code eeexist)
               (let* ((same (find-item target before))
                      (tag (vector-ref tags (cdr same)))
                      (all (bitwise-ior wanted (union target before))))
                 (vector-set! tags i tag)
                 (rewatch-target handle target all tag)))
              ((fx< code 0)
               (vector-set! events i error-bit)))
        (loop (cdr items) (fx+ i 1) (cons (cons item i) before))))))

(define (find-item target items)
  (if (eqv? target (poll-item-target (caar items)))
      (car items)
      (find-item target (cdr items))))

(define (union target items)
  (foldl (lambda (all entry)
           (if (eqv? target (poll-item-target (car entry)))
               (bitwise-ior all (poll-item-wanted (car entry)))
               all))
         0 items))

;; What was found, into the items; how many found something.
(define (deliver-found! items tags events)
  (let loop ((items items) (i 0) (ready 0))
    (if (null? items)
        ready
        (let* ((item (car items))
               (target (poll-item-target item))
               (found (vector-ref events (vector-ref tags i)))
               (unread (if (and (socket? target) (unread? target)) in-bit 0))
               (mine (bitwise-and (bitwise-ior found unread)
                                  (bitwise-ior error-bit
                                               (poll-item-wanted item)))))
          (set-poll-item-found! item mine)
          (loop (cdr items) (fx+ i 1) (if (eq? mine 0) ready (fx+ ready 1)))))))

(define (poll-limit timeout)
  (cond ((eq? timeout #t) #f)
        ((not timeout) (now))
        ((exact-natural? timeout) (deadline timeout))
        (else (fail-type 'poll "#t, #f or a number of milliseconds" timeout))))

(define (poll items timeout)
  (unless (list? items) (fail-type 'poll "a list of poll items" items))
  (for-each (lambda (i) (check-item 'poll i)) items)
  (let* ((limit (poll-limit timeout))
         (count (length items))
         (tags (make-vector count 0))
         (p (take-spare-poller))
         (handle (poller-handle p))
         (left #f))
    (wind
     ;; After the poll another one may have the poller: a continuation cannot enter again.
     (lambda () (when left (fail 'poll eclosed)))
     (lambda ()
       (let ((events (make-vector count 0)))
         (watch-items handle items tags events)
         (for-each socket-touched! (item-sockets items))
         (or (perform-on 'poll (%poller-fd handle) limit
                         (lambda ()
                           (check-items handle events)
                           (let ((ready (deliver-found! items tags events)))
                             (if (fx> ready 0) ready eagain))))
             (and timeout 0))))
     (lambda ()
       (unless left
         (for-each (lambda (i) (unwatch-target handle (poll-item-target i))) items)
         (set! spare-poller p)
         (set! left #t))))))

;; Making a poller takes system calls, so one is kept for the next poll.  That
;; of a thread that was ended is left to the collector.
(define spare-poller #f)

(define (take-spare-poller)
  (let ((p spare-poller))
    (set! spare-poller #f)
    (if (and p (fx>= (%poller-fd (poller-handle p)) 0)) p (new-poller 'poll))))

(define (item-sockets items)
  (cond ((null? items) '())
        ((poll-item-socket (car items))
         => (lambda (s) (cons s (item-sockets (cdr items)))))
        (else (item-sockets (cdr items)))))

;; Each check finds some and puts them behind the others.
(define (check-items handle events)
  (let ((ready (make-vector (fx* 2 most-ready) 0)))
    (let loop ((left (vector-length events)))
      (let ((n (checked 'poll (%check-poller handle ready most-ready))))
        (do ((i 0 (fx+ i 1))) ((fx= i n))
          (vector-set! events
                       (vector-ref ready (fx* 2 i))
                       (vector-ref ready (fx+ 1 (fx* 2 i)))))
        (when (and (fx= n most-ready) (fx> left n)) (loop (fx- left n)))))))
