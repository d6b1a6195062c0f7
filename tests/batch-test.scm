;;; Batches: many messages at once, in order, and none lost where sending or
;;; receiving stops on the way.

(import zmq (chicken base) (chicken blob) (chicken condition) (chicken gc)
        (chicken time) srfi-4)
(include "check.scm")
(include "threads.scm")
(include "pair.scm")

(define (numbers from to)
  (let loop ((i (- to 1)) (l '()))
    (if (< i from) l (loop (- i 1) (cons (number->string i) l)))))

(define (take-batch s . keywords)
  (apply receive-messages s as: 'string timeout: 10000 keywords))

;; All messages that are there or come within `ms`.
(define (take-all s #!optional (ms 200))
  (let loop ((l '()))
    (let ((got (receive-messages s as: 'string timeout: ms)))
      (if got (loop (append l got)) l))))

(define (pattern n)
  (let ((s (make-string n)))
    (do ((i 0 (+ i 1))) ((= i n) s)
      (string-set! s i (integer->char (modulo (+ i (quotient i 256)) 256))))))

(define sizes '(0 1 33 34 255 1000 1023 1024 1025 4096 60000 65536 65537 300000))

(test "a batch arrives in order, byte for byte, in every form"
  (with-pair 'pull 'push
    (lambda (in out)
      (let ((data (map pattern sizes)))
        (for-each
         (lambda (make)
           (check= (length data) (send-messages out (map make data)))
           (check= data (take-all in)))
         (list values string->blob make-message
               (lambda (s) (blob->u8vector (string->blob s)))))))))

(test "receive-messages answers the form that is asked for"
  (with-pair 'pull 'push
    (lambda (in out)
      (let ((data (map pattern sizes)))
        (define (all as)
          (send-messages out data)
          (let loop ((l '()))
            (if (= (length l) (length data))
                l
                (loop (append l (receive-messages in as: as timeout: 10000))))))
        (check= data (map message->string (all 'message)))
        (check= data (map blob->string (all 'blob)))
        (check= data (map (lambda (v) (blob->string (u8vector->blob v)))
                          (all 'u8vector)))
        (parameterize ((zmq-receive-as 'string))
          (send-messages out '("a" "b"))
          (check= '("a" "b") (receive-messages in timeout: 10000)))
        (send-message out "c")
        (check (message? (car (receive-messages in timeout: 10000))))))))

(test "a message of several parts is a list in the batch"
  (with-pair 'pull 'push
    (lambda (in out)
      (let ((batch (list "one" '("two" "parts") "three" (list (pattern 70000) "")
                         (numbers 0 100) "end")))
        (check= 6 (send-messages out batch))
        (check= batch (take-all in))
        (send-messages out (list (list "single")))
        (check= '("single") (take-batch in))))))

(test "a batch takes what is there, up to max"
  (with-pair 'pull 'push
    (lambda (in out)
      (send-messages out (numbers 0 10))
      (check= (numbers 0 4) (take-batch in max: 4))
      (check= (numbers 4 5) (take-batch in max: 1))
      (check= (numbers 5 10) (take-batch in max: 1000000))
      (check= #f (receive-messages in non-blocking: #t))
      (check= #f (receive-messages in timeout: 10))
      (check= 0 (send-messages out '()))
      (check= #f (receive-messages in non-blocking: #t)))))

(test "a batch has all of what is there up to a megabyte"
  (with-pair 'pull 'push
    (lambda (in out)
      (let ((data (let loop ((i 0) (l '()))
                    (if (= i 900) l (loop (+ i 1) (cons (pattern 1100) l))))))
        (do ((i 0 (+ i 1))) ((= i 20))
          (check= 900 (send-messages out data))
          (check (equal? data (take-batch in))))))))

(test "a batch of very large messages ends behind 256 KiB"
  (with-pair 'pull 'push
    (lambda (in out)
      (define (lengths size . keywords)
        (let ((data (map (lambda (i) (make-string size #\x)) (numbers 0 100))))
          (send-messages out data)
          (let loop ((left 100))
            (if (= 0 left)
                '()
                (let ((n (length (apply take-batch in keywords))))
                  (cons n (loop (- left n))))))))
      (check= '(100) (lengths 8192))
      (check= '(64 36) (lengths 8192 max: 64))
      (check= '(62 38) (lengths 16384))
      (check= 50 (length (lengths 131072)))
      (check= 50 (length (lengths 200000 max: 64)))
      (check= 100 (length (lengths 300000))))))

(test "a batch ends behind a megabyte, and has one message at least"
  (with-pair 'pull 'push
    (lambda (in out)
      (for-each
       (lambda (size parts)
         (let* ((part (make-string size #\x))
                (one (if (= parts 1) part (list part part))))
           (send-messages out (list "first" one one one one "last"))
           (let loop ((got '()))
             (if (< (length got) 6)
                 (let ((batch (take-batch in)))
                   (check (<= (length batch) (+ 3 (quotient 1000000 (* parts size)))))
                   (loop (append got batch)))
                 (check (equal? (list "first" one one one one "last") got))))))
       '(2000000 300000 1000000 400000) '(1 1 1 2)))))

(test "many batches through a small queue lose nothing and keep their order"
  (let* ((e (fresh-endpoint))
         (in (make-socket 'pull rcvhwm: 10 bind: e))
         (out (make-socket 'push sndhwm: 10 connect: e))
         (all (numbers 0 5000))
         (sender (spawn! (lambda () (send-messages out all)))))
    (let loop ((got '()) (count 0))
      (if (< count 5000)
          (let ((batch (take-batch in max: 64)))
            (check batch)
            (check (<= (length batch) 64))
            (loop (append (reverse batch) got) (+ count (length batch))))
          (check (equal? all (reverse got)))))
    (check= 5000 (join! sender))
    (close-socket in)
    (close-socket out)))

(test "what was accepted is told, and the rest can be sent later"
  (let* ((e (fresh-endpoint))
         (in (make-socket 'pull rcvhwm: 5 bind: e))
         (out (make-socket 'push sndhwm: 5 connect: e))
         (all (numbers 0 100)))
    (let* ((first (send-messages out all non-blocking: #t))
           (second (send-messages out (list-tail all first) timeout: 20)))
      (check (< 0 first 100))
      (check= 0 second)
      (let ((got (take-all in)))
        (check= (numbers 0 first) got))
      (check= 100 (let loop ((n first))
                    (if (< n 100)
                        (let ((more (send-messages out (list-tail all n)
                                                   non-blocking: #t)))
                          (check= (numbers n (+ n more)) (take-all in 50))
                          (loop (+ n more)))
                        n)))
      (check= #f (receive-messages in non-blocking: #t)))
    (close-socket in)
    (close-socket out)))

(test "a batch that has to wait is sent as it was when it was given"
  (let* ((e (fresh-endpoint))
         (in (make-socket 'pull rcvhwm: 1 bind: e))
         (out (make-socket 'push sndhwm: 1 connect: e))
         (mine (list (string-copy "a") (string-copy "b") (string-copy "c")
                     (string-copy "d") (string-copy "e") (string-copy "f")))
         (behind (string-copy "behind"))
         (sender (spawn! (lambda () (send-messages out mine))))
         (second (begin (until-waiting sender) (spawn! (lambda () (send-message out behind))))))
    (until-waiting second)
    (for-each (lambda (s) (string-set! s 0 #\!)) mine)
    (string-set! behind 0 #\!)
    (check= '("a" "b" "c" "d" "e" "f" "behind") (take-all in))
    (check= 6 (join! sender))
    (check= #t (join! second))
    (close-socket in)
    (close-socket out)))

(test "only the thread that waits for a batch is suspended"
  (with-pair 'pull 'push
    (lambda (in out)
      (let* ((ticks (start-ticker))
             (receiver (spawn! (lambda () (receive-messages in as: 'string)))))
        (check (wait-until (lambda () (> (ticks) 5))))
        (send-messages out '("x" "y"))
        (check= '("x" "y") (join! receiver))
        (ticks 'stop)))))

(test "a wrong element is refused before anything is sent"
  (with-pair 'pull 'push
    (lambda (in out)
      (check-type (send-messages out '("a" 5)))
      (check-type (send-messages out '("a" ())))
      (check-type (send-messages out '("a" ("b" c))))
      (check-type (send-messages out '("a" ("b" ("c")))))
      (check-type (send-messages out '("a" . "b")))
      (check-type (send-messages out "a"))
      (check-type (send-messages "a" '("a")))
      (check-type (send-messages out '("a") timeout: 'soon))
      (check-type (receive-messages in max: 0))
      (check-type (receive-messages in max: #f))
      (check-type (receive-messages in max: 2.5))
      (check-type (receive-messages in as: 'list))
      (check-type (receive-messages in as: (lambda (pointer size) size)))
      (check= #f (receive-messages in non-blocking: #t)))))

(test "the condition of a message that fails says how many were accepted"
  (let* ((e (fresh-endpoint))
         (router (make-socket 'router router-mandatory: #t bind: e))
         (ann (make-socket 'dealer identity: "ann" connect: e)))
    (send-message ann "hello")
    (take-parts router)
    (let ((e (raised (send-messages router '(("ann" "1") ("ann" "2") ("bob" "3")
                                             ("ann" "4"))))))
      (check= 'ehostunreach (zmq-code e))
      (check= 2 ((condition-property-accessor 'zmq 'accepted) e)))
    (check= '("1" "2") (take-all ann 50))
    (close-socket router)
    (close-socket ann)))

(test "batches fail as single messages do"
  (with-pair 'pull 'push
    (lambda (in out)
      (check-fails enotsup (send-messages in '("x")))
      (check-fails enotsup (receive-messages out))
      (check-fails einval (send-messages out '("x") more: #t))
      (check-fails einval (receive-messages in maximum: 5))))
  (let ((s (make-socket 'push)))
    (close-socket s)
    (check-fails closed (send-messages s '("x")))
    (check-fails closed (send-messages s '("x") non-blocking: #t))
    (check-fails closed (receive-messages s))))

(test "what was begun part by part is whole in a batch"
  (with-pair 'pull 'push
    (lambda (in out)
      (send-message out "a" send-more: #t)
      (check= 2 (send-messages out '("b" "c")))
      (check= '(("a" "b") "c") (take-batch in))
      (send-messages out '(("1" "2" "3") "4"))
      (check= "1" (take in))
      (check= '(("2" "3") "4") (take-batch in))
      (send-messages out '(("1" "2") "3"))
      (check= "1" (take in))
      (check= '("2") (take-batch in max: 1))
      (check= '("3") (take-batch in)))))

(test "ten thousand messages of all sizes pass in batches"
  (with-pair 'pull 'push
    (lambda (in out)
      (let ((data (map pattern '(1 100 2000 70000))))
        (do ((i 0 (+ i 1))) ((= i 2500))
          (check= 4 (send-messages out data))
          (let loop ((got '()))
            (if (< (length got) 4)
                (loop (append got (take-batch in)))
                (check (equal? data got)))))))))

(report-tests)
