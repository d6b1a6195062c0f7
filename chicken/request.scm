;;; A request and its reply, sent again until there is one.

;; Sockets that threads make requests with, as (socket . thread).
(define requests (vector '()))

(define (with-request-turn location s thunk)
  (let ((own (cons s (current-thread))))
    (for-each (lambda (entry)
                (cond ((thread-ended? (cdr entry)) (%list-remove requests 0 entry))
                      ((eq? s (car entry))
                       (fail/text location efsm
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
(define (try-request location s before parts limit)
  (and (send-parts location s (append before parts) #f (left-until limit))
       (let loop ()
         (let ((got (next-parts location s 'message #f (left-until limit))))
           (and got
                (begin
                  (set-unread! s '())
                  (or (behind before got)
                      (and (not (passed? limit)) (loop)))))))))

;; What is the same for all requests: returns the reply in the form `as`, or #f.
(define (make-request location s parts as timeout retries)
  (check-wait location timeout)
  (unless (exact-natural? retries) (fail-type location "a number of retries" retries))
  (unless (memq (socket-type-name s) '(req dealer))
    (fail/text location enotsup "a request is made with a req or dealer socket" (list s)))
  (with-request-turn location s
    (lambda ()
      (let ((parts (map stable-part (append (reverse (take-staged! s)) parts)))
            (before (if (eq? (socket-type-name s) 'dealer) (envelope) '())))
        (set-unread! s '())
        (when (null? before)
          ;; A request that got no reply does not hold up the next one, whose reply is told
          ;; from late ones.
          (set-plain-option! location s 'req-relaxed #t)
          (set-plain-option! location s 'req-correlate #t))
        (let loop ((retries retries))
          (let ((got (try-request location s before parts (limit-of s in-bit timeout))))
            (cond (got
                   (set-unread! s got)
                   (take-unread! s as))
                  ((> retries 0) (loop (- retries 1)))
                  (else #f))))))))

(define usual-retries 3)

(define (request s message . rest)
  (check-socket 'request s)
  (with-keywords 'request rest
      ((#:timeout timeout socket-timeout)
       (#:retries retries usual-retries)
       (#:as given unset))
    (let ((as (wanted-as 'request given #f))
          (parts (if (pair? message) message (list message))))
      (unless (list? parts) (fail-type 'request "a part or a list of parts" message))
      (for-each (lambda (p) (check-part 'request p)) parts)
      (make-request 'request s parts as timeout retries))))
