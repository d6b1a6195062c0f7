;;; Transfer of messages between the program and its sockets: one message, a list of parts,
;;; or a batch, a list of messages.

;; -------------------------------------------------------------- sending --

;; A message that no swap can hold waits until libzmq itself takes it.
(define (or-later code non-blocking)
  (if (and (eq? code eswapsize) (not non-blocking)) eagain code))

;; Sends a list of parts as one message: #t, or #f if it was given up.  What has to wait is
;; copied first, so that the program may change its strings.
(define (send-parts location s parts non-blocking timeout)
  (let* ((stable (and (not non-blocking) (must-queue? (socket-queue s) out-bit)
                      (map stable-part parts)))
         (code (perform
                location s out-bit non-blocking timeout
                (lambda ()
                  (let ((code (or-later (%send (socket-handle s) (or stable parts))
                                        non-blocking)))
                    (when (and (eq? code eagain) (not stable) (not non-blocking))
                      (set! stable (map stable-part parts)))
                    code)))))
    (cond ((eq? code 0) #t)
          ((not code) #f)
          (else (fail location code s)))))

;; Parts wait in the socket's record until the last one comes, so that the message is whole
;; when it is sent.  libzmq decides about a message at its first part, so that is when a
;; non-blocking call asks for room.
(define (stage-part location s part staged non-blocking)
  (checked location (%check-socket (socket-handle s)) s)
  (and (or (pair? staged) (not non-blocking) (memq 'out (socket-option s 'events)))
       (begin
         (set-own-parts! s staged-field (cons (stable-part part) staged))
         #t)))

;; The general case bears the name that errors and the printer give.
(define send-message
  (let ((send-message (lambda (s message . rest) (send-generally s message rest))))
    (##core#inline_allocate
     ("szg_make_sender" 7)
     send-message
     'zmq-socket 'zmq-message
     (lambda (s code) (fail 'send-message code s)))))

(define (send-generally s message rest)
  (check-socket 'send-message s)
  (with-keywords 'send-message rest
      ((#:non-blocking non-blocking #f)
       (#:send-more send-more #f)
       (#:timeout timeout socket-timeout))
    (send-one 'send-message s message send-more non-blocking timeout)))

(define (send-one location s message send-more non-blocking timeout)
  (let ((staged (take-staged! s)))
    (check-wait location timeout)
    (check-part location message)
    (if send-more
        (stage-part location s message staged non-blocking)
        (send-parts location s (reverse (cons message staged)) non-blocking timeout))))

(define send-multipart-message
  (let ((send-multipart-message
         (lambda (s parts . rest) (send-multipart-generally s parts rest))))
    (##core#inline_allocate
     ("szg_make_parts_sender" 7)
     send-multipart-message
     'zmq-socket 'zmq-message
     (lambda (s code) (fail 'send-multipart-message code s)))))

(define (send-multipart-generally s parts rest)
  (check-socket 'send-multipart-message s)
  (with-keywords 'send-multipart-message rest
      ((#:non-blocking non-blocking #f)
       (#:timeout timeout socket-timeout))
    (let ((staged (take-staged! s)))
      (check-wait 'send-multipart-message timeout)
      (unless (and (list? parts) (pair? parts))
        (fail-type 'send-multipart-message
                   "a list of one part or more; send-message sends one part" parts))
      (for-each (lambda (p) (check-part 'send-multipart-message p)) parts)
      (send-parts 'send-multipart-message s (append (reverse staged) parts)
                  non-blocking timeout))))

;; ------------------------------------------------------------ receiving --

;; Receives a message: a part, a list of parts, or an error code.  What cannot be built at
;; once, or is large and not wanted as a string, is taken as messages that the kernel holds.
(define (receive-parts s as)
  (or (and (not (eq? as 'properties))
           (%receive-held (socket-handle s) (blobs? as)
                          (or (eq? as 'message) (procedure? as))))
      (take-parts s as)))

;; A signal handler may receive the message in between; then it is the next one.
(define (take-parts s as)
  (let ((count (%receive (socket-handle s))))
    (if (fx< count 0)
        count
        (let* ((handles (make-vector count 0))
               (code (%take-parts (socket-handle s) handles count)))
          (cond ((fx= code enoent) (take-parts s as))
                ((fx< code 0) code)
                (else
                 (settle-young!)
                 (let ((messages (map young-message (vector->list handles))))
                   (if (eq? as 'properties) messages (map settled messages)))))))))

;; A small part is a string; a large one, or one that there is no room for now, stays in the
;; kernel.
(define (settled m)
  (if (<= (message-size m) largest-small-part)
      (condition-case (part->string m) ((exn zmq) m))
      m))

(define receive-message
  (let ((receive-message (lambda (s . rest) (receive-generally s rest))))
    (##core#inline_allocate
     ("szg_make_receiver" 11)
     receive-message
     'zmq-socket 'zmq-message #:as 'string 'message 'blob 'u8vector)))

(define (receive-generally s rest)
  (if (and (null? rest) (%receive-as-set?))
      (receive-message s as: (zmq-receive-as))
      (begin
        (check-socket 'receive-message s)
        (with-keywords 'receive-message rest
            ((#:as as unset)
             (#:properties properties #f)
             (#:non-blocking non-blocking #f)
             (#:timeout timeout socket-timeout))
          (check-wait 'receive-message timeout)
          (let* ((as (wanted-as 'receive-message as properties))
                 (parts (next-parts 'receive-message s as non-blocking timeout)))
            (and parts (deliver s parts as)))))))

;; The parts that are unread, or those of the next message; #f where it was given up.
(define (next-parts location s as non-blocking timeout)
  (if (unread? s)
      (unread s)
      (let ((got (perform location s in-bit non-blocking timeout
                          (lambda () (receive-parts s as)))))
        (cond ((fixnum? got) (fail location got s))
              ((or (not got) (pair? got)) got)
              (else (list got))))))

;; The first of the parts as it is wanted; the others stay unread.  So does one that the heap
;; has no room for, which can be received as a message still.
(define (deliver s parts as)
  (let ((part (car parts)))
    (set-unread! s (if (and (message? part) (not (procedure? as)))
                       parts
                       (cdr parts)))
    (let ((presented (present part as)))
      (unless (procedure? as) (set-unread! s (cdr parts)))
      presented)))

(define (receive-message* s . rest)
  (if (or (memq #:as rest) (memq #:properties rest))
      (apply receive-message s rest)
      (apply receive-message s as: 'string rest)))

;; What is left of a message, where receive-message has begun it.
(define receive-multipart-message
  (let ((receive-multipart-message (lambda (s . rest) (receive-multipart-generally s rest))))
    (##core#inline_allocate
     ("szg_make_parts_receiver" 11)
     receive-multipart-message
     'zmq-socket 'zmq-message #:as 'string 'message 'blob 'u8vector)))

(define (receive-multipart-generally s rest)
  (if (and (null? rest) (%receive-as-set?))
      (receive-multipart-message s as: (zmq-receive-as))
      (begin
        (check-socket 'receive-multipart-message s)
        (with-keywords 'receive-multipart-message rest
            ((#:as given unset)
             (#:properties properties #f)
             (#:non-blocking non-blocking #f)
             (#:timeout timeout socket-timeout))
          (check-wait 'receive-multipart-message timeout)
          (let* ((as (wanted-as 'receive-multipart-message given properties))
                 (parts (next-parts 'receive-multipart-message s as non-blocking timeout)))
            (and parts (deliver-all s parts as)))))))

(define (deliver-all s parts as)
  (set-unread! s (if (procedure? as) '() parts))
  (let ((presented (map (lambda (part) (present part as)) parts)))
    (set-unread! s '())
    presented))

;; ------------------------------------------------------ sending a batch --

;; In a batch a message of one part stands for itself, one of several is a list.
(define (check-batch messages)
  (let ((rest (after-bytes messages)))
    (unless (null? rest)
      (unless (list? messages)
        (fail-type 'send-messages "a list of messages" messages))
      (let loop ((l rest))
        (when (pair? l)
          (let ((m (car l)))
            (if (and (pair? m) (list? m))
                (for-each (lambda (p) (check-part 'send-messages p)) m)
                (check-part 'send-messages m)))
          (loop (after-bytes (cdr l))))))))

;; The first message ends the one that this thread has begun with send-more:.
(define (with-staged! s messages)
  (let ((staged (if (null? messages) '() (take-staged! s))))
    (if (null? staged)
        messages
        (let ((first (car messages)))
          (cons (append (reverse staged) (if (pair? first) first (list first)))
                (cdr messages))))))

;; How many were accepted, the first ones of the list.  If one fails, that number is in the
;; condition.
(define (send-messages s messages . rest)
  (check-socket 'send-messages s)
  (with-keywords 'send-messages rest
      ((#:non-blocking non-blocking #f)
       (#:timeout timeout socket-timeout))
    (check-wait 'send-messages timeout)
    (check-batch messages)
    (let* ((left (with-staged! s messages))
           (stable? non-blocking)
           (sent 0)
           (keep! (lambda ()
                    (unless stable?
                      (set! left (map stable-message left))
                      (set! stable? #t)))))
      (when (must-queue? (socket-queue s) out-bit) (keep!))
      (let ((code (perform
                   'send-messages s out-bit non-blocking timeout
                   (lambda ()
                     (set! left (%send-batch (socket-handle s) left))
                     (set! sent (fx+ sent (%sent)))
                     (let ((code (%refusal)))
                       (unless (null? left) (keep!))
                       (or-later code non-blocking))))))
        (when (and code (not (eq? code 0)))
          (fail/text 'send-messages code (%error-text code) (list s) 'accepted sent))
        sent))))

;; ---------------------------------------------------- receiving a batch --

;; A batch ends behind so many bytes: what the nursery has no room for is copied by the
;; collector.  It is less than what a string may have before the room in the heap is looked
;; at.
(define-constant batch-bytes 1000000)
(define-constant default-max 1000)

(define (check-max x)
  (unless (and (fixnum? x) (fx> x 0))
    (fail-type 'receive-messages "a positive fixnum" x)))

(define (check-kind as)
  (when (procedure? as)
    (fail-type 'receive-messages "message, string, blob or u8vector" as))
  (check-as 'receive-messages as))

;; Waits until there is a message, and takes those that are there.
(define (receive-messages s . rest)
  (check-socket 'receive-messages s)
  (with-keywords 'receive-messages rest
      ((#:max given-max unset)
       (#:as given unset)
       (#:non-blocking non-blocking #f)
       (#:timeout timeout socket-timeout))
    (unless (eq? given-max unset) (check-max given-max))
    (check-wait 'receive-messages timeout)
    (let* ((as (check-kind (if (eq? given unset) (zmq-receive-as) given)))
           (max (if (eq? given-max unset) default-max given-max)))
      (if (unread? s)
          (receive-after-unread s as max (take-unread! s as))
          (let ((got (perform 'receive-messages s in-bit non-blocking timeout
                              (lambda () (receive-batch s as max batch-bytes '())))))
            (if (fixnum? got) (fail 'receive-messages got s) got))))))

;; What follows a message that was begun, where nobody waits before this thread.
(define (receive-after-unread s as max first)
  (if (or (fx= max 1) (must-queue? (socket-queue s) in-bit))
      (list first)
      (let ((got (receive-batch s as (fx- max 1) batch-bytes (list (list first)))))
        (socket-touched! s)
        got)))

;; At most `max` messages, those that are there; it ends behind `bytes`.  `before` are lists of
;; those that were received already, the last list first.  An error code only where there is
;; none.
(define (receive-batch s as max bytes before)
  (let* ((found (%receive-each (socket-handle s) max
                               (case as
                                 ((message) 'zmq-message)
                                 ((u8vector) 'u8vector)
                                 (else #f))
                               (blobs? as)
                               bytes))
         (reason (car found))
         (left (fx- max (cadr found)))
         (bytes (fx- bytes (caddr found)))
         (got (cdddr found))
         (all (if (null? got) before (cons got before))))
    (cond ((and (fx< reason 0) (null? all)) reason)
          ((or (fx< reason 0) (fx= left 0) (fx= reason 2)) (joined all))
          ((fx= reason 1) (receive-held-too s as left bytes all))
          ((fx> bytes 0) (receive-batch s as left bytes all))
          (else (joined all)))))

;; Goes on with the message that the kernel holds, if it is the first or there are bytes left
;; for it.
(define (receive-held-too s as max bytes before)
  (let ((size (%held-bytes (socket-handle s))))
    (if (and (pair? before) (>= size bytes))
        (begin
          (%put-back (socket-handle s))
          (joined before))
        (let ((next (receive-whole s as (null? before))))
          (cond ((not next) (joined before))
                ((fixnum? next) (if (null? before) next (joined before)))
                ((or (fx= max 1) (>= size bytes)) (joined (cons (list next) before)))
                (else (receive-batch s as (fx- max 1) (- bytes size)
                                     (cons (list next) before))))))))

;; The message that the kernel holds, or #f if it is left for the next call: only the first
;; of a batch may turn out to be too large for the heap.
(define (receive-whole s as first?)
  (let ((got (receive-parts s as)))
    (if (fixnum? got)
        got
        (let ((parts (if (pair? got) got (list got))))
          (set-unread! s parts)
          (and (or first? (eq? as 'message) (not (any-message? parts)))
               (take-unread! s as))))))

(define (any-message? parts)
  (and (pair? parts) (or (message? (car parts)) (any-message? (cdr parts)))))

(define (take-unread! s as)
  (let ((presented (deliver-all s (unread s) as)))
    (if (null? (cdr presented)) (car presented) presented)))

(define (joined lists)
  (let loop ((lists (cdr lists)) (all (car lists)))
    (if (null? lists) all (loop (cdr lists) (append (car lists) all)))))
