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

;; The attempt as it is made by who finds nobody in line, and then in line:
;; what it answers, or #f when it was given up.
(define (attempt-or-wait s event non-blocking timeout attempt)
  (if (and (eq? event in-bit) (%sleeper? (socket-handle s)) (not non-blocking)
           (not (waited? s)) (not (limit-of s #t timeout)))
      (attempt-after-sleep s attempt)
      (let ((first (if (line? s event) eagain (attempt))))
        (used! s)
        (cond ((not (eq? first eagain)) first)
              (non-blocking
               (let ((code (%check-socket (socket-handle s))))
                 (if (fx= code 0) #f code)))
              (else (wait-for s event timeout attempt))))))

;; Where the last receiving had to sleep, and this one will have to.
(define (attempt-after-sleep s attempt)
  (let* ((outcome (sleep-alone! s in-bit #f))
         (waited (or (fx= outcome others-woke) (fx= outcome slept))))
    (when waited (%count-wait (socket-handle s)))
    (if (fx= outcome others-woke)
        (stand-in-line s in-bit #f attempt #t)
        (let ((result (attempt)))
          (used! s)
          (cond ((not (eq? result eagain)) result)
                (waited (wait-to-do s in-bit #f attempt))
                (else (wait-for s in-bit #f attempt)))))))

(define (wait-for s event timeout attempt)
  (%count-wait (socket-handle s))
  (wait-to-do s event (limit-of s (eq? event in-bit) timeout) attempt))

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

(define (check-part location x)
  (if (or (string? x) (message? x) (bytes? x))
      x
      (fail-type location "a message, string, blob or u8vector" x)))

;; The first pair of a list that has not just a string or a blob, or its end; or
;; one far behind, as the list may have no end.
(foreign-declare "
static C_word behind_bytes(C_word list)
{
    for (int left = 1000000; left > 0; left--) {
        if (!IS(list, C_PAIR_TYPE) || !HAS_BYTES(C_u_i_car(list))) break;
        list = C_u_i_cdr(list);
    }
    return list;
}
")
(define-inline (behind-bytes l) (##core#inline "behind_bytes" l))

;; A part that stays what it is, whatever the program does to its string.
(define (stable-part part)
  (if (message? part)
      part
      (bytes->message 'send-message (bytes-storage part))))

;; What no swap can hold waits until ZeroMQ itself takes it.
(define (or-later code non-blocking)
  (if (and (eq? code eswapsize) (not non-blocking)) eagain code))

;; All of them, or none: the kernel's code, or #f if they were given up.  What
;; has to wait is copied first, so that the program may change its strings.
(define (send-parts s parts non-blocking timeout)
  (let ((stable (and (not non-blocking) (line? s out-bit)
                     (map stable-part parts))))
    (attempt-or-wait
     s out-bit non-blocking timeout
     (lambda ()
       (let ((code (or-later (%send (socket-handle s) (or stable parts))
                             non-blocking)))
         (when (and (eq? code eagain) (not stable) (not non-blocking))
           (set! stable (map stable-part parts)))
         code)))))

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

(define send-message
  (sender (lambda (s message . rest) (send-with s message rest))
          (lambda (s code) (fail 'send-message code s))))

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

;; Where there is nothing but bytes to send and nobody waits, it is tried at
;; once.
(define (send-multipart-message s parts . rest)
  (check-socket 'send-multipart-message s)
  (let ((code (if (and (null? rest) (null? (socket-staged s)) (not (waited? s))
                       (pair? parts) (null? (behind-bytes parts)))
                  (%send (socket-handle s) parts)
                  eagain)))
    (cond ((fx= code 0) #t)
          ((fx= code ecorrupt) (fail 'send-multipart-message code s)) ; told once
          (else (send-multipart-with s parts rest)))))

(define (send-multipart-with s parts rest)
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

(define (check-as location as)
  (if (or (eq? as 'string) (memq as '(message blob u8vector)) (procedure? as))
      as
      (fail-type location
                 "message, string, blob, u8vector or a procedure" as)))

;; Stands for an as: that was not given.
(define unset (list 'unset))

;; What as: and properties: say.  With properties the parts are messages that
;; stay in the kernel, also the small ones.
(define (wanted-as location as properties)
  (cond ((not properties)
         (check-as location (if (eq? as unset) (zmq-receive-as) as)))
        ((or (eq? as unset) (eq? as 'message)) 'properties)
        (else
         (fail-argument location "only a message has properties" as))))

(define zmq-receive-as
  (make-parameter 'message
    (lambda (as)
      (unless (eq? as 'message) (%parameter-set!))
      (check-as 'zmq-receive-as as))))

;; A part received, which is a string, a blob or a message, as it is wanted.
(define (present part as)
  (cond ((procedure? as)
         (call-with-bytes 'receive-message (part->message part) as))
        ((or (eq? as 'message) (eq? as 'properties)) (part->message part))
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

;; The parts of a message that could not be built at once, as handles first.
;; A signal's handler may receive it in between; then it is the next one.
(define (take-parts s handle->part)
  (let ((count (%receive (socket-handle s))))
    (if (fx< count 0)
        count
        (let* ((handles (make-vector count 0))
               (code (%take-all (socket-handle s) handles count)))
          (cond ((fx= code enoent) (take-parts s handle->part))
                ((fx< code 0) code)
                ((fx= count 1) (handle->part (vector-ref handles 0)))
                (else (map handle->part (vector->list handles))))))))

;; A large part stays in the kernel.
(define (handle->part handle)
  (%message-bytes handle)
  (if (<= (%bytes-size) largest-small-part)
      (let ((part (found-bytes 'receive-message handle)))
        (%free-message handle)
        part)
      (held-message handle)))

(define (receive-raw s as)
  (if (eq? as 'properties)
      (take-parts s held-message)
      (or (%receive-parts (socket-handle s) (blobs? as) #f)
          (and (not (procedure? as)) (not (eq? as 'message)) (receive-string s))
          (take-parts s handle->part))))

;; A large message as a string, without a handle that would keep its bytes until
;; the next collection; #f if it has several parts, or another came in between.
;; Where the heap has no room for it, the kernel goes on holding it.
(define (receive-string s)
  (and (eq? 1 (%receive (socket-handle s)))
       (let ((string (make-bytes 'receive-message
                                 (%held-bytes (socket-handle s)))))
         (and (%copy-held (socket-handle s) string) string))))

(define (unread? s)
  (and (pair? (socket-unread s)) (pair? (own (socket-unread s)))))

(define (set-unread! s parts)
  (unless (and (null? parts) (null? (socket-unread s)))
    (set-socket-unread! s (with-own (socket-unread s) parts))))

;; The general way: what is unread first, then the socket.
(define (receive-part s as non-blocking timeout)
  (if (unread? s)
      (deliver s (own (socket-unread s)) as)
      (finish-receive s as (attempt-or-wait s in-bit non-blocking timeout
                                            (lambda () (receive-raw s as))))))

;; What receive-raw answered, or #f where it was given up.
(define (finish-receive s as got)
  (cond ((fixnum? got) (fail 'receive-message got s))
        (got (deliver s (if (pair? got) got (list got)) as))
        (else #f)))

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

;; Where the short way has found nothing, or did not try where a thread had to
;; sleep before.  It is taken again if nobody else can have received meanwhile.
;; `counted` is whether this wait was.
(define (receive-later s as counted)
  (let* ((handle (socket-handle s))
         (tried (or counted (not (%sleeper? handle))))
         (limit (limit-of s #t socket-timeout))
         (count (lambda () (unless counted (%count-wait handle)))))
    (if (or limit (waited? s))
        (cond (tried
               (count)
               (finish-receive
                s as (wait-to-do s in-bit limit (lambda () (receive-raw s as)))))
              (else
               (%await-nothing)
               (receive-now s as: as)))
        (let ((outcome (sleep-alone! s in-bit #f)))
          (cond ((fx= outcome slept) (count) (receive-again s as: as))
                ((or (fx= outcome others-woke) (and tried (fx= outcome crowded)))
                 (count)
                 (finish-receive
                  s as (stand-in-line s in-bit #f (lambda () (receive-raw s as))
                                      (fx= outcome others-woke))))
                (else (receive-now s as: as)))))))

(define (receive-with s rest)
  (check-socket 'receive-message s)
  (with-keywords 'receive-message rest
      ((#:as as unset)
       (#:properties properties #f)
       (#:non-blocking non-blocking #f)
       (#:timeout timeout socket-timeout))
    (check-wait 'receive-message timeout)
    (receive-part s (wanted-as 'receive-message as properties)
                  non-blocking timeout)))

(define (make-receive-message try counted)
  (receiver (lambda (s . rest) (receive-with s rest))
            (lambda (s) (receive-message s as: (zmq-receive-as)))
            (lambda (s #!optional keyword (as 'message)) (receive-later s as counted))
            try))

(define receive-message (make-receive-message #f #f))
(define receive-now (make-receive-message #t #f))
(define receive-again (make-receive-message #t #t))

(define receive-message* receive-message)

;; What is left of a message, where receive-message has begun it.  Where there
;; is nothing left and nobody waits, it is tried at once.
(define (receive-multipart-message s . rest)
  (check-socket 'receive-multipart-message s)
  (let* ((as (plain-as rest))
         (got (and as
                   (null? (socket-unread s))
                   (not (waited? s))
                   (not (%sleeper? (socket-handle s)))
                   (%receive-parts (socket-handle s) (eq? as 'blob)
                                   (and (eq? as 'message) 'zmq-message)))))
    (cond ((pair? got) got)
          ((not got) (receive-multipart-with s rest))
          ((eq? got eagain)
           (finish-multipart
            s as (wait-for s in-bit socket-timeout (lambda () (receive-raw s as)))))
          ((fixnum? got) (fail 'receive-multipart-message got s))
          (else (list got)))))

;; string, message or blob where nothing else is asked for, or #f.
(define (plain-as rest)
  (let ((as (cond ((null? rest) (zmq-receive-as))
                  ((and (eq? (car rest) #:as) (pair? (cdr rest)) (null? (cddr rest)))
                   (cadr rest))
                  (else #f))))
    (and (memq as '(string message blob)) as)))

(define (receive-multipart-with s rest)
  (with-keywords 'receive-multipart-message rest
      ((#:as given unset)
       (#:properties properties #f)
       (#:non-blocking non-blocking #f)
       (#:timeout timeout socket-timeout))
    (check-wait 'receive-multipart-message timeout)
    (let ((as (wanted-as 'receive-multipart-message given properties)))
      (if (unread? s)
          (deliver-all s (own (socket-unread s)) as)
          (finish-multipart
           s as (attempt-or-wait s in-bit non-blocking timeout
                                 (lambda () (receive-raw s as))))))))

(define (finish-multipart s as got)
  (cond ((fixnum? got) (fail 'receive-multipart-message got s))
        (got (deliver-all s (if (pair? got) got (list got)) as))
        (else #f)))

(define (deliver-all s parts as)
  (set-unread! s (if (procedure? as) '() parts))
  (let ((presented (map (lambda (part) (present part as)) parts)))
    (set-unread! s '())
    presented))
