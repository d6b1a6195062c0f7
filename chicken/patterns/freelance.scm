;;; Freelance: clients that know several servers of the same kind, without a broker.  The wire form
;;; is FLP (RFC 10): "PING" is answered with "PONG"; a request is a control frame, here a number,
;;; and the body; the reply begins with the same frame.

(define flp-ping "PING")
(define flp-pong "PONG")

;; A server that was silent for so many heartbeats is gone.
(define-constant flp-liveness 4)

;; ----------------------------------------------------------------- server --

;; `queue` has the requests that wait, `queued` of them; `answering` is the thread that runs the
;; procedure, or #f.
(define-record-type zmq-freelance-server
  (make-flp-server socket endpoint procedure on-error queue queued answering thread) flp-server?
  (socket flp-server-socket)
  (endpoint flp-server-endpoint)
  (procedure flp-server-procedure)
  (on-error flp-server-on-error)
  (queue flp-server-queue)
  (queued flp-server-queued set-flp-server-queued!)
  (answering flp-server-answering set-flp-server-answering!)
  (thread flp-server-thread set-flp-server-thread!))

(set-record-printer! zmq-freelance-server
  (lambda (s port)
    (for-each (lambda (x) (display x port))
              (list "#<zmq freelance server " (flp-server-endpoint s)
                    (if (socket-usable? (flp-server-socket s)) " running>" " stopped>")))))

(define (freelance-server endpoint procedure . rest)
  (check-string 'freelance-server endpoint)
  (check-procedure 'freelance-server procedure)
  (with-keywords 'freelance-server rest
      ((#:public public #f) (#:error on-error #f) (#:options options '()))
    (when public (check-string 'freelance-server public))
    (when on-error (check-procedure 'freelance-server on-error))
    (check-options 'freelance-server options)
    (let-values (((socket endpoint) (bind-named endpoint public options 50)))
      (let ((s (make-flp-server socket endpoint procedure on-error (make-fifo) 0 #f #f)))
        (start-service 'zmq-freelance-server
                       (lambda () (flp-server-thread s))
                       (lambda (thread) (set-flp-server-thread! s thread))
                       (lambda () (socket-usable? socket))
                       (lambda () (flp-server-step! s)))
        s))))

;; The bound socket and its endpoint, which is also its routing id: clients of other libraries
;; address the server by it.  It is set before the socket is bound, so a free port is looked for
;; first, and may be taken meanwhile.
(define (bind-named endpoint public options tries)
  (let* ((any? (and (starts-with? "tcp://" endpoint)
                    (member (substring endpoint (fx- (string-length endpoint) 2)) '(":*" ":0"))))
         (found (if any? (free-port-of endpoint options) endpoint))
         (s (apply make-socket 'router router-mandatory: #t linger: 1000 options)))
    (define (bind)
      (value-or
       (lambda () (close-socket s))
       (lambda ()
         (socket-option-set! s 'routing-id (or public found))
         (bind-socket s found))))
    (let ((bound (if (and any? (fx> tries 0))
                     (condition-case (bind)
                       (e (exn zmq)
                          (if (eq? 'eaddrinuse (get-condition-property e 'zmq 'code))
                              #f
                              (abort e))))
                     (bind))))
      (if bound (values s bound) (bind-named endpoint public options (fx- tries 1))))))

(define (free-port-of endpoint options)
  (let ((s (apply make-socket 'router linger: 0 options)))
    (wind void (lambda () (bind-socket s endpoint)) (lambda () (close-socket s)))))

(define (flp-server-step! s)
  (for-each (lambda (m) (when (pair? m) (flp-server-take! s m)))
            (receive-messages (flp-server-socket s) max: batch as: 'message)))

;; A message is a list of the routing id, the control frame and the body.
(define (flp-server-take! s m)
  (let ((control (cadr m)))
    (cond ((pair? (cddr m))
           (when (fx< (flp-server-queued s) most-queued)
             (set-flp-server-queued! s (fx+ 1 (flp-server-queued s)))
             (fifo-add! (flp-server-queue s) m)
             (start-answer! s)))
          ((part-is? control flp-ping)
           (try-send (flp-server-socket s) (list (car m) flp-pong))))))

;; The procedure runs in a thread of its own, so that the server answers pings meanwhile.
(define (start-answer! s)
  (let ((thread (flp-server-answering s)) (socket (flp-server-socket s)))
    (unless (or (and thread (not (thread-ended? thread)))
                (fifo-empty? (flp-server-queue s))
                (not (socket-usable? socket)))
      (let ((m (fifo-take! (flp-server-queue s))))
        (set-flp-server-queued! s (fx- (flp-server-queued s) 1))
        (set-flp-server-answering!
         s
         (start-thread
          'zmq-freelance-request
          (lambda ()
            (let* ((body (strings-of (cddr m)))
                   (reply (and body
                               (answer-of 'freelance-server (flp-server-procedure s) body
                                          (flp-server-on-error s)))))
              (when reply (try-send socket `(,(car m) ,(cadr m) ,@reply)))
              (set-flp-server-answering! s #f)
              (start-answer! s)))))))))

;; ----------------------------------------------------------------- client --

;; A server as a client knows it.  `alive` is whether it was heard, and not silent since.
(define-record-type zmq-freelance-peer (make-flp-peer endpoint alive expiry) flp-peer?
  (endpoint flp-peer-endpoint)
  (alive flp-alive? set-flp-alive!)
  (expiry flp-expiry set-flp-expiry!))

;; `number` is the control frame; `peer` is the server that works on it, or #f; `tried` are those
;; that were given it; `reply` is a list of parts, or #f.
(define-record-type zmq-freelance-call (make-flp-call number parts peer tried reply) flp-call?
  (number flp-call-number)
  (parts flp-call-parts)
  (peer flp-call-peer set-flp-call-peer!)
  (tried flp-call-tried set-flp-call-tried!)
  (reply flp-call-reply set-flp-call-reply!))

;; `peers` has the servers, the one that is asked first at first; `table` the same by their names;
;; `calls` those that wait, by their numbers.  `tick` is when pings are sent next.
(define-record-type zmq-freelance-client
  (make-flp-client socket peers table calls count heartbeat tick signal stopped thread) flp-client?
  (socket flp-socket)
  (peers flp-peers set-flp-peers!)
  (table flp-table)
  (calls flp-calls)
  (count flp-count set-flp-count!)
  (heartbeat flp-heartbeat)
  (tick flp-tick set-flp-tick!)
  (signal flp-signal)
  (stopped flp-stopped? set-flp-stopped!)
  (thread flp-thread set-flp-thread!))

(set-record-printer! zmq-freelance-client
  (lambda (c port)
    (for-each (lambda (x) (display x port))
              (list "#<zmq freelance client of " (length (flp-peers c)) " servers"
                    (if (flp-stopped? c) " stopped>" ">")))))

(define (freelance-client endpoints . rest)
  (unless (and (list? endpoints) (pair? endpoints))
    (fail-type 'freelance-client "a list of one endpoint or more" endpoints))
  (for-each (lambda (e) (check-string 'freelance-client e)) endpoints)
  (let loop ((l endpoints))
    (when (pair? l)
      (when (member (car l) (cdr l))
        (fail-argument 'freelance-client "a server is named twice: give each endpoint once"
                       (car l)))
      (loop (cdr l))))
  (with-keywords 'freelance-client rest ((#:heartbeat heartbeat 1000) (#:options options '()))
    (check-interval 'freelance-client heartbeat)
    (check-options 'freelance-client options)
    (let* ((s (apply make-socket 'router router-mandatory: #t linger: 0 options))
           (peers (map (lambda (e) (make-flp-peer e #f (now))) endpoints))
           (table (make-table))
           (c (make-flp-client s peers table (make-table) 0 heartbeat (now) (make-signal) #f #f)))
      (finish-or
       (lambda () (close-socket s))
       (lambda ()
         (for-each (lambda (p)
                     (table-set! table (flp-peer-endpoint p) p)
                     (socket-option-set! s 'connect-routing-id (flp-peer-endpoint p))
                     (connect-socket s (flp-peer-endpoint p)))
                   peers)))
      (start-service 'zmq-freelance-client
                     (lambda () (flp-thread c))
                     (lambda (thread) (set-flp-thread! c thread))
                     (lambda () (socket-usable? s))
                     (lambda () (flp-client-step! c)))
      c)))

;; Calls that wait are woken when the socket is closed or its context ends.
(define (flp-client-step! c)
  (finish-or
   (lambda () (send-signal! (flp-signal c)))
   (lambda ()
     (let* ((left (max 0 (- (flp-tick c) (now))))
            (got (or (receive-messages (flp-socket c) max: batch as: 'message timeout: left) '())))
       (for-each (lambda (m) (when (pair? m) (flp-client-take! c m))) got)
       (when (passed? (flp-tick c))
         (when (fx< (length got) batch) (expire-peers! c))
         (for-each (lambda (p) (try-send (flp-socket c) (list (flp-peer-endpoint p) flp-ping)))
                   (flp-peers c))
         (set-flp-tick! c (deadline (flp-heartbeat c))))))))

;; A message is a list of the server's name, the control frame, and what it replies.
(define (flp-client-take! c m)
  (let* ((name (text (car m)))
         (p (and name (table-ref (flp-table c) name)))
         (number (text (cadr m)))
         (call (and number (pair? (cddr m)) (table-ref (flp-calls c) number))))
    (when p
      (set-flp-expiry! p (deadline (* flp-liveness (flp-heartbeat c))))
      (unless (flp-alive? p)
        (set-flp-alive! p #t)
        (send-signal! (flp-signal c)))
      (when (and call (not (flp-call-reply call)))
        (set-flp-call-reply! call (cddr m))
        (send-signal! (flp-signal c))))))

(define (expire-peers! c)
  (for-each (lambda (p) (when (and (flp-alive? p) (passed? (flp-expiry p))) (lose-peer! c p)))
            (flp-peers c)))

;; Its calls are given to others, or to it again when it is back.
(define (lose-peer! c p)
  (set-flp-alive! p #f)
  (table-for-each (flp-calls c)
                  (lambda (number call)
                    (when (eq? p (flp-call-peer call)) (set-flp-call-peer! call #f))))
  (send-signal! (flp-signal c)))

;; ------------------------------------------------------------------ calls --

(define (check-freelance-client location x)
  (unless (flp-client? x) (fail-type location "a freelance client" x)))

(define (freelance-call c parts . rest)
  (check-freelance-client 'freelance-call c)
  (check-parts 'freelance-call parts)
  (with-keywords 'freelance-call rest ((#:timeout timeout 2500) (#:retries retries 3))
    (check-timeout 'freelance-call timeout)
    (check-retries 'freelance-call retries)
    (set-flp-count! c (+ 1 (flp-count c)))
    (let* ((number (number->string (flp-count c)))
           (parts (map (lambda (part) (if (message? part) part (make-message part))) parts))
           (call (make-flp-call number parts #f '() #f)))
      (wind
       (lambda () (table-set! (flp-calls c) number call))
       (lambda ()
         (let loop ((retries retries))
           (let ((reply (try-call! c call (deadline timeout))))
             (cond (reply (map message->string reply))
                   (else
                    (put-last! c call)
                    (and (> retries 0) (loop (- retries 1))))))))
       (lambda () (table-delete! (flp-calls c) number))))))

;; The reply, or #f after the limit.
(define (try-call! c call limit)
  (define (lost?) (or (flp-stopped? c) (not (socket-usable? (flp-socket c)))))
  (let try ()
    (when (flp-stopped? c)
      (fail-argument 'freelance-call "this client was stopped: make another one" c))
    (check-open 'freelance-call (list (flp-socket c)))
    (unless (flp-call-peer call) (give-to-peer! c call))
    (wait-until (flp-signal c) limit
                (lambda ()
                  (or (flp-call-reply call)
                      (lost?)
                      (and (not (flp-call-peer call)) (alive-peer c '())))))
    (or (flp-call-reply call)
        (and (or (lost?) (not (passed? limit)))
             (try)))))

;; The first server that is alive and not among those, or #f.
(define (alive-peer c but)
  (let find ((l (flp-peers c)))
    (cond ((null? l) #f)
          ((and (flp-alive? (car l)) (not (memq (car l) but))) (car l))
          (else (find (cdr l))))))

(define (give-to-peer! c call)
  (let ((p (or (alive-peer c (flp-call-tried call)) (alive-peer c '()))))
    (when p
      (set-flp-call-peer! call p)
      (set-flp-call-tried! call (cons p (flp-call-tried call)))
      (unless (try-send (flp-socket c)
                        `(,(flp-peer-endpoint p) ,(flp-call-number call) ,@(flp-call-parts call)))
        (lose-peer! c p)))))

;; A server that did not reply in time is asked last from now on.
(define (put-last! c call)
  (let ((p (flp-call-peer call)))
    (when p
      (set-flp-call-peer! call #f)
      (set-flp-peers! c (append (delete-first p (flp-peers c)) (list p))))))

;; ----------------------------------------------------------- the program --

(define (freelance-endpoint s)
  (unless (flp-server? s) (fail-type 'freelance-endpoint "a freelance server" s))
  (flp-server-endpoint s))

;; The endpoints of the servers that are alive, in the order in which they are asked.
(define (freelance-servers c)
  (check-freelance-client 'freelance-servers c)
  (if (flp-stopped? c)
      '()
      (foldr (lambda (p rest) (if (flp-alive? p) (cons (flp-peer-endpoint p) rest) rest))
             '()
             (flp-peers c))))

(define (freelance-stop! x)
  (cond ((flp-server? x)
         (close-socket (flp-server-socket x))
         (await-end! (flp-server-thread x)))
        ((flp-client? x)
         (set-flp-stopped! x #t)
         (close-socket (flp-socket x))
         (send-signal! (flp-signal x))
         (await-end! (flp-thread x)))
        (else (fail-type 'freelance-stop! "a freelance server or client" x)))
  (void))
