;;; A request and its reply, sent again until there is one.

;; Sockets that threads make requests with, as (socket . thread).
(define requests (vector '()))

(define (with-request-turn s thunk)
  (let ((own (cons s (current-thread))))
    (for-each (lambda (entry)
                (cond ((thread-ended? (cdr entry)) (%list-remove requests 0 entry))
                      ((eq? s (car entry))
                       (fail/text 'request efsm
                                  (string-append "another request with this socket waits for its "
                                                 "reply: use a socket for each thread")
                                  (list s)))))
              (vector-ref requests 0))
    (wind (lambda () (add-first! requests 0 own))
          thunk
          (lambda () (%list-remove requests 0 own)))))

;; A request of a DEALER begins as one of a REQ with req-correlate does: a name of its own and an
;; empty part, which a REP puts before its reply.
(define request-names #f)
(define request-count 0)

;; Pseudo-random numbers may be the same in processes that start in the same second.
(define (random-name)
  (apply string-append
         (map (lambda (c) (number->string (char->integer c) 16))
              (string->list (random-bytes (make-string 8))))))

(define (envelope)
  (unless request-names (set! request-names (random-name)))
  (set! request-count (+ 1 request-count))
  (list (string-append request-names "-" (number->string request-count 16)) ""))

;; The parts behind the envelope, or #f if it is another one.  Small parts are strings.
(define (behind envelope parts)
  (cond ((null? envelope) (and (pair? parts) parts))
        ((null? parts) #f)
        ((equal? (car envelope) (car parts))
         (behind (cdr envelope) (cdr parts)))
        (else #f)))

(define (left-until limit) (and limit (max 0 (- limit (now)))))

;; One try.  Replies to other requests, which came too late, are dropped.
(define (try-request s before parts limit)
  (and (send-parts 'request s (append before parts) #f (left-until limit))
       (let loop ()
         (let ((got (next-parts 'request s 'message #f (left-until limit))))
           (and got
                (begin
                  (set-unread! s '())
                  (or (behind before got)
                      (and (not (passed? limit)) (loop)))))))))

(define (request s message . rest)
  (check-socket 'request s)
  (with-keywords 'request rest
      ((#:timeout timeout socket-timeout)
       (#:retries retries 3)
       (#:as given unset))
    (check-wait 'request timeout)
    (unless (exact-natural? retries) (fail-type 'request "a number of retries" retries))
    (let* ((as (wanted-as 'request given #f))
           (type (socket-type-name s))
           (parts (if (pair? message) message (list message))))
      (unless (memq type '(req dealer)) (fail/text 'request enotsup "a request is made with a req or dealer socket" (list s)))
      (unless (list? parts) (fail-type 'request "a part or a list of parts" message))
      (for-each (lambda (p) (check-part 'request p)) parts)
      (with-request-turn s
        (lambda ()
          (let ((parts (map stable-part (append (reverse (take-staged! s)) parts)))
                (before (if (eq? type 'dealer) (envelope) '())))
            (set-unread! s '())
            (when (eq? type 'req)
              ;; A request that got no reply does not hold up the next one, whose reply is told
              ;; from late ones.
              (set-plain-option! 'request s 'req-relaxed #t)
              (set-plain-option! 'request s 'req-correlate #t))
            (let loop ((retries retries))
              (let ((got (try-request s before parts (limit-of s in-bit timeout))))
                (cond (got
                       (set-unread! s got)
                       (take-unread! s as))
                      ((> retries 0) (loop (- retries 1)))
                      (else #f))))))))))
