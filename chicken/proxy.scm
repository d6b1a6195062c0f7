;;; Proxies: the kernel moves messages between two sockets, a slice at a time, until the proxy is
;;; stopped.

;; `counts` has, from index 0, messages and bytes received by the front, sent by the front, received
;; by the back and sent by the back; then messages dropped, and messages not captured.  `poller` is
;; the poller of the proxy that runs, in `thread`, or #f.
(define-record-type zmq-proxy-control
  (make-control state counts poller thread)
  proxy-control?
  (state control-state set-control-state!)
  (counts control-counts)
  (poller control-poller set-control-poller!)
  (thread control-thread set-control-thread!))

(set-record-printer! zmq-proxy-control
  (lambda (c port) (display-all port "#<zmq proxy control " (control-state c) ">")))

(define (check-control location x)
  (if (proxy-control? x) x (fail-type location "a proxy control" x)))

(define (make-proxy-control) (make-control 'running (make-vector 10 0) #f #f))

(define (proxy-state c) (control-state (check-control 'proxy-state c)))

;; A proxy that was stopped stays stopped.  If it waits for its poller, it is woken.
(define (steer! location c state)
  (check-control location c)
  (unless (eq? 'stopped (control-state c)) (set-control-state! c state))
  (when (control-poller c) (%wake-poller (poller-handle (control-poller c))))
  (void))

(define (pause-proxy c) (steer! 'pause-proxy c 'paused))
(define (resume-proxy c) (steer! 'resume-proxy c 'running))
(define (stop-proxy c) (steer! 'stop-proxy c 'stopped))

(define-constant front-received 0)
(define-constant front-sent 2)
(define-constant back-received 4)
(define-constant back-sent 6)
(define-constant messages-dropped 8)
(define-constant messages-uncaptured 9)

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

;; Other modules cannot import the constants.
(define (count-received! c parts) (count-message! c front-received parts))
(define (count-sent! c parts) (count-message! c back-sent parts))
(define (count-dropped! c) (count! c messages-dropped 1))

(define (count-message! c index parts)
  (count! c index 1)
  (count! c (fx+ index 1) (foldl (lambda (n part) (+ n (message-size part))) 0 parts)))

;; ---------------------------------------------------------------- moving --

;; What a slice that moved no message waits for: SZ_WAIT_... of the kernel.
(define-constant wait-input 1)
(define-constant wait-room 2)
(define-constant wait-capture 4)
(define-constant wait-time 8)

;; Moves one slice, and counts it at the two indices.  Returns what to wait for, or 0 to go on.
(define (move-slice! from to capture c received sent)
  (let ((code (%proxy-move (socket-handle from) (socket-handle to)
                           (if capture (socket-handle capture) 0))))
    (socket-touched! from)
    (socket-touched! to)
    (when capture (socket-touched! capture))
    (when (fx< code 0)
      (check-open 'proxy (list from to capture))
      (fail 'proxy code from to capture))
    (let ((messages (%moved-messages)) (bytes (%moved-bytes)) (dropped (%moved-dropped)))
      (count! c received (+ messages dropped))
      (count! c (fx+ received 1) bytes)
      (count! c sent messages)
      (count! c (fx+ sent 1) bytes)
      (count! c messages-dropped dropped)
      (count! c messages-uncaptured (%moved-uncaptured))
      (if (eq? 0 messages) (%moved-wait) 0))))

(define (moves? from to) (and (%receives? (socket-handle from)) (%sends? (socket-handle to))))

;; -------------------------------------------------------------- watching --

;; Each socket and the events for which a slice waits.
(define (wants waits from to capture)
  `((,from . ,(if (has? waits wait-input) in-bit 0))
    (,to . ,(if (has? waits wait-room) out-bit 0))
    (,capture . ,(if (has? waits wait-capture) out-bit 0))))

;; Has the poller watch each socket for all that is wanted of it.
(define (watch-wanted! p sockets wants)
  (for-each
   (lambda (s)
     (let ((entry (find-entry p s))
           (all (foldl (lambda (all want) (if (eq? s (car want)) (fxior all (cdr want)) all))
                       0 wants)))
       (unless (fx= all (entry-wanted entry)) (modify-entry! 'proxy p entry all))))
   sockets))

;; Calls the procedure with a poller of its own, which the control wakes.
(define (call-with-controlled-poller location c procedure)
  (let ((p (new-poller location)))
    (wind
     (lambda ()
       (checked location (%poller-fd (poller-handle p)))
       (set-control-thread! c (current-thread))
       (set-control-poller! c p))
     (lambda () (procedure p))
     (lambda ()
       (set-control-poller! c #f)
       (drop-poller! p)))))

(define (check-control-free location c)
  (when (and (control-poller c) (not (thread-ended? (control-thread c))))
    (fail-argument location "this control belongs to another proxy: make one for each" c)))

;; ------------------------------------------------------- a control socket --

;; Obeys the commands that the control socket of libzmq's steerable proxy knows.
(define (obey! c s)
  (let ((command (receive-multipart-message s as: 'string non-blocking: #t)))
    (when command
      (let ((word (if (null? (cdr command)) (car command) "")))
        (cond ((string=? word "PAUSE") (pause-proxy c))
              ((string=? word "RESUME") (resume-proxy c))
              ((member word '("TERMINATE" "KILL")) (stop-proxy c)))
        (cond ((string=? word "STATISTICS")
               (when (%sends? (socket-handle s))
                 (send-multipart-message s (count-parts c) non-blocking: #t)))
              ((eq? 'rep (socket-type-name s)) (send-message s "" non-blocking: #t))))
      (obey! c s))))

;; The first eight counts, each a part with a number of 64 bits.
(define (count-parts c)
  (map (lambda (n) (%uint64-bytes n (make-string 8)))
       (vector->list (subvector (control-counts c) 0 8))))

;; --------------------------------------------------------------- running --

(define (check-proxy front back capture control)
  (check-socket 'proxy front)
  (check-socket 'proxy back)
  (when capture (check-socket 'proxy capture))
  (unless (or (not control) (socket? control) (proxy-control? control))
    (fail-type 'proxy "a proxy control or a ZeroMQ socket" control))
  (check-open 'proxy (list front back capture (and (socket? control) control)))
  (unless (or (moves? front back) (moves? back front)) (fail 'proxy enotsup front back))
  (unless (or (not capture) (%sends? (socket-handle capture))) (fail 'proxy enotsup capture))
  (when (proxy-control? control) (check-control-free 'proxy control)))

(define (check-open location sockets)
  (for-each (lambda (s) (when s (checked location (socket-state s) s))) sockets))

(define (proxy front back . rest)
  (with-keywords 'proxy rest
      ((#:capture capture #f) (#:control control #f) (#:timeout timeout #f))
    (let ((limit (deadline (check-timeout 'proxy timeout))))
      (check-proxy front back capture control)
      (let ((c (if (proxy-control? control) control (make-proxy-control)))
            (control-socket (and (socket? control) control)))
        (call-with-controlled-poller
         'proxy c
         (lambda (p) (run-proxy front back capture c control-socket p limit)))))))

(define (run-proxy front back capture c control-socket p limit)
  (let* ((forth? (moves? front back))
         (back? (and (not (eq? front back)) (moves? back front)))
         (sockets `(,front ,back ,@(if capture (list capture) '())
                           ,@(if control-socket (list control-socket) '())))
         (commands (list (cons control-socket in-bit)))
         (ready (make-vector 8 0)))
    (define (rest wants until)
      (watch-wanted! p sockets wants)
      (let ((state (control-state c)))
        (perform-on 'proxy (%poller-fd (poller-handle p)) until
                    (lambda ()
                      (if (and (eq? 0 (checked 'proxy (%check-poller (poller-handle p) ready 4)))
                               (eq? state (control-state c)))
                          eagain
                          #t)))
        (check-open 'proxy sockets)))
    (define (sooner ms)
      (let ((then (deadline ms))) (if limit (min limit then) then)))
    (for-each (lambda (s) (unless (find-entry p s) (add-entry! 'proxy p s 0 #f))) sockets)
    (let loop ()
      (when control-socket (obey! c control-socket))
      (cond ((eq? 'stopped (control-state c)) (proxy-statistics c))
            ((passed? limit) #f)
            ((eq? 'paused (control-state c))
             (rest commands limit)
             (loop))
            (else
             (let ((there (if forth? (move-slice! front back capture c front-received back-sent)
                              -1))
                   (here (if back? (move-slice! back front capture c back-received front-sent)
                             -1)))
               (if (or (eq? 0 there) (eq? 0 here))
                   (yield!)
                   (let ((there (fxmax 0 there)) (here (fxmax 0 here)))
                     ;; A ROUTER that has room for some peers only reports no event when it has
                     ;; room for the others.
                     (rest (append commands (wants there front back capture)
                                   (wants here back front capture))
                           (if (has? (fxior there here) wait-time) (sooner retry-time) limit))))
               (loop)))))))
