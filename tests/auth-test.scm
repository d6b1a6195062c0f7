;;; Who may connect: what a stranger gets is nothing.

(import zmq (zmq monitor) (zmq auth) (chicken base) (chicken blob) (chicken condition)
        (chicken file) (chicken pathname) (chicken port) (chicken process-context posix)
        (chicken random) (chicken string) (chicken time))
(include "check.scm")
(include "threads.scm")
(include "child.scm")
(include "pair.scm")
(include "directory.scm")

(define-values (server-public server-secret) (curve-keypair))
(define-values (public secret) (curve-keypair))
(define-values (other-public other-secret) (curve-keypair))

(define curve-server (list curve-server: #t curve-secretkey: server-secret))
(define (curve-client #!key (server server-public) (public public) (secret secret))
  (list curve-serverkey: server curve-publickey: public curve-secretkey: secret))
(define stranger (curve-client public: other-public secret: other-secret))
(define plain-server (list plain-server: #t))
(define (plain-client user password) (list plain-username: user plain-password: password))

;; Calls the procedure with a context that has the authenticator.
(define (with-authenticator policy procedure)
  (call-with-context
   (lambda (c)
     (let ((a (apply start-authenticator c policy)))
       (procedure c a)
       (stop-authenticator a)))))

(define (iota n) (if (= n 0) '() (cons n (iota (- n 1)))))

(define failures '(handshake-failed-auth handshake-failed-protocol handshake-failed-no-detail))

;; Binds a server, connects a client, which sends: `delivered', or why not as
;; the server and the client are told, each a pair of event and value; #f for
;; who is told nothing for `patience' milliseconds after the other.
(define (meet c server client
              #!key (endpoint "tcp://127.0.0.1:*") (wait 10000) (patience 10000))
  (let* ((in (apply make-socket 'pull c linger: 0 server))
         (out (apply make-socket 'push linger: 0 reconnect-ivl: 5000 client))
         (of-in (monitor-socket in events: failures))
         (of-out (monitor-socket out events: failures)))
    (connect-socket out (bind-socket in endpoint))
    (send-message out "secret")
    (let* ((end (+ wait (current-process-milliseconds)))
           (outcome
            (let loop ()
              (let ((got (receive-message in as: 'string timeout: 5)))
                (cond ((equal? got "secret") 'delivered)
                      (got (wrong "the server got ~s" got))
                      ((receive-event of-out timeout: 0) =>
                       (lambda (e) (list (told (receive-event of-in timeout: patience)) (told e))))
                      ((receive-event of-in timeout: 0) =>
                       (lambda (e) (list (told e) (told (receive-event of-out timeout: patience)))))
                      ((> (current-process-milliseconds) end) 'nothing)
                      (else (loop)))))))
      (unless (eq? outcome 'delivered)
        (check= #f (receive-message in as: 'string timeout: 20)))
      (for-each close-monitor (list of-in of-out))
      (for-each close-socket (list in out))
      outcome)))

(define (told e) (and e (cons (event-symbol e) (event-value e))))

(define refused '((handshake-failed-auth . 400) (handshake-failed-auth . 400)))
(define mismatch '(handshake-failed-protocol . zmtp-mechanism-mismatch))
(define broken '((handshake-failed-auth . 500) (handshake-failed-auth . 500)))

;; --------------------------------------------------------------- CURVE --

(test "a client whose key is in the list gets in, a stranger does not (case 76)"
  (with-authenticator (list curve: (list public))
    (lambda (c a)
      (check= 'delivered (meet c curve-server (curve-client)))
      (check= refused (meet c curve-server stranger))
      (check (substring-index "1 allowed, 1 denied"
                              (with-output-to-string (lambda () (write a))))))))

(test "without a policy nobody gets in, by whatever mechanism (case 77)"
  (with-authenticator '()
    (lambda (c a)
      (check= refused (meet c curve-server (curve-client)))
      (check= refused (meet c plain-server (plain-client "ann" "x")))
      (check= refused (meet c '() '())))))

(test "an empty list lets nobody in"
  (with-authenticator '(curve: () plain: () gssapi: ())
    (lambda (c a)
      (check= refused (meet c curve-server (curve-client)))
      (check= refused (meet c plain-server (plain-client "ann" "x"))))))

(test "any key gets in only where that is asked for"
  (with-authenticator '(curve: #t)
    (lambda (c a)
      (check= 'delivered (meet c curve-server (curve-client)))
      (check= 'delivered (meet c curve-server stranger))
      (check= refused (meet c plain-server (plain-client "ann" "x")))
      (check= refused (meet c '() '())))))

(test "keys may be Z85, bytes or certificates"
  (for-each
   (lambda (key)
     (with-authenticator (list curve: (list other-public key))
       (lambda (c a) (check= 'delivered (meet c curve-server (curve-client))))))
   (list public (z85-decode public) (make-certificate public: public))))

(test "a wrong server key, no key and another mechanism get nothing (case 76)"
  (with-authenticator (list curve: #t)
    (lambda (c a)
      (let ((wrong-key (meet c curve-server (curve-client server: other-public)
                             patience: 300)))
        (check= '(handshake-failed-protocol . zmtp-cryptographic) (car wrong-key)))
      ;; who notices first ends the connection, and the other sees its end
      (for-each (lambda (server client)
                  (let ((outcome (meet c server client patience: 300)))
                    (check (list? outcome))
                    (check (or (member mismatch outcome) (wrong "~s" outcome)))))
                (list curve-server curve-server plain-server)
                (list '() (plain-client "ann" "x") (curve-client)))
      ;; and the server still serves
      (check= 'delivered (meet c curve-server (curve-client))))))

(test "a procedure decides about keys, and what it raises is a refusal (case 78)"
  (let ((seen '()) (answer #t))
    (with-authenticator
        (list curve: (lambda (key)
                       (set! seen (cons (cons key (current-zap-request)) seen))
                       (if (procedure? answer) (answer) answer)))
      (lambda (c a)
        (check= 'delivered (meet c curve-server (curve-client)))
        (check= public (caar seen))
        (check= "127.0.0.1" (cdr (assq 'address (cdar seen))))
        (check= "CURVE" (cdr (assq 'mechanism (cdar seen))))
        (check= "global" (cdr (assq 'domain (cdar seen))))
        (set! answer #f)
        (check= refused (meet c curve-server (curve-client)))
        (for-each
         (lambda (raise)
           (set! answer raise)
           (check= broken (meet c curve-server (curve-client))))
         (list (lambda () (error "the data base is gone"))
               (lambda () (car '()))
               (lambda () (abort 'nonsense))
               (lambda () 5)
               (lambda () (make-string 256 #\x))))
        (set! answer "the user")
        (check= 'delivered (meet c curve-server (curve-client)))
        (check= #f (current-zap-request))))))

(test "a procedure that waits holds up nobody else (case 77)"
  (let ((asked? #f) (open? #f))
    (with-authenticator
        (list curve: (lambda (key)
                       (when (equal? key other-public)
                         (set! asked? #t)
                         (let loop () (unless open? (nap! 10) (loop))))
                       #t))
      (lambda (c a)
        (let* ((in (apply make-socket 'pull c linger: 0 curve-server))
               (e (bind-socket in "tcp://127.0.0.1:*"))
               (slow (apply make-socket 'push linger: 0 connect: e stranger)))
          (check (wait-until (lambda () asked?)))
          (let ((quick (apply make-socket 'push linger: 0 connect: e (curve-client))))
            (send-message quick "quick")
            (check= "quick" (take in))
            (send-message slow "slow")
            (set! open? #t)
            (check= "slow" (take in))
            (for-each close-socket (list in slow quick))))))))

(test "more peers than procedures may decide about at once wait for their turn (case 77)"
  (let ((open? #f) (asked 0))
    (with-authenticator
        (list plain: (lambda (user password)
                       (set! asked (+ asked 1))
                       (let loop () (unless open? (nap! 50) (loop)))
                       #t))
      (lambda (c a)
        (let* ((in (apply make-socket 'pull c linger: 0 plain-server))
               (e (bind-socket in "tcp://127.0.0.1:*"))
               (clients (map (lambda (i)
                               (let ((s (apply make-socket 'push linger: 0 connect: e
                                               (plain-client "ann" "p"))))
                                 (send-message s "x")
                                 s))
                             (iota 70))))
          ;; a thread may be interrupted while it counts
          (check (wait-until (lambda () (>= asked 60))))
          (nap! 100)
          (check (<= asked 64))
          (set! open? #t)
          (for-each (lambda (s) (check= "x" (take in))) clients)
          (for-each close-socket (cons in clients)))))))

(test "policies change while the authenticator runs"
  (with-authenticator (list curve: (list public))
    (lambda (c a)
      (check= refused (meet c curve-server stranger))
      (configure-authenticator! a curve: (list other-public))
      (check= 'delivered (meet c curve-server stranger))
      (check= refused (meet c curve-server (curve-client)))
      (configure-authenticator! a deny: "127.0.0.1")
      (check= refused (meet c curve-server stranger))
      (configure-authenticator! a deny: #f curve: #f)
      (check= refused (meet c curve-server stranger))
      (check-type (configure-authenticator! a curve: 5))
      (check= refused (meet c curve-server stranger)))))

;; --------------------------------------------------------------- PLAIN --

(test "a wrong user or password gets nothing"
  (with-authenticator '(plain: (("ann" . "secret") ("bob" . "")))
    (lambda (c a)
      (check= 'delivered (meet c plain-server (plain-client "ann" "secret")))
      (for-each (lambda (client) (check= refused (meet c plain-server client)))
                (list (plain-client "ann" "secre") (plain-client "ann" "secrets")
                      (plain-client "ann" "Secret") (plain-client "bob" "secret")
                      (plain-client "eve" "secret") (plain-client "annsecret" "s"))))))

(test "a procedure decides about users and passwords"
  (with-authenticator
      (list plain: (lambda (user password) (and (string=? user "ann") (string=? password "p"))))
    (lambda (c a)
      (check= 'delivered (meet c plain-server (plain-client "ann" "p")))
      (check= refused (meet c plain-server (plain-client "ann" "q"))))))

(test "messages tell the user id that was found, and a certificate's metadata"
  (define (property c server client name)
    (let* ((in (apply make-socket 'pull c linger: 0 server))
           (out (apply make-socket 'push linger: 0 client)))
      (connect-socket out (bind-socket in "tcp://127.0.0.1:*"))
      (send-message out "x")
      (let* ((m (receive-message in properties: #t timeout: 10000))
             (value (message-property m name)))
        (for-each close-socket (list in out))
        value)))
  (with-authenticator (list curve: (list public) plain: '(("ann" . "p")))
    (lambda (c a)
      (check= public (property c curve-server (curve-client) 'user-id))
      (check= "ann" (property c plain-server (plain-client "ann" "p") 'user-id))
      (configure-authenticator! a curve: (lambda (key) "the owner of the key"))
      (check= "the owner of the key" (property c curve-server (curve-client) 'user-id))))
  (with-directory
   (lambda (d)
     (save-certificate
      (make-certificate public: public metadata: '((name . "Ann") (User-Id . "root")))
      (make-pathname d "ann"))
     (with-authenticator (list curve: d)
       (lambda (c a)
         (check= "Ann" (property c curve-server (curve-client) "name"))
         (check= public (property c curve-server (curve-client) 'user-id)))))))

;; ----------------------------------------------------------- addresses --

(test "addresses are allowed and denied, by rule"
  (for-each
   (lambda (policy outcome)
     (with-authenticator (append policy (list curve: (list public)))
       (lambda (c a)
         (check= outcome (meet c curve-server (curve-client)))
         (check= refused (meet c curve-server stranger)))))
   '((allow: "127.0.0.1") (allow: ("10.0.0.0/8" "127.0.0.0/8")) (allow: "::ffff:127.0.0.1")
     (allow: "10.0.0.0/8") (allow: ()) (allow: "ipc")
     (deny: "127.0.0.1") (deny: "127.0.0.0/8") (deny: "0.0.0.0/0")
     (deny: "127.0.0.2") (allow: "127.0.0.1" deny: "127.0.0.1"))
   (list 'delivered 'delivered 'delivered refused refused refused refused refused refused
         'delivered refused)))

(test "an address may be what lets in who shows nothing else"
  (with-authenticator '(allow: "127.0.0.1")
    (lambda (c a)
      (check= 'delivered (meet c '() '()))
      (check= refused (meet c curve-server (curve-client)))))
  (with-authenticator '(allow: "127.0.0.2")
    (lambda (c a) (check= refused (meet c '() '())))))

(test "peers over ipc are known by their user"
  (let ((mine (string-append "ipc:" (number->string (current-user-id))))
        (e (own-endpoint)))
    (for-each
     (lambda (rule outcome)
       (with-authenticator (list allow: rule)
         (lambda (c a) (check= outcome (meet c '() '() endpoint: e)))))
     (list "ipc" mine "ipc:4000000000" "127.0.0.1" "0.0.0.0/0" "::/0")
     (list 'delivered 'delivered refused refused refused refused))))

(test "IPv6 addresses are compared with rules too"
  (for-each
   (lambda (rule outcome)
     (with-authenticator (list allow: rule)
       (lambda (c a)
         (check= outcome (meet c '(ipv6: #t) '(ipv6: #t) endpoint: "tcp://[::1]:*")))))
   '("::1" "::/0" "::2" "127.0.0.1" "0.0.0.0/0" "8000::/1")
   (list 'delivered 'delivered refused refused refused refused)))

;; ------------------------------------------------------------- domains --

(test "only the domain asked for gets in"
  (with-authenticator (list curve: #t domain: "inner")
    (lambda (c a)
      (check= 'delivered (meet c curve-server (curve-client)))
      (check= 'delivered (meet c (append '(zap-domain: "inner") curve-server) (curve-client)))
      (check= refused (meet c (append '(zap-domain: "outer") curve-server) (curve-client)))))
  (with-authenticator (list curve: #t domain: '("inner" "outer"))
    (lambda (c a)
      (check= 'delivered (meet c (append '(zap-domain: "outer") curve-server) (curve-client))))))

(test "where the authenticator has gone nobody gets in (case 77)"
  (call-with-context
   (lambda (c)
     (let* ((a (start-authenticator c curve: #t))
            (in (apply make-socket 'pull c linger: 0 curve-server))
            (e (bind-socket in "tcp://127.0.0.1:*"))
            (first (apply make-socket 'push linger: 0 connect: e (curve-client))))
       (send-message first "first")
       (check= "first" (take in))
       (stop-authenticator a)
       (stop-authenticator a)
       (let ((second (apply make-socket 'push linger: 0 connect: e (curve-client))))
         (send-message second "second")
         (check= #f (receive-message in as: 'string timeout: 300))
         (close-socket second)
         ;; who is in stays in
         (send-message first "still")
         (check= "still" (take in))
         (let ((b (start-authenticator c curve: #t)))
           (let ((third (apply make-socket 'push linger: 0 connect: e (curve-client))))
             (send-message third "third")
             (check= "third" (take in))
             (stop-authenticator b)
             (for-each close-socket (list in first third)))))))))

(test "a server that connects is guarded too (case 77)"
  (call-with-context
   (lambda (c)
     (let* ((a (start-authenticator c curve: #t))
            (client (apply make-socket 'push linger: 0 (curve-client)))
            (e (bind-socket client "tcp://127.0.0.1:*"))
            (in (apply make-socket 'pull c linger: 0 connect: e curve-server)))
       (send-message client "first")
       (check= "first" (take in))
       (check= "global" (socket-option in 'zap-domain))
       (check= #t (socket-option in 'zap-enforce-domain))
       (let ((other (make-socket 'push c connect: e)))
         (check= "" (socket-option other 'zap-domain)))
       (stop-authenticator a)
       (for-each close-socket (list client in))))))

(test "a context has one authenticator"
  (with-authenticator (list curve: (list public))
    (lambda (c a)
      (check-fails eaddrinuse (start-authenticator c curve: #t))
      (check= 'delivered (meet c curve-server (curve-client)))
      (check= refused (meet c curve-server stranger)))))

(test "wrong policies are refused, and leave nothing behind"
  (call-with-context
   (lambda (c)
     (check-type (start-authenticator 5))
     (check-type (start-authenticator c curve: 5))
     (check-type (start-authenticator c curve: '(5)))
     (check-fails einval (start-authenticator c curve: '("short")))
     (check-fails einval (start-authenticator c curve: "/no/such/directory"))
     (check-type (start-authenticator c plain: #t))
     (check-type (start-authenticator c plain: '(("ann"))))
     (check-type (start-authenticator c plain: `(("ann" . ,(make-string 256 #\x)))))
     (check-type (start-authenticator c gssapi: #t))
     (check-type (start-authenticator c domain: ""))
     (check-type (start-authenticator c allow: 5))
     (for-each (lambda (rule) (check-fails einval (start-authenticator c allow: rule)))
               '("" "127.0.0" "127.0.0.1/33" "::1/129" "127.0.0.1/" "127.0.0.1/-1" "ipc:x"
                 "localhost" "127.0.0.1 " "1.2.3.4/8/9"))
     (check-fails einval (start-authenticator c allowed: '()))
     (check (not (substring-index "hidden"
                   (with-output-to-string
                     (lambda ()
                       (write (condition->list
                               (raised (start-authenticator c plain: '(("ann" . "hidden") 5)))))
                       (write (condition->list
                               (raised (start-authenticator c plain: '("hidden" . "hidden"))))))))))
     (let ((a (start-authenticator c)))
       (stop-authenticator a)
       (check-fails einval (configure-authenticator! a curve: #t))
       (check-type (stop-authenticator c))))))

;; ------------------------------------------------------- hostile requests --

(test "ten wrong requests are refused or dropped, and the next is served (cases 77, 78)"
  (with-authenticator (list curve: (list public) plain: '(("ann" . "p")) allow: "127.0.0.1")
    (lambda (c a)
      (let* ((s (make-socket 'dealer c linger: 0 connect: "inproc://zeromq.zap.01"))
             (key (blob->string (z85-decode public)))
             (ask (lambda (parts)
                    (send-multipart-message s (cons "" parts))
                    (let ((reply (receive-multipart-message s as: 'string timeout: 200)))
                      (and reply
                           (begin
                             (check= 7 (length reply))
                             (check= "1.0" (cadr reply))
                             (check= "1" (caddr reply))
                             (unless (equal? "200" (cadddr reply))
                               (check= '("" "") (list-tail reply 5)))
                             (cadddr reply)))))))
        (check= "200" (ask (list "1.0" "1" "" "127.0.0.1" "" "CURVE" key)))
        (for-each
         (lambda (wanted parts) (check= wanted (ask parts)))
         '("500" "500" "500" "400" "400" "400" "400" "400" "400" "400" "400" "400" "400" "400")
         (list (list "2.0" "1" "" "127.0.0.1" "" "CURVE" key)
               (list "" "1" "" "127.0.0.1" "" "CURVE" key)
               (list "1.0" "1" "" "127.0.0.1" "")
               (list "1.0" "1" "" "127.0.0.1" "" "CURVE")
               (list "1.0" "1" "" "127.0.0.1" "" "CURVE" key key)
               (list "1.0" "1" "" "127.0.0.1" "" "CURVE" public)
               (list "1.0" "1" "" "127.0.0.1" "" "CURVE" (make-string 100000 #\x))
               (list "1.0" "1" "" "127.0.0.1" "" "curve" key)
               (list "1.0" "1" "" "127.0.0.1" "" "PLAIN" "ann")
               (list "1.0" "1" "" "127.0.0.1" "" "PLAIN" "ann" "p" "p")
               (list "1.0" "1" (make-string 256 #\d) "127.0.0.1" "" "CURVE" key)
               (list "1.0" "1" "" (make-string 1000000 #\9) "" "CURVE" key)
               (list "1.0" "1" "" (string #\1 #\nul) "" "CURVE" key)
               (list "1.0" "1" "" "127.0.0.1" "" "NULL" "x")))
        (for-each (lambda (parts) (check= #f (ask parts)))
                  (list '("1.0") '() (list "1.0" (make-string 256 #\i) "" "" "" "NULL")))
        (send-message s "no envelope")
        (send-multipart-message s (let loop ((i 0)) (if (= i 1000) '() (cons "" (loop (+ i 1))))))
        (let drain () (when (receive-multipart-message s timeout: 50) (drain)))
        (check= "200" (ask (list "1.0" "1" "" "127.0.0.1" "" "PLAIN" "ann" "p")))
        (close-socket s)
        (check= 'delivered (meet c curve-server (curve-client)))))))

(test "random requests are survived (case 78)"
  (with-authenticator (list curve: (list public))
    (lambda (c a)
      (let ((s (make-socket 'dealer c linger: 0 connect: "inproc://zeromq.zap.01")))
        (define (random-string)
          (let ((t (make-string (pseudo-random-integer 40))))
            (do ((i 0 (+ i 1))) ((= i (string-length t)) t)
              (string-set! t i (integer->char (pseudo-random-integer 256))))))
        (do ((i 0 (+ i 1))) ((= i 2000))
          (let loop ((n (pseudo-random-integer 10)) (parts '()))
            (if (= n 0)
                (send-multipart-message
                 s (append '("" "1.0") (list (random-string) (random-string)) parts))
                (loop (- n 1) (cons (case (pseudo-random-integer 4)
                                      ((0) "CURVE") ((1) "127.0.0.1") (else (random-string)))
                                    parts))))
          (let drain () (when (receive-multipart-message s non-blocking: #t) (drain))))
        (close-socket s)
        (check= 'delivered (meet c curve-server (curve-client)))
        (check= refused (meet c curve-server stranger))))))

;; --------------------------------------------------------- directories --

(test "a directory of certificates is read again when it changes"
  (with-directory
   (lambda (d)
     (let ((ann (make-pathname d "ann")) (bob (make-pathname d "bob")))
       (write-file (make-pathname d "junk") "no certificate")
       (with-authenticator (list curve: d)
         (lambda (c a)
           (define (client) (meet c curve-server (curve-client)))
           (define (other) (meet c curve-server stranger))
           (check= refused (client))
           (save-certificate (make-certificate secret: secret metadata: '((name . "Ann"))) ann)
           (check= 'delivered (client))
           (check= refused (other))
           ;; another key in the same file, at once
           (save-certificate (make-certificate public: other-public) ann)
           (check= refused (client))
           (check= 'delivered (other))
           ;; a second file, written in place
           (write-file bob (string-append "curve\n    public-key = \"" public "\"\n"))
           (check= 'delivered (client))
           (write-file bob (string-append "curve\n    public-key = \"" server-public "\"\n"))
           (check= refused (client))
           (delete-file ann)
           (check= refused (other))
           (write-file bob "half a certif")
           (check= refused (client))
           ;; secret files are not for others to get in with
           (delete-file bob)
           (check= refused (client))))))))

(test "a directory that goes lets nobody in"
  (let ((d (create-temporary-directory)))
    (save-certificate (make-certificate public: public) (make-pathname d "ann"))
    (with-authenticator (list curve: d)
      (lambda (c a)
        (check= 'delivered (meet c curve-server (curve-client)))
        (delete-file (make-pathname d "ann"))
        (delete-directory d)
        (check= refused (meet c curve-server (curve-client)))))))

;; ----------------------------------------------------------------- ends --

(test "clients in other processes get in or not, and are told why"
  (with-authenticator (list curve: (list public))
    (lambda (c a)
      (let* ((in (apply make-socket 'rep c linger: 0 curve-server))
             (e (bind-socket in "tcp://127.0.0.1:*"))
             (program
              (lambda (public secret)
                `((import (zmq monitor))
                  (define s (make-socket 'req linger: 0 curve-serverkey: ,server-public
                                         curve-publickey: ,public curve-secretkey: ,secret))
                  (define m (monitor-socket s events: '(handshake-failed-auth handshake-succeeded)))
                  (connect-socket s ,e)
                  (send-message s "who am I")
                  (define event (receive-event m timeout: 10000))
                  (exit (if (eq? (event-symbol event) 'handshake-succeeded)
                            (if (equal? "you" (receive-message s as: 'string timeout: 10000)) 10 11)
                            (if (= 400 (event-value event)) 12 13))))))
             (friend (start-child (program public secret)))
             (enemy (start-child (program other-public other-secret))))
        (check= "who am I" (take in))
        (send-message in "you")
        (check= '(exit 10) (wait-for-child friend))
        (check= '(exit 12) (wait-for-child enemy))
        (check= #f (receive-message in timeout: 20))
        (close-socket in)))))

;; ------------------------------------------------------------- surviving --

;; A program whose authenticator must still answer when its thread, the next time it runs, calls
;; (strike), as a signal handler would.
(define (check-survival strike)
  (check-child 'ok
    `((import (zmq auth) (chicken port))
      (declare (uses scheduler))
      (define c (make-context 1))
      (define a (start-authenticator c allow: "127.0.0.0/8"))
      (define server (make-socket 'rep c bind: "tcp://127.0.0.1:*"))
      (define endpoint (socket-option server 'last-endpoint))
      (define strangers (make-context 1))
      (define (served?)
        (let ((client (make-socket 'req strangers connect: endpoint linger: 0)))
          (send-message client "x")
          (let ((got (receive-message server as: 'string timeout: 20000)))
            (when got (send-message server got))
            (close-socket client)
            (equal? got "x"))))
      (define struck #f)
      (define leave #f)
      (when (call/cc (lambda (k) (set! leave k) #f))
        (##sys#thread-kill! ##sys#current-thread 'dead)
        (##sys#schedule))
      (define (strike!)
        (let* ((t (##sys#slot a 3)) (go-on (##sys#slot t 1)))
          (##sys#setslot t 1 (lambda () (set! struck #t) ,strike (go-on)))
          (##sys#thread-unblock! t)))
      (define (told? word)
        (substring-index word (with-output-to-string (lambda () (write a)))))
      (unless (served?) (exit 2))
      (strike!)
      (wait-until (lambda () struck) 20000)
      (unless (served?) (exit 3))
      (unless (told? "running") (exit 4))
      (terminate-context c timeout: 0)
      (unless (wait-until (lambda () (not (told? "running"))) 20000) (exit 5)))
    limit: 60))

(test "an authenticator survives a condition of the egg"
  (check-survival
   '(signal (make-composite-condition (make-property-condition 'exn 'message "interrupted")
                                      (make-property-condition 'zmq 'code 'eintr)))))

(test "an authenticator survives a stack overflow that CHICKEN raises"
  (check-survival '(signal (make-property-condition 'exn 'message "stack overflow"))))

(test "an authenticator is replaced when a signal handler leaves its thread"
  (check-survival '(leave #t)))

(test "what a signal handler raises in an authenticator's thread is for the program"
  (check-child '(exit 9)
    '((import (zmq auth))
      (declare (uses scheduler))
      (define c (make-context 1))
      (define a (start-authenticator c allow: "127.0.0.0/8"))
      (nap! 1)
      (with-exception-handler
       (lambda (e) (exit (if (eq? e 'hello) 9 8)))
       (lambda ()
         (let* ((t (##sys#slot a 3)) (go-on (##sys#slot t 1)))
           (##sys#setslot t 1 (lambda () (signal 'hello) (go-on)))
           (##sys#thread-unblock! t))
         (receive-message (make-socket 'pull c bind: "inproc://x") timeout: 20000))))))

(test "a program ends with its authenticator running, and starts and stops leave nothing"
  (check-child '(exit 3)
    '((import (zmq auth))
      (define c (make-context 1))
      (define a (start-authenticator c curve: #t))
      (exit 3)))
  (check-child 'ok
    '((import (zmq auth))
      (define c (make-context 1))
      (must-not-leak 100 (lambda () (stop-authenticator (start-authenticator c curve: #t))))
      (define a (start-authenticator c))
      (unless (terminate-context c timeout: 5000) (exit 1))
      (nap! 20)
      (stop-authenticator a))
    limit: 60))

(report-tests)
