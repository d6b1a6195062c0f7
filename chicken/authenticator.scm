;;; The authenticator: a thread that answers the requests of ZAP 1.0 (RFC 27), which libzmq makes
;;; for each peer that connects.
;;;
;;; Strangers decide what a request holds: it is compared as bytes, of bounded length, and
;;; becomes neither a symbol nor a path.

(define zap-endpoint "inproc://zeromq.zap.01")

;; `thread` answers the requests; `busy` counts the threads in which procedures of the program
;; decide.
(define-record-type zmq-authenticator
  (make-authenticator context socket thread policies stopped busy allowed denied) authenticator?
  (context authenticator-context)
  (socket authenticator-socket)
  (thread authenticator-thread set-authenticator-thread!)
  (policies authenticator-policies set-authenticator-policies!)
  (stopped authenticator-stopped? set-authenticator-stopped!)
  (busy busy-count set-busy-count!)
  (allowed allowed-count set-allowed-count!)
  (denied denied-count set-denied-count!))

;; A policy is #f to refuse everybody, or
;;   curve          #t, a list of keys, a store, a procedure
;;   plain          a list of pairs of user name and password, a procedure
;;   gssapi         a list of principals, a procedure
;;   allow, deny    a list of rules for addresses; allow: #f allows any
;;   domains        a list; #f allows any
(define-record-type zmq-policies
  (make-policies curve plain gssapi allow deny domains) policies?
  (curve curve-policy)
  (plain plain-policy)
  (gssapi gssapi-policy)
  (allow allow-rules)
  (deny deny-rules)
  (domains allowed-domains))

(set-record-printer! zmq-authenticator
  (lambda (a port)
    (for-each (lambda (x) (display x port))
              (list "#<zmq authenticator "
                    (cond ((authenticator-stopped? a) "stopped")
                          ((answering? a) "running")
                          (else "ended"))
                    ", "
                    (allowed-count a) " allowed, " (denied-count a) " denied>"))))

(define (check-authenticator location x)
  (if (authenticator? x) x (fail-type location "a ZeroMQ authenticator" x)))

;; ------------------------------------------------------------ policies --

(define (short-text? x) (and (string? x) (fx<= (string-length x) 255)))

(define (listed-or-decided? entry? x)
  (or (not x) (procedure? x) (and (list? x) (every? entry? x))))

(define (key-policy location x)
  (cond ((or (boolean? x) (procedure? x) (store? x)) x)
        ((string? x) (open-store location x))
        ((list? x)
         (map (lambda (key)
                (if (certificate? key) (certificate-public-key key) (key-text location key)))
              x))
        (else
         (fail-type location
                    "a list of public keys, a directory, a procedure, #t for any or #f for none"
                    x))))

;; Conditions must not show passwords.
(define (password-policy location x)
  (define (entry? x) (and (pair? x) (short-text? (car x)) (short-text? (cdr x))))
  (if (listed-or-decided? entry? x)
      x
      (fail-type
       location
       "an alist of user names and passwords (strings of up to 255 bytes), a procedure or #f"
       'plain)))

(define (principal-policy location x)
  (if (listed-or-decided? short-text? x)
      x
      (fail-type location "a list of principals, a procedure or #f" x)))

(define (rules location x)
  (let ((rules (if (list? x) x (list x))))
    (for-each (lambda (rule)
                (check-string location rule)
                (checked location (%check-network rule) rule))
              rules)
    rules))

(define (domain-policy location x)
  (let ((domains (if (string? x) (list x) x)))
    (unless (or (not domains)
                (and (pair? domains) (list? domains)
                     (every? (lambda (d) (and (short-text? d) (not (string=? d "")))) domains)))
      (fail-type location "a domain (1 to 255 bytes), a list of them or #f" x))
    domains))

;; The policies of the keywords; what is not given stays as it is.
(define (configure! location a rest)
  (let ((old (authenticator-policies a)))
    (with-keywords location rest
        ((#:curve curve (curve-policy old))
         (#:plain plain (plain-policy old))
         (#:gssapi gssapi (gssapi-policy old))
         (#:allow allow (allow-rules old))
         (#:deny deny (deny-rules old))
         (#:domain domain (allowed-domains old)))
      (let* ((curve (key-policy location curve))
             (plain (password-policy location plain))
             (gssapi (principal-policy location gssapi))
             (allow (and allow (rules location allow)))
             (deny (if deny (rules location deny) '()))
             (domains (domain-policy location domain)))
        (set-authenticator-policies! a (make-policies curve plain gssapi allow deny domains))
        (set-context-guard! (authenticator-context a) (if domains (car domains) "global"))))))

;; ------------------------------------------------------------- requests --

;; A request is a list of frames: version, request id and these.
(define (request-domain r) (list-ref r 2))
(define (request-address r) (list-ref r 3))
(define (request-routing-id r) (list-ref r 4))
(define (request-mechanism r) (list-ref r 5))
(define (request-credentials r) (list-tail r 6))

;; What a procedure of the program that decides may read beside the credentials.
(define current-zap-request (make-parameter #f))

(define (request->alist r)
  `((domain . ,(request-domain r))
    (address . ,(request-address r))
    (routing-id . ,(request-routing-id r))
    (mechanism . ,(request-mechanism r))))

;; A decision is a list of the last frames of a reply: status, text, user id and metadata.
(define (allowed user metadata) (list "200" "OK" user (encoded-metadata metadata)))
(define (denied text) (list "400" text "" ""))
(define (failed text) (list "500" text "" ""))

;; The decision about frames that are no request, or #f.
(define (malformed r)
  (cond ((not (string=? (car r) "1.0")) (failed "version not known"))
        ((fx< (length r) 6) (failed "too few frames"))
        ((fx> (length r) 8) (denied "malformed credentials"))
        ((not (every? (lambda (i) (short-text? (list-ref r i))) '(2 3 4 5)))
         (denied "malformed request"))
        (else #f)))

;; ------------------------------------------------------------- deciding --

;; The first of the list that is right.  All are looked at, so that the time does not tell which.
(define (find-all right? l)
  (foldl (lambda (found x) (let ((right (right? x))) (or found (and right x)))) #f l))

;; Pads secrets of at most 255 bytes to one length, which takes %same-bytes? one time.
(define (same-secret? a b)
  (define (padded s)
    (let ((n (string-length s))) (string-append (byte n) s (make-string (fx- 255 n) #\nul))))
  (same-text? (padded a) (padded b)))

;; Decides about the user by a policy: (ask) calls a procedure of the program, which returns #f,
;; #t or the user id; (look-up) returns the metadata of a user that the policy lists, or #f.
(define (decide-by policy user unknown ask look-up)
  (cond ((not policy) (denied "access denied"))
        ((procedure? policy)
         (let ((answer (ask)))
           (cond ((not answer) (denied "access denied"))
                 ((eq? answer #t) (allowed user '()))
                 ((short-text? answer) (allowed answer '()))
                 (else (failed "internal error")))))
        ((look-up) => (lambda (metadata) (allowed user metadata)))
        (else (denied unknown))))

(define (decide-curve policy credentials)
  (let ((key (z85-encode (car credentials))))
    (decide-by policy key "unknown key"
      (lambda () (policy key))
      (lambda ()
        (cond ((eq? policy #t) '())
              ((store? policy)
               (let ((c (find-all (lambda (c) (same-text? key (certificate-public-key c)))
                                  (store-certificates policy))))
                 (and c (certificate-metadata c))))
              (else (and (find-all (lambda (k) (same-text? key k)) policy) '())))))))

(define (decide-plain policy credentials)
  (let ((user (car credentials)) (password (cadr credentials)))
    (define (right? entry)
      (let ((user? (same-secret? user (car entry)))
            (password? (same-secret? password (cdr entry))))
        (and user? password?)))
    (decide-by policy user "wrong user name or password"
      (lambda () (policy user password))
      (lambda () (and (find-all right? policy) '())))))

(define (decide-gssapi policy credentials)
  (let ((principal (car credentials)))
    (decide-by policy principal "unknown principal"
      (lambda () (policy principal))
      (lambda () (and (find-all (lambda (p) (same-text? p principal)) policy) '())))))

;; NULL has no credentials, so only a rule that allows the address, which was checked, can admit.
(define (decide-null rules credentials)
  (if rules (allowed "" '()) (denied "no security")))

(define (curve-key? x) (fx= 32 (string-length x)))

;; The number and the form of the credentials, their policy, and the procedure that decides.
(define mechanisms
  (list (list "NULL" 0 short-text? allow-rules decide-null)
        (list "PLAIN" 2 short-text? plain-policy decide-plain)
        (list "CURVE" 1 curve-key? curve-policy decide-curve)
        (list "GSSAPI" 1 short-text? gssapi-policy decide-gssapi)))

(define (mechanism-of r) (assoc (request-mechanism r) mechanisms))
(define (mechanism-policy m policies) ((list-ref m 3) policies))

(define (decide policies r)
  (let ((m (mechanism-of r))
        (credentials (request-credentials r))
        (domains (allowed-domains policies))
        (allow (allow-rules policies))
        (listed? (lambda (rules)
                   (find-all (lambda (rule) (%network-holds? rule (request-address r))) rules))))
    (cond ((not (and m (fx= (cadr m) (length credentials)) (every? (caddr m) credentials)))
           (denied "malformed credentials"))
          ((and domains (not (find-all (lambda (d) (same-text? d (request-domain r))) domains)))
           (denied "wrong domain"))
          ((listed? (deny-rules policies)) (denied "address denied"))
          ((and allow (not (listed? allow))) (denied "address not allowed"))
          (else ((list-ref m 4) (mechanism-policy m policies) credentials)))))

;; What a procedure of the program raises is a failure, which does not end the authenticator.
(define (decide-safely a r)
  (call-with-current-continuation
   (lambda (return)
     (with-exception-handler
      (lambda (e) (return (failed "internal error")))
      (lambda ()
        (parameterize ((current-zap-request (request->alist r)))
          (decide (authenticator-policies a) r)))))))

;; ------------------------------------------------------------- answering --

(define (byte n) (string (integer->char n)))

(define (length-bytes n)
  (list->string
   (map (lambda (shift) (integer->char (fxand (fxshr n shift) 255))) '(24 16 8 0))))

;; Names that libzmq itself gives to properties of messages.
(define reserved-names
  '("user-id" "peer-address" "socket-type" "identity" "routing-id" "resource"))

(define (encoded-metadata metadata)
  (foldr (lambda (entry rest)
           (let ((name (car entry)) (value (cdr entry)))
             (if (member (lower-case name) reserved-names)
                 rest
                 (string-append (byte (string-length name)) name
                                (length-bytes (string-length value)) value rest))))
         "" metadata))

(define (answer a head decision)
  (if (string=? "200" (car decision))
      (set-allowed-count! a (fx+ (allowed-count a) 1))
      (set-denied-count! a (fx+ (denied-count a) 1)))
  (send-multipart-message (authenticator-socket a) (append head decision) non-blocking: #t))

(define-constant most-busy 64)

;; A procedure of the program may wait, so it decides in a thread of its own.
(define (asks-program? a r)
  (let ((m (mechanism-of r)))
    (and m (procedure? (mechanism-policy m (authenticator-policies a))))))

;; `head` is how the reply begins.
(define (handle-request a head r)
  (cond ((authenticator-stopped? a))
        ((malformed r) => (lambda (decision) (answer a head decision)))
        ((not (asks-program? a r)) (answer a head (decide-safely a r)))
        ((fx>= (busy-count a) most-busy)
         (pause! 5)
         (handle-request a head r))
        (else
         (set-busy-count! a (fx+ (busy-count a) 1))
         (start-thread
          'zmq-authenticator-policy
          (lambda ()
            (let ((decision (decide-safely a r)))
              (set-busy-count! a (fx- (busy-count a) 1))
              (handle-exceptions e #f (answer a head decision))))))))

;; The parts are the routing id of the sender, an empty part and the request.  One without a
;; request id cannot be answered.
(define (handle-parts a parts)
  (when (and (fx>= (length parts) 4) (string=? "" (cadr parts)) (short-text? (cadddr parts)))
    (handle-request a (list (car parts) "" "1.0" (cadddr parts)) (cddr parts))))

;; #f once the socket or its context was closed.
(define (answering? a)
  (and (not (authenticator-stopped? a))
       (not (thread-ended? (authenticator-thread a)))
       (socket-usable? (authenticator-socket a))))

(define (start-answering! a)
  (let ((s (authenticator-socket a)))
    (start-service 'zmq-authenticator
                   (lambda () (authenticator-thread a))
                   (lambda (thread) (set-authenticator-thread! a thread))
                   (lambda () (socket-usable? s))
                   (lambda () (handle-parts a (receive-multipart-message s as: 'string))))))

;; ------------------------------------------------------ start and stop --

(define (start-authenticator context-or-false . rest)
  (let* ((context (context-or-default 'start-authenticator context-or-false))
         (socket (make-socket 'router context linger: 0))
         (policies (make-policies #f #f #f #f '() #f))
         (a (make-authenticator context socket #f policies #f 0 0 0))
         (old (context-guard context)))
    (finish-or
     (lambda () (close-socket socket) (set-context-guard! context old))
     (lambda ()
       (configure! 'start-authenticator a rest)
       (bind-socket socket zap-endpoint)))
    (start-answering! a)
    a))

(define (configure-authenticator! a . rest)
  (check-authenticator 'configure-authenticator! a)
  (when (authenticator-stopped? a)
    (fail-argument 'configure-authenticator! "the authenticator was stopped: start another one" a))
  (configure! 'configure-authenticator! a rest)
  (void))

;; Unbinds first: after a close the endpoint stays taken for a moment.
(define (stop-authenticator a)
  (check-authenticator 'stop-authenticator a)
  (unless (authenticator-stopped? a)
    (set-authenticator-stopped! a #t)
    (set-context-guard! (authenticator-context a) #f)
    (unless (socket-closed? (authenticator-socket a))
      (handle-exceptions e #f (unbind-socket (authenticator-socket a) zap-endpoint)))
    (close-socket (authenticator-socket a)))
  (void))
