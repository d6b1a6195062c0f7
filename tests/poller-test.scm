;;; Pollers: what is watched for long.

(import zmq (chicken base) (chicken sort) (chicken file posix) (chicken process) (chicken gc)
        (chicken time))
(include "check.scm")
(include "threads.scm")
(include "child.scm")
(include "pair.scm")

(test "a poller answers what is ready, by its value"
  (with-pair 'pull 'push
    (lambda (in out)
      (let ((p (make-poller)))
        (check (poller? p))
        (poller-add! p in in: #t)
        (poller-add! p out out: #t value: 'can-send)
        (check= '(can-send) (poller-wait p))
        (check= '(out) (poller-events p out))
        (send-message out "x")
        (check= 2 (length (poller-wait p timeout: 1000)))
        (check= '(in) (poller-events p in))
        (poller-remove! p out)
        (check (eq? in (car (poller-wait p timeout: 1000))))
        (take in)
        (check= #f (poller-wait p timeout: 0))
        (poller-modify! p in in: #t value: 'there)
        (send-message out "y")
        (check= '(there) (poller-wait p timeout: 1000))
        (take in)))))

(test "what is not taken is reported again"
  (with-pair 'pull 'push
    (lambda (in out)
      (let ((p (make-poller)))
        (poller-add! p in in: #t value: 1)
        (send-message out "x")
        (do ((i 0 (+ i 1))) ((= i 3)) (check= '(1) (poller-wait p timeout: 1000)))
        (take in)
        (check= #f (poller-wait p timeout: 20))))))

(test "descriptors are watched beside sockets"
  (receive (from to) (create-pipe)
    (let ((p (make-poller)) (s (make-socket 'pull)))
      (poller-add! p from in: #t)
      (poller-add! p s in: #t)
      (check= #f (poller-wait p timeout: 20))
      (file-write to "x")
      (check= (list from) (poller-wait p timeout: 1000))
      (file-read from 1)
      (check= #f (poller-wait p timeout: 0))
      (file-close to)
      (check= (list from) (poller-wait p timeout: 1000))
      (poller-remove! p from)
      (file-close from)
      (close-socket s))))

(test "a socket closed in a poller is reported, not polled (case 47)"
  (let ((p (make-poller)) (s (make-socket 'pull)) (other (make-socket 'pull)))
    (poller-add! p s in: #t value: 'closed-one)
    (poller-add! p other in: #t)
    (let ((main (this-thread)))
      (spawn! (lambda () (until-waiting main) (close-socket s))))
    (check= '(closed-one) (poller-wait p timeout: 10000))
    (check= '(error) (poller-events p s))
    (poller-remove! p s)
    (check= #f (poller-wait p timeout: 0))
    (close-socket other)))

(test "wrong arguments of pollers are refused"
  (let ((p (make-poller)) (s (make-socket 'pull)))
    (check-type (poller-add! 5 s in: #t))
    (check-type (poller-add! p "x" in: #t))
    (check-type (poller-add! p -1 in: #t))
    (check-fails einval (poller-add! p s on: #t))
    (check-fails ebadf (poller-add! p 9999 in: #t))
    (poller-add! p s in: #t)
    (check-fails eexist (poller-add! p s in: #t))
    (check-fails enoent (poller-remove! p 0))
    (check-fails enoent (poller-modify! p (make-socket 'pull) in: #t))
    (check-type (poller-wait p timeout: -1))
    (check-type (poller-wait p max: 0))
    (close-socket s)
    (check-fails closed (poller-add! p s in: #t))))

(test "at most `max' are answered, and all get their turn"
  (let* ((n 30) (p (make-poller))
         (pairs (let loop ((i 0) (l '()))
                  (if (= i n) l
                      (receive (in out) (make-pair 'pull 'push)
                        (poller-add! p in in: #t value: i)
                        (send-message out "x")
                        (loop (+ i 1) (cons (cons in out) l))))))
         (seen (make-vector n 0)))
    (do ((i 0 (+ i 1))) ((= i (* 2 n)))
      (let ((found (poller-wait p timeout: 1000 max: 1)))
        (check= 1 (length found))
        (vector-set! seen (car found) (+ 1 (vector-ref seen (car found))))))
    (check= (make-vector n 2) seen)
    (check= n (length (poller-wait p)))
    (for-each (lambda (x) (close-socket (car x)) (close-socket (cdr x))) pairs)))

(test "several threads wait for one poller, and for many"
  (with-pair 'pull 'push
    (lambda (in out)
      (let* ((p (make-poller))
             (many (map (lambda (i) (make-poller)) '(1 2 3 4 5 6 7 8 9 10)))
             (waiters (map (lambda (p)
                             (poller-add! p in in: #t value: 'ready)
                             (spawn! (lambda () (poller-wait p timeout: 5000))))
                           (cons p many)))
             (again (spawn! (lambda () (poller-wait p timeout: 5000)))))
        (for-each until-waiting (cons again waiters))
        (send-message out "x")
        (for-each (lambda (t) (check= '(ready) (join! t))) (cons again waiters))))))

(test "a poller and a waiting thread share a socket (case 36)"
  (with-pair 'pull 'push
    (lambda (in out)
      (let* ((p (make-poller)) (n 1000)
             (reader (spawn! (lambda ()
                               (do ((i 0 (+ i 1))) ((= i n) 'all) (take in)))))
             (poller (spawn! (lambda ()
                               (let loop ((seen 0))
                                 (if (poller-wait p timeout: 300)
                                     (begin (yield!) (loop (+ seen 1)))
                                     seen))))))
        (poller-add! p in in: #t)
        (do ((i 0 (+ i 1))) ((= i n))
          (send-message out "x")
          (when (= 0 (modulo i 10)) (nap! 1)))
        (check= 'all (join! reader))
        (join! poller)))))

(test "a thousand sockets in one poller, and the ready one found (case 49)"
  (check-child 'ok
    '((define c (make-context 1 max-sockets: 3000))
      (define p (make-poller))
      (define ins
        (let loop ((i 0) (l '()))
          (if (= i 1000) l
              (let ((s (make-socket 'pull c
                         bind: (string-append "inproc://" (number->string i)))))
                (poller-add! p s in: #t value: i)
                (loop (+ i 1) (cons s l))))))
      (unless (eq? #f (poller-wait p timeout: 0)) (exit 1))
      (define out (make-socket 'push c connect: "inproc://77"))
      (send-message out "x")
      (unless (equal? '(77) (poller-wait p timeout: 5000)) (exit 2))
      (for-each (lambda (s) (poller-remove! p s)) ins)
      (unless (eq? #f (poller-wait p timeout: 0)) (exit 3)))
    #:limit 60))

(test "dropped pollers leave nothing (case 8)"
  (check-child 'ok
    '((define s (make-socket 'pull))
      (must-not-leak 1000
        (lambda () (let ((p (make-poller))) (poller-add! p s in: #t)))))
    #:limit 60))

(test "each of more than 64 ready sockets is reported once"
  (let* ((p (make-poller))
         (outs (let loop ((i 0) (l '()))
                 (if (= i 100)
                     l
                     (receive (in out) (make-pair 'pull 'push)
                       (poller-add! p in in: #t value: i)
                       (loop (+ i 1) (cons out l)))))))
    (for-each (lambda (ready)
                (let loop ((l outs) (i 0))
                  (when (< i ready) (send-message (car l) "x") (loop (cdr l) (+ i 1))))
                (let ((values (sort (poller-wait p timeout: 10000) <)))
                  (check (equal? values (let unique ((l values))
                                          (cond ((null? l) '())
                                                ((memv (car l) (cdr l)) (unique (cdr l)))
                                                (else (cons (car l) (unique (cdr l))))))))
                  (check= ready (length values))))
              '(63 64 65 100))))

;; A batch ends where the next message has no room in it, and leaves that message for the next one.
(test "a poller and poll report the message that a batch has left"
  (define (check-all ready? count)
    (receive (in out) (make-pair 'pull 'push)
      (let ((p (make-poller)))
        (poller-add! p in in: #t)
        (do ((i 0 (+ i 1))) ((= i count)) (send-message out (make-string 100000 #\x)))
        (let loop ((left count))
          (cond ((= left 0) (check (not (receive-messages in non-blocking: #t))))
                ((ready? p in) (loop (- left (length (receive-messages in as: 'message)))))
                (else (wrong "~a messages of ~a are left" left count))))
        (for-each close-socket (list in out)))))
  (for-each (lambda (count)
              (check-all (lambda (p s) (poller-wait p timeout: 3000)) count)
              (check-all (lambda (p s) (= 1 (poll (list (make-poll-item s in: #t)) 3000))) count))
            '(8 9 10 11 12)))

(report-tests)
