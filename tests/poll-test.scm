;;; poll and its items.

(import zmq (chicken base) (chicken file posix) (chicken process)
        (chicken time))
(include "check.scm")
(include "threads.scm")
(include "child.scm")
(include "pair.scm")

(define (time-of thunk)
  (let ((t (current-process-milliseconds)))
    (thunk)
    (- (current-process-milliseconds) t)))

(test "an item tells what it is and what was found"
  (with-pair 'pull 'push
    (lambda (in out)
      (let ((i (make-poll-item in in: #t)) (o (make-poll-item out out: #t))
            (f (make-poll-item 0 in: #t)))
        (check (poll-item? i))
        (check (not (poll-item? in)))
        (check (eq? in (poll-item-socket i)))
        (check= #f (poll-item-fd i))
        (check= 0 (poll-item-fd f))
        (check= #f (poll-item-socket f))
        (check= 1 (poll (list i o) #f))
        (check= '(#f #t) (list (poll-item-in? i) (poll-item-out? o)))
        (send-message out "x")
        (check= 2 (poll (list i o) 1000))
        (check (poll-item-in? i))
        (check (not (poll-item-out? i)))
        (check (not (poll-item-error? i)))
        (check= 2 (poll (list i o) #t))
        (take in)
        (check= #f (poll (list i) #f))
        (check (not (poll-item-in? i)))))))

(test "poll waits in milliseconds, for ever, or not at all (case 48)"
  (with-pair 'pull 'push
    (lambda (in out)
      (let ((items (list (make-poll-item in in: #t))))
        (check= 0 (poll items 0))
        (check= #f (poll items #f))
        (check (<= 50 (time-of (lambda () (check= 0 (poll items 50)))) 10000))
        (let ((main (this-thread)))
          (spawn! (lambda () (until-waiting main) (send-message out "x"))))
        (check= 1 (poll items #t))
        (check= 1 (poll items (expt 2 70)))))))

(test "an empty list of items waits (case 48)"
  (check= 0 (poll '() 0))
  (check= #f (poll '() #f))
  (check (<= 30 (time-of (lambda () (check= 0 (poll '() 30)))) 10000)))

(test "an item may be there twice (case 48)"
  (with-pair 'pair 'pair
    (lambda (a b)
      (let ((i (make-poll-item a in: #t)) (j (make-poll-item a out: #t)))
        (check= 1 (poll (list i j i) 0))
        (check (poll-item-out? j))
        (send-message b "x")
        (check= 3 (poll (list i j i) 1000))
        (check (poll-item-in? i))
        (check (not (poll-item-out? i)))))))

(test "descriptors are polled beside sockets"
  (receive (from to) (create-pipe)
    (with-pair 'pull 'push
      (lambda (in out)
        (let ((s (make-poll-item in in: #t)) (d (make-poll-item from in: #t))
              (w (make-poll-item to out: #t)))
          (check= 1 (poll (list s d w) 0))
          (check (poll-item-out? w))
          (file-write to "x")
          (check= 1 (poll (list s d) 1000))
          (check (poll-item-in? d))
          (file-read from 1)
          (check= 0 (poll (list s d) 0)))))
    (file-close from)
    (file-close to)))

(test "closed sockets and descriptors are errors of their items (case 47)"
  (let ((s (make-socket 'pull)) (open (make-socket 'pull)))
    (close-socket s)
    (let ((closed (make-poll-item s in: #t))
          (none (make-poll-item 9999 in: #t))
          (idle (make-poll-item open in: #t)))
      (check= 2 (poll (list closed none idle) #t))
      (check (poll-item-error? closed))
      (check (poll-item-error? none))
      (check (not (poll-item-error? idle))))
    (close-socket open))
  (check-type (make-poll-item -1 in: #t))
  (check-type (make-poll-item "0" in: #t))
  (check-fails einval (make-poll-item 0 input: #t)))

(test "a socket closed while it is polled is reported (case 47)"
  (let* ((s (make-socket 'pull)) (i (make-poll-item s in: #t)))
    (let ((main (this-thread)))
      (spawn! (lambda () (until-waiting main) (close-socket s))))
    (check= 1 (poll (list i) 10000))
    (check (poll-item-error? i))))

(test "wrong arguments of poll are refused"
  (check-type (poll 5 0))
  (check-type (poll '(5) 0))
  (check-type (poll '() 'soon))
  (check-type (poll '() -1))
  (check-type (poll '() 1.5))
  (check-type (poll-item-in? 5)))

(test "2,000 sockets are polled, and the ready one found (case 49)"
  (check-child 'ok
    '((define c (make-context 1 max-sockets: 5000))
      (define ins
        (let loop ((i 0) (l '()))
          (if (= i 2000)
              l
              (loop (+ i 1)
                    (cons (make-socket 'pull c
                            bind: (string-append "inproc://" (number->string i)))
                          l)))))
      (define items (map (lambda (s) (make-poll-item s in: #t)) ins))
      (unless (eqv? 0 (poll items 0)) (exit 1))
      (define out (make-socket 'push c connect: "inproc://77"))
      (send-message out "x")
      (unless (= 1 (poll items 5000)) (exit 2))
      (unless (poll-item-in? (list-ref items (- 1999 77))) (exit 3)))
    #:limit 60))

(test "polling suspends only the thread that polls (case 38)"
  (with-pair 'pull 'push
    (lambda (in out)
      (let ((poller (spawn! (lambda () (poll (list (make-poll-item in in: #t)) 20000))))
            (ticker (start-ticker)))
        (check (until-waiting poller))
        (let ((before (ticker)))
          (check (wait-until (lambda () (> (ticker) (+ before 10))))))
        (check (not (ended? poller)))
        (send-message out "x")
        (check= 1 (join! poller))
        (ticker 'stop)))))

(report-tests)
