;;; Polling of sockets and descriptors.

;; SZ_IN, SZ_OUT, SZ_ERROR
(define-constant in-bit 1)
(define-constant out-bit 2)
(define-constant error-bit 4)

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
    (unless (or (socket? target) (and (fixnum? target) (fx>= target 0)))
      (fail-type 'make-poll-item "a ZeroMQ socket or a descriptor" target))
    (make-poll-item-record
     target
     (fx+ (if in in-bit 0) (fx+ (if out out-bit 0) (if error error-bit 0)))
     0)))

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
;; `tags` gets the place in `found` where an item's events will stand, and
;; `found` already has those of targets that cannot be watched.
(define (watch-items poller items tags found)
  (let loop ((items items) (i 0) (before '()))
    (when (pair? items)
      (let* ((item (car items))
             (target (poll-item-target item))
             (wanted (poll-item-wanted item))
             (code (watch-target poller target wanted i)))
        (vector-set! tags i i)
        (cond ((eq? code eeexist)
               (let* ((same (find-item target before))
                      (tag (vector-ref tags (cdr same)))
                      (all (bitwise-ior wanted (union target before))))
                 (vector-set! tags i tag)
                 (rewatch-target poller target all tag)))
              ((fx< code 0)
               (vector-set! found i error-bit)))
        (loop (cdr items) (fx+ i 1) (cons (cons item i) before))))))

(define (watch-target poller target wanted tag)
  (if (socket? target)
      (%watch-socket poller (socket-handle target) wanted tag)
      (%watch-fd poller target wanted tag)))

(define (rewatch-target poller target wanted tag)
  (if (socket? target)
      (%rewatch-socket poller (socket-handle target) wanted tag)
      (%rewatch-fd poller target wanted tag)))

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
(define (deliver-found! items tags found)
  (let loop ((items items) (i 0) (ready 0))
    (if (null? items)
        ready
        (let* ((item (car items))
               (target (poll-item-target item))
               (events (vector-ref found (vector-ref tags i)))
               (unread (if (and (socket? target) (unread? target)) in-bit 0))
               (mine (bitwise-and (bitwise-ior events unread)
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
         (poller (checked 'poll (%make-poller))))
    (dynamic-wind
     void
     (lambda ()
       (let ((found (make-vector count 0)))
         (watch-items poller items tags found)
         (let loop ()
           (check-all! poller found)
           (let ((ready (deliver-found! items tags found)))
             (cond ((fx> ready 0) ready)
                   ((passed? limit) #f)
                   (else
                    (wait-descriptor! (%poller-fd poller) limit)
                    (loop)))))))
     (lambda () (%free-poller poller)))))

;; Each check finds at most 64 and puts them behind the others.
(define (check-all! poller found)
  (let loop ((left (vector-length found)))
    (let ((n (checked 'poll (%check-poller poller found))))
      (when (and (fx= n 64) (fx> left 64)) (loop (fx- left 64))))))
