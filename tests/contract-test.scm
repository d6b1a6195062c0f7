;;; Programs written for the old egg: by its page of 2010, and by its later
;;; revisions, which received strings.

(import zmq (chicken base) (chicken process-context))
(include "check.scm")
(include "threads.scm")
(include "child.scm")
(include "pair.scm")

(test "a request and its reply as the old page has them"
  (let ((server (make-socket 'rep)) (client (make-socket 'req)))
    (bind-socket server "inproc://contract")
    (connect-socket client "inproc://contract")
    (check= #t (send-message client (make-message "ping")))
    (let ((m (receive-message server)))
      (check (message? m))
      (check= "ping" (message->string m))
      (check= 4 (message-size m))
      (check= #t (send-message server (copy-message m))))
    (check= "ping" (message->string (receive-message client)))
    (close-socket server)
    (close-socket client)))

(test "contexts are made of a number, sockets of a type and a context"
  (let* ((c (make-context 1)) (a (make-socket 'pair c)) (b (make-socket 'pair c)))
    (check (context? c))
    (check (not (context? a)))
    (check (socket? a))
    (check (not (socket? c)))
    (bind-socket a "inproc://pair")
    (connect-socket b "inproc://pair")
    (send-message a "there")
    (check= "there" (message->string (receive-message b)))
    (check= #f (receive-message b non-blocking: #t))
    (terminate-context c)))

(test "the types of the old page are all there"
  (for-each (lambda (type)
              (let ((s (make-socket type)))
                (check (socket? s))
                (close-socket s)))
            '(pull push pair pub sub req rep xreq xrep)))

(test "every option of the old page is read"
  (let ((s (make-socket 'pub)))
    (for-each
     (lambda (name value) (check= value (socket-option s name)))
     '(hwm swap affinity rate recovery-ivl sndbuf rcvbuf rcvmore mcast-loop
       identity)
     '(1000 0 0 100 10 0 0 #f #t ""))
    (close-socket s)))

(test "every option of the old page is set"
  (let ((s (make-socket 'sub)))
    (for-each
     (lambda (name value) (socket-option-set! s name value))
     '(hwm swap affinity identity subscribe unsubscribe rate recovery-ivl
       mcast-loop sndbuf rcvbuf)
     '(500 0 1 "me" "a" "a" 200 5 #f 8192 0))
    (check= '(500 1 200 5 #f 8192 0)
            (map (lambda (name) (socket-option s name))
                 '(hwm affinity rate recovery-ivl mcast-loop sndbuf rcvbuf)))
    (close-socket s)))

(test "parts are sent with send-more and told by rcvmore"
  (with-pair 'pull 'push
    (lambda (in out)
      (check= #t (send-message out (make-message "head") send-more: #t))
      (check= #t (send-message out (make-message "tail")))
      (check= "head" (message->string (receive-message in)))
      (check= #t (socket-option in 'rcvmore))
      (check= "tail" (message->string (receive-message in)))
      (check= #f (socket-option in 'rcvmore)))))

(test "a send that would wait answers #f when it may not"
  (let ((s (make-socket 'push)))
    (check= #f (send-message s (make-message "x") non-blocking: #t))
    (close-socket s)))

(test "a program of the later revisions runs with strings"
  (check-child 'ok
    '((zmq-receive-as 'string)
      (define (assert-equal a b) (unless (equal? a b) (exit 1)))
      (define server (make-socket 'xrep))
      (define client (make-socket 'xreq))
      (bind-socket server "inproc://later")
      (connect-socket client "inproc://later")
      (send-multipart-message client '("" "hello"))
      (define item (make-poll-item server in: #t))
      (assert-equal 1 (poll (list item) #t))
      (assert-equal #t (poll-item-in? item))
      (define envelope (receive-multipart-message server))
      (assert-equal '("" "hello") (cdr envelope))
      (send-multipart-message server (list (car envelope) "" "world"))
      (assert-equal "" (receive-message* client))
      (assert-equal "world" (receive-message client))
      (assert-equal 0 (poll (list item) 10))
      (close-socket client)
      (close-socket server)
      (terminate-context (zmq-default-context)))))

(report-tests)
