;;; Sockets as the options say: their endpoints, options and security.

;; An endpoint with the way it is used: (bind . ENDPOINT), (connect . ENDPOINT).  `way' is for an
;; endpoint without @ or > before it; without one that is wrong usage.
(define (endpoint-of text way)
  (cond ((and (> (string-length text) 0) (char=? #\@ (string-ref text 0)))
         (cons 'bind (substring text 1)))
        ((and (> (string-length text) 0) (char=? #\> (string-ref text 0)))
         (cons 'connect (substring text 1)))
        (way (cons way text))
        (else (wrong-usage "write --bind " text " or --connect " text))))

(define (given-endpoints)
  (append (map (lambda (text) (cons 'bind text)) (option-list "bind"))
          (map (lambda (text) (cons 'connect text)) (option-list "connect"))))

;; Those of the options and of the words beside them; there must be one.
(define (all-endpoints)
  (let ((endpoints (append (given-endpoints)
                           (map (lambda (text) (endpoint-of text #f)) words-beside))))
    (when (null? endpoints) (wrong-usage "name an endpoint: --bind ENDPOINT or --connect ENDPOINT"))
    endpoints))

(define (attach! socket endpoint)
  (if (eq? 'connect (car endpoint))
      (connect-socket socket (cdr endpoint))
      (let ((bound (bind-socket socket (cdr endpoint))))
        (unless (equal? bound (cdr endpoint)) (complain "bound to " bound)))))

;; A context with the context's options among those given, and the authenticator.
(define (open-context)
  (let ((context (make-context)))
    (for-each (lambda (setting)
                (unless (socket-option-row (car setting))
                  (context-option-set! context (car setting) (cdr setting))))
              (given-settings))
    (when (and (option "allow") (not (directory-exists? (option "allow"))))
      (wrong-usage "there is no directory " (option "allow")))
    (when (or (option "allow") (option "plain-server"))
      (start-authenticator context
                           curve: (option "allow")
                           plain: (if (option "plain-server")
                                      (passwords-of (option "plain-server"))
                                      '())))
    context))

;; The users and passwords of a file, as an alist.
(define (passwords-of path)
  (map (lambda (line)
         (let ((split (split-at #\: line)))
           (unless (cdr split) (wrong-usage "a line of " path " is not USER:PASSWORD"))
           split))
       (with-input-from-file path read-lines)))

;; A socket with the options given.  The caller attaches it.
(define (open-socket type context)
  (let ((socket (make-socket type context)))
    ;; All that a sub sends is its subscriptions, again when its publisher has gone.
    (socket-option-set! socket 'linger (if (eq? 'sub type) 0 -1))
    (set-security! socket)
    (for-each (lambda (setting)
                (when (socket-option-row (car setting))
                  (socket-option-set! socket (car setting) (cdr setting))))
              (given-settings))
    (when (option "swap") (socket-option-set! socket 'swap (option "swap")))
    socket))

(define (subscribe! socket)
  (let ((prefixes (option-list "subscribe")))
    (case (socket-type socket)
      ((sub)
       (for-each (lambda (prefix) (socket-option-set! socket 'subscribe prefix))
                 (if (null? prefixes) '("") prefixes)))
      ((xsub)
       (for-each (lambda (prefix) (send-message socket (string-append "\x01;" prefix)))
                 (if (null? prefixes) '("") prefixes)))
      (else
       (unless (null? prefixes)
         (wrong-usage "--subscribe is for sub and xsub, not for "
                      (symbol->string (socket-type socket))))))))

;; ---------------------------------------------------------------- options --

(define (row-of rows name) (any-of (lambda (row) (and (eq? name (field row 'symbol)) row)) rows))
(define (field row key) (cdr (assq key row)))
(define (socket-option-row name) (row-of (socket-options) name))

;; Pairs of symbol and value.
(define (given-settings)
  (map (lambda (text)
         (let* ((split (split-at #\= text))
                (name (string->symbol (car split)))
                (row (or (socket-option-row name) (row-of (context-options) name))))
           (unless row
             (wrong-usage "there is no option " (car split)
                          (hint (car split)
                                (map (lambda (row) (symbol->string (field row 'symbol)))
                                     (append (socket-options) (context-options))))))
           (unless (cdr split) (wrong-usage "--option " text " needs a value: NAME=VALUE"))
           (cons name (setting-value row (cdr split)))))
       (option-list "option")))

(define (setting-value row text)
  (define (bad wanted)
    (wrong-usage "the option " (symbol->string (field row 'symbol)) " needs " wanted ", not " text))
  (case (field row 'type)
    ((boolean)
     (cond ((member text '("true" "yes" "on" "1" "#t")) #t)
           ((member text '("false" "no" "off" "0" "#f")) #f)
           (else (bad "true or false"))))
    ((integer bitmap)
     (let ((n (string->number text))) (if (exact-integer? n) n (bad "an integer"))))
    ((enum) (string->symbol text))
    ((flags) (map string->symbol (string-split text ",")))
    (else text)))

;; --------------------------------------------------------------- security --

(define (set-security! socket)
  (define (set name value) (socket-option-set! socket name value))
  (define (certificate name)
    (let* ((path (option name)) (secret (string-append path "_secret"))
           (c (load-certificate (if (file-exists? secret) secret path))))
      (unless (certificate-secret-key c)
        (wrong-usage "--" name " " path " has no secret key"))
      c))
  (let ((server (option "curve-server")) (client (option "curve")) (key (option "server-key"))
        (plain (option "plain")))
    (when server
      (set 'curve-server #t)
      (set 'curve-secretkey (certificate-secret-key (certificate "curve-server"))))
    (when (and client (not key))
      (wrong-usage "--curve needs --server-key, the public key of the server"))
    (when key
      (let ((c (if client (certificate "curve") (make-certificate))))
        (set 'curve-serverkey
             (if (file-exists? key) (certificate-public-key (load-certificate key)) key))
        (set 'curve-publickey (certificate-public-key c))
        (set 'curve-secretkey (certificate-secret-key c))))
    (when (option "plain-server") (set 'plain-server #t))
    (when plain
      (let ((split (split-at #\: plain)))
        (unless (cdr split) (wrong-usage "--plain needs USER:FILE"))
        (set 'plain-username (car split))
        (set 'plain-password
             (let ((line (with-input-from-file (cdr split) read-line)))
               (if (eof-object? line) "" line)))))))
