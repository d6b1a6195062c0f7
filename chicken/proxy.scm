;;; Proxies: messages moved between two sockets, in slices that the kernel
;;; moves, until they are told to stop.

;; `counts` has, from index 0, messages and bytes received by the front, sent
;; by it, and the same of the back; then those dropped, and those that were not
;; captured.  `handle` is the poller of the proxy that runs, or #f.
(define-record-type zmq-proxy-control
  (make-control state counts handle)
  proxy-control?
  (state control-state set-control-state!)
  (counts control-counts)
  (handle control-handle set-control-handle!))

(set-record-printer! zmq-proxy-control
  (lambda (c port)
    (display "#<zmq proxy control " port)
    (display (control-state c) port)
    (display ">" port)))

(define (check-control location x)
  (if (proxy-control? x) x (fail-type location "a proxy control" x)))

(define (make-proxy-control) (make-control 'running (make-vector 10 0) #f))

(define (proxy-state c) (control-state (check-control 'proxy-state c)))

;; A proxy that is stopped stays so.  It may wait for its poller.
(define (steer! location c state)
  (check-control location c)
  (unless (eq? 'stopped (control-state c)) (set-control-state! c state))
  (when (control-handle c) (%wake-poller (control-handle c)))
  (void))

(define (pause-proxy c) (steer! 'pause-proxy c 'paused))
(define (resume-proxy c) (steer! 'resume-proxy c 'running))
(define (stop-proxy c) (steer! 'stop-proxy c 'stopped))

(define-constant count-names
  '(front-received front-received-bytes front-sent front-sent-bytes
    back-received back-received-bytes back-sent back-sent-bytes
    dropped uncaptured))

(define (proxy-statistics c)
  (check-control 'proxy-statistics c)
  (map cons count-names (vector->list (control-counts c))))

(define (count! c index n)
  (let ((counts (control-counts c)))
    (vector-set! counts index (+ n (vector-ref counts index)))))

;; -------------------------------------------------------------- moving --

;; One slice.  `received` and `sent` are the indices of its counts.  Answers
;; what it waits for, or 0 if it is to go on.
(define (move-slice! from to capture c received sent)
  (let ((code (%proxy-move (socket-handle from) (socket-handle to)
                           (if capture (socket-handle capture) 0))))
    (socket-touched! from)
    (socket-touched! to)
    (when capture (socket-touched! capture))
    (when (fx< code 0) (fail-proxy code (list from to capture)))
    (let ((messages (%moved-messages)) (bytes (%moved-bytes))
          (dropped (%moved-dropped)))
      (count! c received (+ messages dropped))
      (count! c (fx+ received 1) bytes)
      (count! c sent messages)
      (count! c (fx+ sent 1) bytes)
      (count! c 8 dropped)
      (count! c 9 (%moved-uncaptured))
      (if (eq? 0 messages) (%moved-wait) 0))))

;; Names the socket that cannot be used any more, where one of them cannot.
(define (fail-proxy code sockets)
  (let loop ((l sockets))
    (cond ((null? l) (apply fail 'proxy code sockets))
          ((and (car l) (fx< (%check-socket (socket-handle (car l))) 0))
           (fail 'proxy (%check-socket (socket-handle (car l))) (car l)))
          (else (loop (cdr l))))))

(define (moves? from to) (and (%receives? (socket-handle from)) (%sends? (socket-handle to))))

;; ------------------------------------------------------------- watching --

;; The sockets of a proxy, each once, with its tag and what it is watched for.
(define (make-watches sockets)
  (let loop ((l sockets) (watches '()))
    (cond ((null? l) watches)
          ((or (not (car l)) (assq (car l) watches)) (loop (cdr l) watches))
          (else (loop (cdr l)
                      (cons (vector-watch (car l) (length watches)) watches))))))

(define (vector-watch s tag) (cons s (vector tag 0 0)))
(define-inline (watch-tag w) (vector-ref (cdr w) 0))
(define-inline (watch-now w) (vector-ref (cdr w) 1))
(define-inline (watch-wanted w) (vector-ref (cdr w) 2))

(define (want! watches s bits)
  (when (and s (not (eq? bits 0)))
    (let ((w (assq s watches)))
      (vector-set! (cdr w) 2 (bitwise-ior bits (watch-wanted w))))))

(define (want-for! watches waits from to capture)
  (want! watches from (if (eq? 0 (bitwise-and waits 1)) 0 in-bit))
  (want! watches to (if (eq? 0 (bitwise-and waits 2)) 0 out-bit))
  (want! watches capture (if (eq? 0 (bitwise-and waits 4)) 0 out-bit)))

;; What is wanted becomes what is watched for; nothing is wanted afterwards.
(define (watch-wanted! handle watches)
  (for-each
   (lambda (w)
     (unless (eq? (watch-now w) (watch-wanted w))
       (checked 'proxy
                (%rewatch-socket handle (socket-handle (car w))
                                 (watch-wanted w) (watch-tag w))
                (car w))
       (vector-set! (cdr w) 1 (watch-wanted w)))
     (vector-set! (cdr w) 2 0))
   watches))

;; ----------------------------------------------------- a control socket --

;; As the control socket of libzmq's steerable proxy.
(define (obey! c s)
  (let ((command (receive-multipart-message s as: 'string non-blocking: #t)))
    (when command
      (let ((word (if (null? (cdr command)) (car command) "")))
        (cond ((string=? word "PAUSE") (pause-proxy c))
              ((string=? word "RESUME") (resume-proxy c))
              ((or (string=? word "TERMINATE") (string=? word "KILL"))
               (stop-proxy c)))
        (cond ((string=? word "STATISTICS")
               (when (%sends? (socket-handle s))
                 (send-multipart-message s (count-parts c) non-blocking: #t)))
              ((eq? 'rep (socket-type-name s))
               (send-message s "" non-blocking: #t))))
      (obey! c s))))

;; Eight numbers of 64 bits, each a part.
(define (count-parts c)
  (let loop ((i 7) (parts '()))
    (if (fx< i 0)
        parts
        (loop (fx- i 1)
              (cons (%uint64-bytes (vector-ref (control-counts c) i)
                                   (make-string 8))
                    parts)))))

;; -------------------------------------------------------------- running --

(define (check-proxy front back capture control)
  (check-socket 'proxy front)
  (check-socket 'proxy back)
  (when capture (check-socket 'proxy capture))
  (unless (or (not control) (socket? control) (proxy-control? control))
    (fail-type 'proxy "a proxy control or a ZeroMQ socket" control))
  (fail-closed (list front back capture (and (socket? control) control)))
  (unless (or (moves? front back) (moves? back front))
    (fail 'proxy enotsup front back))
  (unless (or (not capture) (%sends? (socket-handle capture)))
    (fail 'proxy enotsup capture))
  (when (and (proxy-control? control) (control-handle control))
    (fail-argument 'proxy "this control steers another proxy" control)))

(define (fail-closed sockets)
  (for-each (lambda (s)
              (when s
                (checked 'proxy (%check-socket (socket-handle s)) s)))
            sockets))

(define (proxy front back . rest)
  (with-keywords 'proxy rest
      ((#:capture capture #f) (#:control control #f) (#:timeout timeout #f))
    (let ((limit (deadline (check-timeout 'proxy timeout))))
      (check-proxy front back capture control)
      (let* ((steered (if (proxy-control? control) control (make-proxy-control)))
             (socket (and (socket? control) control))
             (sockets (list front back capture socket))
             (watches (make-watches sockets))
             (poller (make-poller))
             (handle (poller-handle poller)))
        (wind
         (lambda ()
           (checked 'proxy (%poller-fd handle))
           (set-control-handle! steered handle))
         (lambda ()
           (for-each (lambda (w)
                       (checked 'proxy
                                (%watch-socket handle (socket-handle (car w)) 0
                                               (watch-tag w))
                                (car w))
                       (socket-touched! (car w)))
                     watches)
           (run-proxy front back capture steered socket sockets watches handle
                      limit))
         (lambda ()
           (set-control-handle! steered #f)
           (drop-poller! poller)))))))

;; A ROUTER has room for some peers while it has none for others; then no event
;; tells when to try again.
(define-constant retry-time 5)

(define (run-proxy front back capture c socket sockets watches handle limit)
  (let* ((forth? (moves? front back))
         (back? (and (not (eq? front back)) (moves? back front)))
         (ready (make-vector 8 0)))
    (define (rest until)
      (watch-wanted! handle watches)
      (let ((state (control-state c)))
        (perform-on 'proxy (%poller-fd handle) until
                    (lambda ()
                      (if (and (eq? 0 (checked 'proxy (%check-poller handle ready 4)))
                               (eq? state (control-state c)))
                          eagain
                          #t)))))
    (define (sooner ms)
      (let ((then (deadline ms))) (if limit (min limit then) then)))
    (let loop ()
      (when socket (obey! c socket) (want! watches socket in-bit))
      (cond ((eq? 'stopped (control-state c)) (proxy-statistics c))
            ((passed? limit) #f)
            ((eq? 'paused (control-state c))
             (fail-closed sockets)
             (rest limit)
             (loop))
            (else
             (let ((there (if forth? (move-slice! front back capture c 0 6) -1))
                   (here (if back? (move-slice! back front capture c 4 2) -1)))
               (cond ((or (eq? 0 there) (eq? 0 here))
                      (yield!))
                     (else
                      (want-for! watches (fxmax 0 there) front back capture)
                      (want-for! watches (fxmax 0 here) back front capture)
                      (rest (if (eq? 0 (bitwise-and 8 (bitwise-ior (fxmax 0 there)
                                                                   (fxmax 0 here))))
                                limit
                                (sooner retry-time)))))
               (loop)))))))
