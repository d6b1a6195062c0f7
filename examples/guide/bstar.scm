;;; Binary Star: which of two servers is active, as a reactor.
;;; Look at: a passive server takes over only if its peer is silent and a client asks for it.
;;; A part of bstarsrv and clonesrv6.

;; Primary or backup, and an argument whose default depends on it.
(define role (string->symbol (argument 0 "primary")))
(define (role-argument n primary backup) (argument n (if (eq? role 'backup) backup primary)))

;; Which event leads from a state to which other one; #f: this must not happen.  What the peer says
;; of itself is an event, and so is a vote: a client asks while the peer is silent.
(define transitions
  '((primary (backup . active) (active . passive) (vote . active))
    (backup (active . passive))
    (active (active . #f))
    (passive (primary . active) (backup . active) (passive . #f) (vote . active))))

(define (next-state state event)
  (let* ((entry (assq event (cdr (assq state transitions))))
         (new (if entry (cdr entry) state)))
    (unless new (error "both servers are" state))
    new))

;; Runs this server.  Both tell each other their state each interval.  `voters` is the socket with
;; the requests of clients.  The active server calls (serve request); the other one drops requests.
;; (enter state) is called for each new state, and may close `voters`.
(define (binary-star own-endpoint peer-endpoint interval voters serve
                     #!optional (enter (lambda (state) #f)))
  (define state-out (make-socket 'pub bind: own-endpoint))
  (define state-in (make-socket 'sub subscribe: "" connect: peer-endpoint))

  (define (change state event)
    (let ((new (next-state state event)))
      (unless (eq? new state)
        (say "I: " state " is now " new)
        (enter new))
      new))

  (define (ready timeout)
    (if (socket-closed? voters)
        (first-ready timeout state-in)
        (first-ready timeout state-in voters)))

  ;; What the peer says comes first: a server that was stopped for a while must hear that the other
  ;; one is active before it says so of itself.
  (let loop ((state role) (peer-expires (+ (now) (* 2 interval))) (beat (now)))
    (let ((socket (ready (max 0 (- beat (now))))))
      (cond ((eq? socket state-in)
             (loop (change state (string->symbol (receive-message state-in)))
                   (+ (now) (* 2 interval))
                   beat))
            ((>= (now) beat)
             (send-message state-out (symbol->string state))
             (loop state peer-expires (+ (now) interval)))
            (socket
             (let* ((request (receive-multipart-message voters))
                    (state (if (> (now) peer-expires) (change state 'vote) state)))
               (when (eq? state 'active) (serve request))
               (loop state peer-expires beat)))
            (else (loop state peer-expires beat))))))
