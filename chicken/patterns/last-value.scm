;;; The last value cache: a proxy of publications that keeps the last message of each topic, and
;;; sends it when somebody subscribes.

;; A topic and its last message, a list of parts.  The entries form a ring in the order of their
;; messages: `next` of the ring's own entry is the oldest.  `wanted` is whether the entry is in the
;; queue of those to be sent.
(define-record-type zmq-cached-value (make-cached topic parts next before wanted) cached?
  (topic cached-topic)
  (parts cached-parts set-cached-parts!)
  (next cached-next set-cached-next!)
  (before cached-before set-cached-before!)
  (wanted cached-wanted? set-cached-wanted!))

;; `nodrop` is what the back's option xpub-nodrop is set to; `stalled` is when the queue stops
;; waiting for a subscriber that takes nothing, or #f.
(define-record-type zmq-last-values
  (make-last-values front back control topics ring limit queue swaps nodrop stalled) last-values?
  (front cache-front)
  (back cache-back)
  (control cache-control)
  (topics cache-topics)
  (ring cache-ring)
  (limit cache-limit)
  (queue cache-queue)
  (swaps cache-swaps?)
  (nodrop cache-nodrop? set-cache-nodrop!)
  (stalled cache-stalled set-cache-stalled!))

;; A longer topic is no use to subscribers: this is the bound of subscriptions.
(define-constant longest-topic 8192)

(define-constant most-publications 256) ; of a turn
(define-constant most-subscriptions 10)
(define-constant most-values 100)
(define-constant patience 1000)         ; milliseconds without progress
(define-constant retry-values 5)        ; milliseconds

(define (check-cache-socket x types text)
  (unless (socket? x) (fail-type 'last-value-cache "a ZeroMQ socket" x))
  (check-open 'last-value-cache (list x))
  (unless (memq (socket-type x) types) (fail-unsupported 'last-value-cache text x)))

(define (last-value-cache front back . rest)
  (with-keywords 'last-value-cache rest
      ((#:limit limit 100000) (#:control control #f) (#:timeout timeout #f))
    (let ((end (deadline (check-timeout 'last-value-cache timeout)))
          (commands (and (socket? control) control))
          (ring (make-cached #f #f #f #f #f)))
      (unless (and (exact-integer? limit) (> limit 0))
        (fail-type 'last-value-cache "a number of topics, 1 or more" limit))
      (check-cache-socket front '(sub xsub)
                          "the front of a last value cache is a sub or an xsub socket")
      (check-cache-socket back '(xpub)
                          "the back of a last value cache is an xpub, which hears of subscriptions")
      (let* ((c (control-or-new 'last-value-cache (and (not commands) control)))
             (v (make-last-values front back c (make-table) ring limit (make-fifo)
                                  (> (socket-option back 'swap) 0) #f #f)))
        (set-cached-next! ring ring)
        (set-cached-before! ring ring)
        (socket-option-set! back 'xpub-verbose #t)
        (call-with-controlled-poller
         'last-value-cache c
         (lambda (p)
           (wind
            (lambda () (subscribe-to-all! v 1))
            (lambda () (run-cache v p commands end))
            (lambda ()
              (condition-case (begin (set-nodrop! v #f) (subscribe-to-all! v 0))
                ((exn zmq) #f))))))))))

;; An XSUB is subscribed to all, since values are kept for subscribers that come later.
(define (subscribe-to-all! v first)
  (when (eq? 'xsub (socket-type (cache-front v)))
    (send-message (cache-front v) (byte first) non-blocking: #t)))

(define (run-cache v p commands end)
  (let ((c (cache-control v)) (sockets (list (cache-front v) (cache-back v))))
    (define (rest until so?) (await-controlled 'last-value-cache c p until so?))
    (define (paused?) (control-paused? c))
    (define (watch! in) (for-each (lambda (s) (poller-modify! p s in: in)) sockets))
    (for-each (lambda (s) (poller-add! p s in: #t)) sockets)
    (when commands (poller-add! p commands in: #t))
    (let loop ()
      (check-open 'last-value-cache (if commands (cons commands sockets) sockets))
      (when commands (obey! c commands))
      (cond ((control-stopped? c) (proxy-statistics c))
            ((passed? end) #f)
            ((paused?)
             (watch! #f)
             (rest end (lambda () (not (paused?))))
             (watch! #t)
             (loop))
            (else
             (forward-publications! v)
             (take-subscriptions! v)
             (send-values! v)
             (cond ((fifo-empty? (cache-queue v)) (rest end paused?))
                   ((cache-stalled v)
                    (let ((soon (deadline retry-values)))
                      (rest (if end (min end soon) soon) (lambda () #f)))))
             (yield!)
             (loop))))))

;; ---------------------------------------------------------- publications --

;; Calls the procedure with the parts of each message that has come, up to a number.
(define (take-each s most procedure)
  (for-each (lambda (m) (procedure (if (pair? m) m (list m))))
            (or (receive-messages s max: most as: 'message non-blocking: #t) '())))

(define (forward-publications! v)
  (set-nodrop! v #f)
  (take-each (cache-front v) most-publications
             (lambda (parts)
               (count-received! (cache-control v) parts)
               (keep-value! v parts)
               (send-value! v parts))))

(define (send-value! v parts)
  (if (try-send (cache-back v) parts)
      (count-sent! (cache-control v) parts)
      (count-dropped! (cache-control v))))

(define (keep-value! v parts)
  (when (<= (message-size (car parts)) longest-topic)
    (let* ((topic (message->string (car parts)))
           (known (table-ref (cache-topics v) topic))
           (entry (or known (make-cached topic #f #f #f #f))))
      (if known (unlink! known) (table-set! (cache-topics v) topic entry))
      (set-cached-parts! entry parts)
      (link-newest! v entry)
      (when (> (table-count (cache-topics v)) (cache-limit v)) (drop-oldest! v)))))

(define (unlink! entry)
  (set-cached-next! (cached-before entry) (cached-next entry))
  (set-cached-before! (cached-next entry) (cached-before entry)))

(define (link-newest! v entry)
  (let ((last (cached-before (cache-ring v))))
    (set-cached-next! entry (cache-ring v))
    (set-cached-before! entry last)
    (set-cached-next! last entry)
    (set-cached-before! (cache-ring v) entry)))

(define (drop-oldest! v)
  (let ((oldest (cached-next (cache-ring v))))
    (unlink! oldest)
    (set-cached-wanted! oldest #f)
    (table-delete! (cache-topics v) (cached-topic oldest))))

;; --------------------------------------------------------- subscriptions --

;; What else a subscriber sends goes to the publishers, if the front can send.
(define (take-subscriptions! v)
  (take-each (cache-back v) most-subscriptions
             (lambda (parts)
               (let ((prefix (subscription-of parts)))
                 (cond ((string? prefix) (want! v prefix))
                       ((and (not prefix) (eq? 'xsub (socket-type (cache-front v))))
                        (try-send (cache-front v) parts)))))))

;; The prefix that is subscribed, #t for an unsubscription, or #f for another message.
(define (subscription-of parts)
  (and (null? (cdr parts))
       (<= 1 (message-size (car parts)) (+ 1 longest-topic))
       (let ((s (message->string (car parts))))
         (case (char->integer (string-ref s 0))
           ((0) #t)
           ((1) (substring s 1))
           (else #f)))))

(define (want! v prefix)
  (let loop ((entry (cached-next (cache-ring v))))
    (unless (eq? entry (cache-ring v))
      (when (and (not (cached-wanted? entry)) (starts-with? prefix (cached-topic entry)))
        (set-cached-wanted! entry #t)
        (fifo-add! (cache-queue v) entry))
      (loop (cached-next entry)))))

;; An XPUB drops what a subscriber has no room for.  With xpub-nodrop it refuses it, so that values
;; that are more than the high water mark wait.
(define (set-nodrop! v on)
  (unless (or (cache-swaps? v) (eq? on (cache-nodrop? v)))
    (socket-option-set! (cache-back v) 'xpub-nodrop on)
    (set-cache-nodrop! v on)))

;; A subscriber that takes nothing for a second holds up the others no longer: it loses values, as
;; it loses publications.
(define (send-values! v)
  (unless (fifo-empty? (cache-queue v))
    (set-nodrop! v (not (passed? (cache-stalled v))))
    (let loop ((left most-values))
      (unless (or (fx= left 0) (fifo-empty? (cache-queue v)))
        (let ((entry (fifo-take! (cache-queue v))))
          (cond ((not (cached-wanted? entry)) (loop (fx- left 1)))
                ((or (try-send (cache-back v) (cached-parts entry)) (not (cache-nodrop? v)))
                 (set-cached-wanted! entry #f)
                 (when (cache-nodrop? v) (set-cache-stalled! v #f))
                 (count-sent! (cache-control v) (cached-parts entry))
                 (loop (fx- left 1)))
                (else
                 (fifo-put-back! (cache-queue v) entry)
                 (unless (cache-stalled v) (set-cache-stalled! v (deadline patience))))))))
    (when (fifo-empty? (cache-queue v)) (set-cache-stalled! v #f))))
