;;; Proxies: what is moved, and what steers them.

(import zmq (chicken base) (chicken condition) (chicken string) (chicken time))
(include "check.scm")
(include "threads.scm")
(include "pair.scm")

(define (field alist key) (cdr (assq key alist)))

;; A proxy in a thread of its own between two fresh sockets: calls the
;; procedure with both, its control and its thread, and stops it.
(define (with-proxy front back procedure . options)
  (let* ((front (make-socket front linger: 0 bind: (fresh-endpoint)))
         (back (make-socket back linger: 0 bind: (fresh-endpoint)))
         (c (make-proxy-control))
         (t (spawn! (lambda () (apply proxy front back control: c options)))))
    (procedure front back c t)
    (stop-proxy c)
    (join! t)
    (close-socket front)
    (close-socket back)))

(define (peer type s . options)
  (apply make-socket type linger: 0 connect: (car (socket-endpoints s)) options))

(test "the control of a proxy whose thread was killed can steer another"
  (call-with-context
   (lambda (c)
     (let* ((control (make-proxy-control))
            (front (make-socket 'pull c bind: "inproc://front"))
            (back (make-socket 'push c bind: "inproc://back"))
            (run (lambda () (spawn! (lambda () (proxy front back control: control))))))
       (let ((first (run)))
         (until-waiting first)
         (check-fails einval (proxy front back control: control))
         (kill! first))
       (let ((second (run)))
         (until-waiting second)
         (check (not (ended? second)))
         (stop-proxy control)
         (check (join! second)))))))

(test "a socket that is its own back sends back what it receives, whatever its type"
  (for-each
   (lambda (types)
     (call-with-context
      (lambda (c)
        (let* ((server (make-socket (car types) c bind: "inproc://echo"))
               (control (make-proxy-control))
               (t (spawn! (lambda () (proxy server server control: control))))
               (client (make-socket (cadr types) c connect: "inproc://echo" rcvtimeo: 20000)))
          (do ((i 0 (+ i 1))) ((= i 3))
            (send-multipart-message client '("one" "two"))
            (check= '("one" "two") (receive-multipart-message client as: 'string)))
          (stop-proxy control)
          (check= 3 (cdr (assq 'front-received (join! t))))))))
   '((rep req) (router dealer) (dealer dealer) (pair pair) (router req))))

(test "requests reach the workers, and answers their clients"
  (with-proxy 'router 'dealer
    (lambda (front back c t)
      (let* ((clients (list (peer 'req front) (peer 'req front)))
             (workers
              (map (lambda (name)
                     (spawn!
                      (lambda ()
                        (let ((s (peer 'rep back)))
                          (let loop ()
                            (let ((question (take s)))
                              (unless (string=? question "end")
                                (send-message s (string-append question "!"))
                                (loop))))
                          (close-socket s)))))
                   '(a b)))
             (asks (map (lambda (s n)
                          (spawn!
                           (lambda ()
                             (do ((i 0 (+ i 1))) ((= i 100))
                               (let ((text (number->string (+ i (* 1000 n)))))
                                 (send-message s text)
                                 (check= (string-append text "!") (take s)))))))
                        clients '(1 2))))
        (for-each join! asks)
        (let ((found (proxy-statistics c)))
          (check= 200 (field found 'front-received))
          (check= 200 (field found 'back-sent))
          (check= 200 (field found 'back-received))
          (check= 200 (field found 'front-sent))
          (check= 0 (field found 'dropped)))
        (for-each (lambda (s) (send-message s "end")) clients)
        (for-each join! workers)
        (for-each close-socket clients)))))

(test "subscriptions go up, and what was published comes down"
  (with-proxy 'xsub 'xpub
    (lambda (front back c t)
      (let ((pub (peer 'pub front)) (sub (peer 'sub back subscribe: "a")))
        (check (wait-until (lambda ()
                             (send-message pub "b: no")
                             (send-message pub "a: yes")
                             (equal? "a: yes"
                                     (receive-message sub as: 'string
                                                      timeout: 5)))))
        (close-socket pub)
        (close-socket sub)))))

(test "parts, empty parts and large ones pass unchanged"
  (with-proxy 'pull 'push
    (lambda (front back c t)
      (let ((out (peer 'push front)) (in (peer 'pull back))
            (messages (list '("one") '("" "" "") '("a" "" "b")
                            (list (make-string 300000 #\x) "tail")
                            (let loop ((i 0))
                              (if (= i 100) '() (cons (number->string i) (loop (+ i 1))))))))
        (for-each (lambda (m) (send-multipart-message out m)) messages)
        (for-each (lambda (m) (check= m (take-parts in))) messages)
        (close-socket out)
        (close-socket in)))))

(test "other threads run beside a busy proxy"
  (with-proxy 'pull 'push
    (lambda (front back c t)
      (let* ((out (peer 'push front)) (in (peer 'pull back))
             (ticker (start-ticker))
             (n 20000)
             (sender (spawn! (lambda ()
                               (do ((i 0 (+ i 1))) ((= i n))
                                 (send-message out "x"))))))
        (do ((i 0 (+ i 1))) ((= i n)) (check= "x" (take in)))
        (join! sender)
        (check (> (ticker 'stop) 3))
        (close-socket out)
        (close-socket in)))))

(test "a proxy at rest wakes for a message, and uses no time"
  (with-proxy 'pull 'push
    (lambda (front back c t)
      (let ((out (peer 'push front)) (in (peer 'pull back)))
        (check (until-waiting t))
        (receive (before system) (cpu-time)
          (nap! 300)
          (receive (after system*) (cpu-time)
            (check (< (- (+ after system*) (+ before system)) 100))))
        (send-message out "x")
        (check= "x" (take in))
        (close-socket out)
        (close-socket in)))))

(test "what cannot be passed on is not taken"
  (let* ((front (make-socket 'pull linger: 0 rcvhwm: 5 bind: (fresh-endpoint)))
         (back (make-socket 'push linger: 0 sndhwm: 5 bind: (fresh-endpoint)))
         (out (make-socket 'push linger: 0 sndhwm: 5
                           connect: (car (socket-endpoints front))))
         (in (make-socket 'pull linger: 0 rcvhwm: 5
                          connect: (car (socket-endpoints back))))
         (c (make-proxy-control))
         (t (spawn! (lambda () (proxy front back control: c)))))
    (let fill ((sent 0))
      (if (send-message out (number->string sent) timeout: 300)
          (fill (+ sent 1))
          (begin
            (check (< 10 sent 40))
            (do ((i 0 (+ i 1))) ((= i sent))
              (check= (number->string i) (take in)))
            (check= #f (receive-message in timeout: 20)))))
    (stop-proxy c)
    (join! t)
    (for-each close-socket (list front back out in))))

(test "what was not passed on when it stopped is still there"
  (let* ((front (make-socket 'pull linger: 0 bind: (fresh-endpoint)))
         (back (make-socket 'push linger: 0 sndhwm: 1 bind: (fresh-endpoint)))
         (out (make-socket 'push linger: 0
                           connect: (car (socket-endpoints front))))
         (in (make-socket 'pull linger: 0 rcvhwm: 1
                          connect: (car (socket-endpoints back))))
         (c (make-proxy-control))
         (t (spawn! (lambda () (proxy front back control: c)))))
    (do ((i 0 (+ i 1))) ((= i 20)) (send-message out (number->string i)))
    (check (wait-until (lambda () (> (field (proxy-statistics c) 'back-sent) 0))))
    (stop-proxy c)
    (let ((moved (field (join! t) 'back-sent)))
      (check (< 0 moved 20))
      (do ((i 0 (+ i 1))) ((= i moved)) (check= (number->string i) (take in)))
      (do ((i moved (+ i 1))) ((= i 20))
        (check= 1 (poll (list (make-poll-item front in: #t)) 10000))
        (check= (number->string i) (take front)))
      (check= #f (poll (list (make-poll-item front in: #t)) #f)))
    (for-each close-socket (list front back out in))))

(test "what passes is captured"
  (let* ((seen (make-socket 'pull linger: 0 bind: (fresh-endpoint)))
         (capture (peer 'push seen)))
    (with-proxy 'router 'dealer
      (lambda (front back c t)
        (let ((client (peer 'req front identity: "me")) (worker (peer 'rep back)))
          (send-message client "question")
          (check= "question" (take worker))
          (send-message worker "answer")
          (check= "answer" (take client))
          (check= '("me" "" "question") (take-parts seen))
          (check= '("me" "" "answer") (take-parts seen))
          (check= 0 (field (proxy-statistics c) 'uncaptured))
          (close-socket client)
          (close-socket worker)))
      capture: capture)
    (close-socket capture)
    (close-socket seen)))

(test "a capture that nobody reads holds the proxy back, and a pub does not"
  (let* ((seen (make-socket 'pull linger: 0 rcvhwm: 2 bind: (fresh-endpoint)))
         (capture (peer 'push seen sndhwm: 2)))
    (with-proxy 'pull 'push
      (lambda (front back c t)
        (let ((out (peer 'push front)) (in (peer 'pull back)))
          (do ((i 0 (+ i 1))) ((= i 50)) (send-message out "x"))
          (nap! 50)
          (check (< (field (proxy-statistics c) 'back-sent) 10))
          (do ((i 0 (+ i 1))) ((= i 50)) (check= "x" (take seen)))
          (do ((i 0 (+ i 1))) ((= i 50)) (check= "x" (take in)))
          (close-socket out)
          (close-socket in)))
      capture: capture)
    (close-socket capture)
    (close-socket seen))
  (let ((capture (make-socket 'pub linger: 0)))
    (with-proxy 'pull 'push
      (lambda (front back c t)
        (let ((out (peer 'push front)) (in (peer 'pull back)))
          (do ((i 0 (+ i 1))) ((= i 50)) (send-message out "x"))
          (do ((i 0 (+ i 1))) ((= i 50)) (check= "x" (take in)))
          (close-socket out)
          (close-socket in)))
      capture: capture)
    (close-socket capture)))

(test "a proxy is paused and resumed"
  (with-proxy 'pull 'push
    (lambda (front back c t)
      (let ((out (peer 'push front)) (in (peer 'pull back)))
        (check= 'running (proxy-state c))
        (pause-proxy c)
        (check= 'paused (proxy-state c))
        (send-message out "x")
        (check= #f (receive-message in timeout: 50))
        (resume-proxy c)
        (check= "x" (take in))
        (pause-proxy c)
        (stop-proxy c)
        (check= 1 (field (join! t) 'front-received))
        (check= 'stopped (proxy-state c))
        (resume-proxy c)
        (check= 'stopped (proxy-state c))
        (close-socket out)
        (close-socket in)))))

(test "a proxy that was stopped before it ran ends at once"
  (let ((front (make-socket 'pull)) (back (make-socket 'push)) (c (make-proxy-control)))
    (stop-proxy c)
    (check= 0 (field (proxy front back control: c) 'front-received))
    (close-socket front)
    (close-socket back)))

(test "a control steers one proxy"
  (with-proxy 'pull 'push
    (lambda (front back c t)
      (yield!)
      (let ((a (make-socket 'pull)) (b (make-socket 'push)))
        (check-fails einval (proxy a b control: c timeout: 10))
        (close-socket a)
        (close-socket b)))))

;; The number that the machine wrote into eight bytes.
(define (uint64 s)
  (let ((bytes (map char->integer (string->list s))))
    (let ((value (lambda (l) (foldl (lambda (n b) (+ (* 256 n) b)) 0 l))))
      (min (value bytes) (value (reverse bytes))))))

(define (with-control-socket type procedure)
  (let* ((control (make-socket type linger: 0 bind: (fresh-endpoint)))
         (mine (peer (if (eq? type 'rep) 'req type) control))
         (front (make-socket 'pull linger: 0 bind: (fresh-endpoint)))
         (back (make-socket 'push linger: 0 bind: (fresh-endpoint)))
         (out (peer 'push front)) (in (peer 'pull back))
         (t (spawn! (lambda () (proxy front back control: control)))))
    (procedure mine out in)
    (check= 2 (field (join! t) 'back-sent))
    (for-each close-socket (list control mine front back out in))))

(test "a control socket steers as that of libzmq does"
  (with-control-socket 'pair
    (lambda (s out in)
      (send-message s "PAUSE")
      (send-message s "STATISTICS") ; answered when it is paused
      (check= '(0 0 0 0 0 0 0 0) (map uint64 (take-parts s)))
      (send-message out "abc")
      (check= #f (receive-message in timeout: 20))
      (send-message s "RESUME")
      (check= "abc" (take in))
      (send-message s "nonsense")
      (send-message out "d")
      (check= "d" (take in))
      (send-message s "STATISTICS")
      (check= '(2 4 0 0 0 0 2 4) (map uint64 (take-parts s)))
      (send-message s "TERMINATE"))))

(test "a control socket that is a rep answers every command"
  (with-control-socket 'rep
    (lambda (s out in)
      (define (ask word)
        (send-message s word)
        (take-parts s))
      (check= '("") (ask "PAUSE"))
      (check= '("") (ask "RESUME"))
      (check= '("") (ask "nonsense"))
      (send-message out "a")
      (send-message out "b")
      (check= "a" (take in))
      (check= "b" (take in))
      (check= 8 (length (ask "STATISTICS")))
      (check= '("") (ask "TERMINATE")))))

(test "closing one of its sockets ends it, and the condition names which"
  (for-each
   (lambda (which)
     (for-each
      (lambda (paused?)
        (let* ((front (make-socket 'router linger: 0 bind: (fresh-endpoint)))
               (back (make-socket 'dealer linger: 0 bind: (fresh-endpoint)))
               (seen (make-socket 'pull linger: 0 bind: (fresh-endpoint)))
               (capture (peer 'push seen))
               (c (make-proxy-control))
               (t (spawn! (lambda ()
                            (proxy front back capture: capture control: c))))
               (victim (case which ((front) front) ((back) back) (else capture))))
          (check (until-waiting t))
          (when paused? (pause-proxy c) (check (until-waiting t)))
          (close-socket victim)
          (let ((e (raised (join! t))))
            (check= 'closed (zmq-code e))
            (check= 'proxy ((condition-property-accessor 'exn 'location) e))
            (check (memq victim ((condition-property-accessor 'exn 'arguments) e))))
          (for-each close-socket (list front back seen capture))))
      '(#f #t)))
   '(front back capture)))

(test "shutting the context down ends it with eterm"
  (let* ((context (make-context))
         (front (make-socket 'router context linger: 0))
         (back (make-socket 'dealer context linger: 0))
         (t (spawn! (lambda () (proxy front back)))))
    (check (until-waiting t))
    (shutdown-context context)
    (check= 'eterm (zmq-code (raised (join! t))))
    (terminate-context context)))

(test "terminating the context ends it"
  (let* ((context (make-context))
         (front (make-socket 'router context linger: 0))
         (back (make-socket 'dealer context linger: 0))
         (t (spawn! (lambda () (proxy front back)))))
    (check (until-waiting t))
    (check= #t (terminate-context context timeout: 10000))
    (check (memq (zmq-code (raised (join! t))) '(closed eterm)))))

(test "a timeout ends it with #f, and the sockets stay of use"
  (with-pair 'pull 'push
    (lambda (front out)
      (with-pair 'push 'pull
        (lambda (back in)
          (send-message out "moved")
          (check= #f (proxy front back timeout: 200))
          (check= "moved" (take in))
          (send-message out "taken")
          (check= "taken" (take front))
          (check= #f (proxy front back timeout: 0)))))))

(test "one socket can be both sides"
  (let* ((s (make-socket 'router linger: 0 bind: (fresh-endpoint)))
         (c (make-proxy-control))
         (t (spawn! (lambda () (proxy s s control: c))))
         (client (peer 'dealer s)))
    (send-multipart-message client '("to" "myself"))
    (check= '("to" "myself") (take-parts client))
    (stop-proxy c)
    (join! t)
    (close-socket client)
    (close-socket s)))

(test "what cannot be a proxy is refused"
  (let ((push (make-socket 'push)) (pull (make-socket 'pull))
        (pub (make-socket 'pub)) (sub (make-socket 'sub)) (closed (make-socket 'pull)))
    (close-socket closed)
    (check-fails enotsup (proxy push pub timeout: 10))
    (check-fails enotsup (proxy pull sub timeout: 10))
    (check-fails enotsup (proxy pull push capture: sub timeout: 10))
    (check-fails closed (proxy closed push timeout: 10))
    (check-fails closed (proxy pull push capture: closed timeout: 10))
    (check-fails closed (proxy pull push control: closed timeout: 10))
    (check-type (proxy "pull" push))
    (check-type (proxy pull push control: "c"))
    (check-type (proxy pull push timeout: -1))
    (check-type (stop-proxy 5))
    (check-type (proxy-statistics pull))
    (check-fails einval (proxy pull push captive: sub))
    (for-each close-socket (list push pull pub sub))))

(test "a proxy may be killed where it is, and the sockets stay of use"
  (with-pair 'pull 'push
    (lambda (front out)
      (with-pair 'push 'pull
        (lambda (back in)
          (let ((t (spawn! (lambda () (proxy front back)))))
            (check (until-waiting t))
            (kill! t)
            (send-message out "x")
            (check= "x" (take front))
            (send-message back "y")
            (check= "y" (take in))))))))

(test "a proxy sends into a swap, and what waits there stays in order"
  (let* ((front (make-socket 'pull linger: 0 bind: (fresh-endpoint)))
         (back (make-socket 'push linger: 0 sndhwm: 10 swap: 10000000
                            bind: (fresh-endpoint)))
         (out (peer 'push front)) (n 3000)
         (c (make-proxy-control))
         (t (spawn! (lambda () (proxy front back control: c)))))
    (do ((i 0 (+ i 1))) ((= i n))
      (send-multipart-message out (if (= 0 (modulo i 7))
                                      (list (number->string i) "" "tail")
                                      (list (number->string i)))))
    (check (wait-until (lambda () (= n (field (proxy-statistics c) 'back-sent)))))
    (let ((in (peer 'pull back rcvhwm: 10)))
      (do ((i 0 (+ i 1))) ((= i n))
        (check= (number->string i) (car (take-parts in))))
      (close-socket in))
    (stop-proxy c)
    (join! t)
    (for-each close-socket (list front back out))))

(test "what no swap can hold waits, and the proxy goes on"
  (let* ((front (make-socket 'pull bind: "tcp://127.0.0.1:*"))
         (back (make-socket 'push swap: 100000 sndhwm: 10 linger: 0
                            bind: "tcp://127.0.0.1:*"))
         (c (make-proxy-control))
         (t (spawn! (lambda () (proxy front back control: c))))
         (out (peer 'push front)))
    (send-message out "small")
    (send-message out (make-string 200000 #\x))
    (nap! 50)
    (check (not (ended? t)))
    (let ((in (peer 'pull back)))
      (check= "small" (take in))
      (check= 200000 (string-length (take in)))
      (close-socket in))
    (stop-proxy c)
    (join! t)
    (for-each close-socket (list front back out))))

(test "a command of several parts is none"
  (let* ((context (make-context 1))
         (front (make-socket 'pull context)) (back (make-socket 'push context))
         (control (make-socket 'pair context bind: "inproc://control"))
         (steer (make-socket 'pair context connect: "inproc://control")))
    (send-multipart-message steer '("TERMINATE" "x"))
    (check (not (proxy front back control: control timeout: 50)))
    (terminate-context context)))

(test "proxies over TCP lose nothing in a chain of three"
  (let* ((sockets
          (map (lambda (i)
                 (list (make-socket 'pull linger: 0 bind: "tcp://127.0.0.1:*")
                       (make-socket 'push linger: 0 bind: "tcp://127.0.0.1:*")))
               '(1 2 3)))
         (fronts (map car sockets)) (backs (map cadr sockets))
         (c (map (lambda (i) (make-proxy-control)) '(1 2 3))))
    (define (join a b) (connect-socket b (car (socket-endpoints a))))
    (let ((threads (map (lambda (f b c) (spawn! (lambda () (proxy f b control: c))))
                        fronts backs c)))
      (join (car backs) (cadr fronts))
      (join (cadr backs) (caddr fronts))
      (let ((out (peer 'push (car fronts))) (in (peer 'pull (caddr backs))) (n 5000))
        (let ((sender (spawn! (lambda ()
                                (do ((i 0 (+ i 1))) ((= i n))
                                  (send-message out (number->string i)))))))
          (do ((i 0 (+ i 1))) ((= i n)) (check= (number->string i) (take in)))
          (join! sender))
        (for-each close-socket (list out in)))
      (for-each stop-proxy c)
      (for-each join! threads)
      (for-each close-socket (append fronts backs)))))

(report-tests)
