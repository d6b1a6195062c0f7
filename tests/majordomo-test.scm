;;; Majordomo: services behind a broker.

(import zmq (zmq patterns) (chicken base) (chicken condition) (chicken random) (chicken string))
(include "check.scm")
(include "threads.scm")
(include "child.scm")
(include "leak.scm")
(include "role.scm")

(define (start-broker . keywords)
  (apply majordomo-broker "tcp://127.0.0.1:*" heartbeat: 100 keywords))

;; A worker in a thread; returns the control that stops it.
(define (start-worker endpoint service procedure . keywords)
  (let ((c (make-proxy-control)))
    (spawn! (lambda ()
              (apply majordomo-worker endpoint service procedure heartbeat: 100 control: c
                     keywords)))
    c))

(define (upper parts)
  (map (lambda (s) (list->string (map char-upcase (string->list s)))) parts))

(define (await-service b name)
  (unless (wait-until (lambda () (member name (majordomo-services b))))
    (wrong "no worker for ~a" name)))

(define (await-no-service b name)
  (unless (wait-until (lambda () (not (member name (majordomo-services b)))))
    (wrong "still a worker for ~a" name)))

(define (with-broker procedure)
  (let ((b (start-broker)))
    (procedure b (majordomo-endpoint b))
    (majordomo-stop! b)))

;; A raw peer of the broker.
(define (raw endpoint) (make-socket 'dealer linger: 0 connect: endpoint))
(define (say s . parts) (send-multipart-message s (cons "" parts)))
(define (hear s) (receive-multipart-message s as: 'string timeout: 10000))
(define (hear-but-heartbeats s)
  (let ((m (hear s))) (if (equal? m (list "" "MDPW01" (command 4))) (hear-but-heartbeats s) m)))
(define (command n) (string (integer->char n)))

;; ----------------------------------------------------------------- calls --

(test "a call of a service returns what the worker's procedure answers"
  (with-broker
   (lambda (b e)
     (let ((w (start-worker e "upper" upper)) (c (majordomo-client e)))
       (check= '("A" "" "B") (majordomo-call c "upper" '("a" "" "b")))
       (check= '("upper") (majordomo-services b))
       (stop-proxy w)
       (majordomo-stop! c)))))

(test "a request waits for a worker that comes later"
  (with-broker
   (lambda (b e)
     (let* ((c (majordomo-client e))
            (call (spawn! (lambda () (majordomo-call c "late" '("x") timeout: 20000)))))
       (until-waiting call)
       (let ((w (start-worker e "late" upper)))
         (check= '("X") (join! call))
         (stop-proxy w))))))

(test "a call without a worker returns #f after its tries"
  (with-broker
   (lambda (b e)
     (check= #f (majordomo-call (majordomo-client e) "nobody" '("x") timeout: 50 retries: 1)))))

(test "a call without a broker returns #f"
  (check= #f (majordomo-call (majordomo-client (free-endpoint)) "x" '("x")
                             timeout: 50 retries: 1)))

(test "calls of many threads through one client get their own replies"
  (with-broker
   (lambda (b e)
     (let* ((workers (map (lambda (i) (start-worker e "echo" values)) '(1 2 3)))
            (c (majordomo-client e))
            (calls (map (lambda (i)
                          (let ((parts (list (number->string i))))
                            (cons parts
                                  (spawn! (lambda ()
                                            (majordomo-call c "echo" parts timeout: 20000))))))
                        '(1 2 3 4 5 6 7 8 9 10))))
       (for-each (lambda (call) (check= (car call) (join! (cdr call)))) calls)
       (for-each stop-proxy workers)
       (majordomo-stop! c)))))

(test "the broker answers mmi.service, and refuses other services of that name"
  (with-broker
   (lambda (b e)
     (let ((w (start-worker e "upper" upper)) (c (majordomo-client e)))
       (await-service b "upper")
       (check= '("200") (majordomo-call c "mmi.service" '("upper")))
       (check= '("404") (majordomo-call c "mmi.service" '("lower")))
       (check= '("501") (majordomo-call c "mmi.other" '("upper")))
       (stop-proxy w)
       (await-no-service b "upper")
       (check= '("404") (majordomo-call c "mmi.service" '("upper")))))))

(test "a large request and reply pass"
  (with-broker
   (lambda (b e)
     (let ((w (start-worker e "echo" values)) (big (make-string 3000000 #\x)))
       (check (equal? (list "a" big) (majordomo-call (majordomo-client e) "echo" (list "a" big)
                                                     timeout: 20000)))
       (stop-proxy w)))))

;; ------------------------------------------------------------ procedures --

(test "a worker outlives what its procedure raises, and error: answers instead"
  (with-broker
   (lambda (b e)
     (let ((w (start-worker e "div"
                            (lambda (parts)
                              (list (number->string (/ 12 (string->number (car parts))))))
                            error: (lambda (e) (list "error" (message-of e)))))
           (c (majordomo-client e)))
       (check= '("4") (majordomo-call c "div" '("3")))
       (check= '("error" "division by zero") (majordomo-call c "div" '("0")))
       (check= '("6") (majordomo-call c "div" '("2")))
       (stop-proxy w)))))

(test "a request whose procedure raises is given to a worker three times, and the worker lives on"
  (with-broker
   (lambda (b e)
     (let* ((calls 0)
            (w (start-worker e "poison" (lambda (parts)
                                          (when (equal? parts '("bad"))
                                            (set! calls (+ calls 1))
                                            (error "bad"))
                                          parts)))
            (c (majordomo-client e)))
       (let ((bad (spawn! (lambda ()
                            (majordomo-call c "poison" '("bad") timeout: 3000 retries: 0)))))
         (check (wait-until (lambda () (= calls 3))))
         (check= '("good") (majordomo-call c "poison" '("good") timeout: 20000))
         (check= #f (join! bad))
         (check= 3 calls))
       (stop-proxy w)))))

(test "an answer that is no list of parts is a failure of the procedure"
  (with-broker
   (lambda (b e)
     (let ((w (start-worker e "odd" (lambda (parts) 'odd)
                            error: (lambda (e) (list (message-of e))))))
       (check (substring-index "list of one part"
                               (car (majordomo-call (majordomo-client e) "odd" '("x")))))
       (stop-proxy w)))))

(test "a procedure that takes longer than the heartbeats keeps its worker"
  (with-broker
   (lambda (b e)
     (let* ((calls 0)
            (w (start-worker e "slow" (lambda (parts)
                                        (set! calls (+ calls 1))
                                        (nap! 1500)
                                        parts))))
       (check= '("x") (majordomo-call (majordomo-client e) "slow" '("x")
                                      timeout: 20000 retries: 0))
       (check= 1 calls)
       (stop-proxy w)))))

(test "a worker that is stopped while it works leaves the request to another one"
  (with-broker
   (lambda (b e)
     (let* ((begun #f) (ended #f)
            (first (start-worker e "job" (lambda (parts)
                                           (set! begun #t)
                                           (wait-until (lambda () ended) 30000)
                                           '("first"))))
            (call (spawn! (lambda ()
                            (majordomo-call (majordomo-client e) "job" '("x")
                                            timeout: 20000 retries: 0)))))
       (check (wait-until (lambda () begun)))
       (stop-proxy first)
       (let ((second (start-worker e "job" (lambda (parts) '("second")))))
         (check= '("second") (join! call))
         (set! ended #t)
         (stop-proxy second))))))

;; -------------------------------------------------------------- processes --

(define (worker-program e)
  `(majordomo-worker ,e "name" (lambda (parts) (list (number->string (current-process-id))))
                     heartbeat: 100))
(define (pid child) (number->string (child-pid child)))

(test "a worker that is killed is forgotten, and its request is given to another one"
  (with-broker
   (lambda (b e)
     (let* ((c (majordomo-client e))
            (stuck (start-role `(majordomo-worker ,e "name" (lambda (parts) (nap! 50000) parts)
                                                  heartbeat: 100))))
       (await-service b "name")
       (let ((call (spawn! (lambda () (majordomo-call c "name" '("x") timeout: 30000 retries: 0)))))
         (until-waiting call)
         (kill-9 stuck)
         (await-no-service b "name")
         (let ((other (start-role (worker-program e))))
           (check= (list (pid other)) (join! call))
           (kill-9 other)))))))

(test "a worker that is stopped by a signal is forgotten, and registers when it goes on"
  (with-broker
   (lambda (b e)
     (let ((child (start-role (worker-program e))))
       (await-service b "name")
       (stop child)
       (await-no-service b "name")
       (continue child)
       (await-service b "name")
       (check= (list (pid child))
               (majordomo-call (majordomo-client e) "name" '("x") timeout: 20000))
       (kill-9 child)))))

(test "workers and clients find a broker that was killed and started again"
  (let* ((e (free-endpoint))
         (program `(majordomo-broker ,e heartbeat: 100))
         (first (start-role program stay))
         (w (start-worker e "upper" upper))
         (c (majordomo-client e)))
    (check= '("A") (majordomo-call c "upper" '("a") timeout: 5000))
    (kill-9 first)
    (let ((second (start-role program stay)))
      (check= '("B") (majordomo-call c "upper" '("b") timeout: 2000 retries: 10))
      (kill-9 second))
    (stop-proxy w)
    (majordomo-stop! c)))

(test "workers and clients outlive a pause of the broker"
  (let* ((e (free-endpoint))
         (broker (start-role `(majordomo-broker ,e heartbeat: 100) stay))
         (w (start-worker e "upper" upper))
         (c (majordomo-client e)))
    (check= '("A") (majordomo-call c "upper" '("a") timeout: 5000))
    (stop broker)
    (check= #f (majordomo-call c "upper" '("b") timeout: 600 retries: 0))
    (continue broker)
    (check= '("C") (majordomo-call c "upper" '("c") timeout: 2000 retries: 10))
    (kill-9 broker)
    (stop-proxy w)
    (majordomo-stop! c)))

(test "a client that is killed or stopped does not hold up others"
  (with-broker
   (lambda (b e)
     (let ((w (start-worker e "upper" upper))
           (children (map (lambda (i)
                            (start-role
                             `(define c (majordomo-client ,e))
                             `(let loop () (majordomo-call c "upper" '("x")) (loop))))
                          '(1 2))))
       (check= '("A") (majordomo-call (majordomo-client e) "upper" '("a") timeout: 20000))
       (stop (car children))
       (kill-9 (cadr children))
       (check= '("B") (majordomo-call (majordomo-client e) "upper" '("b") timeout: 20000))
       (kill-9 (car children))
       (stop-proxy w)))))

;; ---------------------------------------------------------- the protocol --

(test "the broker refuses what is not expected of a worker with DISCONNECT"
  (with-broker
   (lambda (b e)
     (define (refused . messages)
       (let ((s (raw e)))
         (for-each (lambda (m) (apply say s "MDPW01" m)) messages)
         (check= (list "" "MDPW01" (command 5)) (hear-but-heartbeats s))
         (close-socket s)))
     (refused (list (command 4)))
     (refused (list (command 3) "client" "" "x"))
     (refused (list (command 1) "mmi.service"))
     (refused (list (command 1)))
     (refused (list (command 1) ""))
     (refused (list (command 1) "a") (list (command 1) "a"))
     (refused (list (command 1) "a") (list (command 3) "client" "" "x"))
     (await-no-service b "a"))))

(test "a broker that stops says DISCONNECT to its workers"
  (let* ((b (start-broker)) (s (raw (majordomo-endpoint b))))
    (say s "MDPW01" (command 1) "a")
    (await-service b "a")
    (majordomo-stop! b)
    (check= (list "" "MDPW01" (command 5)) (hear-but-heartbeats s))
    (check= '() (majordomo-services b))
    (majordomo-stop! b)
    (close-socket s)))

(test "a worker registers on a new connection after DISCONNECT"
  (let* ((s (make-socket 'router linger: 0)) (e (bind-socket s "tcp://127.0.0.1:*"))
         (w (start-worker e "a" values)))
    (define (await-ready not-from)
      (let ((m (hear s)))
        (if (equal? (cdr m) (list "" "MDPW01" (command 1) "a"))
            (begin (check (not (equal? (car m) not-from))) (car m))
            (await-ready not-from))))
    (let ((first (await-ready #f)))
      (send-multipart-message s (list first "" "MDPW01" (command 5)))
      (let ((second (await-ready first)))
        (await-ready second)))          ; it hears no heartbeats
    (stop-proxy w)
    (close-socket s)))

(test "the worker says DISCONNECT when it stops"
  (let* ((s (make-socket 'router linger: 0)) (e (bind-socket s "tcp://127.0.0.1:*"))
         (w (start-worker e "a" values)))
    (check= (list "" "MDPW01" (command 1) "a") (cdr (hear s)))
    (stop-proxy w)
    (check (wait-until (lambda () (equal? (list "" "MDPW01" (command 5)) (cdr (hear s))))))
    (close-socket s)))

;; ---------------------------------------------------------- hostile peers --

(define (random-part)
  (case (pseudo-random-integer 8)
    ((0) "") ((1) "MDPW01") ((2) "MDPC01") ((3) (command (pseudo-random-integer 7)))
    ((4) "service") ((5) (make-string 300 #\x)) ((6) "mmi.service")
    (else (make-string (pseudo-random-integer 10) #\y))))

(define (random-parts n) (if (= n 0) '() (cons (random-part) (random-parts (- n 1)))))

(define (random-message)
  (case (pseudo-random-integer 3)
    ((0) (cons (random-part) (random-parts (pseudo-random-integer 5))))
    ((1) `("" "MDPW01" ,(command (pseudo-random-integer 7))
           ,@(random-parts (pseudo-random-integer 5))))
    (else `("" "MDPC01" ,@(random-parts (pseudo-random-integer 4))))))

(test "a broker survives random messages"
  (with-broker
   (lambda (b e)
     (let ((w (start-worker e "upper" upper)) (c (majordomo-client e)))
       (do ((i 0 (+ i 1))) ((= i 20))
         (let ((s (raw e)))
           (do ((j 0 (+ j 1))) ((= j 100)) (send-multipart-message s (random-message)))
           (check= '("A") (majordomo-call c "upper" '("a") timeout: 20000))
           (close-socket s)))
       (stop-proxy w)))))

(test "a worker and a client survive random messages of a broker"
  (let* ((s (make-socket 'router linger: 0)) (e (bind-socket s "tcp://127.0.0.1:*"))
         (asked 0)
         (w (start-worker e "a" (lambda (parts) (set! asked (+ asked 1)) parts)))
         (c (majordomo-client e))
         (call (spawn! (lambda () (majordomo-call c "a" '("x") timeout: 20000 retries: 0)))))
    (let loop ((left 300) (client #f))
      (if (and (<= left 0) client)
          (send-multipart-message s (list client "" "MDPC01" "a" "done"))
          (let* ((m (hear s)) (client (if (equal? "MDPC01" (caddr m)) (car m) client)))
            (when (> left 0)
              (do ((j 0 (+ j 1))) ((= j 10))
                (send-multipart-message s (cons (car m) (random-message)))))
            (loop (- left 10) client))))
    ;; The first reply that is one ends the call: it may have been random.
    (check (pair? (join! call)))
    (let again ()
      (let ((m (hear s)))
        (cond ((not (equal? (cdr m) (list "" "MDPW01" (command 1) "a"))) (again))
              (else
               (send-multipart-message s (list (car m) "" "MDPW01" (command 2) "me" "" "x"))
               (let reply ()
                 (let ((m (hear s)))
                   (cond ((equal? (cdr m) (list "" "MDPW01" (command 3) "me" "" "x")))
                         ((equal? (cdr m) (list "" "MDPW01" (command 1) "a"))
                          (send-multipart-message
                           s (list (car m) "" "MDPW01" (command 2) "me" "" "x"))
                          (reply))
                         (else (reply)))))))))
    (stop-proxy w)
    (close-socket s)))

;; -------------------------------------------------------------- arguments --

(test "bad arguments are refused with the name of the procedure"
  (define (location e) ((condition-property-accessor 'exn 'location) e))
  (check-type (majordomo-broker 1))
  (check-fails einval (majordomo-broker "nonsense"))
  (check-type (majordomo-broker "tcp://127.0.0.1:*" heartbeat: 0))
  (check-fails einval (majordomo-broker "tcp://127.0.0.1:*" heartbeet: 1))
  (check-fails einval (majordomo-worker "tcp://127.0.0.1:1" "mmi.mine" values))
  (check-fails einval (majordomo-worker "tcp://127.0.0.1:1" "" values))
  (check-type (majordomo-worker "tcp://127.0.0.1:1" "a" 'values))
  (check-type (majordomo-client 'x))
  (check-type (majordomo-services 1))
  (check-type (majordomo-stop! 1))
  (let ((c (majordomo-client "tcp://127.0.0.1:1")))
    (check-type (majordomo-call c "a" "x"))
    (check-type (majordomo-call c "a" '()))
    (check-type (majordomo-call c "a" '("x") retries: -1))
    (check= 'majordomo-call (location (raised (majordomo-call c 1 '("x")))))
    (majordomo-stop! c)
    (check-fails einval (majordomo-call c "a" '("x")))))

(test "two brokers cannot have one endpoint, and a stopped one leaves it"
  (let* ((b (start-broker)) (e (majordomo-endpoint b)))
    (check-fails eaddrinuse (majordomo-broker e))
    (majordomo-stop! b)
    (majordomo-stop! (majordomo-broker e))))

(test "a context that is terminated ends a broker and a worker"
  (let* ((c (make-context 1))
         (b (parameterize ((zmq-default-context c)) (start-broker)))
         (w (parameterize ((zmq-default-context c))
              (spawn! (lambda ()
                        (raised (majordomo-worker (majordomo-endpoint b) "a" values
                                                  heartbeat: 100)))))))
    (await-service b "a")
    (check (terminate-context c timeout: 20000))
    (check (memq (zmq-code (join! w)) '(eterm closed)))
    (majordomo-stop! b)))

(test "brokers, workers and clients leave nothing behind"
  (check-child 'ok
    `((import (zmq patterns))
      (must-not-leak 20
        (lambda ()
          (let* ((b (majordomo-broker "tcp://127.0.0.1:*"))
                 (e (majordomo-endpoint b))
                 (control (make-proxy-control))
                 (w (spawn! (lambda () (majordomo-worker e "a" values control: control))))
                 (c (majordomo-client e)))
            (unless (equal? '("x") (majordomo-call c "a" '("x") timeout: 20000)) (exit 2))
            (stop-proxy control)
            (join! w)
            (majordomo-stop! c)
            (majordomo-stop! b)))))
    limit: 55))

(report-tests)
