;;; zmq TYPE: sends what stands on standard input, and writes what is received.

(define (run-talk type words)
  (read-arguments! 'talk words)
  (check-talk type)
  (let* ((format (chosen-format))
         (endpoints (all-endpoints))
         (socket (open-socket type (open-context))))
    (set! written-as format)
    (subscribe! socket)
    (report-unknown-peers! socket)
    (watch-connections! socket)
    (for-each (lambda (endpoint) (attach! socket endpoint)) endpoints)
    (start-report! (string-append (symbol->string type) " " (cdar endpoints))
                   (lambda () (statistics-of socket)))
    (when (option "progress") (start-progress!))
    (pause (or (option "delay") 0))
    (case type
      ((push pub) (send-all socket))
      ((pull sub) (receive-all socket void))
      ((req) (ask-all socket))
      ((rep) (receive-all socket (answerer #t)))
      (else
       (if (or (option "echo") (option "exec"))
           (receive-all socket (answerer #f))
           (begin
             (start 'input (lambda () (send-each socket #f) (set! reading 'done)))
             (receive-all socket void)
             (await-input!)))))
    (finish socket)))

(define (check-talk type)
  (define (only types name)
    (when (and (option name) (not (memq type types)))
      (wrong-usage "--" name " is not for " (symbol->string type) ", which does not "
                   (if (memq type '(push pub)) "receive" "send"))))
  (for-each (lambda (name) (only '(rep dealer router pair stream) name)) '("echo" "exec"))
  (for-each (lambda (name) (only '(push pub req rep dealer router pair xpub xsub stream) name))
            '("data" "file" "raw"))
  (when (and (option "raw") (or (option "data") (option "file")))
    (wrong-usage "--raw reads standard input: it cannot stand beside --data or --file")))

;; ----------------------------------------------------------------- sending --

(define messages 0)             ; how many were received, or sent where the type only sends

(define (counted!)
  (set! messages (+ messages 1))
  (eqv? messages (option "count")))

(define (send-now socket parts)
  (or (if (null? (cdr parts))
          (send-message socket (car parts) timeout: (option "timeout"))
          (send-multipart-message socket parts timeout: (option "timeout")))
      (give-up "peer with room for a message")))

;; Calls (use parts) for each message to send, until there is none or it returns true.
(define (for-each-input use)
  (let ((next (message-source #f)))
    (let loop ((first #t))
      (let ((parts (next)))
        (when parts
          (unless first (pause (or (option "interval") 0)))
          (unless (use parts) (loop #f)))))))

;; Sends each message; until enough were sent, where `count?' says so.
(define (send-each socket count?)
  (for-each-input
   (lambda (parts)
     (await-subscriber! socket)
     (condition-case (send-now socket parts)
       (e (exn zmq) (if (and (eq? 'router (socket-type socket)) (gone? e))
                        (complain "no peer has the routing id " (quoted (car parts))
                                  ": a message was not sent")
                        (abort e))))
     (and count? (counted!)))))

;; By itself a router drops what is for nobody.
(define (report-unknown-peers! socket)
  (when (and (eq? 'router (socket-type socket))
             (not (option "echo"))
             (not (option "exec"))
             (not (assq 'router-mandatory (given-settings))))
    (socket-option-set! socket 'router-mandatory #t)))

;; Whether the condition says that no peer has the routing id.
(define (gone? e) (eq? 'ehostunreach (get-condition-property e 'zmq 'code)))

;; Milliseconds that a publisher without --delay waits for its first subscriber.
(define-constant subscriber-patience 1000)

(define awaited #f)

;; A publisher drops what nobody has subscribed to, so the first message waits for a subscriber.
;; Multicast has no connections to wait for.
(define (await-subscriber! socket)
  (unless (or awaited
              (option "delay")
              (not (memq (socket-type socket) '(pub xpub)))
              (any-of multicast? (socket-endpoints socket)))
    (set! awaited #t)
    (unless (wait-for-subscribers socket 1 timeout: (or (option "timeout") subscriber-patience))
      (when (option "timeout") (give-up "subscriber"))
      (complain "nobody has subscribed yet: messages are dropped until somebody does; --timeout or "
                "--delay waits longer than " (number->string subscriber-patience) " ms"))))

(define (multicast? endpoint)
  (any-of (lambda (scheme) (eqv? 0 (substring-index scheme endpoint)))
          '("pgm:" "epgm:" "norm:" "udp:")))

(define (send-all socket) (send-each socket #t))

;; What was received last may come before everything that was given was sent.
(define (await-input!)
  (let loop ((ms (or (option "linger") 1000)))
    (when (and (> ms 0) (unsent-input?))
      (pause 5)
      (loop (- ms 5)))))

(define (ask-all socket)
  (for-each-input
   (lambda (parts)
     (send-now socket parts)
     (write-message (receive-now socket))
     (flush-out)
     (counted!))))

;; --------------------------------------------------------------- receiving --

(define (receive-now socket)
  (or (receive-multipart-message socket as: 'string non-blocking: #t)
      (begin
        (flush-out)
        (receive-multipart-message socket as: 'string timeout: (option "timeout")))
      (give-up (if (eq? 'req (socket-type socket)) "reply" "message"))))

(define (receive-all socket then)
  (let loop ()
    (let ((parts (receive-now socket)))
      (write-message parts)
      (then socket parts)
      (unless (counted!) (loop))))
  (flush-out))

(define written-as #f)

(define (write-message parts) (write-later (message->text written-as parts)))

;; --------------------------------------------------------------- answering --

;; What answers a message.  `all?': everything that comes is a request, and is answered with the
;; next message of the source where neither --echo nor --exec is given.
(define (answerer all?)
  (let ((next (and all? (message-source #t))))
    (lambda (socket parts)
      (let* ((envelope (if (memq (socket-type socket) '(router stream)) 1 0))
             (name (head parts envelope))
             (body (list-tail parts (length name))))
        (flush-out)
        (cond ((option "echo") (answer socket parts))
              ((option "exec") (answer socket (append name (run-command (option "exec") body))))
              (else
               (let ((reply (next)))
                 (if reply
                     (answer socket reply)
                     (begin
                       (complain "standard input has ended: the last request has no answer")
                       (finish socket))))))))))

;; A stream hears of peers that come and go by an empty part; an empty answer would close.
(define (answer socket parts)
  (unless (and (eq? 'stream (socket-type socket)) (string=? "" (cadr parts)))
    (condition-case (send-now socket parts)
      (e (exn zmq) (unless (gone? e) (abort e))))))   ; who asked has gone

(define (head l n) (if (or (= n 0) (null? l)) '() (cons (car l) (head (cdr l) (- n 1)))))

;; The parts that a shell command writes when it reads these parts: a line, with tabs between the
;; parts; with --raw the bytes as they are.
(define (run-command command parts)
  (let-values (((from to pid) (process "/bin/sh" (list "-c" command))))
    (let ((text (string-append (string-intersperse parts "\t") (if (option "raw") "" "\n"))))
      (start 'exec
             (lambda ()
               ;; A command need not read what it is given.
               (handle-exceptions e #f (display text to))
               (handle-exceptions e #f (close-output-port to))))
      (let ((output (read-string #f from)))
        (let-values (((pid normal? status) (process-wait pid)))
          (unless (and normal? (= 0 status))
            (complain "the command ended with status " (number->string status))))
        ;; Closing waits for the process, which has been waited for.
        (handle-exceptions e #f (close-input-port from))
        (cond ((eof-object? output) (list ""))
              ((option "raw") (list output))
              (else (text->message (without-newline output))))))))

(define (without-newline text)
  (let ((last (- (string-length text) 1)))
    (if (and (>= last 0) (char=? #\newline (string-ref text last)))
        (substring text 0 last)
        text)))

;; ---------------------------------------------------------------- progress --

(define (start-progress!)
  (start 'progress
         (lambda ()
           (let loop ((before 0))
             (pause 1000)
             (let ((now messages))
               (complain (number->string now) " messages, "
                         (number->string (- now before)) "/s")
               (loop now))))))

;; --------------------------------------------------------------------- end --

;; What was sent has the linger to leave.  What is left is named at the exit.  If no handshake
;; succeeded, libzmq has dropped it.
(define (finish socket)
  (flush-out)
  (when (option "progress") (complain (number->string messages) " messages"))
  (let* ((until (+ (or (option "linger") 1000) (current-process-milliseconds)))
         (left (lambda () (max 0 (- until (current-process-milliseconds)))))
         (met? (or (memq (socket-type socket) '(pub xpub))
                   (= 0 (cdr (assq 'messages-sent (socket-statistics socket))))
                   (await-greeting socket left))))
    (unless (terminate-context (socket-context socket) timeout: (left)) (end timed-out 0))
    (unless met?
      (complain "not delivered: there was no peer")
      (end timed-out 0))
    (end done)))

;; The peer may come and go between two looks.
(define (await-greeting socket left)
  (or (greeted? socket)
      (and (> (left) 0)
           (begin
             (wait-connected socket timeout: (min 20 (left)))
             (await-greeting socket left)))))
