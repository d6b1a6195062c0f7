;;; Binary Star: a primary and a backup server, of which one is active at any time.
;;; Look at: the backup takes over only if its peer is silent and a client asks for it.
;;;   csi -s bstarsrv.scm primary|backup CLIENTS-ENDPOINT OWN-STATE PEER-STATE [MILLISECONDS]

(import zmq)
(include "guide.scm")

(define frontend (make-socket 'router bind: (argument 1 "tcp://*:5001")))
(define state-out (make-socket 'pub bind: (argument 2 "tcp://*:5003")))
(define state-in (make-socket 'sub subscribe: "" connect: (argument 3 "tcp://localhost:5004")))
(define interval (argument 4 1000))

;; In which state what happens leads to which; #f: that must not happen.
(define transitions
  '((primary (backup . active) (active . passive))
    (backup (active . passive))
    (active (active . #f))
    (passive (primary . active) (backup . active) (passive . #f) (failover . active))))

(define (next state event)
  (let* ((row (cdr (assq state transitions)))
         (entry (assq event row))
         (new (if entry (cdr entry) state)))
    (unless new (error "both servers are" state))
    (unless (eq? new state) (say "I: " state " is now " new))
    new))

;; Only the active server answers; a passive one becomes active if its peer has
;; been silent for two intervals.
(define (serve state peer-expires)
  (let ((request (receive-multipart-message frontend))
        (state (if (and (eq? state 'passive) (> (now) peer-expires))
                   (next state 'failover)
                   state)))
    (when (eq? state 'active) (send-multipart-message frontend request))
    state))

(let loop ((state (string->symbol (argument 0 "primary"))) (peer-expires 0) (beat (now)))
  (let ((socket (first-ready (max 0 (- beat (now))) state-in frontend)))
    (cond ((not socket)
           (send-message state-out (symbol->string state))
           (loop state peer-expires (+ (now) interval)))
          ((eq? socket state-in)
           (let ((peer (string->symbol (receive-message state-in))))
             (loop (next state peer) (+ (now) (* 2 interval)) beat)))
          (else (loop (serve state peer-expires) peer-expires beat)))))
