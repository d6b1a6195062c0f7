;;; Parts: what a part of a message may be, what it is delivered as, and the parts that belong
;;; to one thread.

;; ----------------------------------------------------------- to be sent --

(define (check-part location x)
  (if (or (string? x) (message? x) (bytes? x))
      x
      (fail-type location
                 (string-append
                  "a message, string, blob or u8vector; "
                  "send-multipart-message takes a list of these, send-object any datum")
                 x)))

(define-inline (after-bytes l) (##core#inline "szg_after_bytes" l))

;; A part that stays what it is, whatever the program does to its string.
(define (stable-part part)
  (if (message? part)
      part
      (bytes->message 'send-message (bytes-storage part))))

(define (stable-message m)
  (if (pair? m) (map stable-part m) (stable-part m)))

;; -------------------------------------------------------- to be delivered --

(define (check-as location as)
  (if (or (eq? as 'string) (memq as '(message blob u8vector))
          (and (procedure? as) (not (eq? as string))))   ; as: string for as: 'string
      as
      (fail-type location "message, string, blob, u8vector or a procedure" as)))

;; Stands for an as: that was not given.
(define unset (list 'unset))

;; What as: and properties: ask for.  With properties every part is a message that the kernel
;; holds, also a small one.
(define (wanted-as location as properties)
  (cond ((not properties)
         (check-as location (if (eq? as unset) (zmq-receive-as) as)))
        ((or (eq? as unset) (eq? as 'message)) 'properties)
        (else
         (fail-argument location "only a message has properties: receive it as: 'message" as))))

(define zmq-receive-as
  (make-parameter 'message
    (lambda (as)
      (unless (eq? as 'message) (%receive-as-set!))
      (check-as 'zmq-receive-as as))))

(define-inline (blobs? as) (or (eq? as 'blob) (eq? as 'u8vector)))

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

;; Nobody else has a message that was received as a string, so it is freed at once.
(define (part->string part)
  (cond ((string? part) part)
        ((message? part)
         (let ((string (message-string 'receive-message part)))
           (drop-message! part)
           string))
        (else (bytes->string 'receive-message part))))

;; ------------------------------------------------------ parts of a thread --

;; The socket's record maps threads to parts.  A signal handler may change the lists too, so
;; each step leaves them valid.
(define (own-parts alist)
  (let ((entry (assq (current-thread) alist)))
    (if entry (cdr entry) '())))

(define (set-own-parts! s field parts)
  (let* ((alist (##sys#slot s field))
         (entry (assq (current-thread) alist)))
    (for-each (lambda (e)
                (when (or (thread-ended? (car e)) (and (eq? e entry) (null? parts)))
                  (%list-remove s field e)))
              alist)
    (cond ((null? parts))
          (entry (set-cdr! entry parts))
          (else (add-first! s field (cons (current-thread) parts))))))

;; Parts that this thread has sent with send-more:, the last one first.
(define (take-staged! s)
  (let ((parts (own-parts (socket-staged s))))
    (when (pair? parts) (set-own-parts! s staged-field '()))
    parts))

(define (unread s) (own-parts (socket-unread s)))
(define (unread? s) (and (pair? (socket-unread s)) (pair? (unread s))))

(define (set-unread! s parts)
  (unless (and (null? parts) (null? (socket-unread s)))
    (set-own-parts! s unread-field parts)))
