;;; Programs that are written as one should not, or that meet what is rare:
;;; each goes on, or is told by name what is wrong.

(import zmq (chicken base) (chicken gc) (chicken string) srfi-4)
(include "check.scm")
(include "threads.scm")
(include "child.scm")
(include "pair.scm")

(define (pairs procedure) (with-pair 'pair 'pair procedure))

(test "what the program does with its string afterwards changes no message"
  (pairs
   (lambda (a b)
     (let ((s (string-copy "original")) (u (u8vector 1 2 3)))
       (let ((m (make-message s)))
         (send-message b s)
         (send-message b u)
         (send-message b s send-more: #t)
         (string-set! s 0 #\X)
         (u8vector-set! u 0 9)
         (send-message b m)
         (string-set! (message->string m) 1 #\Y)
         (check= "original" (take a))
         (check= (u8vector 1 2 3) (receive-message a as: 'u8vector))
         (check= '("original" "original") (take-parts a))
         (let ((got (take (begin (send-message b m) a))))
           (string-set! got 0 #\Z)
           (check= "original" (message->string m))))))))

(test "a procedure that gets the bytes may do anything in the meantime"
  (pairs
   (lambda (a b)
     (define (bytes-of n) (send-message b (make-string n #\x)))
     (bytes-of 5)
     (check= "boom" (message-of (raised (receive-message
                                         a as: (lambda (p n) (error "boom"))))))
     (bytes-of 5)
     (check= 'out (call/cc (lambda (k)
                             (receive-message a as: (lambda (p n) (k 'out))))))
     (bytes-of 5)
     (send-message b "inner")
     (check= "inner" (receive-message a as: (lambda (p n) (take a))))
     (bytes-of 100000)
     (check= 100000 (receive-message a as: (lambda (p n)
                                             (close-socket a)
                                             (gc #t)
                                             n)))
     (check-fails closed (receive-message a)))))

(test "messages outlive their socket and context"
  (let ((m (call-with-context
            (lambda (c)
              (let ((a (make-socket 'pair c bind: "inproc://x"))
                    (b (make-socket 'pair c connect: "inproc://x")))
                (send-message b (make-string 200000 #\y))
                (receive-message a))))))
    (gc #t)
    (check= 200000 (message-size m))
    (check= 200000 (string-length (message->string (copy-message m))))))

(test "parts of many threads' messages do not mix, however they are sent and taken"
  (with-pair 'pull 'push
    (lambda (in out)
      (let* ((names '("a" "b" "c" "d"))
             (senders
              (map (lambda (name)
                     (spawn! (lambda ()
                               (do ((i 0 (+ i 1))) ((= i 100))
                                 (send-message out name send-more: #t)
                                 (yield!)
                                 (send-message out name send-more: #t)
                                 (yield!)
                                 (send-message out name)))))
                   names))
             (takers
              (map (lambda (_)
                     (spawn! (lambda ()
                               (let loop ((n 0))
                                 (let ((first (receive-message in as: 'string
                                                               timeout: 300)))
                                   (if (not first)
                                       n
                                       (let ((second (take in)))
                                         (yield!)
                                         (check= first second)
                                         (check= first (take in))
                                         (check= #f (socket-option in 'rcvmore))
                                         (loop (+ n 1)))))))))
                   '(1 2 3))))
        (for-each join! senders)
        (check= 400 (apply + (map join! takers)))))))

(test "many threads that ask one server are each answered"
  (let* ((server (make-socket 'router))
         (e (bind-socket server "tcp://127.0.0.1:*"))
         (serve (lambda ()
                  (let loop ()
                    (let ((m (receive-multipart-message server timeout: 1000)))
                      (when m (send-multipart-message server m) (loop))))))
         (ask (lambda (name)
                (lambda ()
                  (let ((s (make-socket 'req linger: 0 connect: e)))
                    (do ((k 0 (+ k 1))) ((= k 20))
                      (let ((question (conc name "-" k)))
                        (send-message s question)
                        (check= question (take s))))
                    (close-socket s)))))
         (servers (list (spawn! serve) (spawn! serve) (spawn! serve)))
         (clients (let loop ((i 0))
                    (if (= i 50) '() (cons (spawn! (ask i)) (loop (+ i 1)))))))
    (for-each join! clients)
    (for-each join! servers)
    (close-socket server)))

(test "a forked child ends without its parent's messages (case 30)"
  (check-child 'ok
    '((define s (make-socket 'push linger: 60000 connect: "tcp://127.0.0.1:1"))
      (send-message s "pending")
      (define begun (current-process-milliseconds))
      (define child (process-fork (lambda () (exit 5))))
      (receive (pid normal status) (process-wait child)
        (unless (and normal (= status 5)
                     (< (- (current-process-milliseconds) begun) 20000))
          (exit 1)))
      (socket-option-set! s 'linger 0))))

(test "a message of more than two gigabytes is whole (case 52)"
  (check-child 'ok
    '((define a (make-socket 'pair bind: "inproc://x"))
      (define b (make-socket 'pair connect: "inproc://x"))
      (define size (+ 1 (expt 2 31)))
      (send-message b (make-message size))
      (define got (receive-message a))
      (unless (= size (message-size got)) (exit 1))
      (send-message a got)
      (unless (= size (receive-message b as: (lambda (p n) n))) (exit 2)))
    limit: 60))

(report-tests)
