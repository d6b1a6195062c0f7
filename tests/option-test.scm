;;; Options: values of Scheme, what is refused, the old contract's meanings.

(import zmq (chicken base) (chicken blob) (chicken condition) (chicken file)
        (chicken keyword) (chicken port)
        (chicken pathname) (chicken process) (chicken process-context)
        (chicken string) srfi-4)
(include "check.scm")
(include "child.scm")
(include "pair.scm")

(define (with-socket type procedure)
  (let ((s (make-socket type)))
    (procedure s)
    (close-socket s)))

(define-syntax kept
  (syntax-rules ()
    ((_ type name value ...)
     (with-socket type
       (lambda (s)
         (begin (socket-option-set! s name value)
                (check= value (socket-option s name)))
         ...)))))

(test "integers, booleans, words and bytes keep their value"
  (kept 'push 'linger 0 1000 -1)
  (kept 'push 'sndhwm 0 5 2147483647)
  (kept 'pull 'immediate #t #f)
  (kept 'dealer 'identity "me" (string #\x00 #\xff #\nul #\a))
  (kept 'push 'affinity 0 1 (- (expt 2 64) 1))
  (kept 'push 'maxmsgsize -1 (expt 2 40)))

(test "hwm is both marks and reads as the send side"
  (with-socket 'dealer
    (lambda (s)
      (check= 1000 (socket-option s 'hwm))
      (socket-option-set! s 'hwm 7)
      (check= '(7 7 7) (map (lambda (o) (socket-option s o))
                            '(hwm sndhwm rcvhwm)))
      (socket-option-set! s 'rcvhwm 9)
      (check= 7 (socket-option s 'hwm)))))

(test "the old options have their old meanings"
  (kept 'pub 'recovery-ivl 10 0 2147483)
  (kept 'pub 'mcast-loop #f #t)
  (kept 'pub 'rate 100)
  (kept 'push 'sndbuf 0 16384)
  (kept 'push 'rcvbuf 0 16384)
  (kept 'push 'swap 0)
  (with-socket 'pub
    (lambda (s)
      (check= 10 (socket-option s 'recovery-ivl))
      (check= #t (socket-option s 'mcast-loop))
      (check= 0 (socket-option s 'sndbuf))
      (check= "" (socket-option s 'identity))
      (check= #f (socket-option s 'rcvmore)))))

(test "values of the wrong type are refused as types (case 39)"
  (with-socket 'dealer
    (lambda (s)
      (check-type (socket-option-set! s 'linger "1"))
      (check-type (socket-option-set! s 'linger 1.5))
      (check-type (socket-option-set! s 'linger #t))
      (check-type (socket-option-set! s 'immediate 1))
      (check-type (socket-option-set! s 'identity 5))
      (check-type (socket-option-set! s 'identity 'me))
      (check-type (socket-option-set! s 'affinity 1.0))
      (check-type (socket-option-set! s "linger" 1))
      (check-type (socket-option s "linger")))))

(test "values out of range are refused, with option and value (cases 39, 40)"
  (with-socket 'dealer
    (lambda (s)
      (check (substring-index "0 bytes; it takes 1 to 255"
                              (message-of (raised (make-socket 'dealer identity: "")))))
      (check (substring-index "256 bytes; it takes 1 to 255"
                              (message-of (raised (make-socket 'dealer
                                                               identity: (make-string 256))))))
      (check-fails einval (socket-option-set! s 'hwm -5))
      (check-fails einval (socket-option-set! s 'linger -2))
      (check-fails einval (socket-option-set! s 'linger (expt 2 31)))
      (check-fails einval (socket-option-set! s 'linger (expt 2 70)))
      (check-fails einval (socket-option-set! s 'linger (- (expt 2 70))))
      (check-fails einval (socket-option-set! s 'affinity (expt 2 64)))
      (check-fails einval (socket-option-set! s 'affinity -1))
      (check-fails einval
                   (socket-option-set! s 'identity (make-string 256 #\x)))
      (let ((arguments ((condition-property-accessor 'exn 'arguments)
                        (raised (socket-option-set! s 'linger -2)))))
        (check (memq 'linger arguments))
        (check (memv -2 arguments))))))

(test "options of another type, direction or name are refused (case 39)"
  (with-socket 'push
    (lambda (s)
      (check-fails einval (socket-option-set! s 'subscribe "x"))
      (check-fails einval (socket-option-set! s 'type 'pull))
      (check-fails einval (socket-option s 'subscribe))
      (check-fails einval (socket-option s 'io-threads))
      (check-fails einval (socket-option-set! s 'lingr 1))
      (check (substring-index "linger"
               (message-of (raised (socket-option-set! s 'lingr 1)))))
      (check (socket-option s 'linger)))))

(test "bytes may be strings, blobs and u8vectors"
  (with-socket 'dealer
    (lambda (s)
      (for-each (lambda (id)
                  (socket-option-set! s 'identity id)
                  (check= "abc" (socket-option s 'identity)))
                (list "abc" (string->blob "abc") (u8vector 97 98 99))))))

(test "a subscription may be empty, binary, and be taken back"
  (with-pair 'pub 'sub
    (lambda (pub sub)
      (let ((prefix (string #\nul #\xff)))
        (socket-option-set! sub 'subscribe prefix)
        (send-message pub "no")
        (send-message pub (string-append prefix "yes"))
        (check= (string-append prefix "yes") (take sub))
        (socket-option-set! sub 'unsubscribe prefix)
        (send-message pub (string-append prefix "no"))
        (check= #f (receive-message sub timeout: 20))
        (socket-option-set! sub 'subscribe "")
        (send-message pub "anything")
        (check= "anything" (take sub))))))

(test "a secret is not in the condition that refuses it (case 39)"
  (with-socket 'push
    (lambda (s)
      (let ((e (raised (socket-option-set! s 'curve-secretkey "my secret"))))
        (check e)
        (check (not (substring-index "my secret" (describe e)))))
      (let ((e (raised (socket-option-set! s 'plain-password
                                           (make-string 300 #\z)))))
        (check e)
        (check (not (substring-index "zzz" (describe e))))))))

(test "rcvmore is that of the part received last"
  (with-pair 'pull 'push
    (lambda (in out)
      (send-multipart-message out '("1" "2" "3"))
      (check= "1" (take in))
      (check= #t (socket-option in 'rcvmore))
      (check= "2" (take in))
      (check= #t (socket-option in 'rcvmore))
      (check= "3" (take in))
      (check= #f (socket-option in 'rcvmore)))))

(test "a failing option at birth closes the socket and names the option"
  (let* ((c (make-context))
         (e (raised (make-socket 'push c linger: 0 lingr: 5)))
         (again (raised (make-socket 'push c linger: 0 sndhwm: -1))))
    (check (substring-index "linger" (message-of e)))
    (check (memq 'sndhwm ((condition-property-accessor 'exn 'arguments) again)))
    (check= #t (terminate-context c timeout: 5000)))
  (check-fails einval (make-context 1 max-sockets: 0))
  (check-fails einval (make-context io-thread: 1)))

;; ------------------------------------------------- every row of the table --

(define (field row name) (cdr (assq name row)))

(define (row-of name)
  (find-row name (socket-options)))

(define (find-row name rows)
  (cond ((null? rows) #f)
        ((eq? name (field (car rows) 'symbol)) (car rows))
        (else (find-row name (cdr rows)))))

(define (readable? row) (memq (field row 'access) '(r rw)))
(define (writable? row) (memq (field row 'access) '(w rw)))
(define (bytes-row? row) (memq (field row 'type) '(bytes string key)))

;; What went wrong with a row names it.
(define-syntax for-rows
  (syntax-rules ()
    ((_ rows (row) body ...)
     (for-each
      (lambda (row)
        (let ((e (raised (begin body ...))))
          (when e (wrong "option ~a: ~a" (field row 'symbol) (describe e)))))
      rows))))

;; A socket of the first type that has the option, or that has it not.
(define every-type
  '(pair pub sub req rep dealer router pull push xpub xsub stream))

(define (with-row-socket row procedure)
  (with-socket (car (field row 'socket-types)) procedure))

;; #t, or #f where this libzmq lacks the option, which then says so.
(define (supported? row thunk)
  (let ((e (raised (thunk))))
    (cond ((not e) #t)
          ((and (eq? 'not-supported (zmq-code e)) (field row 'needs)) #f)
          (else (abort e)))))

(define (known? row)
  (and (not (older? (zmq-version) (field row 'since)))
       (not (and (field row 'needs) (not (eq? 'draft (field row 'needs)))
                 (not (zmq-has? (field row 'needs)))))))

(define (older? a b)
  (cond ((null? a) #f)
        ((= (car a) (car b)) (older? (cdr a) (cdr b)))
        (else (< (car a) (car b)))))

(test "the table has every option of the contract and of zmq.h"
  (let ((names (map (lambda (row) (field row 'symbol)) (socket-options))))
    (check (> (length names) 100))
    (for-each (lambda (name) (check (memq name names)))
              '(hwm swap affinity identity subscribe unsubscribe rate
                recovery-ivl mcast-loop sndbuf rcvbuf rcvmore routing-id
                curve-secretkey zap-domain bindtodevice metadata))
    (check= 'routing-id (field (row-of 'identity) 'alias-of))
    (check= #f (field (row-of 'routing-id) 'alias-of)))
  (check= '((symbol . linger) (alias-of . #f) (type . integer) (access . rw)
            (unit . ms) (minimum . -1) (maximum . 2147483647) (values)
            (default . -1)
            (socket-types pair pub sub req rep dealer router pull push xpub
                          xsub stream)
            (live . #t) (since 2 1 0) (needs . #f) (secret . #f)
            (text . "how long close lets what was sent leave, -1 without end"))
          (row-of 'linger))
  (check= (row-of 'linger) (socket-options 'linger))
  (check= '(early . #t) (assq 'early (context-options 'io-threads)))
  (check-fails einval (socket-options 'lingr))
  (check-type (socket-options "linger"))
  (check= '(null plain curve gssapi) (field (row-of 'mechanism) 'values)))

(test "every option is set and read only where the table says so"
  (for-rows (socket-options) (row)
    (with-row-socket row
      (lambda (s)
        (let ((name (field row 'symbol)))
          (unless (readable? row) (check-fails einval (socket-option s name)))
          (unless (writable? row)
            (check-fails einval
              (socket-option-set! s name
                (case (field row 'type)
                  ((boolean) #f)
                  ((bytes string key) "x")
                  ((enum) (car (field row 'values)))
                  ((flags) '())
                  (else 1))))))))))

(test "every option refuses values of another type"
  (for-rows (socket-options) (row)
    (when (writable? row)
      (with-row-socket row
        (lambda (s)
          (for-each
           (lambda (value)
             (check-type (socket-option-set! s (field row 'symbol) value)))
           (case (field row 'type)
             ((boolean) '(1 0 "yes" ()))
             ((integer bitmap) '(#t 1.0 "1" one))
             ((enum) '(1 "null" #t))
             ((flags) '(1 in #t))
             (else '(1 #f one)))))))))

;; Values one below, one above, and both ends, as the type has them.
(define (just-outside row)
  (let ((low (field row 'minimum)) (high (field row 'maximum)))
    (case (field row 'type)
      ((integer bitmap) (list (- low 1) (+ high 1)))
      ((enum) '(no-such-word))
      ((flags) '((no-such-word)))
      ((bytes string)
       (append (if (> low 0) (list (make-string (- low 1) #\a)) '())
               (if (< high 1000000) (list (make-string (+ high 1) #\a)) '())))
      ((key) (map (lambda (n) (make-string n #\a)) '(0 31 33 39 41)))
      (else '()))))

(define key "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7")

(define (just-inside row)
  (let ((low (field row 'minimum)) (high (field row 'maximum)))
    (case (field row 'type)
      ((boolean) '(#t #f))
      ((integer bitmap)
       (list low high))
      ((enum) (field row 'values))
      ((flags) (list '() (field row 'values)))
      ((key) (list key))
      (else
       (case (field row 'symbol)
         ((metadata) '("X-a:b"))
         ((swap-directory) '("" "/tmp"))
         (else
          (list (make-string low #\a) (make-string (min high 300) #\a))))))))

(test "high water marks are set before the first endpoint"
  (with-socket 'dealer
    (lambda (s)
      (socket-option-set! s 'hwm 7)
      (bind-socket s "inproc://marks")
      (for-each
       (lambda (name)
         (check-fails einval (socket-option-set! s name 8))
         (check= 7 (socket-option s name)))
       '(hwm sndhwm rcvhwm)))))

(test "a descriptor to bind with is one that listens"
  (with-socket 'pull
    (lambda (s)
      (socket-option-set! s 'use-fd 0)
      (check-fails einval (bind-socket s "tcp://127.0.0.1:*"))
      (socket-option-set! s 'use-fd -1)
      (check (bind-socket s "tcp://127.0.0.1:*")))))

(test "every option refuses the values next to its bounds"
  (for-rows (socket-options) (row)
    (when (and (writable? row) (known? row))
      (with-row-socket row
        (lambda (s)
          (for-each
           (lambda (value)
             (let ((e (raised (socket-option-set! s (field row 'symbol) value))))
               (check e)
               (unless (eq? 'einval (zmq-code e)) (abort e))))
           (just-outside row)))))))

;; Those that keep another value than the one that was set, and those whose
;; value another one decides.
(define (kept-as row value)
  (case (field row 'symbol)
    ((heartbeat-ttl) (* 100 (quotient value 100)))
    (else value)))

(define (content row)
  (if (memq (field row 'symbol)
            '(tcp-accept-filter))
      '("" "127.0.0.1/8")
      (just-inside row)))

(test "every option takes the values within its bounds, and keeps them"
  (for-rows (socket-options) (row)
    (when (writable? row)
      (for-each
       (lambda (value)
         (with-row-socket row
           (lambda (s)
             (let ((name (field row 'symbol)))
               (when (eq? name 'socks-proxy)
                 (socket-option-set! s 'socks-proxy-unsafe #t))
               (when (and (supported? row (lambda ()
                                            (socket-option-set! s name value)))
                          (readable? row))
                 (check= (kept-as row value) (socket-option s name)))))))
       (content row)))))

(test "a fresh socket has every default of the table"
  (for-rows (socket-options) (row)
    (when (eq? 'rw (field row 'access))
      (with-row-socket row
        (lambda (s)
          (when (supported? row (lambda () (socket-option s (field row 'symbol))))
            (check= (field row 'default)
                    (socket-option s (field row 'symbol)))))))))

(test "every option is refused for sockets of other types"
  (for-rows (socket-options) (row)
    (when (known? row)
      (for-each
       (lambda (type)
         (unless (memq type (field row 'socket-types))
           (with-socket type
             (lambda (s)
               (when (writable? row)
                 (check-fails einval
                   (socket-option-set! s (field row 'symbol)
                                       (car (just-inside row)))))))))
       every-type))))

(test "every option is a keyword of make-socket"
  (for-rows (socket-options) (row)
    (when (writable? row)
      (let ((type (car (field row 'socket-types)))
            (word (string->keyword (symbol->string (field row 'symbol))))
            (value (car (content row))))
        (when (supported? row
                (lambda ()
                  (close-socket (make-socket type linger: 0 word value))))
          (let ((s (make-socket type word value)))
            (when (readable? row)
              (check= (kept-as row value)
                      (socket-option s (field row 'symbol))))
            (close-socket s)))))))

(test "every option of contexts: direction, type, bounds, default, round trip"
  (for-rows (context-options) (row)
    (let ((c (make-context)) (name (field row 'symbol)))
      (if (readable? row)
          (when (eq? 'rw (field row 'access))
            (check= (field row 'default) (context-option c name)))
          (check-fails einval (context-option c name)))
      (if (not (writable? row))
          (check-fails einval (context-option-set! c name (field row 'minimum)))
          (begin
            (check-type (context-option-set! c name
                          (if (eq? 'boolean (field row 'type)) 1 #t)))
            (for-each
             (lambda (v) (check-fails einval (context-option-set! c name v)))
             (just-outside row))
            (for-each
             (lambda (v)
               (when (and (not (memq name '(thread-affinity-cpu-add
                                            thread-affinity-cpu-remove
                                            thread-sched-policy)))
                          (supported? row
                            (lambda () (context-option-set! c name v)))
                          (readable? row))
                 (check= v (context-option c name))))
             (just-inside row))))
      (terminate-context c))))

(test "every option of contexts is a keyword of make-context"
  (for-rows (context-options) (row)
    (when (and (writable? row)
               (not (eq? 'thread-affinity-cpu-remove (field row 'symbol))))
      (let* ((value (car (just-inside row)))
             (word (string->keyword (symbol->string (field row 'symbol))))
             (c (make-context 1 word value)))
        (when (readable? row)
          (check= value (context-option c (field row 'symbol))))
        (terminate-context c)))))

(test "options that must come before the first socket are refused afterwards"
  (let* ((c (make-context)) (s (make-socket 'push c)))
    (for-rows (context-options) (row)
      (when (and (writable? row) (field row 'early))
        (check-fails einval
          (context-option-set! c (field row 'symbol) (field row 'minimum)))))
    (terminate-context c)))

(test "what is told to sockets by hand says what it takes"
  (with-socket 'xpub
    (lambda (s)
      (check (substring-index "xpub-manual"
               (message-of (raised (socket-option-set! s 'subscribe "x")))))))
  (with-socket 'dealer
    (lambda (s)
      (for-each
       (lambda (text) (check-fails einval (socket-option-set! s 'metadata text)))
       '("abc" "X-:b" "X-a:" "x-a:b" ":X-a" "X-ab")))))

;; ---------------------------------------------------- another libzmq --

;; Runs the forms where C functions stand before those of libzmq.
(define (run-before-libzmq source forms)
  (let* ((directory (create-temporary-directory))
         (c (make-pathname directory "before.c"))
         (so (make-pathname directory "before.so")))
    (with-output-to-file c (lambda () (display source)))
    (check= 0 (system (string-append "cc -shared -fPIC -o " so " " c " -ldl")))
    (dynamic-wind
     (lambda () (set-environment-variable! "LD_PRELOAD" so))
     (lambda () (check-child 'ok forms))
     (lambda ()
       (unset-environment-variable! "LD_PRELOAD")
       (delete-directory directory #t)))))

(define (code-forms . checks)
  `((define (code thunk)
      (condition-case (begin (thunk) 'done)
        (e (exn zmq) (get-condition-property e 'zmq 'code))))
    (define s (make-socket 'dealer))
    ,@(map (lambda (c)
             `(unless (eq? ',(car c) (code (lambda () ,(cadr c))))
                (print ',(cadr c) " gave " (code (lambda () ,(cadr c))))
                (exit 1)))
           checks)))

(test "an older libzmq says which options it does not have (case 100)"
  (run-before-libzmq
   "void zmq_version(int *a, int *b, int *c) { *a = 4; *b = 1; *c = 9; }"
   (code-forms
    '(not-supported (socket-option-set! s 'heartbeat-ivl 1000))
    '(not-supported (socket-option s 'heartbeat-ivl))
    '(not-supported (make-socket 'stream stream-notify: #f))
    '(not-supported (socket-option-set! s 'bindtodevice "lo"))
    '(not-supported (make-context blocky: #f))
    '(done (socket-option-set! s 'handshake-ivl 1000))
    '(done (socket-option-set! s 'linger 0)))))

(test "a libzmq built without an option says so (case 100)"
  (run-before-libzmq
   "#define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <string.h>
    #include <stddef.h>
    static int lacks(int o) { return o == 75 || o == 55 || o == 76 || o == 3; }
    int zmq_setsockopt(void *s, int o, const void *v, size_t n)
    {
        int (*real)(void *, int, const void *, size_t) =
            dlsym(RTLD_NEXT, \"zmq_setsockopt\");
        if (lacks(o)) { errno = EINVAL; return -1; }
        return real(s, o, v, n);
    }
    int zmq_getsockopt(void *s, int o, void *v, size_t *n)
    {
        int (*real)(void *, int, void *, size_t *) =
            dlsym(RTLD_NEXT, \"zmq_getsockopt\");
        if (lacks(o)) { errno = EINVAL; return -1; }
        return real(s, o, v, n);
    }
    int zmq_has(const char *what)
    {
        int (*real)(const char *) = dlsym(RTLD_NEXT, \"zmq_has\");
        return strcmp(what, \"curve\") != 0 && real(what);
    }"
   (code-forms
    '(not-supported (socket-option-set! s 'heartbeat-ivl 1000))
    '(not-supported (socket-option s 'heartbeat-ivl))
    '(not-supported (socket-option-set! s 'zap-domain "global"))
    '(not-supported (socket-option s 'zap-domain))
    '(not-supported (socket-option-set! s 'curve-server #t))
    '(not-supported (make-socket 'push curve-server: #t))
    '(done (socket-option-set! s 'heartbeat-timeout 1000)))))

(report-tests)
