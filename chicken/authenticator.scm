;;; The authenticator: answers the requests of ZAP 1.0 (RFC 27), which libzmq
;;; makes for each peer that connects, in a thread of its own.
;;;
;;; What a request holds comes from strangers: it is compared as bytes, of
;;; bounded length, and becomes neither a symbol nor a path.

(define zap-endpoint "inproc://zeromq.zap.01")

;; The policies are #f for nobody, or
;;   curve   #t, a list of keys, a store, a procedure
;;   plain   a list of pairs of user name and password, a procedure
;;   gssapi  a list of principals, a procedure
;;   allow, deny   lists of rules for addresses; allow may be #f for any
;;   domains       a list, or #f for any
;; `busy` counts the threads in which procedures of the program decide.
(define-record-type zmq-authenticator
  (make-authenticator context socket curve plain gssapi allow deny domains
                      stopped busy allowed denied)
  authenticator?
  (context authenticator-context)
  (socket authenticator-socket)
  (curve curve-policy set-curve-policy!)
  (plain plain-policy set-plain-policy!)
  (gssapi gssapi-policy set-gssapi-policy!)
  (allow allow-rules set-allow-rules!)
  (deny deny-rules set-deny-rules!)
  (domains allowed-domains set-allowed-domains!)
  (stopped authenticator-stopped? set-authenticator-stopped!)
  (busy busy-count set-busy-count!)
  (allowed allowed-count set-allowed-count!)
  (denied denied-count set-denied-count!))

(set-record-printer! zmq-authenticator
  (lambda (a port)
    (display "#<zmq authenticator" port)
    (display (if (authenticator-stopped? a) " stopped, " " running, ") port)
    (display (allowed-count a) port)
    (display " allowed, " port)
    (display (denied-count a) port)
    (display " denied>" port)))

(define (check-authenticator location x)
  (if (authenticator? x) x (fail-type location "a ZeroMQ authenticator" x)))

;; ------------------------------------------------------------ policies --

(define (key-policy location x)
  (cond ((or (boolean? x) (procedure? x)) x)
        ((string? x) (open-store location x))
        ((list? x)
         (map (lambda (key)
                (if (certificate? key) (certificate-public-key key) (key-text location key)))
              x))
        (else
         (fail-type location
                    "a list of public keys, a directory, a procedure, #t for any or #f for none"
                    x))))

;; Passwords are secret, so that they do not get into conditions.
(define (password-policy location x)
  (cond ((or (not x) (procedure? x)) x)
        ((and (list? x) (every-pair? x)
              (every? (lambda (entry) (and (short-text? (car entry)) (short-text? (cdr entry))))
                      x))
         x)
        (else
         (fail-type location
                    "an alist of user names and passwords (strings of up to 255 bytes), a procedure or #f"
                    'plain))))

(define (principal-policy location x)
  (cond ((or (not x) (procedure? x)) x)
        ((and (list? x) (every? short-text? x)) x)
        (else (fail-type location "a list of principals, a procedure or #f" x))))

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

(define (every? ok? l) (or (null? l) (and (ok? (car l)) (every? ok? (cdr l)))))

(define (short-text? x) (and (string? x) (fx<= (string-length x) 255)))

;; Stands for a keyword that was not given.
(define same (list 'same))

(define (configure! location a rest)
  (with-keywords location rest
      ((#:curve curve same) (#:plain plain same) (#:gssapi gssapi same)
       (#:allow allow same) (#:deny deny same) (#:domain domain same))
    (let* ((given (lambda (x policy old) (if (eq? x same) old (policy location x))))
           (curve (given curve key-policy (curve-policy a)))
           (plain (given plain password-policy (plain-policy a)))
           (gssapi (given gssapi principal-policy (gssapi-policy a)))
           (allow (given allow (lambda (l x) (and x (rules l x))) (allow-rules a)))
           (deny (given deny (lambda (l x) (if x (rules l x) '())) (deny-rules a)))
           (domains (given domain domain-policy (allowed-domains a))))
      (set-curve-policy! a curve)
      (set-plain-policy! a plain)
      (set-gssapi-policy! a gssapi)
      (set-allow-rules! a allow)
      (set-deny-rules! a deny)
      (set-allowed-domains! a domains)
      (set-context-guard! (authenticator-context a) (if domains (car domains) "global")))))

;; ------------------------------------------------------------- deciding --

;; A request, its fields checked for their number and lengths.
(define-record-type zap-request
  (make-request domain address identity mechanism credentials)
  request?
  (domain request-domain)
  (address request-address)
  (identity request-identity)
  (mechanism request-mechanism)
  (credentials request-credentials))

;; While a procedure of the program decides: what it may want to know beside
;; the credentials.
(define current-zap-request
  (make-parameter #f))

(define (request->alist r)
  (list (cons 'domain (request-domain r))
        (cons 'address (request-address r))
        (cons 'routing-id (request-identity r))
        (cons 'mechanism (request-mechanism r))))

;; A decision: status, text, user id, metadata.
(define (allowed user metadata) (vector "200" "OK" user metadata))
(define (denied text) (vector "400" text "" '()))
(define (failed text) (vector "500" text "" '()))

(define (any-rule? rules address)
  (let loop ((l rules))
    (and (pair? l) (or (%network-holds? (car l) address) (loop (cdr l))))))

;; Bytes of at most 255 as a string of one length, so that comparing takes one
;; time.
(define (padded s)
  (let ((to (make-string 256 #\nul)) (n (string-length s)))
    (string-set! to 0 (integer->char n))
    (do ((i 0 (fx+ i 1))) ((fx= i n) to)
      (string-set! to (fx+ i 1) (string-ref s i)))))

(define (same-secret? a b) (same-text? (padded a) (padded b)))

;; The first of all that are right; each is looked at.
(define (find-all right? l)
  (let loop ((l l) (found #f))
    (if (null? l)
        found
        (let ((right (right? (car l))))
          (loop (cdr l) (or found (and right (car l))))))))

;; What a procedure of the program says: #f, #t, or the user id.
(define (decision-of answer user)
  (cond ((not answer) (denied "access denied"))
        ((eq? answer #t) (allowed user '()))
        ((short-text? answer) (allowed answer '()))
        (else (failed "internal error"))))

(define (decide-curve policy key)
  (let ((key (z85-encode key)))
    (cond ((not policy) (denied "access denied"))
          ((eq? policy #t) (allowed key '()))
          ((procedure? policy) (decision-of (policy key) key))
          ((store? policy)
           (let ((c (find-all (lambda (c) (same-text? key (certificate-public-key c)))
                              (store-certificates policy))))
             (if c (allowed key (certificate-metadata c)) (denied "unknown key"))))
          ((find-all (lambda (k) (same-text? key k)) policy) (allowed key '()))
          (else (denied "unknown key")))))

(define (decide-plain policy user password)
  (cond ((not policy) (denied "access denied"))
        ((procedure? policy) (decision-of (policy user password) user))
        ((find-all (lambda (entry)
                     (let ((user? (same-secret? user (car entry)))
                           (password? (same-secret? password (cdr entry))))
                       (and user? password?)))
                   policy)
         (allowed user '()))
        (else (denied "wrong user name or password"))))

(define (decide-gssapi policy principal)
  (cond ((not policy) (denied "access denied"))
        ((procedure? policy) (decision-of (policy principal) principal))
        ((find-all (lambda (p) (same-text? p principal)) policy) (allowed principal '()))
        (else (denied "unknown principal"))))

(define (credentials-fit? mechanism credentials)
  (let ((n (length credentials)))
    (cond ((string=? mechanism "NULL") (fx= n 0))
          ((string=? mechanism "PLAIN") (and (fx= n 2) (every? short-text? credentials)))
          ((string=? mechanism "CURVE") (and (fx= n 1) (fx= 32 (string-length (car credentials)))))
          ((string=? mechanism "GSSAPI") (and (fx= n 1) (short-text? (car credentials))))
          (else #f))))

(define (decide a r)
  (let ((mechanism (request-mechanism r)) (credentials (request-credentials r)))
    (cond ((not (credentials-fit? mechanism credentials)) (denied "malformed credentials"))
          ((and (allowed-domains a)
                (not (find-all (lambda (d) (same-text? d (request-domain r))) (allowed-domains a))))
           (denied "wrong domain"))
          ((any-rule? (deny-rules a) (request-address r)) (denied "address denied"))
          ((and (allow-rules a) (not (any-rule? (allow-rules a) (request-address r))))
           (denied "address not allowed"))
          ((string=? mechanism "CURVE") (decide-curve (curve-policy a) (car credentials)))
          ((string=? mechanism "PLAIN")
           (decide-plain (plain-policy a) (car credentials) (cadr credentials)))
          ((string=? mechanism "GSSAPI") (decide-gssapi (gssapi-policy a) (car credentials)))
          ;; NULL says nothing about who it is: only its address can be known.
          ((allow-rules a) (allowed "" '()))
          (else (denied "no security")))))

;; What the program raises is a failure of the authenticator, not its end.
(define (decide-safely a r)
  (call-with-current-continuation
   (lambda (return)
     (with-exception-handler
      (lambda (e) (return (failed "internal error")))
      (lambda ()
        (parameterize ((current-zap-request (request->alist r)))
          (decide a r)))))))

;; ------------------------------------------------------------- answering --

(define (byte n) (string (integer->char n)))

(define (length-bytes n)
  (string-append (byte (fxand (fxshr n 24) 255)) (byte (fxand (fxshr n 16) 255))
                 (byte (fxand (fxshr n 8) 255)) (byte (fxand n 255))))

;; Names that libzmq itself gives to properties of messages.
(define reserved-names
  '("user-id" "peer-address" "socket-type" "identity" "routing-id" "resource"))

(define (lower-case s)
  (list->string (map char-downcase (string->list s))))

(define (encoded-metadata metadata)
  (apply string-append
         (map (lambda (entry)
                (if (member (lower-case (car entry)) reserved-names)
                    ""
                    (string-append (byte (string-length (car entry))) (car entry)
                                   (length-bytes (string-length (cdr entry))) (cdr entry))))
              metadata)))

(define (answer a envelope id decision)
  (let ((ok? (string=? "200" (vector-ref decision 0))))
    (if ok?
        (set-allowed-count! a (fx+ (allowed-count a) 1))
        (set-denied-count! a (fx+ (denied-count a) 1)))
    (send-multipart-message
     (authenticator-socket a)
     (append envelope
             (list "1.0" id (vector-ref decision 0) (vector-ref decision 1)
                   (if ok? (vector-ref decision 2) "")
                   (if ok? (encoded-metadata (vector-ref decision 3)) "")))
     non-blocking: #t)))

;; The frames behind the envelope as a request, or why they are none.
(define (parse-request frames)
  (cond ((not (string=? (car frames) "1.0")) (failed "version not known"))
        ((fx< (length frames) 6) (failed "too few frames"))
        ((fx> (length frames) 8) (denied "malformed credentials"))
        ((not (every? short-text? (list (caddr frames) (cadddr frames) (list-ref frames 4)
                                        (list-ref frames 5))))
         (denied "malformed request"))
        (else
         (make-request (caddr frames) (cadddr frames) (list-ref frames 4) (list-ref frames 5)
                       (list-tail frames 6)))))

(define-constant most-busy 64)

;; A procedure of the program may wait; others are not held up by it.
(define (asks-program? a r)
  (let ((mechanism (request-mechanism r)))
    (procedure? (cond ((string=? mechanism "CURVE") (curve-policy a))
                      ((string=? mechanism "PLAIN") (plain-policy a))
                      ((string=? mechanism "GSSAPI") (gssapi-policy a))
                      (else #f)))))

(define (handle-request a envelope id r)
  (cond ((authenticator-stopped? a))
        ((not (request? r)) (answer a envelope id r))
        ((not (asks-program? a r)) (answer a envelope id (decide-safely a r)))
        ((fx>= (busy-count a) most-busy)
         (pause! 5)
         (handle-request a envelope id r))
        (else
         (set-busy-count! a (fx+ (busy-count a) 1))
         (start-thread
          'zmq-authenticator-policy
          (lambda ()
            (let ((decision (decide-safely a r)))
              (set-busy-count! a (fx- (busy-count a) 1))
              (handle-exceptions e #f (answer a envelope id decision))))))))

;; The parts of a request: the name of who asks, an empty one, version, request
;; id and the rest.  Who leaves these out cannot be answered.
(define (handle-parts a parts)
  (let ((n (length parts)))
    (when (and (fx>= n 4) (string=? "" (cadr parts)) (short-text? (cadddr parts)))
      (handle-request a (list (car parts) "") (cadddr parts) (parse-request (cddr parts))))))

;; Want of memory passes; what else can be raised is the end of the socket.
(define (passes? e)
  (and (eq? 'enomem (get-condition-property e 'zmq 'code #f))
       (begin (pause! 10) #t)))

(define (authenticate a)
  (let ((parts (handle-exceptions e (and (passes? e) '())
                 (receive-multipart-message (authenticator-socket a) as: 'string))))
    (when parts
      (handle-exceptions e #f (handle-parts a parts))
      (authenticate a))))

;; ------------------------------------------------------ start and stop --

(define (start-authenticator context . rest)
  (check-context 'start-authenticator context)
  (let* ((socket (make-socket 'router context linger: 0))
         (a (make-authenticator context socket #f #f #f #f '() #f #f 0 0 0))
         (old (context-guard context)))
    (handle-exceptions e
        (begin (close-socket socket) (set-context-guard! context old) (abort e))
      (configure! 'start-authenticator a rest)
      (bind-socket socket zap-endpoint))
    (start-thread 'zmq-authenticator (lambda () (authenticate a)))
    a))

(define (configure-authenticator! a . rest)
  (check-authenticator 'configure-authenticator! a)
  (when (authenticator-stopped? a)
    (fail-argument 'configure-authenticator! "the authenticator was stopped" a))
  (configure! 'configure-authenticator! a rest)
  (void))

(define (stop-authenticator a)
  (check-authenticator 'stop-authenticator a)
  (unless (authenticator-stopped? a)
    (set-authenticator-stopped! a #t)
    (set-context-guard! (authenticator-context a) #f)
    ;; Closing alone would leave the endpoint taken for a moment.
    (unless (socket-closed? (authenticator-socket a))
      (handle-exceptions e #f (unbind-socket (authenticator-socket a) zap-endpoint)))
    (close-socket (authenticator-socket a)))
  (void))
