;;; CHICKEN's ports over sockets: bytes that are read over the bounds of messages, and lines that
;;; are sent as messages.

;; A message of these types begins with the name of a peer.
(define (check-port-type location s does?)
  (check-socket location s)
  (checked location (%check-socket (socket-handle s)) s)
  (unless (does? (socket-handle s)) (fail location enotsup s))
  (when (memq (socket-type-name s) '(router stream))
    (fail-argument location "a message of a router or stream names a peer, which a port cannot do"
                   s)))

;; ----------------------------------------------------------------- input --

;; The index of a newline, or #f.
(define (newline-in text from to)
  (cond ((fx>= from to) #f)
        ((eq? #\newline (string-ref text from)) from)
        (else (newline-in text (fx+ from 1) to))))

(define (without-return line)
  (let ((last (fx- (string-length line) 1)))
    (if (and (fx>= last 0) (eq? #\return (string-ref line last))) (substring line 0 last) line)))

(define (joined-text chunks) (string-intersperse (reverse chunks) ""))

(define (socket-input-port s . rest)
  (check-port-type 'socket-input-port s %receives?)
  (with-keywords 'socket-input-port rest ((#:timeout timeout socket-timeout))
    (check-wait 'socket-input-port timeout)
    (let ((text "") (at 0))
      ;; Whether there is a byte to be read.  Several threads may receive: each adds what it gets.
      (define (fill! non-blocking)
        (or (fx< at (string-length text))
            (let ((parts (next-parts 'socket-input-port s 'message non-blocking timeout)))
              (and parts
                   (begin
                     (set! text (string-append (substring text at) (deliver s parts 'string)))
                     (set! at 0)
                     (fill! non-blocking))))))
      (define (take! n)
        (let ((taken (substring text at (fx+ at n))))
          (set! at (fx+ at n))
          taken))
      (define (peek) (if (fill! #f) (string-ref text at) #!eof))
      (define (next) (if (fill! #f) (string-ref (take! 1) 0) #!eof))
      (define (fill-string! port n to start)
        (let ((end (if n (fx+ start n) (string-length to))))
          (let loop ((i start))
            (if (and (fx< i end) (fill! #f))
                (let ((chunk (take! (fxmin (fx- end i) (fx- (string-length text) at)))))
                  (copy-text! chunk to i)
                  (loop (fx+ i (string-length chunk))))
                (fx- i start)))))
      (define (next-line port limit)
        (let loop ((chunks '()) (left (or limit most-positive-fixnum)))
          (if (fill! #f)
              (let* ((there (fxmin left (fx- (string-length text) at)))
                     (end (newline-in text at (fx+ at there)))
                     (chunks (cons (take! (if end (fx- end at) there)) chunks)))
                (cond (end (set! at (fx+ at 1)) (without-return (joined-text chunks)))
                      ((fx= there left) (joined-text chunks))
                      (else (loop chunks (fx- left there)))))
              (if (null? chunks) #!eof (joined-text chunks)))))
      (make-input-port next (lambda () (fill! #t)) void peek fill-string! next-line))))

(define (copy-text! from to start)
  (##core#inline "C_substring_copy" from to 0 (string-length from) start))

;; ---------------------------------------------------------------- output --

;; What has no newline for so long is sent without one.
(define-constant longest-chunk 65536)

;; A port that calls (send! text) with each line, its newline included, and with what is left when
;; it is flushed.  Each thread has lines of its own, so that those of two threads are never mixed.
;; What cannot be sent stays in the port.
(define (make-line-port send!)
  (let ((lines (vector '())))           ; a list of #(thread size chunks), the last chunk first
    (define (own-line)
      (or (find-line (current-thread) (vector-ref lines 0))
          (let ((line (vector (current-thread) 0 '())))
            (add-first! lines 0 line)
            line)))
    (define (add! line text)
      (vector-set! line 1 (fx+ (vector-ref line 1) (string-length text)))
      (vector-set! line 2 (cons text (vector-ref line 2))))
    (define (send-line! line)
      (let ((text (joined-text (vector-ref line 2))))
        (%list-remove lines 0 line)
        (finish-or
         (lambda ()
           (let ((now (find-line (vector-ref line 0) (vector-ref lines 0))))
             (when now (%list-remove lines 0 now))
             (add-first! lines 0
                         (vector (vector-ref line 0) (string-length text)
                                 (append (if now (vector-ref now 2) '()) (list text))))))
         (lambda () (unless (string=? text "") (send! text))))))
    (define (send-ended!)
      (for-each (lambda (line) (when (thread-ended? (vector-ref line 0)) (send-line! line)))
                (vector-ref lines 0)))
    (define (put! text)
      (send-ended!)
      (let loop ((from 0))
        (let* ((size (string-length text)) (end (newline-in text from size)) (line (own-line)))
          (cond (end
                 (add! line (substring text from (fx+ end 1)))
                 (send-line! line)
                 (loop (fx+ end 1)))
                (else
                 (add! line (substring text from size))
                 (when (fx> (vector-ref line 1) longest-chunk) (send-line! line)))))))
    (define (flush!)
      (send-ended!)
      (send-line! (own-line)))
    (define (close!) (for-each send-line! (vector-ref lines 0)))
    (make-output-port put! close! flush!)))

(define (find-line thread lines)
  (cond ((null? lines) #f)
        ((eq? thread (vector-ref (car lines) 0)) (car lines))
        (else (find-line thread (cdr lines)))))

(define (send-text location s parts timeout)
  (unless (send-parts location s parts #f timeout)
    (fail/text location eagain
               "no peer took the output in time: it stays in the port; flush the port later"
               (list s))))

(define (socket-output-port s . rest)
  (check-port-type 'socket-output-port s %sends?)
  (with-keywords 'socket-output-port rest ((#:timeout timeout socket-timeout))
    (check-wait 'socket-output-port timeout)
    (make-line-port (lambda (text) (send-text 'socket-output-port s (list text) timeout)))))

;; ------------------------------------------------------------------- log --

(define (log-parts topic text)
  (let* ((last (fx- (string-length text) 1))
         (line (if (eq? #\newline (string-ref text last)) (substring text 0 last) text)))
    (if topic (list topic line) (list line))))

(define (check-topic location topic)
  (unless (or (not topic) (string? topic)) (fail-type location "a string or #f" topic)))

(define (make-log-port s #!optional topic)
  (check-port-type 'make-log-port s %sends?)
  (check-topic 'make-log-port topic)
  (make-line-port
   (lambda (text) (send-text 'make-log-port s (log-parts topic text) socket-timeout))))

;; Binds or connects as the first character of the endpoint says; else it binds, and connects if
;; another socket is bound there, or the address is another machine's.
(define (open-log! location s endpoint)
  (let ((first (and (fx> (string-length endpoint) 0) (string-ref endpoint 0)))
        (open! (lambda (open endpoint) (open-endpoint location open s endpoint))))
    (case first
      ((#\@) (open! %bind (substring endpoint 1)))
      ((#\>) (open! %connect (substring endpoint 1)))
      (else
       (condition-case (open! %bind endpoint)
         (e (exn zmq)
            (if (memq (get-condition-property e 'zmq 'code) '(eaddrinuse eaddrnotavail enodev))
                (open! %connect endpoint)
                (abort e))))))))

;; The socket is an XPUB, which tells when there is a subscriber.  What it receives later is
;; dropped.
(define (call-with-zmq-log-port endpoint procedure . rest)
  (check-string 'call-with-zmq-log-port endpoint)
  (check-procedure 'call-with-zmq-log-port procedure)
  (with-keywords 'call-with-zmq-log-port rest ((#:topic topic #f) (#:wait wait 200))
    (check-topic 'call-with-zmq-log-port topic)
    (check-timeout 'call-with-zmq-log-port wait)
    (let* ((s (make-socket 'xpub))
           (send! (lambda (text)
                    (receive-messages s non-blocking: #t)
                    (send-text 'call-with-zmq-log-port s (log-parts topic text) socket-timeout)))
           (port (make-line-port send!)))
      (dynamic-wind
       void
       (lambda ()
         (open-log! 'call-with-zmq-log-port s endpoint)
         (receive-message s timeout: wait)
         (procedure port))
       (lambda ()
         (unless (socket-closed? s)
           (close-output-port port)
           (close-socket s)))))))
