;;; Socket types: what each does that the others do not.

(import zmq (chicken base) (chicken condition) (chicken io) (chicken string)
        (chicken tcp))
(include "check.scm")
(include "threads.scm")
(include "pair.scm")

;; As with-pair, over TCP, with sockets that have options of their own.
(define (with-two bound connected procedure)
  (connect-socket connected (bind-socket bound "tcp://127.0.0.1:*"))
  (procedure bound connected)
  (close-socket bound)
  (close-socket connected))

(test "every stable type makes a socket that knows its type"
  (for-each
   (lambda (type)
     (let ((s (make-socket type)))
       (check= type (socket-type s))
       (check= type (socket-option s 'type))
       (close-socket s)))
   '(pair pub sub req rep dealer router pull push xpub xsub stream)))

(test "a draft type is refused, and the text says why"
  (for-each
   (lambda (type)
     (let ((e (raised (make-socket type))))
       (check= 'not-supported (zmq-code e))
       (check (substring-index "draft" (message-of e)))
       (check (memq type ((condition-property-accessor 'exn 'arguments) e)))))
   '(server client radio dish gather scatter dgram peer channel)))

(test "a router names its dealers, and reaches the one it names"
  (with-pair 'router 'dealer
    (lambda (router ann)
      (let ((bob (make-socket 'dealer identity: "bob" linger: 0
                              connect: (car (socket-endpoints router)))))
        (send-message ann "from ann")
        (send-multipart-message bob '("from" "bob"))
        (let loop ((i 0))
          (when (< i 2)
            (let ((m (take-parts router)))
              (send-multipart-message router (append m '("back")))
              (loop (+ i 1)))))
        (check= '("from ann" "back") (take-parts ann))
        (check= '("from" "bob" "back") (take-parts bob))
        (check= #f (receive-message ann non-blocking: #t))
        (close-socket bob)))
    "tcp://127.0.0.1:*"))

(test "a router drops what nobody has the name of, or refuses it (case 61)"
  (with-pair 'router 'dealer
    (lambda (router dealer)
      (send-multipart-message router '("nobody" "lost"))
      (socket-option-set! router 'router-mandatory #t)
      (check-fails ehostunreach
        (send-multipart-message router '("nobody" "refused")))
      (send-message dealer "here")
      (let ((name (car (take-parts router))))
        (send-multipart-message router (list name "found"))
        (check= "found" (take dealer))))))

(test "a router and a router speak by names"
  (let* ((a (make-socket 'router identity: "a" linger: 0 router-mandatory: #t
                         bind: "inproc://router-a"))
         (b (make-socket 'router identity: "b" linger: 0 router-mandatory: #t
                         connect-routing-id: "a"
                         connect: "inproc://router-a")))
    (send-multipart-message b '("a" "hello"))
    (check= '("b" "hello") (take-parts a))
    (send-multipart-message a '("b" "back"))
    (check= '("a" "back") (take-parts b))
    (close-socket a)
    (close-socket b)))

(test "a router refuses a name that another of its peers has"
  (let* ((router (make-socket 'router linger: 0))
         (e (bind-socket router "tcp://127.0.0.1:*"))
         (peer (make-socket 'dealer identity: "x" linger: 0 connect: e))
         (connect (lambda (name)
                    (socket-option-set! router 'connect-routing-id name)
                    (connect-socket router "tcp://127.0.0.1:9"))))
    (send-message peer "hello")
    (check= '("x" "hello") (take-parts router))
    (check-fails einval (connect "x"))
    (connect "y")
    (check-fails einval (connect "y"))
    (send-multipart-message router '("x" "still here"))
    (check= "" (take peer))
    (check= "still here" (take peer))
    (close-socket router)
    (close-socket peer)))

(test "xreq and xrep are dealer and router"
  (with-pair 'xrep 'xreq
    (lambda (router dealer)
      (check= 'router (socket-type router))
      (check= 'dealer (socket-type dealer))
      (send-message dealer "x")
      (check= "x" (cadr (take-parts router))))))

(test "dealers share their work among those who are there"
  (with-pair 'dealer 'rep
    (lambda (dealer rep)
      (let ((other (make-socket 'rep linger: 0
                                connect: (car (socket-endpoints dealer)))))
        (do ((i 0 (+ i 1))) ((= i 2))
          (send-multipart-message dealer '("" "work")))
        (check= "work" (take rep))
        (check= "work" (take other))
        (send-message rep "1")
        (send-message other "2")
        (check= '(("" "1") ("" "2"))
                (let ((a (take-parts dealer)) (b (take-parts dealer)))
                  (if (string<? (cadr a) (cadr b)) (list a b) (list b a))))
        (close-socket other)))))

(test "an xpub receives subscriptions, and sends to who subscribed"
  (with-pair 'xpub 'sub
    (lambda (xpub sub)
      (socket-option-set! sub 'subscribe "news")
      (check= (string-append (string #\x01) "news") (take xpub))
      (send-message xpub "news: rain")
      (send-message xpub "sports: 3 to 1")
      (check= "news: rain" (take sub))
      (check= #f (receive-message sub timeout: 20))
      (socket-option-set! sub 'unsubscribe "news")
      (check= (string-append (string #\nul) "news") (take xpub)))
    "tcp://127.0.0.1:*"))

;; Of so many bytes.
(define (long-prefix n) (make-string n #\a))

(test "a long subscription is refused, by every way to make one"
  (let* ((sub (make-socket 'sub subscription-limit: 100))
         (xsub (make-socket 'xsub connect: "tcp://127.0.0.1:9" linger: 0))
         (text (string-append (string #\x01) (long-prefix 100000))))
    (socket-option-set! sub 'subscribe (long-prefix 100))
    (for-each
     (lambda (thunk)
       (let ((e (raised (thunk))))
         (check= 'einval (zmq-code e))
         (check (substring-index "subscription-limit" (message-of e)))))
     (list (lambda () (make-socket 'sub subscribe: (list "a" (long-prefix 100000))))
           (lambda () (socket-option-set! sub 'subscribe (long-prefix 101)))
           (lambda () (socket-option-set! sub 'unsubscribe (long-prefix 101)))
           (lambda () (send-message xsub text))
           (lambda () (send-message xsub (make-message text)))
           (lambda () (send-multipart-message xsub (list "x" text)))
           (lambda () (send-messages xsub (list text)))))
    (close-socket sub)
    (close-socket xsub)))

(test "an xsub subscribes by sending"
  (with-pair 'pub 'xsub
    (lambda (pub xsub)
      (send-message xsub (string-append (string #\x01) "a"))
      (check (wait-until
              (lambda ()
                (send-message pub "a1")
                (receive-message xsub timeout: 10))))
      (send-message xsub (string-append (string #\nul) "a"))
      (check (wait-until
              (lambda ()
                (let drain ()
                  (when (receive-message xsub non-blocking: #t) (drain)))
                (send-message pub "a2")
                (not (receive-message xsub timeout: 20))))))
    "tcp://127.0.0.1:*"))

(test "an xpub subscribes its peers by hand"
  (with-two (make-socket 'xpub linger: 0 xpub-manual: #t)
            (make-socket 'xsub linger: 0)
    (lambda (xpub sub)
      (send-message sub (string-append (string #\x01) "wanted"))
      (check= (string-append (string #\x01) "wanted") (take xpub))
      (socket-option-set! xpub 'subscribe "given")
      (send-message xpub "wanted")
      (send-message xpub "given")
      (check= "given" (take sub)))))

(test "an xpub passes repeated subscriptions on where it is verbose"
  (with-two (make-socket 'xpub linger: 0 xpub-verbose: #t)
            (make-socket 'sub linger: 0)
    (lambda (xpub sub)
      (let ((other (make-socket 'sub subscribe: "a" linger: 0
                                connect: (car (socket-endpoints xpub))))
            (wanted (string-append (string #\x01) "a")))
        (check= wanted (take xpub))
        (socket-option-set! sub 'subscribe "a")
        (check= wanted (take xpub))
        (close-socket other)))))

(test "a publisher may refuse instead of dropping"
  (let* ((endpoint (fresh-endpoint))
         (pub (make-socket 'pub sndhwm: 2 xpub-nodrop: #t linger: 0
                           bind: endpoint))
         (sub (make-socket 'sub rcvhwm: 2 subscribe: "" linger: 0
                           connect: endpoint)))
    (let loop ((sent 0))
      (if (and (< sent 100) (send-message pub "x" non-blocking: #t))
          (loop (+ sent 1))
          (begin
            (check (< sent 100))
            (do ((i 0 (+ i 1))) ((= i sent)) (check= "x" (take sub)))
            (check= #f (receive-message sub non-blocking: #t)))))
    (close-socket sub)
    (close-socket pub)))

;; --------------------------------------------------------------- stream --

;; The port of tcp://address:port.
(define (port-of endpoint)
  (string->number (list-ref (string-split endpoint ":") 2)))

;; Bytes of a stream come in pieces: those of one peer, up to `size`.
(define (take-bytes s size)
  (let loop ((name #f) (text ""))
    (if (= (string-length text) size)
        (cons name text)
        (let ((m (take-parts s)))
          (loop (car m) (string-append text (cadr m)))))))

(test "a stream talks to a plain TCP client"
  (let* ((s (make-socket 'stream linger: 0))
         (endpoint (bind-socket s "tcp://127.0.0.1:*")))
    (receive (in out) (tcp-connect "127.0.0.1" (port-of endpoint))
      (let* ((hello (take-parts s)) (name (car hello)))
        (check= "" (cadr hello))
        (check= 5 (string-length name))
        (write-string "GET /" #f out)
        (flush-output out)
        (check= (cons name "GET /") (take-bytes s 5))
        (send-multipart-message s (list name "200 OK\n"))
        (check= "200 OK" (read-line in))
        ;; libzmq closes it while somebody uses the socket.
        (send-multipart-message s (list name ""))
        (let ((reader (spawn! (lambda () (read-line in)))))
          (check (wait-until (lambda ()
                               (receive-message s timeout: 10)
                               (ended? reader))))
          (check (eof-object? (join! reader))))
        (close-input-port in)
        (close-output-port out)))
    (close-socket s)))

(test "a stream talks to a plain TCP server"
  (let* ((listener (tcp-listen 0 5 "127.0.0.1"))
         (s (make-socket 'stream linger: 0))
         (endpoint (string-append "tcp://127.0.0.1:"
                                  (number->string (tcp-listener-port listener)))))
    (connect-socket s endpoint)
    (receive (in out) (tcp-accept listener)
      (let ((name (car (take-parts s))))
        (send-multipart-message s (list name "ping\n"))
        (check= "ping" (read-line in))
        (write-string "pong" #f out)
        (flush-output out)
        (check= (cons name "pong") (take-bytes s 4))
        (close-input-port in)
        (close-output-port out)
        (check= (list name "") (take-parts s))))
    (tcp-close listener)
    (close-socket s)))

(test "a stream refuses inproc, and messages of other than two parts"
  (let* ((s (make-socket 'stream linger: 0))
         (e (bind-socket s "tcp://127.0.0.1:*"))
         (c (make-socket 'stream linger: 0 connect: e))
         (name (car (take-parts s))))
    (check-fails enocompatproto (bind-socket s "inproc://stream"))
    (check-fails enocompatproto (connect-socket s "inproc://stream"))
    (take-parts c)
    (check-fails einval (send-message s name))
    (check-fails einval (send-messages s (list name name)))
    (check-fails einval (send-multipart-message s (list name "a" "b")))
    (send-multipart-message s (list name "bytes"))
    (check= "bytes" (cadr (take-parts c)))
    (close-socket s)
    (close-socket c)))

(test "a stream is told that a peer has gone while its input is unread"
  (let* ((server (make-socket 'stream bind: "tcp://127.0.0.1:*"))
         (client (make-socket 'stream linger: 0
                              connect: (car (socket-endpoints server))))
         (name (car (take-parts server)))
         (refused
          (lambda (send)
            (wait-until
             (lambda ()
               (condition-case (begin (send) #f)
                 (e (exn zmq) (zmq-code e))))))))
    (close-socket client)
    (for-each
     (lambda (send) (check= 'ehostunreach (refused send)))
     (list (lambda () (send-multipart-message server (list name "x") timeout: 5000))
           (lambda () (send-messages server (list (list name "x"))))
           (lambda ()
             (send-message server name send-more: #t)
             (send-message server "x"))))
    (close-socket server)))

(test "a stream says nothing of peers where it is told so"
  (let* ((s (make-socket 'stream linger: 0 stream-notify: #f))
         (endpoint (bind-socket s "tcp://127.0.0.1:*")))
    (receive (in out) (tcp-connect "127.0.0.1" (port-of endpoint))
      (write-string "x" #f out)
      (flush-output out)
      (check= "x" (cdr (take-bytes s 1)))
      (close-input-port in)
      (close-output-port out))
    (check= #f (receive-message s timeout: 50))
    (close-socket s)))

(test "what a type cannot do is refused, and the socket stays of use (case 44)"
  (with-pair 'pull 'push
    (lambda (pull push)
      (check-fails enotsup (receive-message push))
      (check-fails enotsup (send-message pull "x"))
      (send-message push "x")
      (check= "x" (take pull))))
  (with-pair 'rep 'req
    (lambda (rep req)
      (check-fails efsm (receive-message req))
      (check-fails efsm (send-message rep "x"))
      (send-message req "q")
      (check-fails efsm (send-message req "q"))
      (check= "q" (take rep))
      (send-message rep "a")
      (check= "a" (take req)))))

(test "a relaxed req may ask again, and takes only the answer to that"
  (with-two (make-socket 'router linger: 0)
            (make-socket 'req linger: 0 req-relaxed: #t req-correlate: #t)
    (lambda (router req)
      (send-message req "1")
      (send-message req "2")
      (let* ((first (take-parts router)) (second (take-parts router))
             (answer (lambda (m text)
                       (send-multipart-message
                        router (list (car m) (cadr m) "" text)))))
        (answer first "to 1")
        (answer second "to 2")
        (check= "to 2" (take req))))))

(report-tests)
