;;; Majordomo: services with names, and a broker between their workers and clients.  The wire
;;; form is MDP 0.1 (RFC 7); what the broker tells of itself is MMI (RFC 8).

(define mdp-client "MDPC01")
(define mdp-worker "MDPW01")
(define mdp-ready (byte 1))
(define mdp-request (byte 2))
(define mdp-reply (byte 3))
(define mdp-heartbeat (byte 4))
(define mdp-disconnect (byte 5))

;; A peer that was silent for so many heartbeats is gone.
(define-constant mdp-liveness 4)

(define (check-service location x)
  (check-string location x)
  (unless (and (fx> (string-length x) 0) (fx<= (string-length x) longest-text))
    (fail-argument location "the name of a service has 1 to 255 bytes" x))
  x)

(define (own-service? name) (starts-with? "mmi." name))

;; ----------------------------------------------------------------- broker --

;; `services` and `workers` are tables by the name and by the routing id.  `queued` counts the
;; requests that wait for a worker.  `tick` is when heartbeats are sent next.
(define-record-type zmq-majordomo-broker
  (make-broker socket endpoint heartbeat expiry services workers queued tick thread) broker?
  (socket broker-socket)
  (endpoint broker-endpoint)
  (heartbeat broker-heartbeat)
  (expiry broker-expiry)
  (services broker-services)
  (workers broker-workers)
  (queued broker-queued set-broker-queued!)
  (tick broker-tick set-broker-tick!)
  (thread broker-thread set-broker-thread!))

(set-record-printer! zmq-majordomo-broker
  (lambda (b port)
    (for-each (lambda (x) (display x port))
              (list "#<zmq majordomo broker " (broker-endpoint b)
                    (if (socket-usable? (broker-socket b)) " running>" " stopped>")))))

;; `idle` has the workers that wait for a request, the one that has waited longest first.
(define-record-type zmq-mdp-service (make-service name requests idle workers) service?
  (name service-name)
  (requests service-requests)
  (idle service-idle)
  (workers service-workers set-service-workers!))

;; `request` is what the worker works on, or #f; `expiry` is when it is gone unless it says more.
(define-record-type zmq-mdp-worker (make-worker id service request expiry) worker?
  (id worker-id)
  (service worker-service)
  (request worker-request set-worker-request!)
  (expiry worker-expiry set-worker-expiry!))

;; `tries` counts the workers that were given the request.
(define-record-type zmq-mdp-request (make-request client body expiry tries) request?
  (client request-client)
  (body request-body)
  (expiry request-expiry)
  (tries request-tries set-request-tries!))

;; A request that ends its worker must not end them all.
(define-constant most-tries 3)

;; What clients may leave with the broker.
(define-constant most-queued 100000)

(define (majordomo-broker endpoint . rest)
  (check-string 'majordomo-broker endpoint)
  (with-keywords 'majordomo-broker rest
      ((#:heartbeat heartbeat 2500) (#:expiry expiry 60000) (#:options options '()))
    (check-interval 'majordomo-broker heartbeat)
    (check-interval 'majordomo-broker expiry)
    (check-options 'majordomo-broker options)
    (let ((s (apply make-socket 'router router-mandatory: #t linger: 1000 options)))
      (value-or
       (lambda () (close-socket s))
       (lambda ()
         (let ((b (make-broker s (bind-socket s endpoint) heartbeat expiry
                               (make-table) (make-table) 0 (deadline heartbeat) #f)))
           (start-service 'zmq-majordomo-broker
                          (lambda () (broker-thread b))
                          (lambda (thread) (set-broker-thread! b thread))
                          (lambda () (socket-usable? s))
                          (lambda () (broker-step! b)))
           b))))))

(define (check-broker location x)
  (if (broker? x) x (fail-type location "a majordomo broker" x)))

(define (majordomo-endpoint b) (broker-endpoint (check-broker 'majordomo-endpoint b)))

;; The names of the services that have a worker.
(define (majordomo-services b)
  (check-broker 'majordomo-services b)
  (if (socket-usable? (broker-socket b))
      (foldl (lambda (names s)
               (if (fx> (service-workers s) 0) (cons (service-name s) names) names))
             '()
             (table-map (broker-services b) (lambda (name s) s)))
      '()))

(define (stop-broker! b)
  (let ((s (broker-socket b)))
    (when (socket-usable? s)
      (table-for-each (broker-workers b)
                      (lambda (id w) (send-to-worker b w (list mdp-disconnect)))))
    (unless (socket-closed? s) (close-socket s))
    (await-end! (broker-thread b))))

(define (majordomo-stop! x)
  (cond ((broker? x) (stop-broker! x))
        ((client? x) (stop-client! x))
        (else (fail-type 'majordomo-stop! "a majordomo broker or client" x)))
  (void))

;; ---------------------------------------------- what the broker does --

(define-constant batch 1000)

;; Takes what has come, and sends heartbeats when it is time.  A worker counts as silent only
;; if all that it may have sent was read, as after a pause of the broker itself.
(define (broker-step! b)
  (let* ((left (max 0 (- (broker-tick b) (now))))
         (got (or (receive-messages (broker-socket b) max: batch as: 'message timeout: left) '())))
    (for-each (lambda (m) (when (pair? m) (broker-take! b m))) got)
    (when (passed? (broker-tick b))
      (when (or (fx< (length got) batch)
                (passed? (+ (broker-tick b) (* mdp-liveness (broker-heartbeat b)))))
        (expire! b)
        (table-for-each (broker-workers b)
                        (lambda (id w) (send-to-worker b w (list mdp-heartbeat))))
        (set-broker-tick! b (deadline (broker-heartbeat b)))))))

(define (expire! b)
  (table-for-each (broker-workers b)
                  (lambda (id w) (when (passed? (worker-expiry w)) (remove-worker! b w))))
  (table-for-each (broker-services b)
                  (lambda (name s)
                    (fifo-keep! (service-requests s)
                                (lambda (r)
                                  (or (not (passed? (request-expiry r)))
                                      (begin (count-queued! b -1) #f))))
                    (drop-if-unused! b s))))

(define (count-queued! b n) (set-broker-queued! b (fx+ n (broker-queued b))))

;; A message is a list of the routing id, an empty part, the name of the protocol, and more.
(define (broker-take! b m)
  (when (fx>= (length m) 4)
    (let ((id (text (car m))) (protocol (caddr m)) (rest (cdddr m)))
      (cond ((not (part-is? (cadr m) "")))
            ((part-is? protocol mdp-client) (take-request! b id rest))
            ((part-is? protocol mdp-worker) (take-command! b id (text (car rest)) (cdr rest)))))))

(define (service-of b name)
  (or (table-ref (broker-services b) name)
      (let ((s (make-service name (make-fifo) (make-fifo) 0)))
        (table-set! (broker-services b) name s)
        s)))

;; Any client can make up names.
(define (drop-if-unused! b s)
  (when (and (fx= 0 (service-workers s)) (fifo-empty? (service-requests s)))
    (table-delete! (broker-services b) (service-name s))))

;; ------------------------------------------------------ from clients --

(define (take-request! b client parts)
  (let ((name (text (car parts))) (body (cdr parts)))
    (cond ((or (null? body) (not name) (string=? name "")))
          ((own-service? name) (reply! b client name (list (answer-of-broker b name body))))
          ((fx< (broker-queued b) most-queued)
           (let ((s (service-of b name)))
             (fifo-add! (service-requests s)
                        (make-request client body (deadline (broker-expiry b)) 0))
             (count-queued! b 1)
             (dispatch! b s))))))

(define (answer-of-broker b name body)
  (if (string=? name "mmi.service")
      (let* ((asked (text (car body))) (s (and asked (table-ref (broker-services b) asked))))
        (if (and s (fx> (service-workers s) 0)) "200" "404"))
      "501"))

(define (reply! b client name body)
  (try-send (broker-socket b) `(,client "" ,mdp-client ,name ,@body)))

;; Gives requests to workers while there are both.
(define (dispatch! b s)
  (unless (or (fifo-empty? (service-requests s)) (fifo-empty? (service-idle s)))
    (let ((w (fifo-take! (service-idle s))) (r (fifo-take! (service-requests s))))
      (count-queued! b -1)
      (set-worker-request! w r)
      (set-request-tries! r (fx+ 1 (request-tries r)))
      (unless (send-to-worker b w `(,mdp-request ,(request-client r) "" ,@(request-body r)))
        (set-request-tries! r (fx- (request-tries r) 1))
        (remove-worker! b w))
      (dispatch! b s))))

;; ------------------------------------------------------ from workers --

(define (send-to-worker b w parts)
  (try-send (broker-socket b) `(,(worker-id w) "" ,mdp-worker ,@parts)))

(define (take-command! b id command parts)
  (let ((w (table-ref (broker-workers b) id)))
    (define (refuse!)
      (when w (remove-worker! b w))
      (try-send (broker-socket b) (list id "" mdp-worker mdp-disconnect)))
    (when w (set-worker-expiry! w (silence-limit b)))
    (cond ((not command) (when w (remove-worker! b w)))
          ((string=? command mdp-ready)
           (let ((name (and (fx= 1 (length parts)) (text (car parts)))))
             (if (or w (not name) (string=? name "") (own-service? name))
                 (refuse!)
                 (add-worker! b id (service-of b name)))))
          ((string=? command mdp-reply)
           (if (and w (expected? (worker-request w) parts))
               (let ((s (worker-service w)) (r (worker-request w)))
                 (reply! b (request-client r) (service-name s) (cddr parts))
                 (set-worker-request! w #f)
                 (fifo-add! (service-idle s) w)
                 (dispatch! b s))
               (refuse!)))
          ((string=? command mdp-heartbeat) (unless w (refuse!)))
          (else (when w (remove-worker! b w))))))

;; Whether the parts of a REPLY are the client of the request, an empty part, and one or more.
(define (expected? r parts)
  (and r
       (fx>= (length parts) 3)
       (part-is? (car parts) (request-client r))
       (part-is? (cadr parts) "")))

(define (silence-limit b) (deadline (* mdp-liveness (broker-heartbeat b))))

(define (add-worker! b id s)
  (let ((w (make-worker id s #f (silence-limit b))))
    (table-set! (broker-workers b) id w)
    (set-service-workers! s (fx+ 1 (service-workers s)))
    (fifo-add! (service-idle s) w)
    (dispatch! b s)))

;; Forgets the worker.  Another one is given its request.
(define (remove-worker! b w)
  (let ((s (worker-service w)) (r (worker-request w)))
    (table-delete! (broker-workers b) (worker-id w))
    (set-service-workers! s (fx- (service-workers s) 1))
    (cond ((not r) (fifo-keep! (service-idle s) (lambda (x) (not (eq? x w)))))
          ((fx< (request-tries r) most-tries)
           (fifo-put-back! (service-requests s) r)
           (count-queued! b 1)
           (dispatch! b s)))
    (drop-if-unused! b s)))

;; ----------------------------------------------------------------- worker --

;; `session` is the socket of the present connection with the broker, or #f; `busy` whether the
;; procedure runs; `failed` whether it failed in this session.
(define-record-type zmq-mdp-server
  (make-server procedure on-error poller session busy failed) server?
  (procedure server-procedure)
  (on-error server-on-error)
  (poller server-poller)
  (session server-session set-server-session!)
  (busy server-busy? set-server-busy!)
  (failed server-failed? set-server-failed!))

(define (majordomo-worker endpoint service procedure . rest)
  (check-string 'majordomo-worker endpoint)
  (check-service 'majordomo-worker service)
  (when (own-service? service)
    (fail-argument 'majordomo-worker
                   "services whose names begin with mmi. are the broker's own: take another name"
                   service))
  (check-procedure 'majordomo-worker procedure)
  (with-keywords 'majordomo-worker rest
      ((#:heartbeat heartbeat 2500) (#:error on-error #f) (#:control control #f)
       (#:options options '()))
    (check-interval 'majordomo-worker heartbeat)
    (when on-error (check-procedure 'majordomo-worker on-error))
    (check-options 'majordomo-worker options)
    (let ((c (control-or-new 'majordomo-worker control)))
      (define (connect)
        (let ((s (apply make-socket 'dealer linger: 1000 options)))
          (finish-or (lambda () (drop-socket! s)) (lambda () (connect-socket s endpoint)))
          s))
      (call-with-controlled-poller
       'majordomo-worker c
       (lambda (p)
         (let ((w (make-server procedure on-error p #f #f #f)))
           (let loop ((s (connect)))
             (unless (control-stopped? c)
               (let ((began (now)))
                 (run-session! w s c p service heartbeat)
                 ;; A broker that refuses the worker is not asked again and again.
                 (let ((again (if (passed? (+ began heartbeat)) (now) (deadline heartbeat))))
                   (await-controlled 'majordomo-worker c p again (lambda () #f)))
                 (await-controlled 'majordomo-worker c p #f
                                   (lambda () (not (server-busy? w))))
                 (unless (control-stopped? c) (loop (reconnect connect c p heartbeat))))))))))))

;; A want of descriptors or memory passes.
(define (reconnect connect c p heartbeat)
  (or (condition-case (connect)
        (e (exn zmq)
           (when (memq (get-condition-property e 'zmq 'code) '(eterm closed forked)) (abort e))
           #f))
      (begin
        (await-controlled 'majordomo-worker c p (deadline heartbeat) (lambda () #f))
        (reconnect connect c p heartbeat))))

(define (send-to-broker s . parts) (try-send s `("" ,mdp-worker ,@parts)))

;; One connection, from READY until the broker refuses it or is silent, or the worker stops.
(define (run-session! w s c p service heartbeat)
  (define (new-limit) (deadline (* mdp-liveness heartbeat)))
  (wind
   void
   (lambda ()
     (set-server-session! w s)
     (set-server-failed! w #f)
     (poller-add! p s in: #t)
     (send-to-broker s mdp-ready service)
     (let loop ((silent (new-limit)) (beat (deadline heartbeat)))
       (let ((m (next-message s)))
         (cond ((or (control-stopped? c) (server-failed? w)) (send-to-broker s mdp-disconnect))
               (m
                (case (command-of m)
                  ((heartbeat) (loop (new-limit) beat))
                  ((request) (start-request! w s (cdddr m)) (loop (new-limit) beat))
                  ((disconnect) (socket-option-set! s 'linger 0))
                  (else (loop silent beat))))
               ((passed? silent) (socket-option-set! s 'linger 0))
               ((passed? beat)
                (send-to-broker s mdp-heartbeat)
                (loop silent (deadline heartbeat)))
               (else
                (await-controlled 'majordomo-worker c p (min silent beat)
                                  (lambda () (server-failed? w)))
                (loop silent beat))))))
   (lambda ()
     (set-server-session! w #f)
     (unless (socket-closed? s)
       (condition-case (poller-remove! p s) ((exn zmq) #f))
       (close-socket s)))))

;; What the broker says: an empty part, the name of the protocol, the command, and more.  A
;; request has the client, an empty part, and one part or more.
(define (command-of m)
  (and (fx>= (length m) 3)
       (part-is? (car m) "")
       (part-is? (cadr m) mdp-worker)
       (let ((command (caddr m)) (rest (cdddr m)))
         (cond ((part-is? command mdp-heartbeat) 'heartbeat)
               ((part-is? command mdp-disconnect) 'disconnect)
               ((and (part-is? command mdp-request) (fx>= (length rest) 3)
                     (part-is? (cadr rest) ""))
                'request)
               (else #f)))))

;; The procedure runs in a thread of its own, so that heartbeats go on.  The reply is dropped if
;; the broker has gone meanwhile: it has given the request to another worker.  A broker that
;; sends a second request meanwhile does not keep to the protocol.
(define (start-request! w s parts)
  (if (server-busy? w)
      (set-server-failed! w #t)
      (begin
        (set-server-busy! w #t)
        (start-thread
         'zmq-majordomo-request
         (lambda ()
           (let* ((body (strings-of (cddr parts)))
                  (reply (and body
                              (answer-of 'majordomo-worker (server-procedure w) body
                                         (server-on-error w)))))
             (set-server-busy! w #f)
             (when (eq? s (server-session w))
               (if reply
                   (send-reply w s (car parts) reply)
                   (set-server-failed! w #t)))
             (wake-controlled! (server-poller w))))))))

(define (send-reply w s client reply)
  (unless (apply send-to-broker s mdp-reply client "" reply) (set-server-failed! w #t)))

;; ----------------------------------------------------------------- client --

;; `idle` has the sockets that no call uses.
(define-record-type zmq-majordomo-client
  (make-client endpoint context options idle stopped) client?
  (endpoint client-endpoint)
  (context client-context)
  (options client-options)
  (idle idle-sockets set-idle-sockets!)
  (stopped client-stopped? set-client-stopped!))

(set-record-printer! zmq-majordomo-client
  (lambda (c port)
    (for-each (lambda (x) (display x port))
              (list "#<zmq majordomo client of " (client-endpoint c)
                    (if (client-stopped? c) " stopped>" ">")))))

(define (majordomo-client endpoint . rest)
  (check-string 'majordomo-client endpoint)
  (with-keywords 'majordomo-client rest ((#:options options '()))
    (check-options 'majordomo-client options)
    (let* ((s (apply make-socket 'dealer linger: 0 options))
           (c (make-client endpoint (socket-context s) options (list s) #f)))
      (finish-or (lambda () (close-socket s)) (lambda () (connect-socket s endpoint)))
      c)))

(define (stop-client! c)
  (set-client-stopped! c #t)
  (for-each close-socket (idle-sockets c))
  (set-idle-sockets! c '()))

(define (socket-for-call c)
  (let ((idle (idle-sockets c)))
    (if (pair? idle)
        (begin (set-idle-sockets! c (cdr idle)) (car idle))
        (apply make-socket 'dealer (client-context c) linger: 0
               connect: (client-endpoint c) (client-options c)))))

(define (majordomo-call c service parts . rest)
  (unless (client? c) (fail-type 'majordomo-call "a majordomo client" c))
  (check-service 'majordomo-call service)
  (check-parts 'majordomo-call parts)
  (with-keywords 'majordomo-call rest ((#:timeout timeout 2500) (#:retries retries 3))
    (check-timeout 'majordomo-call timeout)
    (check-retries 'majordomo-call retries)
    (let loop ((retries retries))
      (when (client-stopped? c)
        (fail-argument 'majordomo-call "this client was stopped: make another one" c))
      (or (call-once c service parts (deadline timeout))
          (and (> retries 0) (loop (- retries 1)))))))

;; A socket whose reply did not come is closed, so that a late reply meets no later call.
(define (call-once c service parts limit)
  (let ((s (socket-for-call c)))
    (value-or
     (lambda () (close-socket s))
     (lambda ()
       (let ((reply (and (send-multipart-message s `("" ,mdp-client ,service ,@parts)
                                                 timeout: (left-until limit))
                         (await-reply s service limit))))
         (if (and reply (not (client-stopped? c)))
             (set-idle-sockets! c (cons s (idle-sockets c)))
             (close-socket s))
         reply)))))

(define (left-until limit) (and limit (max 0 (- limit (now)))))

(define (await-reply s service limit)
  (let ((m (receive-multipart-message s as: 'message timeout: (left-until limit))))
    (cond ((not m) #f)
          ((and (fx>= (length m) 4)
                (part-is? (car m) "")
                (part-is? (cadr m) mdp-client)
                (part-is? (caddr m) service))
           (map message->string (cdddr m)))
          ((passed? limit) #f)
          (else (await-reply s service limit)))))
