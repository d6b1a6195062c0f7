;;; The likeliest mistakes of a beginner, each with words of the message that name the cause and
;;; the remedy.

(import zmq (zmq auth) (zmq monitor) (chicken base) (chicken condition) (chicken string))
(include "check.scm")
(include "pair.scm")

(define (message-of e) ((condition-property-accessor 'exn 'message) e))
(define (location-of e) ((condition-property-accessor 'exn 'location) e))

;; (mistake WHAT BODY LOCATION WORD ...): the procedure that is named, and what its message has.
(define-syntax mistake
  (syntax-rules ()
    ((_ what body location word ...)
     (test (string-append "a message names cause and remedy: " what)
       (let ((e (raised body)))
         (check= 'location (location-of e))
         (for-each (lambda (w)
                     (unless (substring-index w (message-of e))
                       (wrong "~s is not in: ~a" w (message-of e))))
                   '(word ...)))))))

(define (fresh type . rest) (apply make-socket type linger: 0 rest))

;; ---------------------------------------------------------------- making --

(mistake "a type that is none" (make-socket 'publisher)
         make-socket "unknown socket type publisher" "there are: " "pub" "xsub")
(mistake "a type that is misspelt" (make-socket 'deler) make-socket "did you mean dealer?")
(mistake "a type as a string" (make-socket "req") make-socket "not a symbol")
(mistake "a keyword that is misspelt" (make-socket 'pub sndhwmm: 3)
         make-socket "sndhwmm" "did you mean sndhwm?")
(mistake "an option that is misspelt" (socket-option-set! (fresh 'pub) 'lingerr 0)
         socket-option-set! "did you mean linger?")
(mistake "a name of C" (make-socket 'ZMQ_PUB) make-socket "did you mean pub?")
(mistake "a type in capitals" (make-socket 'DEALER) make-socket "did you mean dealer?")
(mistake "an option as in C" (socket-option-set! (fresh 'pub) 'ZMQ_SNDHWM 3)
         socket-option-set! "did you mean sndhwm?")
(mistake "an option as in C, misspelt" (make-socket 'pub RECONECT_IVL: 3)
         make-socket "did you mean reconnect-ivl?")
(mistake "a time limit for a socket" (make-socket 'req timeout: 500)
         make-socket "rcvtimeo" "sndtimeo" "each call")
(mistake "a form for a socket" (make-socket 'req as: 'string)
         make-socket "receive-message" "zmq-receive-as")
(mistake "a context as a keyword" (make-socket 'req context: (make-context))
         make-socket "second argument")
(mistake "an option of contexts for a socket" (make-socket 'req io-threads: 2)
         make-socket "make-context" "context-option-set!")
(mistake "an option of contexts, asked of a socket" (socket-option (fresh 'req) 'max-sockets)
         socket-option "make-context")
(mistake "an option of sockets for a context" (make-context 1 linger: 0)
         make-context "make-socket" "socket-option-set!")
(mistake "an endpoint as an option" (socket-option-set! (fresh 'req) 'bind "inproc://x")
         socket-option-set! "bind-socket")
(mistake "a keyword that is like nothing" (make-socket 'req conect: "inproc://x")
         make-socket "bind: and connect:" "(socket-options) lists")
(mistake "an endpoint without a keyword" (make-socket 'req "inproc://x")
         make-socket "not a ZeroMQ context" "connect:")
(mistake "a list of parts that is none" (send-multipart-message (fresh 'push) "x")
         send-multipart-message "send-message sends one part")
(mistake "a number as a string" (socket-option-set! (fresh 'pub) 'linger "0")
         socket-option-set! "exact integer")
(mistake "a mark below zero" (socket-option-set! (fresh 'pub) 'rcvhwm -5)
         socket-option-set! "out of range 0 to 2147483647")
(mistake "an option of another type" (socket-option-set! (fresh 'pull) 'subscribe "")
         socket-option-set! "not for sockets of this type")
(mistake "a subscription that is no prefix" (make-socket 'sub subscribe: #t)
         make-socket "not a string, blob or u8vector")
(mistake "an empty identity" (make-socket 'dealer identity: "") make-socket "it takes 1 to 255")
(mistake "a swap for a receiver" (make-socket 'pull swap: 100000) make-socket "have no swap" "push")
(mistake "no directory for the swap" (make-socket 'push swap-directory: "/no/such" swap: 100000)
         make-socket "directory for the file of the swap does not exist" "make it")

;; ------------------------------------------------------------- endpoints --

(mistake "no transport" (bind-socket (fresh 'rep) "127.0.0.1:5555")
         bind-socket "malformed endpoint" "tcp://127.0.0.1:5555")
(mistake "no port" (bind-socket (fresh 'rep) "tcp://127.0.0.1") bind-socket "malformed endpoint")
(mistake "another protocol" (connect-socket (fresh 'req) "http://127.0.0.1:5555")
         connect-socket "transport not supported" "use tcp, ipc, inproc")
(mistake "connecting to all addresses" (connect-socket (fresh 'req) "tcp://*:5555")
         connect-socket "for binding" "name a host")
(mistake "a port that is too large" (connect-socket (fresh 'req) "tcp://127.0.0.1:99999")
         connect-socket "number from 1 to 65535")
(mistake "binding to what is no interface" (bind-socket (fresh 'rep) "tcp://no.such.name:*")
         bind-socket "127.0.0.1" "names of hosts are for connecting")
(mistake "binding to another machine's address" (bind-socket (fresh 'rep) "tcp://192.0.2.1:5555")
         bind-socket "not an address of this machine" "or to *")
(mistake "an endpoint that is in use"
         (let* ((s (fresh 'rep)) (e (bind-socket s "tcp://127.0.0.1:*")))
           (bind-socket (fresh 'rep) e))
         bind-socket "already in use" "* for a free one")
(mistake "a directory that is missing" (bind-socket (fresh 'rep) "ipc:///no/such/directory/s")
         bind-socket "make the directory first")
(mistake "an ipc path that is too long"
         (bind-socket (fresh 'rep) (string-append "ipc:///tmp/" (make-string 200 #\a)))
         bind-socket "107 bytes")
(mistake "an endpoint that is not the socket's"
         (disconnect-socket (fresh 'req) "tcp://127.0.0.1:5")
         disconnect-socket "name an endpoint that is in use")
(mistake "an endpoint that is a symbol" (connect-socket (fresh 'req) 'tcp)
         connect-socket "not a string")

;; -------------------------------------------------- sending and receiving --

(mistake "sending with a sub" (send-message (fresh 'sub) "x")
         send-message "sub and pull only receive")
(mistake "receiving with a push" (receive-message (fresh 'push))
         receive-message "pub and push only send")
(mistake "two requests in a row"
         (let ((s (fresh 'req connect: "inproc://nobody")))
           (send-message s "a")
           (send-message s "b"))
         send-message "REQ sends before it receives" "by turns")
(mistake "a rep that speaks first" (send-message (fresh 'rep) "a")
         send-message "REP receives before it sends")
(mistake "a list for one part" (send-message (fresh 'push) '("a" "b"))
         send-message "send-multipart-message takes a list")
(mistake "a number as a message" (send-message (fresh 'push) 42)
         send-message "string" "send-object any datum")
(mistake "arguments in the wrong order" (send-message "x" (fresh 'push))
         send-message "not a ZeroMQ socket")
(mistake "a socket that is closed"
         (let ((s (fresh 'push))) (close-socket s) (send-message s "x"))
         send-message "closed")
(mistake "a time limit that is no number" (receive-message (fresh 'pull) timeout: "5")
         receive-message "milliseconds")
(mistake "a keyword that is none" (receive-message (fresh 'pull) wait: 5)
         receive-message "unknown keyword wait:" "timeout:")
(mistake "a form that is none" (receive-message (fresh 'pull) as: 'text)
         receive-message "message, string, blob, u8vector or a procedure")
(mistake "a peer that is not there"
         (send-multipart-message (fresh 'router router-mandatory: #t) '("nobody" "x"))
         send-multipart-message "no peer has this routing id" "not yet")
(mistake "polling sockets instead of items" (poll (list (fresh 'pull)) 100)
         poll "make-poll-item makes")

;; ----------------------------------------------------------------- keys --

(mistake "a key that is too short" (make-socket 'req curve-serverkey: "abc")
         make-socket "32 bytes, or 40 characters of Z85")
(mistake "a CURVE server without its key"
         (bind-socket (make-socket 'rep curve-server: #t) "tcp://127.0.0.1:*")
         bind-socket "curve-secretkey" "curve-keypair makes one")
(mistake "a certificate that is missing" (load-certificate "/no/such/file")
         load-certificate "no such file")
;; ------------------------------------------------------------- arguments --

(define (argument-text e) (sprintf "~a" ((condition-property-accessor 'exn 'arguments) e)))

;; Calls that csc cannot check.
(define-syntax nameless
  (syntax-rules ()
    ((_ procedure argument ...)
     (let ((name 'procedure) (e (raised ((car (list procedure)) argument ...))))
       (unless (substring-index (string-append (symbol->string name) " ") (argument-text e))
         (wrong "~a is not named: ~a" name (argument-text e)))))))

(test "a call with too few or too many arguments names the procedure and its arguments"
  (let ((s (fresh 'pair)))
    (nameless make-socket)
    (nameless send-message s)
    (nameless receive-message)
    (nameless send-multipart-message s)
    (nameless receive-multipart-message)
    (nameless bind-socket s)
    (nameless connect-socket s "inproc://a" "inproc://b")
    (nameless close-socket s s)
    (nameless socket-option s)
    (nameless socket-option-set! s 'linger)
    (nameless poll '())
    (nameless request s)
    (nameless send-object s)
    (nameless wait-connected)
    (nameless start-authenticator))
  (check (substring-index "(send-message s message . rest)" (sprintf "~a" send-message)))
  (check (substring-index "(receive-message s . rest)" (sprintf "~a" receive-message))))

(report-tests)
