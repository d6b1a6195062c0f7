;;; The client of a clone, and what programs call.  clone-server.scm has the messages.

;; ----------------------------------------------------------------- client --

;; `settled` is whether updates from before the snapshot are through.
;; `incoming` is the table that a snapshot fills, or #f if none is awaited until `limit`; `held` are
;; updates that come meanwhile, the last one first.  `alive` is when the server was heard last.
;; `asked` is the number at which the server was asked for its own, or #f; `expected` is the answer.
;; `untold` is whether the server's last answer was that it does not know.
;; `syncs` counts what makes a set worth sending again.  `confirmed` has the UUIDs of sets that are
;; under way, and whether they came back.
(define-record-type zmq-clone-client
  (make-clone-client before port subtree context options heartbeat control subscriber publisher
                     dealer table sequence synchronized settled incoming held limit alive check
                     asked expected untold subscribed syncs confirmed signal thread)
  clone-client?
  (before clone-before)
  (port clone-port)
  (subtree clone-subtree)
  (context clone-context)
  (options clone-options)
  (heartbeat clone-heartbeat)
  (control clone-control)
  (subscriber clone-subscriber)
  (publisher clone-publisher)
  (dealer clone-dealer set-clone-dealer!)
  (table clone-table set-clone-table!)
  (sequence clone-sequence set-clone-sequence!)
  (synchronized synchronized? set-synchronized!)
  (settled settled? set-settled!)
  (incoming clone-incoming set-clone-incoming!)
  (held clone-held set-clone-held!)
  (limit clone-limit set-clone-limit!)
  (alive clone-alive set-clone-alive!)
  (check clone-check set-clone-check!)
  (asked clone-asked set-clone-asked!)
  (expected clone-expected set-clone-expected!)
  (untold clone-untold? set-clone-untold!)
  (subscribed clone-subscribed? set-clone-subscribed!)
  (syncs clone-syncs set-clone-syncs!)
  (confirmed clone-confirmed)
  (signal clone-signal)
  (thread clone-thread set-clone-thread!))

(set-record-printer! zmq-clone-client
  (lambda (c port)
    (for-each (lambda (x) (display x port))
              (list "#<zmq clone client of " (port-endpoint (clone-before c) (clone-port c))
                    (cond ((control-stopped? (clone-control c)) " stopped>")
                          ((synchronized? c) " synchronized>")
                          (else " waiting>"))))))

(define (check-subtree location x)
  (check-string location x)
  (unless (or (string=? x "")
              (and (starts-with? "/" x)
                   (char=? #\/ (string-ref x (fx- (string-length x) 1)))
                   (fx<= 3 (string-length x))
                   (fx<= (string-length x) longest-text)))
    (fail-argument location "a subtree begins and ends with a slash, as in /name/" x)))

(define (clone-client endpoint . rest)
  (let-values (((before port) (split-endpoint 'clone-client endpoint)))
    (unless port (fail-argument 'clone-client "a client needs the port of its server" endpoint))
    (with-keywords 'clone-client rest
        ((#:heartbeat heartbeat 1000) (#:subtree subtree "") (#:timeout timeout 5000)
         (#:options options '()))
      (check-interval 'clone-client heartbeat)
      (check-subtree 'clone-client subtree)
      (check-timeout 'clone-client timeout)
      (check-options 'clone-client options)
      (let* ((subscriber (apply make-socket 'sub rcvhwm: most-updates subscribe: "" linger: 0
                                options))
             (publisher (apply make-socket 'xpub linger: 1000 options))
             (sockets (list subscriber publisher))
             (c (make-clone-client before port subtree (socket-context subscriber) options heartbeat
                                   (make-proxy-control) subscriber publisher
                                   #f (make-table) 0 #f #f #f '() (now) (now) #t #f
                                   #f #f #f 0 (make-table) (make-signal) #f)))
        (finish-or
         (lambda () (for-each close-socket sockets))
         (lambda ()
           (connect-socket subscriber (port-endpoint before (+ port 1)))
           (connect-socket publisher (port-endpoint before (+ port 2)))))
        (start-service 'zmq-clone-client
                       (lambda () (clone-thread c))
                       (lambda (thread) (set-clone-thread! c thread))
                       (lambda () (clone-on? (clone-control c) sockets))
                       (lambda () (run-clone-client c)))
        (wait-until (clone-signal c) (deadline timeout) (lambda () (synchronized? c)))
        c))))

(define (run-clone-client c)
  (call-with-controlled-poller
   'clone-client (clone-control c)
   (lambda (p)
     (poller-add! p (clone-subscriber c) in: #t)
     (poller-add! p (clone-publisher c) in: #t)
     (ask-snapshot! c p)
     (let loop ()
       (drain (clone-publisher c) (lambda (m) (take-subscription! c m)))
       (drain (clone-dealer c) (lambda (m) (take-answer! c m)))
       (drain (clone-subscriber c) (lambda (m) (take-update! c p m)))
       (when (passed? (+ (clone-alive c) (* clone-liveness (clone-heartbeat c))))
         (set-synchronized! c #f))
       (when (and (not (synchronized? c)) (passed? (clone-limit c))) (ask-snapshot! c p))
       (await-controlled 'clone-client (clone-control c) p (deadline (clone-heartbeat c))
                         (lambda () #f))
       (when (clone-on? (clone-control c) (list (clone-subscriber c))) (loop))))))

;; The server's SUB subscribes to all, and this socket hears of it.  What it sends before is lost.
(define (take-subscription! c m)
  (let ((first (text (car m))))
    (when (and first (fx> (string-length first) 0))
      (set-clone-subscribed! c (char=? (integer->char 1) (string-ref first 0)))
      (changed! c))))

(define (changed! c)
  (set-clone-syncs! c (+ 1 (clone-syncs c)))
  (send-signal! (clone-signal c)))

;; Asks on a new connection, so that an answer to an older question is not taken for it.
(define (ask-snapshot! c p)
  (when (clone-dealer c)
    (condition-case (poller-remove! p (clone-dealer c)) ((exn zmq) #f))
    (drop-socket! (clone-dealer c)))
  (set-synchronized! c #f)
  (set-clone-limit! c (wait-for-snapshot c))
  (let ((s (apply make-socket 'dealer (clone-context c) linger: 0 (clone-options c))))
    (set-clone-dealer! c s)
    (connect-socket s (port-endpoint (clone-before c) (clone-port c)))
    (poller-add! p s in: #t)
    (set-clone-incoming! c (make-table))
    (set-clone-asked! c #f)
    (set-clone-expected! c #f)
    (try-send s (list chp-snapshot (clone-subtree c)))))

(define (wait-for-snapshot c) (deadline (max 500 (* 2 (clone-heartbeat c)))))

(define (take-answer! c m)
  (let ((u (update-of m)))
    (cond ((not u))
          ((not (string=? (update-key u) chp-end))
           (when (clone-incoming c)
             (set-clone-limit! c (wait-for-snapshot c))
             (when (starts-with? (clone-subtree c) (update-key u))
               (table-set! (clone-incoming c) (update-key u) (update-value u)))))
          ((and (clone-incoming c) (part-is? (update-value u) (clone-subtree c)))
           (set-clone-table! c (clone-incoming c))
           (set-clone-sequence! c (update-sequence u))
           (set-clone-incoming! c #f)
           (set-clone-alive! c (now))
           (unless (clone-untold? c) (set-clone-check! c #t))
           (set-settled! c #f)
           (set-synchronized! c #t)
           (let ((held (reverse (clone-held c))))
             (set-clone-held! c '())
             (for-each (lambda (u) (apply-update! c u)) held))
           (changed! c))
          ((and (clone-asked c) (part-is? (update-value u) no-subtree))
           (set-clone-untold! c (= 0 (update-sequence u)))
           (if (or (clone-untold? c) (< (update-sequence u) (clone-asked c)))
               (lose! c)
               (set-clone-expected! c (update-sequence u)))
           (set-clone-asked! c #f)))))

;; The table is known to be old: the next turn asks for a snapshot.
(define (lose! c)
  (set-synchronized! c #f)
  (set-clone-limit! c (now)))

(define (take-update! c p m)
  (let ((u (update-of m)))
    (when u
      (set-clone-alive! c (now))
      (cond ((string=? (update-key u) chp-alive) (check-sequence! c))
            ((synchronized? c)
             (apply-update! c u)
             (send-signal! (clone-signal c)))
            (else (hold! c u))))))

(define (hold! c u) (set-clone-held! c (cons u (clone-held c))))

;; Just after a snapshot come updates that it has already.  Later a number that is not the next
;; one means that updates are missing, or that the server was started anew.
(define (apply-update! c u)
  (let ((next (+ 1 (clone-sequence c))) (n (update-sequence u)))
    (cond ((not (synchronized? c)) (hold! c u))
          ((and (< n next) (not (settled? c))))
          ((not (= n next))
           (lose! c)
           (hold! c u))
          (else
           (set-settled! c #t)
           (set-clone-sequence! c n)
           (when (starts-with? (clone-subtree c) (update-key u))
             (if (= 0 (message-size (update-value u)))
                 (table-delete! (clone-table c) (update-key u))
                 (table-set! (clone-table c) (update-key u) (update-value u))))
           (confirm! c (update-uuid u))))))

(define (confirm! c uuid)
  (when (table-ref (clone-confirmed c) uuid)
    (table-set! (clone-confirmed c) uuid 'done)))

;; A subtree that has no keys: the answer to it is the server's number alone.  So a client notices
;; that the last updates were lost, which no later one tells, or that the server was started anew.
;; A server that tells the highest number of the pairs it sends, as RFC 12 has it, answers 0.  Then
;; nothing but another snapshot shows that updates were lost, as those are that come before the
;; connection of the SUB is there.
(define no-subtree "/.sequence/")
(define-constant beats-between-checks 5)

(define (check-sequence! c)
  (when (synchronized? c)
    (set-settled! c #t)
    (cond ((and (clone-expected c) (< (clone-sequence c) (clone-expected c))) (lose! c))
          ((eqv? 0 (clone-check c))
           (set-clone-check! c #t))
          ((eq? #t (clone-check c))
           (set-clone-check! c beats-between-checks)
           (set-clone-asked! c (clone-sequence c))
           (try-send (clone-dealer c) (list chp-snapshot no-subtree)))
          (else (set-clone-check! c (fx- (clone-check c) 1))))
    (set-clone-expected! c #f)))

;; ---------------------------------------------------------- the program --

(define (check-clone location x)
  (unless (or (clone-client? x) (clone-server? x))
    (fail-type location "a clone client or server" x)))

(define (table-of x) (if (clone-server? x) (server-table x) (clone-table x)))

(define (clone-endpoint s)
  (unless (clone-server? s) (fail-type 'clone-endpoint "a clone server" s))
  (server-endpoint s))

(define (clone-synchronized? c)
  (unless (clone-client? c) (fail-type 'clone-synchronized? "a clone client" c))
  (and (synchronized? c) (not (control-stopped? (clone-control c)))))

(define (clone-ref x key #!optional default)
  (check-clone 'clone-ref x)
  (check-string 'clone-ref key)
  (let ((value (table-ref (table-of x) key)))
    (if value (message->string value) default)))

(define (clone-keys x)
  (check-clone 'clone-keys x)
  (table-map (table-of x) (lambda (key value) key)))

(define (check-key location key subtree)
  (check-string location key)
  (unless (and (valid-key? key) (fx<= (string-length key) longest-text))
    (fail-argument location
                   "a key has 1 to 255 bytes, and is not ICANHAZ?, KTHXBAI or HUGZ" key))
  (unless (starts-with? subtree key)
    (fail-argument location (string-append "the key is not in the subtree of this client, " subtree)
                   key)))

;; A value as a message that does not change.
(define (value-message location x)
  (cond ((not x) (make-message ""))
        ((message? x) x)
        (else (check-part location x) (make-message x))))

(define (clone-set! x key value . rest)
  (check-clone 'clone-set! x)
  (check-key 'clone-set! key (if (clone-server? x) "" (clone-subtree x)))
  (with-keywords 'clone-set! rest ((#:ttl ttl #f) (#:timeout timeout 5000))
    (unless (or (not ttl) (and (exact-integer? ttl) (< 0 ttl 1000000000)))
      (fail-type 'clone-set! "a whole number of seconds, 1 or more" ttl))
    (check-timeout 'clone-set! timeout)
    (let ((value (value-message 'clone-set! value))
          (properties (if ttl (string-append "ttl=" (number->string ttl) "\n") "")))
      (cond ((control-stopped? (if (clone-server? x) (server-control x) (clone-control x)))
             (fail-argument 'clone-set! "this clone was stopped: make another one" x))
            ((clone-server? x)
             (set-key! x key "" properties value)
             #t)
            (else (set-at-server! x key value properties (deadline timeout)))))))

;; Sends until the server has published it: #t, or #f after the limit.
(define (set-at-server! c key value properties limit)
  (let ((uuid (random-text 16)) (signal (clone-signal c)))
    (define (stopped?) (control-stopped? (clone-control c)))
    (define (done?) (eq? 'done (table-ref (clone-confirmed c) uuid)))
    (define (reached?) (and (synchronized? c) (clone-subscribed? c)))
    ;; A new snapshot may have it, without the update that was published.
    (define (there?)
      (let ((now (table-ref (clone-table c) key)))
        (if now
            (string=? (message->string now) (message->string value))
            (= 0 (message-size value)))))
    (wind
     (lambda () (table-set! (clone-confirmed c) uuid 'sent))
     (lambda ()
       (let try ((again? #f))
         (wait-until signal limit (lambda () (or (reached?) (stopped?))))
         (cond ((or (stopped?) (not (reached?))) #f)
               ((or (done?) (and again? (there?))) #t)
               (else
                (let ((syncs (clone-syncs c)) (soon (deadline 1000)))
                  (try-send (clone-publisher c)
                            (list key (sequence-bytes 0) uuid properties value))
                  (wait-until signal (if limit (min limit soon) soon)
                              (lambda ()
                                (or (done?) (stopped?) (not (= syncs (clone-syncs c))))))
                  (cond ((done?) #t)
                        ((passed? limit) #f)
                        (else (try #t))))))))
     (lambda () (table-delete! (clone-confirmed c) uuid)))))

(define (clone-stop! x)
  (check-clone 'clone-stop! x)
  (stop-proxy (if (clone-server? x) (server-control x) (clone-control x)))
  (cond ((clone-server? x)
         (for-each close-socket (server-sockets x))
         (await-end! (server-thread x)))
        (else
         (set-synchronized! x #f)
         (for-each (lambda (s) (when s (close-socket s)))
                   (list (clone-subscriber x) (clone-publisher x) (clone-dealer x)))
         (send-signal! (clone-signal x))
         (await-end! (clone-thread x))))
  (void))
