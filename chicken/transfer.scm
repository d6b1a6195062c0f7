;;; Transfer of messages between the program and its sockets.

;; Stands for a timeout: that was not given: the socket's own holds.
(define-constant socket-timeout 'socket)

(define (limit-of s receiving timeout)
  (deadline
   (if (eq? timeout socket-timeout)
       (let ((own (%socket-timeout (socket-handle s) receiving)))
         (and (fx>= own 0) own))
       timeout)))

(define (check-wait location timeout)
  (if (eq? timeout socket-timeout) timeout (check-timeout location timeout)))

;; Waits and tries again until the attempt answers something else than eagain;
;; #f when time has run out.
(define (keep-trying s receiving timeout attempt)
  (let ((limit (limit-of s receiving timeout)))
    (let loop ()
      (if (passed? limit)
          #f
          (begin
            (wait-socket! s limit)
            (let ((result (attempt)))
              (if (eq? result eagain) (loop) result)))))))

;; ------------------------------------------- what belongs to this thread --

(define (without-thread alist)
  (let ((thread (current-thread)))
    (let loop ((l alist))
      (cond ((null? l) '())
            ((or (eq? thread (caar l)) (thread-ended? (caar l))) (loop (cdr l)))
            (else (cons (car l) (loop (cdr l))))))))

(define (own alist)
  (let ((entry (assq (current-thread) alist)))
    (if entry (cdr entry) '())))

(define (with-own alist parts)
  (let ((others (without-thread alist)))
    (if (null? parts)
        others
        (cons (cons (current-thread) parts) others))))

;; -------------------------------------------------------------- sending --

;; A part as the kernel takes it: a string or blob, or the handle of one it
;; holds.
(define (part-storage part)
  (if (message? part) (message-data part) (bytes-storage part)))

(define (check-part location x)
  (if (or (string? x) (message? x) (bytes? x))
      x
      (fail-type location "a message, string, blob or u8vector" x)))

;; A part that stays what it is, whatever the program does to its string.
(define (stable-part part)
  (if (message? part)
      part
      (bytes->message 'send-message (bytes-storage part))))

(define (transmit s parts)
  (let* ((handle (socket-handle s))
         (first (part-storage (car parts)))
         (code (cond ((pair? (cdr parts))
                      (%send-list handle (map part-storage parts)
                                  (length parts)))
                     ((fixnum? first) (%send-held handle first))
                     (else (%send-bytes handle first)))))
    (wake-waiters! s)
    code))

;; All of them, or none: the kernel's code, or #f if they were given up.  What
;; has to wait is copied first, so that the program may change its strings.
(define (send-parts s parts non-blocking timeout)
  (let ((code (transmit s parts)))
    (cond ((not (eq? code eagain)) code)
          (non-blocking #f)
          (else
           (let ((stable (map stable-part parts)))
             (keep-trying s #f timeout (lambda () (transmit s stable))))))))

(define (finish-send location s code)
  (cond ((eq? code 0) #t)
        ((not code) #f)
        (else (fail location code s))))

;; Parts that this thread has sent with send-more:, the last one first.
(define (take-staged! s)
  (let ((staged (socket-staged s)))
    (if (null? staged)
        '()
        (let ((parts (own staged)))
          (set-socket-staged! s (without-thread staged))
          parts))))

;; Parts wait in the socket's record until the last one comes, so that the
;; message is whole when it is sent.  Whether there is room is asked at the
;; first, where ZeroMQ decides about it.
(define (stage-part s part staged non-blocking)
  (checked 'send-message (%check-socket (socket-handle s)) s)
  (and (or (pair? staged) (not non-blocking) (room-to-send? s))
       (begin
         (set-socket-staged!
          s (with-own (socket-staged s)
                      (cons (stable-part part) staged)))
         #t)))

(define (room-to-send? s)
  (memq 'out (socket-option s 'events)))

;; A string or small message without keywords goes the short way, without a
;; continuation of its own.
(define (send-message s message . rest)
  (if (and (is-socket? s) (null? rest) (null? (socket-staged s)))
      (let* ((data (if (is-message? message) (message-data message) message))
             (code (if (string? data)
                       (%send-bytes (socket-handle s) data)
                       eagain)))
        (if (and (eq? code 0) (null? (socket-waiters s)))
            #t
            (send-on s message code)))
      (send-with s message rest)))

;; After the short way: what it left undone.
(define (send-on s message code)
  (wake-waiters! s)
  (if (eq? code eagain) (check-part 'send-message message))
  (finish-send 'send-message s
               (if (eq? code eagain)
                   (send-parts s (list message) #f socket-timeout)
                   code)))

(define (send-with s message rest)
  (check-socket 'send-message s)
  (with-keywords 'send-message rest
      ((#:non-blocking non-blocking #f)
       (#:send-more send-more #f)
       (#:timeout timeout socket-timeout))
    (let ((staged (take-staged! s)))
      (check-wait 'send-message timeout)
      (check-part 'send-message message)
      (if send-more
          (stage-part s message staged non-blocking)
          (finish-send 'send-message s
                       (send-parts s (reverse (cons message staged))
                                   non-blocking timeout))))))

(define (send-multipart-message s parts . rest)
  (check-socket 'send-multipart-message s)
  (with-keywords 'send-multipart-message rest
      ((#:non-blocking non-blocking #f)
       (#:timeout timeout socket-timeout))
    (let ((staged (take-staged! s)))
      (check-wait 'send-multipart-message timeout)
      (unless (and (list? parts) (pair? parts))
        (fail-type 'send-multipart-message "a list of one part or more" parts))
      (for-each (lambda (p) (check-part 'send-multipart-message p)) parts)
      (finish-send 'send-multipart-message s
                   (send-parts s (append (reverse staged) parts)
                               non-blocking timeout)))))

;; ------------------------------------------------------------ receiving --

(define zmq-receive-as
  (make-parameter 'message (lambda (as) (check-as 'zmq-receive-as as))))

(define (check-as location as)
  (if (or (eq? as 'string) (memq as '(message blob u8vector)) (procedure? as))
      as
      (fail-type location
                 "message, string, blob, u8vector or a procedure" as)))

;; A part received, which is a string, a blob or a message, as it is wanted.
(define (present part as)
  (cond ((procedure? as) (call-with-bytes (part->message part) as))
        ((eq? as 'message) (part->message part))
        ((and (eq? as 'blob) (blob? part)) part)
        ((and (eq? as 'u8vector) (blob? part)) (blob->u8vector/shared part))
        (else (string->kind (part->string part) as))))

(define (part->message part)
  (cond ((message? part) part)
        ((string? part) (make-message-record part))
        (else (make-message-record (bytes->string 'receive-message part)))))

(define (part->string part)
  (cond ((string? part) part)
        ((message? part) (message-string 'receive-message part))
        (else (bytes->string 'receive-message part))))

(define-inline (blobs? as) (or (eq? as 'blob) (eq? as 'u8vector)))

;; The parts that the kernel holds, where they could not be built at once.
;; Nobody may receive from the socket meanwhile.
(define (take-parts handle count)
  (uninterrupted
   (lambda ()
     (let loop ((i (fx- count 1)) (parts '()))
       (if (fx< i 0)
           (begin (%release handle) parts)
           (loop (fx- i 1) (cons (take-part handle i) parts)))))))

;; A large part stays in the kernel, for now as a bare handle; for want of
;; memory it becomes a string.
(define (take-part handle i)
  (%part handle i)
  (if (<= (%bytes-size) largest-small-part)
      (found-bytes 'receive-message)
      (let ((held (%take handle i)))
        (if (fx< held 0) (found-bytes 'receive-message) held))))

;; What %receive-small answered; the parts, if it left them with the kernel,
;; as one or as a list.
(define (all-parts s got as)
  (if (and (fixnum? got) (fx>= got 0))
      (let ((handle (socket-handle s)))
        (or (%build-parts handle got (blobs? as))
            (let ((parts (map (lambda (p) (if (fixnum? p) (held-message p) p))
                              (take-parts handle got))))
              (if (fx= got 1) (car parts) parts))))
      got))

(define (receive-raw s as)
  (let ((got (%receive-small (socket-handle s))))
    (wake-waiters! s)
    (all-parts s got as)))

;; What an attempt found, or what waiting for more brings.
(define (receive-or-wait location s first as non-blocking timeout)
  (let ((got (cond ((not (eq? first eagain)) first)
                   (non-blocking #f)
                   (else (keep-trying s #t timeout
                                      (lambda () (receive-raw s as)))))))
    (if (fixnum? got) (fail location got s) got)))

(define (unread? s)
  (and (pair? (socket-unread s)) (pair? (own (socket-unread s)))))

(define (set-unread! s parts)
  (unless (and (null? parts) (null? (socket-unread s)))
    (set-socket-unread! s (with-own (socket-unread s) parts))))

;; The general way: what is unread first, then the socket.
(define (receive-part s as non-blocking timeout)
  (check-as 'receive-message as)
  (if (unread? s)
      (deliver s (own (socket-unread s)) as)
      (receive-on s (receive-raw s as) as non-blocking timeout)))

;; Goes on from a first attempt.
(define (receive-on s first as non-blocking timeout)
  (let ((got (receive-or-wait 'receive-message s first as
                              non-blocking timeout)))
    (and got (deliver s (if (pair? got) got (list got)) as))))

;; The first of the parts as it is wanted; the others stay unread.  So does
;; one that the heap has no room for, which can be had as a message still.
(define (deliver s parts as)
  (let ((part (car parts)))
    (set-unread! s (if (and (message? part) (not (procedure? as)))
                       parts
                       (cdr parts)))
    (let ((presented (present part as)))
      (unless (procedure? as) (set-unread! s (cdr parts)))
      presented)))

;; The short way, for a message of one part that is there.
(define (receive-at-once s as)
  (if (and (is-socket? s)
           (null? (socket-unread s))
           (or (eq? as 'string) (eq? as 'message)))
      (let ((got (%receive-small (socket-handle s))))
        (if (and (string? got) (null? (socket-waiters s)))
            (if (eq? as 'string) got (make-message-record got))
            (begin
              (wake-waiters! s)
              (receive-on s (all-parts s got as) as #f socket-timeout))))
      (begin
        (check-socket 'receive-message s)
        (receive-part s as #f socket-timeout))))

(define (receive-message s . rest)
  (cond ((null? rest) (receive-at-once s (zmq-receive-as)))
        ((and (eq? (car rest) #:as) (pair? (cdr rest)) (null? (cddr rest)))
         (receive-at-once s (cadr rest)))
        (else (receive-with s rest))))

(define (receive-with s rest)
  (check-socket 'receive-message s)
  (with-keywords 'receive-message rest
      ((#:as as (zmq-receive-as))
       (#:non-blocking non-blocking #f)
       (#:timeout timeout socket-timeout))
    (check-wait 'receive-message timeout)
    (receive-part s as non-blocking timeout)))

(define receive-message* receive-message)

;; What is left of a message, where receive-message has begun it.
(define (receive-multipart-message s . rest)
  (check-socket 'receive-multipart-message s)
  (with-keywords 'receive-multipart-message rest
      ((#:as as (zmq-receive-as))
       (#:non-blocking non-blocking #f)
       (#:timeout timeout socket-timeout))
    (check-as 'receive-multipart-message as)
    (check-wait 'receive-multipart-message timeout)
    (let ((got (if (unread? s)
                   (own (socket-unread s))
                   (receive-or-wait 'receive-multipart-message s
                                    (receive-raw s as) as
                                    non-blocking timeout))))
      (and got (deliver-all s (if (pair? got) got (list got)) as)))))

(define (deliver-all s parts as)
  (set-unread! s (if (procedure? as) '() parts))
  (let ((presented (map (lambda (part) (present part as)) parts)))
    (set-unread! s '())
    presented))
