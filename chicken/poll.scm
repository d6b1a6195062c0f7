;;; Polling of a list of sockets and descriptors, with a poller that is filled for one call.

(define-record-type zmq-poll-item
  (make-poll-item-record target wanted found)
  poll-item?
  (target poll-item-target)
  (wanted poll-item-wanted)
  (found poll-item-found set-poll-item-found!))

(set-record-printer! zmq-poll-item
  (lambda (i port)
    (display-all port "#<zmq poll item " (poll-item-target i))
    (for-each (lambda (name) (display-all port " " name)) (event-names (poll-item-wanted i)))
    (display ">" port)))

(define (make-poll-item target . rest)
  (with-keywords 'make-poll-item rest ((#:in in #f) (#:out out #f) (#:error error #f))
    (check-target 'make-poll-item target)
    (make-poll-item-record target (event-bits in out error) 0)))

(define (check-item location x)
  (if (poll-item? x) x (fail-type location "a poll item, which make-poll-item makes" x)))

(define (poll-item-socket i)
  (let ((target (poll-item-target (check-item 'poll-item-socket i))))
    (and (socket? target) target)))

(define (poll-item-fd i)
  (let ((target (poll-item-target (check-item 'poll-item-fd i))))
    (and (fixnum? target) target)))

(define (found? location i bit) (has? (poll-item-found (check-item location i)) bit))

(define (poll-item-in? i) (found? 'poll-item-in? i in-bit))
(define (poll-item-out? i) (found? 'poll-item-out? i out-bit))
(define (poll-item-error? i) (found? 'poll-item-error? i error-bit))

;; Watches the target of the item with the index i, and returns the entry of the target.  Items
;; with the same target share an entry, which wants what any of them wants.  A target that cannot be
;; watched, such as a closed one, is an error found.
(define (watch-item! p item i entries)
  (let* ((target (poll-item-target item))
         (wanted (poll-item-wanted item))
         (code (watch-target p target wanted i))
         (entry (or (and (eq? code eeexist) (shared-entry target entries 0))
                    (make-entry target 0 #f))))
    (set-entry-wanted! entry (fxior wanted (entry-wanted entry)))
    (cond ((eq? code eeexist) (rewatch-target p target (entry-wanted entry) i))
          ((fx< code 0) (set-entry-found! entry error-bit)))
    (when (socket? target) (socket-touched! target))
    entry))

(define (shared-entry target entries i)
  (let ((entry (vector-ref entries i)))
    (and entry
         (if (eq? target (entry-target entry)) entry (shared-entry target entries (fx+ i 1))))))

;; Notes in the item what was found for its target, and returns whether that is anything.
(define (deliver-found! item entry)
  (let* ((target (entry-target entry))
         (unread (if (and (socket? target) (unread? target)) in-bit 0))
         (found (fxand (fxior unread (entry-found entry))
                       (fxior error-bit (poll-item-wanted item)))))
    (set-poll-item-found! item found)
    (not (eq? 0 found))))

(define (poll-limit timeout)
  (cond ((eq? timeout #t) #f)
        ((not timeout) (now))
        ((exact-natural? timeout) (deadline timeout))
        (else (fail-type 'poll "#t, #f or a number of milliseconds" timeout))))

(define (poll items timeout)
  (unless (list? items) (fail-type 'poll "a list of poll items, which make-poll-item makes" items))
  (for-each (lambda (i) (check-item 'poll i)) items)
  (let* ((limit (poll-limit timeout))
         (count (length items))
         (entries (make-vector count #f))
         (p (take-spare-poller))
         (left #f))
    (wind
     ;; After the poll another call may use the poller, so a continuation must not enter again.
     (lambda () (when left (fail 'poll eclosed)))
     (lambda ()
       (do ((l items (cdr l)) (i 0 (fx+ i 1))) ((null? l))
         (vector-set! entries i (watch-item! p (car l) i entries)))
       (or (perform-on 'poll (%poller-fd (poller-handle p)) limit
                       (lambda ()
                         (ready-values 'poll p (fxmax 1 count)
                                       (lambda (tag) (vector-ref entries tag)))
                         (do ((l items (cdr l)) (i 0 (fx+ i 1))
                              (ready 0 (if (deliver-found! (car l) (vector-ref entries i))
                                           (fx+ ready 1)
                                           ready)))
                             ((null? l) (if (eq? 0 ready) eagain ready)))))
           (and timeout 0)))
     (lambda ()
       (unless left
         (for-each (lambda (i) (unwatch-target p (poll-item-target i))) items)
         (set! spare-poller p)
         (set! left #t))))))

;; Making a poller takes system calls, so one is kept for the next poll.  If the thread that
;; polls is terminated, its poller is left to the collector.
(define spare-poller #f)

(define (take-spare-poller)
  (let ((p spare-poller))
    (set! spare-poller #f)
    (if (and p (fx>= (%poller-fd (poller-handle p)) 0)) p (new-poller 'poll))))
