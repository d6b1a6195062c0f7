;;; What the patterns share: tables by strings of peers, queues, parts of messages, heartbeats.

;; Bytes from the system: pseudo-random numbers may be the same in processes started together.
(define (random-text size) (random-bytes (make-string size)))

(define (number-of bytes)
  (foldl (lambda (n c) (+ (* 256 n) (char->integer c))) 0 (string->list bytes)))

;; ----------------------------------------------------------------- tables --

;; `buckets` is a vector of lists of pairs of key and value, whose length is a power of two.  Peers
;; choose the keys, so a secret number of the process spreads them.
(define-record-type zmq-string-table (make-string-table buckets count) string-table?
  (buckets buckets set-buckets!)
  (count table-count set-table-count!))

(define secret (number-of (random-text 3)))

(define (make-table) (make-string-table (make-vector 16 '()) 0))

(define (bucket-of buckets key)
  (fxand (##core#inline "C_u_i_string_hash" key secret) (fx- (vector-length buckets) 1)))

(define (find-entry t key)
  (assoc key (vector-ref (buckets t) (bucket-of (buckets t) key))))

(define (table-ref t key) (let ((entry (find-entry t key))) (and entry (cdr entry))))

(define (add-entry! buckets entry)
  (let ((i (bucket-of buckets (car entry))))
    (vector-set! buckets i (cons entry (vector-ref buckets i)))))

(define (table-set! t key value)
  (let ((entry (find-entry t key)))
    (cond (entry (set-cdr! entry value))
          (else
           (when (fx= (table-count t) (vector-length (buckets t)))
             (let ((larger (make-vector (fx* 2 (table-count t)) '())))
               (table-for-each t (lambda (key value) (add-entry! larger (cons key value))))
               (set-buckets! t larger)))
           (add-entry! (buckets t) (cons key value))
           (set-table-count! t (fx+ (table-count t) 1))))))

(define (table-delete! t key)
  (let ((entry (find-entry t key)) (i (bucket-of (buckets t) key)))
    (when entry
      (vector-set! (buckets t) i (delete-first entry (vector-ref (buckets t) i)))
      (set-table-count! t (fx- (table-count t) 1)))))

(define (delete-first x l)
  (cond ((null? l) l)
        ((eq? x (car l)) (cdr l))
        (else (cons (car l) (delete-first x (cdr l))))))

;; A list of (procedure key value) of all entries.  The procedure may delete entries.
(define (table-map t procedure)
  (let loop ((i 0) (l '()) (done '()))
    (cond ((pair? l) (loop i (cdr l) (cons (procedure (caar l) (cdar l)) done)))
          ((fx= i (vector-length (buckets t))) done)
          (else (loop (fx+ i 1) (vector-ref (buckets t) i) done)))))

(define (table-for-each t procedure) (table-map t procedure) (void))

;; ----------------------------------------------------------------- queues --

;; A pair of the list and its last pair.
(define (make-fifo) (cons '() '()))
(define (fifo-empty? q) (null? (car q)))

(define (fifo-add! q x)
  (let ((last (list x)))
    (if (fifo-empty? q) (set-car! q last) (set-cdr! (cdr q) last))
    (set-cdr! q last)))

(define (fifo-put-back! q x)
  (when (fifo-empty? q) (set-cdr! q '()))
  (set-car! q (cons x (car q)))
  (when (null? (cdr q)) (set-cdr! q (car q))))

(define (fifo-take! q)
  (let ((x (caar q)))
    (set-car! q (cdar q))
    (when (fifo-empty? q) (set-cdr! q '()))
    x))

;; Keeps what (keep? x) says.
(define (fifo-keep! q keep?)
  (let ((kept (foldr (lambda (x rest) (if (keep? x) (cons x rest) rest)) '() (car q))))
    (set-car! q '())
    (set-cdr! q '())
    (for-each (lambda (x) (fifo-add! q x)) kept)))

;; ------------------------------------------------------------------ parts --

(define-constant longest-text 255)

;; A short part as a string, or #f.  Names, addresses and commands of the protocols are short.
(define (text part) (and (<= (message-size part) longest-text) (message->string part)))

(define (part-is? part wanted)
  (and (= (message-size part) (string-length wanted)) (string=? (message->string part) wanted)))

(define (byte n) (string (integer->char n)))

;; The parts as strings, or #f if the heap has no room for them.
(define (strings-of parts) (condition-case (map message->string parts) ((exn zmq) #f)))

;; Sends if it needs no wait.  #f if it was not sent, also where the peer or the socket is gone.
(define (try-send s parts)
  (condition-case (send-multipart-message s parts non-blocking: #t) ((exn zmq) #f)))

;; The next message that is there as a list of messages, or #f.
(define (next-message s) (receive-multipart-message s as: 'message non-blocking: #t))

;; Closes at once, and drops what is not sent yet.
(define (drop-socket! s)
  (unless (socket-closed? s)
    (condition-case (socket-option-set! s 'linger 0) ((exn zmq) #f))
    (close-socket s)))

;; -------------------------------------------------------------- arguments --

(define (check-parts location x)
  (unless (and (list? x) (pair? x)) (fail-type location "a list of one part or more" x))
  (for-each (lambda (part) (check-part location part)) x)
  x)

(define (check-interval location x)
  (unless (and (real? x) (finite? x) (>= x 1))
    (fail-type location "an interval of 1 millisecond or more" x))
  x)

(define (check-retries location x)
  (unless (exact-natural? x) (fail-type location "a number of retries" x))
  x)

(define (check-options location x)
  (unless (list? x) (fail-type location "a list of keywords and values for make-socket" x))
  x)

;; -------------------------------------------------------------- procedures --

;; What the thunk returns.  If it is left in another way, calls (undo).
(define (value-or undo thunk)
  (let ((value #f))
    (finish-or undo (lambda () (set! value (thunk))))
    value))

;; What the program's procedure answers to the parts.  If it raises something, or returns no list
;; of parts, what (failed condition) returns instead; #f if that is no list of parts either.
(define (answer-of location procedure parts failed)
  (define (try thunk otherwise)
    (let ((outcome (call-with-current-continuation
                    (lambda (leave)
                      (with-exception-handler
                       (lambda (e) (leave (cons 'raised e)))
                       (lambda () (check-parts location (thunk))))))))
      (if (eq? 'raised (car outcome)) (otherwise (cdr outcome)) outcome)))
  (try (lambda () (procedure parts))
       (lambda (e) (and failed (try (lambda () (failed e)) (lambda (e) #f))))))
