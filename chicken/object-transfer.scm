;;; Objects sent, received and asked for.  A part of the module (zmq object).

(define-constant most-bytes 1048576)
(define-constant most-levels 1000)
(define-constant most-symbols 1000)

(define (check-limit location x)
  (unless (and (fixnum? x) (fx>= x 0)) (fail-type location "a limit, a fixnum of 0 or more" x)))

(define (send-object s x . rest)
  (handle-of 'send-object s)
  (with-keywords 'send-object rest
      ((#:non-blocking non-blocking #f)
       (#:send-more send-more #f)
       (#:timeout timeout socket-timeout)
       (#:max-bytes max-bytes most-bytes)
       (#:max-depth max-depth most-levels))
    (let ((text #f))
      (finish-or
       (lambda () (take-staged! s))
       (lambda ()
         (for-each (lambda (limit) (check-limit 'send-object limit)) (list max-bytes max-depth))
         (set! text (object->text 'send-object x max-bytes max-depth))))
      (send-one 'send-object s text send-more non-blocking timeout))))

(define (receive-object s . rest)
  (handle-of 'receive-object s)
  (with-keywords 'receive-object rest
      ((#:non-blocking non-blocking #f)
       (#:timeout timeout socket-timeout)
       (#:default default #f)
       (#:max-bytes max-bytes most-bytes)
       (#:max-depth max-depth most-levels)
       (#:max-symbols max-symbols most-symbols))
    (check-wait 'receive-object timeout)
    (for-each (lambda (limit) (check-limit 'receive-object limit))
              (list max-bytes max-depth max-symbols))
    (let ((parts (next-parts 'receive-object s 'message non-blocking timeout)))
      (if parts
          (message->object 'receive-object (deliver s parts 'message)
                           max-bytes max-depth max-symbols)
          default))))

(define (message->object location m max-bytes max-depth max-symbols)
  (when (> (message-size m) max-bytes)
    (fail-object location
                 (string-append "the text of " (number->string (message-size m))
                                " bytes is longer than " (number->string max-bytes)
                                " (max-bytes)")))
  (text->object location (message->string m) max-depth max-symbols))

(define (request-object s x . rest)
  (handle-of 'request-object s)
  (with-keywords 'request-object rest
      ((#:timeout timeout socket-timeout)
       (#:retries retries usual-retries)
       (#:default default #f)
       (#:max-bytes max-bytes most-bytes)
       (#:max-depth max-depth most-levels)
       (#:max-symbols max-symbols most-symbols))
    (for-each (lambda (limit) (check-limit 'request-object limit))
              (list max-bytes max-depth max-symbols))
    (let* ((text (object->text 'request-object x max-bytes max-depth))
           (reply (make-request 'request-object s (list text) 'message timeout retries)))
      (cond ((not reply) default)
            ((pair? reply)
             (fail-object 'request-object "a reply of several parts, and an object is one"))
            (else
             (message->object 'request-object reply max-bytes max-depth max-symbols))))))
