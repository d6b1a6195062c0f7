;;; Clone: a table of keys and values that a server shares with its clients.

(import zmq (zmq patterns) (chicken base) (chicken condition) (chicken random) (chicken sort)
        (chicken string))
(include "check.scm")
(include "threads.scm")
(include "child.scm")
(include "leak.scm")
(include "role.scm")

(define (start-server) (clone-server "tcp://127.0.0.1:*" heartbeat: 100))
(define (join e . keywords) (apply clone-client e heartbeat: 100 keywords))

(define (await-value c key value)
  (unless (wait-until (lambda () (equal? value (clone-ref c key))) 20000)
    (wrong "~a is ~s, not ~s" key (clone-ref c key) value)))

(define (await-synchronized c)
  (check (wait-until (lambda () (clone-synchronized? c)) 20000)))

(define (sorted keys) (sort keys string<?))

(define (with-clones count procedure)
  (let* ((s (start-server))
         (clients (let loop ((i count))
                    (if (= i 0) '() (cons (join (clone-endpoint s)) (loop (- i 1)))))))
    (apply procedure s clients)
    (for-each clone-stop! clients)
    (clone-stop! s)))

;; ----------------------------------------------------------------- values --

(test "what one client sets, it and the others have"
  (with-clones 2
    (lambda (s a b)
      (check= #t (clone-set! a "key" "value" timeout: 20000))
      (check= "value" (clone-ref a "key"))
      (await-value b "key" "value")
      (check= #t (clone-set! b "key" "other" timeout: 20000))
      (await-value a "key" "other")
      (check= "other" (clone-ref s "key")))))

(test "a client that joins late has all that was set before"
  (with-clones 1
    (lambda (s a)
      (do ((i 0 (+ i 1))) ((= i 20))
        (clone-set! a (number->string i) (make-string (+ i 1) #\x) timeout: 20000))
      (let ((b (join (clone-endpoint s))))
        (check (clone-synchronized? b))
        (check= (sorted (clone-keys a)) (sorted (clone-keys b)))
        (check= 20 (length (clone-keys b)))
        (check= "xxx" (clone-ref b "2"))
        (clone-stop! b)))))

(test "a snapshot of more keys than the high water mark is whole"
  (let ((s (start-server)))
    (do ((i 0 (+ i 1))) ((= i 10000)) (clone-set! s (number->string i) "x"))
    (let ((c (join (clone-endpoint s) timeout: 30000)))
      (await-synchronized c)
      (check= 10000 (length (clone-keys c)))
      (clone-stop! c))
    (clone-stop! s)))

(test "an empty value or #f deletes a key"
  (with-clones 2
    (lambda (s a b)
      (for-each
       (lambda (nothing)
         (clone-set! a "key" "value" timeout: 20000)
         (await-value b "key" "value")
         (clone-set! b "key" nothing timeout: 20000)
         (await-value a "key" #f)
         (check= '() (clone-keys a))
         (check= 'none (clone-ref a "key" 'none)))
       '("" #f)))))

(test "a key with a ttl is deleted everywhere after so many seconds"
  (with-clones 2
    (lambda (s a b)
      (clone-set! a "short" "x" ttl: 1 timeout: 20000)
      (clone-set! a "long" "x" timeout: 20000)
      (check= "x" (clone-ref a "short"))
      (await-value b "short" #f)
      (await-value a "short" #f)
      (check= "x" (clone-ref b "long")))))

(test "a key that is set again without a ttl stays"
  (with-clones 1
    (lambda (s a)
      (clone-set! a "key" "1" ttl: 1 timeout: 20000)
      (clone-set! a "key" "2" timeout: 20000)
      (clone-set! a "other" "x" ttl: 1 timeout: 20000)
      (await-value a "other" #f)
      (check= "2" (clone-ref a "key")))))

(test "a client of a subtree has its keys alone, and sets no others"
  (with-clones 1
    (lambda (s a)
      (clone-set! a "/in/1" "x" timeout: 20000)
      (clone-set! a "/out/1" "x" timeout: 20000)
      (let ((b (join (clone-endpoint s) subtree: "/in/")))
        (check= '("/in/1") (clone-keys b))
        (clone-set! a "/out/2" "x" timeout: 20000)
        (clone-set! b "/in/2" "x" timeout: 20000)
        (check= '("/in/1" "/in/2") (sorted (clone-keys b)))
        (check-fails einval (clone-set! b "/out/3" "x"))
        (clone-stop! b)))))

(test "sets of many threads are all there, the last of each thread last"
  (with-clones 3
    (lambda (s a b c)
      (let ((threads
             (map (lambda (client name)
                    (spawn! (lambda ()
                              (do ((i 0 (+ i 1))) ((= i 50))
                                (clone-set! client name (number->string i) timeout: 20000)))))
                  (list a b c) '("a" "b" "c"))))
        (for-each join! threads)
        (for-each (lambda (client)
                    (for-each (lambda (name) (await-value client name "49")) '("a" "b" "c")))
                  (list s a b c))))))

;; -------------------------------------------------------------- processes --

(define (server-program e)
  `((define s (clone-server ,e heartbeat: 100)) ,stay))

(test "clients find a server that was killed and started again, with its new table"
  (let* ((e (free-endpoint 3))
         (first (apply start-role (server-program e)))
         (a (join e timeout: 20000))
         (b (join e timeout: 20000)))
    (check= #t (clone-set! a "old" "x" timeout: 20000))
    (await-value b "old" "x")
    (kill-9 first)
    (let ((second (apply start-role (server-program e))))
      (check= #t (clone-set! a "new" "y" timeout: 30000))
      (await-value b "new" "y")
      (await-value a "old" #f)
      (await-value b "old" #f)
      (kill-9 second))
    (check (wait-until (lambda () (not (clone-synchronized? a)))))
    (check= "y" (clone-ref a "new"))
    (check= #f (clone-set! a "new" "z" timeout: 50))
    (clone-stop! a)
    (clone-stop! b)))

(test "clients outlive a pause of the server"
  (let* ((e (free-endpoint 3))
         (server (apply start-role (server-program e)))
         (a (join e timeout: 20000)))
    (check= #t (clone-set! a "key" "1" timeout: 20000))
    (stop server)
    (check (wait-until (lambda () (not (clone-synchronized? a)))))
    (check= "1" (clone-ref a "key"))
    (continue server)
    (check= #t (clone-set! a "key" "2" timeout: 30000))
    (kill-9 server)
    (clone-stop! a)))

(test "a client that is stopped or killed does not hold up others, and catches up"
  (with-clones 1
    (lambda (s a)
      (let* ((e (clone-endpoint s))
             (child (start-role
                     `(define c (clone-client ,e heartbeat: 100 timeout: 20000))
                     `(clone-set! c "child" "ready" timeout: 20000)
                     `(wait-until (lambda () (equal? "last" (clone-ref c "key"))) 40000)
                     `(clone-set! c "child" (clone-ref c "key" "nothing") timeout: 20000)
                     stay)))
        (await-value a "child" "ready")
        (stop child)
        (do ((i 0 (+ i 1))) ((= i 100)) (clone-set! a "key" (number->string i) timeout: 20000))
        (check= #t (clone-set! a "key" "last" timeout: 20000))
        (continue child)
        (await-value a "child" "last")
        (kill-9 child)
        (check= #t (clone-set! a "key" "after" timeout: 20000))))))

;; ----------------------------------------------------------- the protocol --

(define (number-bytes n)
  (list->string
   (map (lambda (i) (integer->char (modulo (quotient n (expt 256 i)) 256))) '(7 6 5 4 3 2 1 0))))

;; A server of plain sockets: calls the procedure with the snapshot and the publisher socket, and
;; a client.
(define (with-plain-server procedure)
  (let* ((e (free-endpoint 3))
         (port (string->number (caddr (string-split e ":"))))
         (at (lambda (i) (string-append "tcp://127.0.0.1:" (number->string (+ port i)))))
         (snapshots (make-socket 'router linger: 0 bind: (at 0)))
         (publisher (make-socket 'xpub linger: 0 bind: (at 1)))
         (c (join e timeout: 0)))
    (check (receive-message publisher timeout: 20000))
    (procedure snapshots publisher c)
    (clone-stop! c)
    (close-socket snapshots)
    (close-socket publisher)))

;; Answers the next request for the whole table.
(define (give-snapshot s sequence . pairs)
  (let ((m (receive-multipart-message s as: 'string timeout: 20000)))
    (check= "ICANHAZ?" (cadr m))
    (if (string=? "" (caddr m))
        (begin
          (for-each (lambda (pair)
                      (send-multipart-message
                       s (list (car m) (car pair) (number-bytes 0) "" "" (cdr pair))))
                    pairs)
          (send-multipart-message
           s (list (car m) "KTHXBAI" (number-bytes sequence) "" "" "")))
        (apply give-snapshot s sequence pairs))))

(define (publish s key sequence value)
  (send-multipart-message s (list key (number-bytes sequence) "" "" value)))

(test "updates that the snapshot has are ignored, and a gap is filled by another snapshot"
  (with-plain-server
   (lambda (snapshots publisher c)
     (publish publisher "a" 4 "old")
     (give-snapshot snapshots 5 '("a" . "5"))
     (await-value c "a" "5")
     (publish publisher "a" 4 "old")
     (publish publisher "b" 6 "6")
     (await-value c "b" "6")
     (check= "5" (clone-ref c "a"))
     (publish publisher "c" 8 "8")
     (give-snapshot snapshots 7 '("a" . "7"))
     (await-value c "c" "8")
     (check= "7" (clone-ref c "a"))
     (check= #f (clone-ref c "b")))))

(test "a server that was started anew is noticed by a number that was there before"
  (with-plain-server
   (lambda (snapshots publisher c)
     (give-snapshot snapshots 5 '("a" . "5"))
     (await-value c "a" "5")
     (publish publisher "b" 6 "6")
     (await-value c "b" "6")
     (publish publisher "c" 6 "anew")
     (give-snapshot snapshots 6 '("c" . "anew"))
     (await-value c "c" "anew")
     (check= '("c") (clone-keys c)))))

(test "a lost last update is noticed without another one"
  (with-plain-server
   (lambda (snapshots publisher c)
     (give-snapshot snapshots 5 '("a" . "5"))
     (await-value c "a" "5")
     ;; Number 6 is never published.
     (let loop ()
       (send-multipart-message publisher (list "HUGZ" (number-bytes 0) "" "" ""))
       (let ((m (receive-multipart-message snapshots as: 'string timeout: 100)))
         (cond ((not m) (loop))
               ((string=? "" (caddr m))
                (send-multipart-message
                 snapshots (list (car m) "a" (number-bytes 6) "" "" "6"))
                (send-multipart-message
                 snapshots (list (car m) "KTHXBAI" (number-bytes 6) "" "" "")))
               (else
                (send-multipart-message
                 snapshots (list (car m) "KTHXBAI" (number-bytes 6) "" "" (caddr m)))
                (loop)))))
     (await-value c "a" "6"))))

(test "an update lost before the first heartbeat is noticed where the server does not tell its number"
  (with-plain-server
   (lambda (snapshots publisher c)
     (give-snapshot snapshots 0)
     ;; Number 1 is never published.
     (let loop ((asked? #f))
       (send-multipart-message publisher (list "HUGZ" (number-bytes 0) "" "" ""))
       (let ((m (receive-multipart-message snapshots as: 'string timeout: 100)))
         (cond ((not m) (loop asked?))
               ((string=? "" (caddr m))
                (check= #t asked?)
                (send-multipart-message
                 snapshots (list (car m) "a" (number-bytes 1) "" "" "1"))
                (send-multipart-message
                 snapshots (list (car m) "KTHXBAI" (number-bytes 1) "" "" "")))
               (else
                (send-multipart-message
                 snapshots (list (car m) "KTHXBAI" (number-bytes 0) "" "" (caddr m)))
                (loop #t)))))
     (await-value c "a" "1"))))

(test "a snapshot and updates have the form of RFC 12"
  (with-clones 1
    (lambda (s a)
      (clone-set! a "/x/key" "value" timeout: 20000)
      (let* ((e (clone-endpoint s))
             (port (string->number (caddr (string-split e ":"))))
             (d (make-socket 'dealer linger: 0 connect: e))
             (sub (make-socket 'sub linger: 0 subscribe: ""
                               connect: (string-append "tcp://127.0.0.1:"
                                                       (number->string (+ port 1))))))
        (define (next s) (receive-multipart-message s as: 'string timeout: 20000))
        (check= (list "HUGZ" (number-bytes 0) "" "" "") (next sub))
        (send-multipart-message d '("ICANHAZ?" "/x/"))
        (let* ((pair (next d)) (end (next d)))
          (check= (list "/x/key" (cadr end) "" "" "value") pair)
          (check= (list "KTHXBAI" (cadr pair) "" "" "/x/") end)
          (clone-set! a "k" "v" ttl: 100 timeout: 20000)
          (let loop ()
            (let ((u (next sub)))
              (cond ((string=? "HUGZ" (car u)) (loop))
                    (else
                     (check= "k" (car u))
                     (check (string<? (cadr end) (cadr u)))
                     (check= 16 (string-length (caddr u)))
                     (check= '("ttl=100\n" "v") (cdddr u)))))))
        (send-multipart-message d '("ICANHAZ?" "/none/"))
        (check= "KTHXBAI" (car (next d)))
        (close-socket d)
        (close-socket sub)))))

;; ---------------------------------------------------------- hostile peers --

(define (random-part)
  (case (pseudo-random-integer 8)
    ((0) "") ((1) "ICANHAZ?") ((2) "KTHXBAI") ((3) "HUGZ") ((4) (number-bytes 7))
    ((5) "ttl=1000000000000000000000000\nttl=#e1e9999999\n")
    ((6) (make-string 300 #\x))
    (else (make-string (pseudo-random-integer 10) #\y))))

(define (random-message)
  (let loop ((n (+ 1 (pseudo-random-integer 6))))
    (if (= n 0) '() (cons (random-part) (loop (- n 1))))))

(test "a server survives random messages"
  (with-clones 1
    (lambda (s a)
      (let* ((port (string->number (caddr (string-split (clone-endpoint s) ":"))))
             (at (lambda (i) (string-append "tcp://127.0.0.1:" (number->string (+ port i)))))
             (d (make-socket 'dealer linger: 0 connect: (at 0)))
             (x (make-socket 'xpub linger: 0 connect: (at 2))))
        (receive-message x timeout: 20000)
        (do ((i 0 (+ i 1))) ((= i 1000))
          (send-multipart-message d (random-message))
          (send-multipart-message x (random-message)))
        (check= #t (clone-set! a "key" "value" timeout: 30000))
        (close-socket d)
        (close-socket x)))))

(test "a client survives random messages"
  (with-plain-server
   (lambda (snapshots publisher c)
     (do ((i 0 (+ i 1))) ((= i 100))
       (let ((m (receive-multipart-message snapshots as: 'string timeout: 10)))
         (do ((j 0 (+ j 1))) ((= j 10))
           (when m (send-multipart-message snapshots (cons (car m) (random-message))))
           (send-multipart-message publisher (random-message)))))
     (let loop ()
       (let ((m (receive-multipart-message snapshots as: 'string timeout: 20000)))
         (send-multipart-message
          snapshots (list (car m) "a" (number-bytes 0) "" "" "done"))
         (send-multipart-message
          snapshots (list (car m) "KTHXBAI" (number-bytes 100) "" "" (caddr m)))
         (unless (wait-until (lambda () (equal? "done" (clone-ref c "a"))) 300) (loop)))))))

;; -------------------------------------------------------------- arguments --

(test "bad arguments are refused with the remedy"
  (check-type (clone-server 1))
  (for-each (lambda (e)
              (check-fails einval (clone-server e))
              (check-fails einval (clone-client e)))
            '("inproc://x" "ipc://x" "tcp://127.0.0.1:65534" "tcp://127.0.0.1:x" "tcp://" "" "x"))
  (check-fails einval (clone-client "tcp://127.0.0.1:*"))
  (check-fails einval (clone-client "tcp://127.0.0.1:5556" subtree: "x"))
  (check-type (clone-server "tcp://127.0.0.1:*" heartbeat: -1))
  (check-type (clone-ref 1 "x"))
  (check-type (clone-stop! 1))
  (with-clones 1
    (lambda (s a)
      (check-type (clone-ref a 'x))
      (check-type (clone-set! a "x" 1))
      (check-type (clone-set! a "x" "y" ttl: 0.5))
      (check-type (clone-set! a "x" "y" ttl: 0))
      (for-each (lambda (key) (check-fails einval (clone-set! a key "x")))
                (list "" "HUGZ" "KTHXBAI" "ICANHAZ?" (make-string 256 #\x)))
      (clone-stop! a)
      (check-fails einval (clone-set! a "x" "y")))))

(test "three ports are refused where one is taken, and left by a server that stops"
  (let* ((e (free-endpoint 3)) (s (clone-server e)))
    (check-fails eaddrinuse (clone-server e))
    (clone-stop! s)
    (clone-stop! s)
    (clone-stop! (clone-server e))))

(test "a client without a server is returned after its timeout"
  (let ((c (clone-client (free-endpoint 3) timeout: 50)))
    (check= #f (clone-synchronized? c))
    (check= '() (clone-keys c))
    (check= #f (clone-set! c "x" "y" timeout: 50))
    (clone-stop! c)))

(test "servers and clients leave nothing behind"
  (check-child 'ok
    `((import (zmq patterns))
      (must-not-leak 20
        (lambda ()
          (let* ((s (clone-server "tcp://127.0.0.1:*"))
                 (c (clone-client (clone-endpoint s) timeout: 20000)))
            (unless (clone-set! c "a" "x" timeout: 20000) (exit 2))
            (clone-stop! c)
            (clone-stop! s)))))
    limit: 55))

(report-tests)
