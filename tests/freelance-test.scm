;;; Freelance: clients that know several servers, without a broker.

(import zmq (zmq patterns) (chicken base) (chicken condition) (chicken random) (chicken string))
(include "check.scm")
(include "threads.scm")
(include "child.scm")
(include "leak.scm")
(include "role.scm")

(define (start-server procedure . keywords)
  (apply freelance-server "tcp://127.0.0.1:*" procedure keywords))

(define (named name) (lambda (parts) (cons name parts)))

(define (start-client . endpoints) (freelance-client endpoints heartbeat: 100))

(define (await-servers c count)
  (unless (wait-until (lambda () (= count (length (freelance-servers c)))) 20000)
    (wrong "~a servers, not ~a" (freelance-servers c) count)))

(define (call c . parts) (freelance-call c parts timeout: 20000))

;; Calls the procedure with a server of each procedure and a client of them all.
(define (with-servers procedures use)
  (let* ((servers (map start-server procedures))
         (c (apply start-client (map freelance-endpoint servers))))
    (await-servers c (length servers))
    (apply use c servers)
    (for-each freelance-stop! (cons c servers))))

;; ------------------------------------------------------------------ calls --

(test "a call returns what a server's procedure answers"
  (with-servers (list values)
    (lambda (c s)
      (check= '("a" "" "b") (call c "a" "" "b"))
      (check= '("c") (call c (make-message "c")))
      (check= (list (freelance-endpoint s)) (freelance-servers c)))))

(test "calls of many threads through one client get their own replies"
  (with-servers (list values values values)
    (lambda (c . servers)
      (let ((calls (map (lambda (i)
                          (let ((text (number->string i)))
                            (cons text (spawn! (lambda () (call c text))))))
                        '(1 2 3 4 5 6 7 8 9 10))))
        (for-each (lambda (entry) (check= (list (car entry)) (join! (cdr entry)))) calls)))))

(test "a large request and reply pass"
  (with-servers (list values)
    (lambda (c s)
      (let ((big (make-string 3000000 #\x)))
        (check (equal? (list "a" big) (call c "a" big)))))))

(test "a call waits for a server that comes later"
  (let* ((e (free-endpoint))
         (c (start-client e))
         (waiting (spawn! (lambda () (call c "x")))))
    (until-waiting waiting)
    (let ((s (freelance-server e values)))
      (check= '("x") (join! waiting))
      (freelance-stop! c)
      (freelance-stop! s))))

(test "a call without a server returns #f after its tries"
  (let ((c (start-client (free-endpoint))))
    (check= #f (freelance-call c '("x") timeout: 20 retries: 2))
    (freelance-stop! c)))

(test "a server that is dead from the start is skipped"
  (let* ((s (start-server values)) (c (start-client (free-endpoint) (freelance-endpoint s))))
    (check= '("x") (call c "x"))
    (freelance-stop! c)
    (freelance-stop! s)))

(test "a server that does not answer in time is replaced, and asked last from then on"
  (with-servers (list (lambda (parts) (let loop () (nap! 1000) (loop))) (named "second"))
    (lambda (c first second)
      (check= '("second" "x") (freelance-call c '("x") timeout: 500 retries: 20))
      (check= '("second" "y") (freelance-call c '("y") timeout: 20000 retries: 0))
      (check= 2 (length (freelance-servers c))))))

(test "the first reply wins, also one that comes after another server was asked"
  (let ((go #f))
    (with-servers (list (lambda (parts) (wait-until (lambda () go) 20000) (list "late"))
                        (lambda (parts) (set! go #t) (let loop () (nap! 1000) (loop))))
      (lambda (c first second)
        (check= '("late") (freelance-call c '("x") timeout: 500 retries: 40))))))

(test "a server answers pings while its procedure works"
  (let* ((go #f)
         (s (start-server (lambda (parts) (wait-until (lambda () go) 30000) parts)))
         (d (make-socket 'dealer linger: 0 connect: (freelance-endpoint s))))
    (send-multipart-message d '("1" "x"))
    (send-message d "PING")
    (check= '("PONG") (receive-multipart-message d as: 'string timeout: 20000))
    (set! go #t)
    (check= '("1" "x") (receive-multipart-message d as: 'string timeout: 20000))
    (close-socket d)
    (freelance-stop! s)))

(test "a server has its endpoint as its routing id, or the public one"
  (for-each
   (lambda (public)
     (let* ((s (if public (start-server values public: public) (start-server values)))
            (r (make-socket 'router linger: 0 router-mandatory: #t
                            connect: (freelance-endpoint s)))
            (name (or public (freelance-endpoint s))))
       (check (wait-until (lambda ()
                            (not (raised (send-multipart-message r (list name "PING")))))
                          20000))
       (check= (list name "PONG") (receive-multipart-message r as: 'string timeout: 20000))
       (close-socket r)
       (freelance-stop! s)))
   '(#f "tcp://example.org:5555")))

(test "a server outlives what its procedure raises, and error: answers instead"
  (define (divide parts) (list (number->string (/ 12 (string->number (car parts))))))
  (let* ((s (start-server divide error: (lambda (e) (list "error"))))
         (c (start-client (freelance-endpoint s))))
    (check= '("error") (call c "0"))
    (check= '("4") (call c "3"))
    (freelance-stop! c)
    (freelance-stop! s))
  (with-servers (list divide)
    (lambda (c s)
      (check= #f (freelance-call c '("0") timeout: 50 retries: 1))
      (check= '("4") (call c "3")))))

;; -------------------------------------------------------------- processes --

(define (server-program e name)
  `((freelance-server ,e (lambda (parts) (cons ,name parts))) ,stay))

(test "a client goes on with another server where one is stopped or killed, which comes back"
  (let* ((e (free-endpoint))
         (first (apply start-role (server-program e "first")))
         (s (start-server (named "second")))
         (c (start-client e (freelance-endpoint s))))
    (await-servers c 2)
    (check= '("first" "1") (call c "1"))
    (stop first)
    (check= '("second" "2") (call c "2"))
    (await-servers c 1)
    (continue first)
    (await-servers c 2)
    (kill-9 first)
    (await-servers c 1)
    (check= '("second" "3") (call c "3"))
    (freelance-stop! s)
    (await-servers c 0)
    (check= #f (freelance-call c '("4") timeout: 20 retries: 0))
    (let ((again (apply start-role (server-program e "again"))))
      (check= '("again" "5") (call c "5"))
      (kill-9 again))
    (freelance-stop! c)))

;; ---------------------------------------------------------- hostile peers --

(define (random-part)
  (case (pseudo-random-integer 5)
    ((0) "") ((1) "PING") ((2) "PONG") ((3) (make-string 300 #\x))
    (else (number->string (pseudo-random-integer 10)))))

(define (random-message)
  (let loop ((n (+ 1 (pseudo-random-integer 4))))
    (if (= n 0) '() (cons (random-part) (loop (- n 1))))))

(test "a server survives random messages"
  (with-servers (list values)
    (lambda (c s)
      (let ((d (make-socket 'dealer linger: 0 connect: (freelance-endpoint s))))
        (do ((i 0 (+ i 1))) ((= i 1000)) (send-multipart-message d (random-message)))
        (check= '("x") (call c "x"))
        (close-socket d)))))

(test "a client survives random messages"
  (let* ((r (make-socket 'router linger: 0))
         (c (start-client (bind-socket r "tcp://127.0.0.1:*")))
         (waiting (spawn! (lambda () (call c "x")))))
    (let loop ((i 0))
      (let ((m (receive-multipart-message r as: 'string timeout: 20000)))
        (do ((j 0 (+ j 1))) ((= j 10))
          (send-multipart-message r (cons (car m) (random-message))))
        (if (and (> i 20) (pair? (cddr m)))
            (send-multipart-message r (list (car m) (cadr m) "reply"))
            (unless (ended? waiting) (loop (+ i 1))))))
    (check (pair? (join! waiting)))
    (freelance-stop! c)
    (close-socket r)))

;; -------------------------------------------------------------- arguments --

(test "bad arguments are refused with the remedy"
  (check-type (freelance-server 1 values))
  (check-type (freelance-server "tcp://127.0.0.1:*" 1))
  (check-type (freelance-server "tcp://127.0.0.1:*" values public: 1))
  (check-fails einval (freelance-server "" values))
  (check-fails einval (freelance-server "x" values))
  (check-type (freelance-client "tcp://127.0.0.1:1"))
  (check-type (freelance-client '()))
  (check-type (freelance-client '(1)))
  (check-type (freelance-client '("tcp://127.0.0.1:1") heartbeat: 0))
  (check-fails einval (freelance-client '("tcp://127.0.0.1:1" "tcp://127.0.0.1:1")))
  (check-fails einval (freelance-client '("x")))
  (check-type (freelance-call 1 '("x")))
  (check-type (freelance-servers 1))
  (check-type (freelance-endpoint 1))
  (check-type (freelance-stop! 1))
  (with-servers (list values)
    (lambda (c s)
      (check-type (freelance-call c "x"))
      (check-type (freelance-call c '()))
      (check-type (freelance-call c '(1)))
      (check-type (freelance-call c '("x") retries: -1))
      (check-type (freelance-call c '("x") timeout: -1))
      (check-fails eaddrinuse (freelance-server (freelance-endpoint s) values))
      (freelance-stop! c)
      (check= '() (freelance-servers c))
      (check-fails einval (freelance-call c '("x"))))))

(test "a call that waits ends when its client is stopped or its context ends"
  (let* ((c (start-client (free-endpoint)))
         (waiting (spawn! (lambda () (freelance-call c '("x") timeout: #f)))))
    (until-waiting waiting)
    (freelance-stop! c)
    (check-fails einval (join! waiting)))
  (check-child 'ok
    `((import (zmq patterns))
      (define c (freelance-client '("tcp://127.0.0.1:1")))
      (define waiting
        (spawn! (lambda ()
                  (condition-case (freelance-call c '("x") timeout: #f)
                    (e (exn zmq) (get-condition-property e 'zmq 'code))))))
      (until-waiting waiting)
      (shutdown-context (zmq-default-context))
      (unless (eq? 'eterm (join! waiting)) (exit 3)))))

(test "servers and clients leave nothing behind"
  (check-child 'ok
    `((import (zmq patterns))
      (must-not-leak 20
        (lambda ()
          (let* ((s (freelance-server "tcp://127.0.0.1:*" values))
                 (c (freelance-client (list (freelance-endpoint s)))))
            (unless (freelance-call c '("x") timeout: 20000) (exit 2))
            (freelance-stop! c)
            (freelance-stop! s)))))
    limit: 55))

(report-tests)
