;;; Standard input.  Only the thread that reads waits, as sockets work on meanwhile.

(define-constant input-size 65536)

(define stdin-item (make-poll-item 0 in: #t))

;; What the thread that reads does: `busy' also before its first read, `waiting' for input, `done'.
(define reading 'busy)

;; Whether something that was given is not sent yet.
(define (unsent-input?)
  (case reading
    ((done) #f)
    ((waiting) (< 0 (poll (list stdin-item) 0)))
    (else #t)))

;; The bytes that are there next; "" at the end.
(define (read-some)
  (set! reading 'waiting)
  (poll (list stdin-item) #f)
  (set! reading 'busy)
  (let ((got (handle-exceptions e
                 (if (memv (errno) (list errno/intr errno/again))
                     #f
                     (abort e))
               (file-read 0 input-size))))
    (if got
        (substring (car got) 0 (cadr got))
        (read-some))))

;; What was read and is no line yet: the newest first, so that a long line is copied once.
(define unread '())
(define lines '())
(define input-ended #f)

;; The next line without its end, or #f.
(define (next-line)
  (cond ((pair? lines)
         (let ((line (car lines)))
           (set! lines (cdr lines))
           line))
        (input-ended #f)
        (else
         (let ((some (read-some)))
           (cond ((string=? some "")
                  (set! input-ended #t)
                  (unless (null? unread) (set! lines (list (joined unread)))))
                 ((substring-index "\n" some)
                  (let ((split (string-split some "\n" #t)))
                    (set! lines (cons (joined (cons (car split) unread)) (butlast (cdr split))))
                    (set! unread
                      (let ((rest (last-of split)))
                        (if (string=? rest "") '() (list rest))))))
                 (else (set! unread (cons some unread)))))
         (next-line))))

(define (joined pieces) (string-intersperse (reverse pieces) ""))

(define (rest-of-input)
  (let loop ((pieces '()))
    (let ((some (read-some)))
      (if (string=? some "") (joined pieces) (loop (cons some pieces))))))

;; ---------------------------------------------------------------- messages --

;; A procedure that gives the next message to send, a list of parts, and #f when there is none.
;; What is given by options is sent once, or again and again where an interval or a number is
;; given, or where it is an answer.
(define (message-source answers?)
  (let ((fixed (append (map text->message (option-list "data"))
                       (map (lambda (path) (list (file-contents path))) (option-list "file")))))
    (cond ((pair? fixed)
           (cycle fixed (or answers? (option "interval") (option "count"))))
          ((option "raw") (let ((message #f))
                            (lambda ()
                              (and (not message)
                                   (begin
                                     (set! message (list (rest-of-input)))
                                     message)))))
          (else (lambda ()
                  (let ((line (next-line)))
                    (and line (text->message line))))))))

(define (cycle messages again?)
  (let ((left messages))
    (lambda ()
      (when (and again? (null? left)) (set! left messages))
      (and (pair? left)
           (let ((message (car left)))
             (set! left (cdr left))
             message)))))

(define (file-contents path)
  (let ((contents (with-input-from-file path (lambda () (read-string)) #:binary)))
    (if (eof-object? contents) "" contents)))
