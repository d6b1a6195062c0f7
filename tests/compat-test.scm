;;; (zmq compat): whole programs as they were written for the old egg, in compat/.

(import zmq (chicken base) (chicken file) (chicken io) (chicken irregex) (chicken pathname))
(include "check.scm")
(include "child.scm")
(include "pair.scm")

;; What the comments of a program say that it prints.
(define (wanted-output file)
  (let ((m (irregex-fold '(: "; prints: " (submatch-named text (* nonl)) newline)
                         (lambda (i m lines) (cons (irregex-match-substring m 'text) lines))
                         '()
                         (with-input-from-file file read-string)
                         (lambda (i lines) (reverse lines)))))
    (apply string-append (map (lambda (line) (string-append line "\n")) m))))

;; Runs it in a folder of its own, where its ipc files are.
(define (check-program name)
  (let* ((file (make-pathname (list tests-directory "compat") name "scm"))
         (folder (create-temporary-directory))
         (child (start-program "/bin/sh" (list "-c" "cd \"$0\" && exec \"$1\" -s \"$2\""
                                               folder (csi) file)))
         (outcome (wait-for-child child)))
    (check= (list 'ok (wanted-output file) "")
            (list outcome (child-output child) (child-errors child)))))

(test "a publisher's burst arrives whole, its end included" (check-program "burst"))
(test "tasks are dealt out and their results collected" (check-program "divide"))
(test "a broker of xrep sockets is polled and read part by part" (check-program "broker"))
(test "poll answers #f, 0 and the number of ready items" (check-program "poller"))
(test "addresses and options read as they did" (check-program "identity"))
(test "a swap takes what there is no reader for" (check-program "swap"))

;; ------------------------------------------------------------ the parameters --

(define (marks s) (list (socket-option s 'sndhwm) (socket-option s 'rcvhwm)))

(define (with-default n keywords)
  (parameterize ((zmq-default-hwm n))
    (let* ((s (apply make-socket 'push keywords)) (found (marks s)))
      (close-socket s)
      found)))

(test "the import of zmq alone changes no default"
  (check= #f (zmq-default-hwm))
  (check= 'message (zmq-receive-as))
  (check= '(1000 1000) (with-default #f '())))

(test "zmq-default-hwm sets both marks of new sockets"
  (check= '(0 0) (with-default 0 '()))
  (check= '(7 7) (with-default 7 '())))

(test "a mark that is given goes before zmq-default-hwm"
  (check= '(5 5) (with-default 0 '(hwm: 5)))
  (check= '(5 0) (with-default 0 '(sndhwm: 5)))
  (check= '(0 5) (with-default 0 '(rcvhwm: 5))))

(test "zmq-default-hwm takes a number of messages or #f"
  (check-type (zmq-default-hwm "many"))
  (check-type (zmq-default-hwm 1.5))
  (check-fails einval (zmq-default-hwm -1))
  (check-fails einval (zmq-default-hwm (expt 2 31)))
  (check= #f (zmq-default-hwm)))

(test "without zmq-default-hwm a swap and a mark of 0 are refused as ever"
  (let ((s (make-socket 'push hwm: 0)))
    (check-fails einval (socket-option-set! s 'swap 100000))
    (close-socket s)))

(test "the import of (zmq compat) sets both parameters"
  (check-child 'ok
    '((import (zmq compat))
      (exit (if (equal? '(string 0) (list (zmq-receive-as) (zmq-default-hwm))) 0 1)))))

(test "(zmq compat) takes numbers for mcast-loop, zmq does not"
  (check-child 'ok
    '((import (zmq compat))
      (define s (make-socket 'pub))
      (define (read-after value)
        (socket-option-set! s 'mcast-loop value)
        (socket-option s 'mcast-loop))
      (exit (if (equal? '(#f #t #f #t) (map read-after '(0 1 #f #t))) 0 1))))
  (call-with-socket 'pub (lambda (s) (check-type (socket-option-set! s 'mcast-loop 0)))))

(test "zmq-socket? is socket? under a name that nothing else has"
  (let ((s (make-socket 'push)))
    (check (zmq-socket? s))
    (check (not (zmq-socket? 3)))
    (close-socket s)
    (check (zmq-socket? s))))

(test "(chicken file posix) takes socket? but not zmq-socket?"
  (check-child 'ok
    '((import zmq (chicken file posix))
      (exit (if (zmq-socket? (make-socket 'push)) 0 1)))))

(report-tests)
