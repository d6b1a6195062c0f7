;;; Pollers: sets of sockets and descriptors that are watched over many waits.

;; `table` has the entries by the tags of their targets, `count` is how many there are.
(define-record-type zmq-poller
  (make-poller-record handle table count)
  poller?
  (handle poller-handle)
  (table poller-table)
  (count watched-count set-watched-count!))

;; `wanted` are the events to watch for, `value` stands for the target in the result of
;; poller-wait, and `found` are the events that were found last.
(define (make-entry target wanted value) (vector target wanted value 0))

(define-fields
  (0 entry-target)
  (1 entry-wanted set-entry-wanted!)
  (2 entry-value set-entry-value!)
  (3 entry-found set-entry-found!))

(set-record-printer! zmq-poller
  (lambda (p port) (display-all port "#<zmq poller of " (watched-count p) ">")))

(define (check-poller location x)
  (if (poller? x) x (fail-type location "a ZeroMQ poller" x)))

(define (make-poller) (new-poller 'make-poller))

(define (new-poller location)
  (let ((p (make-poller-record 0 (make-table) 0)))
    (set-finalizer! p drop-poller!)
    (checked location (collect-and-make (lambda () (%make-poller p))))
    p))

;; ---------------------------------------------------------------- events --

(define (event-bits in out error)
  (fx+ (if in in-bit 0) (fx+ (if out out-bit 0) (if error error-bit 0))))

(define-inline (has? bits bit) (not (fx= 0 (fxand bits bit))))

(define (event-names bits)
  (define (name bit symbol) (if (has? bits bit) (list symbol) '()))
  (append (name in-bit 'in) (name out-bit 'out) (name error-bit 'error)))

;; --------------------------------------------------------------- entries --

(define (check-target location x)
  (if (or (socket? x) (and (fixnum? x) (fx>= x 0)))
      x
      (fail-type location "a ZeroMQ socket or a descriptor" x)))

;; The tag under which the kernel reports the target, as in the loop.
(define (target-tag target)
  (if (socket? target) (socket-handle target) (descriptor-tag target)))

(define (find-entry p target) (table-find (poller-table p) (target-tag target)))

(define (watch-target p target wanted tag)
  (if (socket? target)
      (%watch-socket (poller-handle p) (socket-handle target) wanted tag)
      (%watch-fd (poller-handle p) target wanted tag)))

(define (rewatch-target p target wanted tag)
  (if (socket? target)
      (%rewatch-socket (poller-handle p) (socket-handle target) wanted tag)
      (%rewatch-fd (poller-handle p) target wanted tag)))

(define (unwatch-target p target)
  (if (socket? target)
      (%unwatch-socket (poller-handle p) (socket-handle target))
      (%unwatch-fd (poller-handle p) target)))

(define (add-entry! location p target wanted value)
  (let ((tag (target-tag target)))
    (checked location (watch-target p target wanted tag) target)
    (table-add! (poller-table p) tag (make-entry target wanted value))
    (set-watched-count! p (fx+ (watched-count p) 1))
    (when (socket? target) (socket-touched! target))))

(define (modify-entry! location p entry wanted)
  (let ((target (entry-target entry)))
    (checked location (rewatch-target p target wanted (target-tag target)) target)
    (set-entry-wanted! entry wanted)))

;; -------------------------------------------------------------- watching --

(define (poller-add! p target . rest)
  (check-poller 'poller-add! p)
  (check-target 'poller-add! target)
  (with-keywords 'poller-add! rest
      ((#:in in #f) (#:out out #f) (#:error error #f) (#:value value target))
    (add-entry! 'poller-add! p target (event-bits in out error) value)))

(define (entry-of location p target)
  (check-poller location p)
  (check-target location target)
  (or (find-entry p target) (fail location enoent target)))

(define (poller-modify! p target . rest)
  (let ((entry (entry-of 'poller-modify! p target)))
    (with-keywords 'poller-modify! rest
        ((#:in in #f) (#:out out #f) (#:error error #f) (#:value value (entry-value entry)))
      (modify-entry! 'poller-modify! p entry (event-bits in out error))
      (set-entry-value! entry value))))

(define (poller-remove! p target)
  (let ((entry (entry-of 'poller-remove! p target)) (code (unwatch-target p target)))
    (table-remove! (poller-table p) (target-tag target) entry)
    (set-watched-count! p (fx- (watched-count p) 1))
    (checked 'poller-remove! code target)
    (void)))

;; --------------------------------------------------------------- waiting --

;; The events that the last poller-wait found for the target.
(define (poller-events p target)
  (event-names (entry-found (entry-of 'poller-events p target))))

;; Notes the events of what is ready, and returns the values, at most `max`.  (find-entry tag) is
;; #f if a signal handler has removed the entry since it was reported.
(define (ready-values location p max find-entry)
  (let check ((size (fxmin max most-ready)))
    (let* ((ready (make-vector (fx* 2 size) 0))
           (n (checked location (%check-poller (poller-handle p) ready size))))
      (if (and (fx= n size) (fx< size max))
          (check max)                   ; reports all of them again
          (let next ((i (fx- n 1)) (values '()))
            (if (fx< i 0)
                values
                (let ((entry (find-entry (vector-ref ready (fx* 2 i)))))
                  (when entry (set-entry-found! entry (vector-ref ready (fx+ 1 (fx* 2 i)))))
                  (next (fx- i 1) (if entry (cons (entry-value entry) values) values)))))))))

;; A list of values that is not empty, or #f if the time has passed.
(define (poller-wait p . rest)
  (check-poller 'poller-wait p)
  (with-keywords 'poller-wait rest ((#:timeout timeout #f) (#:max max #f))
    (unless (or (not max) (and (fixnum? max) (fx> max 0)))
      (fail-type 'poller-wait "a number of entries, 1 or more" max))
    (let* ((limit (deadline (check-timeout 'poller-wait timeout)))
           (all (fxmax 1 (watched-count p)))
           (max (if max (fxmin max all) all))
           (find-entry (lambda (tag) (table-find (poller-table p) tag))))
      (perform-on 'poller-wait (%poller-fd (poller-handle p)) limit
                  (lambda ()
                    (let ((values (ready-values 'poller-wait p max find-entry)))
                      (if (null? values) eagain values)))))))
