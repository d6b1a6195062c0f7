;;; Pollers: sets of sockets and descriptors that are watched for long.

;; `table` has buckets of entries by key, `tagged` the entries at their tags,
;; `free` the tags below `used` that are free.
(define-record-type zmq-poller
  (make-poller-record handle table count tagged free used)
  poller?
  (handle poller-handle)
  (table poller-table set-poller-table!)
  (count watched-count set-watched-count!)
  (tagged poller-tagged set-poller-tagged!)
  (free poller-free set-poller-free!)
  (used poller-used set-poller-used!))

;; `value` stands for the target in what poller-wait answers; `found` are the
;; events of the last one.
(define-record-type zmq-poller-entry
  (make-entry target tag wanted value found)
  entry?
  (target entry-target)
  (tag entry-tag)
  (wanted entry-wanted set-entry-wanted!)
  (value entry-value set-entry-value!)
  (found entry-found set-entry-found!))

(set-record-printer! zmq-poller
  (lambda (p port)
    (display "#<zmq poller of " port)
    (display (watched-count p) port)
    (display ">" port)))

(define (check-poller location x)
  (if (poller? x) x (fail-type location "a ZeroMQ poller" x)))

(define (drop-poller! p) (%free-poller (poller-handle p)))

(define (make-poller) (new-poller 'make-poller))

(define (new-poller location)
  (let ((p (make-poller-record (checked location (%make-poller))
                               (make-vector 16 '()) 0
                               (make-vector 16 #f) '() 0)))
    (set-finalizer! p drop-poller!)
    p))


;; ------------------------------------------------------------- entries --

(define (target-key target)
  (if (socket? target) (socket-handle target) target))

(define (bucket-index table target)
  (fxmod (target-key target) (vector-length table)))

(define (find-entry p target)
  (let* ((table (poller-table p)) (key (target-key target)))
    (let loop ((l (vector-ref table (bucket-index table target))))
      (cond ((null? l) #f)
            ((eqv? key (target-key (entry-target (car l)))) (car l))
            (else (loop (cdr l)))))))

(define (put-in-table! table entry)
  (let ((i (bucket-index table (entry-target entry))))
    (vector-set! table i (cons entry (vector-ref table i)))))

(define (put-entry! p entry)
  (let ((table (poller-table p)))
    (set-watched-count! p (fx+ (watched-count p) 1))
    (if (fx<= (watched-count p) (vector-length table))
        (put-in-table! table entry)
        (let ((larger (make-vector (fx* 2 (vector-length table)) '())))
          (vector-for-each (lambda (bucket)
                             (for-each (lambda (e) (put-in-table! larger e))
                                       bucket))
                           table)
          (put-in-table! larger entry)
          (set-poller-table! p larger)))
    (vector-set! (poller-tagged p) (entry-tag entry) entry)))

(define (vector-for-each procedure v)
  (do ((i 0 (fx+ i 1))) ((fx= i (vector-length v)))
    (procedure (vector-ref v i))))

(define (remove-entry! p entry)
  (let* ((table (poller-table p))
         (i (bucket-index table (entry-target entry))))
    (vector-set! table i (remove-eq entry (vector-ref table i)))
    (set-watched-count! p (fx- (watched-count p) 1))
    (vector-set! (poller-tagged p) (entry-tag entry) #f)
    (set-poller-free! p (cons (entry-tag entry) (poller-free p)))))

(define (remove-eq x list)
  (cond ((null? list) '())
        ((eq? x (car list)) (cdr list))
        (else (cons (car list) (remove-eq x (cdr list))))))

(define (new-tag! p)
  (if (pair? (poller-free p))
      (let ((tag (car (poller-free p))))
        (set-poller-free! p (cdr (poller-free p)))
        tag)
      (let ((tag (poller-used p)))
        (set-poller-used! p (fx+ tag 1))
        (when (fx= tag (vector-length (poller-tagged p)))
          (set-poller-tagged! p (vector-resize (poller-tagged p) (fx* 2 tag) #f)))
        tag)))

;; ------------------------------------------------------------ watching --

(define (watch-target handle target wanted tag)
  (if (socket? target)
      (%watch-socket handle (socket-handle target) wanted tag)
      (%watch-fd handle target wanted tag)))

(define (rewatch-target handle target wanted tag)
  (if (socket? target)
      (%rewatch-socket handle (socket-handle target) wanted tag)
      (%rewatch-fd handle target wanted tag)))

(define (unwatch-target handle target)
  (if (socket? target)
      (%unwatch-socket handle (socket-handle target))
      (%unwatch-fd handle target)))

(define (check-target location x)
  (if (or (socket? x) (and (fixnum? x) (fx>= x 0)))
      x
      (fail-type location "a ZeroMQ socket or a descriptor" x)))

(define (event-bits in out error)
  (fx+ (if in in-bit 0) (fx+ (if out out-bit 0) (if error error-bit 0))))

(define (poller-add! p target . rest)
  (check-poller 'poller-add! p)
  (check-target 'poller-add! target)
  (with-keywords 'poller-add! rest
      ((#:in in #f) (#:out out #f) (#:error error #f) (#:value value target))
    (let* ((wanted (event-bits in out error))
           (tag (new-tag! p))
           (code (watch-target (poller-handle p) target wanted tag)))
      (when (fx< code 0)
        (set-poller-free! p (cons tag (poller-free p)))
        (fail 'poller-add! code target))
      (put-entry! p (make-entry target tag wanted value 0))
      (when (socket? target) (socket-touched! target)))))

(define (entry-of location p target)
  (check-poller location p)
  (check-target location target)
  (or (find-entry p target) (fail location enoent target)))

(define (poller-modify! p target . rest)
  (let ((entry (entry-of 'poller-modify! p target)))
    (with-keywords 'poller-modify! rest
        ((#:in in #f) (#:out out #f) (#:error error #f)
         (#:value value (entry-value entry)))
      (let ((wanted (event-bits in out error)))
        (checked 'poller-modify!
                 (rewatch-target (poller-handle p) target wanted (entry-tag entry))
                 target)
        (set-entry-wanted! entry wanted)
        (set-entry-value! entry value)
        (void)))))

(define (poller-remove! p target)
  (let* ((entry (entry-of 'poller-remove! p target))
         (code (unwatch-target (poller-handle p) target)))
    (remove-entry! p entry)
    (checked 'poller-remove! code target)
    (void)))

;; ------------------------------------------------------------- waiting --

;; What was found in the last poller-wait for a target, as a list.
(define (poller-events p target)
  (let ((found (entry-found (entry-of 'poller-events p target))))
    (let loop ((bits (list in-bit out-bit error-bit)) (names '(in out error)))
      (cond ((null? bits) '())
            ((eq? 0 (bitwise-and found (car bits))) (loop (cdr bits) (cdr names)))
            (else (cons (car names) (loop (cdr bits) (cdr names))))))))

;; The values of what is ready, from a check that found n.
(define (ready-values p ready n)
  (let loop ((i (fx- n 1)) (values '()))
    (if (fx< i 0)
        values
        (let ((entry (vector-ref (poller-tagged p) (vector-ref ready (fx* 2 i)))))
          (set-entry-found! entry (vector-ref ready (fx+ 1 (fx* 2 i))))
          (loop (fx- i 1) (cons (entry-value entry) values))))))

;; The values of what is ready, at most `max` of them, as a list that is not
;; empty; #f when time has run out.
(define (poller-wait p . rest)
  (check-poller 'poller-wait p)
  (with-keywords 'poller-wait rest ((#:timeout timeout #f) (#:max max #f))
    (unless (or (not max) (and (fixnum? max) (fx> max 0)))
      (fail-type 'poller-wait "a number of entries, 1 or more" max))
    (let* ((limit (deadline (check-timeout 'poller-wait timeout)))
           (room (let ((all (fxmax 1 (watched-count p)))) (if max (fxmin max all) all)))
           (ready (make-vector (fx* 2 (fxmin room most-ready)) 0))
           (check (lambda (room)
                    (checked 'poller-wait
                             (%check-poller (poller-handle p) ready
                                            (fxmin room most-ready))))))
      (define (values-of n left)
        (let ((values (ready-values p ready n)))
          (if (and (fx= n most-ready) (fx> left 0))
              (let ((n (check left)))
                (append values (if (fx> n 0) (values-of n (fx- left n)) '())))
              values)))
      (perform-on 'poller-wait (%poller-fd (poller-handle p)) limit
                  (lambda ()
                    (let ((n (check room)))
                      (if (fx= n 0) eagain (values-of n (fx- room n)))))))))
