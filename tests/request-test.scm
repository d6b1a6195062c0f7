;;; request: a request and its reply, sent again until there is one.

(import zmq (chicken base) (chicken blob) (chicken time) srfi-4)
(include "check.scm")
(include "threads.scm")
(include "pair.scm")

(define (each-type proc) (for-each proc '(req dealer)))

;; A server in a thread of its own, on a router, which need not answer.  (answer n parts) is what
;; it does with the n-th message: a list of messages to send back.
(define (with-server answer proc)
  (let* ((server (make-socket 'router linger: 0))
         (endpoint (bind-socket server "tcp://127.0.0.1:*"))
         (count 0)
         (thread (spawn!
                  (lambda ()
                    (let loop ()
                      (let ((parts (receive-multipart-message server as: 'string)))
                        (set! count (+ 1 count))
                        (for-each (lambda (m) (send-multipart-message server m))
                                  (answer count parts))
                        (loop)))))))
    (proc endpoint (lambda () count))
    (kill! thread)
    (close-socket server)))

(define (with-client type endpoint proc)
  (let ((s (make-socket type linger: 0 connect: endpoint)))
    (proc s)
    (close-socket s)))

(define (last-part parts) (if (null? (cdr parts)) (car parts) (last-part (cdr parts))))

;; The parts with another one in the place of the last.
(define (with-last parts last)
  (if (null? (cdr parts)) (list last) (cons (car parts) (with-last (cdr parts) last))))

(define (echo parts) (with-last parts (string-append "re: " (last-part parts))))

(test "a request is answered by a rep"
  (each-type
   (lambda (type)
     (with-pair 'rep type
       (lambda (server client)
         (let ((t (spawn! (lambda ()
                            (let loop ((left 2))
                              (when (> left 0)
                                (let ((m (receive-multipart-message server as: 'string)))
                                  (send-multipart-message server (reverse m))
                                  (loop (- left 1)))))))))
           (check= "one" (message->string (request client "one" timeout: 10000)))
           (check= '("b" "a") (request client '("a" "b") as: 'string timeout: 10000))
           (join! t)))))))

(test "a reply is made into what zmq-receive-as says"
  (with-server (lambda (n parts) (list (echo parts)))
    (lambda (endpoint count)
      (with-client 'req endpoint
        (lambda (s)
          (check= "re: x"
                  (parameterize ((zmq-receive-as 'string)) (request s "x" timeout: 10000))))))))

(test "a request that is lost is sent again"
  (each-type
   (lambda (type)
     (with-server (lambda (n parts) (if (< n 3) '() (list (echo parts))))
       (lambda (endpoint count)
         (with-client type endpoint
           (lambda (s)
             (check= "re: x" (request s "x" as: 'string timeout: 300 retries: 60))
             (check (>= (count) 3)))))))))

(test "when all tries have timed out it answers #f, and the socket goes on"
  (each-type
   (lambda (type)
     (let ((deaf #t))
       (with-server (lambda (n parts) (if deaf '() (list (echo parts))))
         (lambda (endpoint count)
           (with-client type endpoint
             (lambda (s)
               (let ((start (current-process-milliseconds)))
                 (check= #f (request s "lost" timeout: 60 retries: 2))
                 (check (>= (- (current-process-milliseconds) start) 180)))
               (check (wait-until (lambda () (= 3 (count)))))
               (set! deaf #f)
               (check= "re: next" (request s "next" as: 'string timeout: 10000))
               (send-message s "by hand")
               (check= "re: by hand"
                       (last-part (receive-multipart-message s as: 'string
                                                             timeout: 10000)))))))))))

(test "without a peer all tries time out too"
  (each-type
   (lambda (type)
     (let ((s (make-socket type linger: 0)))
       (check= #f (request s "x" timeout: 20 retries: 1))
       (check= #f (request s "x" timeout: 0 retries: 0))
       (close-socket s)))))

(test "the reply to an earlier request is not taken for that to a later one"
  (each-type
   (lambda (type)
     (let ((kept #f))
       (with-server (lambda (n parts)
                      (if kept
                          (list (echo kept) (echo parts))
                          (begin (set! kept parts) '())))
         (lambda (endpoint count)
           (with-client type endpoint
             (lambda (s)
               (check= #f (request s "early" timeout: 100 retries: 0))
               (check (wait-until (lambda () (= 1 (count)))))
               (check= "re: late" (request s "late" as: 'string timeout: 10000))))))))))

(test "replies without an end do not outlast the time"
  (with-server (lambda (n parts)
                 (let loop ((n 2000))
                   (if (= n 0) '() (cons (list (car parts) "other" "" "x") (loop (- n 1))))))
    (lambda (endpoint count)
      (with-client 'dealer endpoint
        (lambda (s) (check= #f (request s "x" timeout: 100 retries: 1)))))))

(test "where no timeout is given rcvtimeo holds"
  (with-server (lambda (n parts) '())
    (lambda (endpoint count)
      (with-client 'req endpoint
        (lambda (s)
          (socket-option-set! s 'rcvtimeo 30)
          (check= #f (request s "x" retries: 1)))))))

(test "other threads run while a request waits"
  (let ((ticks (start-ticker)))
    (with-server (lambda (n parts) '())
      (lambda (endpoint count)
        (with-client 'req endpoint
          (lambda (s)
            (let ((before (ticks)))
              (check= #f (request s "x" timeout: 300 retries: 0))
              (check (> (- (ticks) before) 5)))))))
    (ticks 'stop)))

(test "a second request on a socket that waits for a reply is refused"
  (each-type
   (lambda (type)
     (with-server (lambda (n parts) (if (< n 2) '() (list (echo parts))))
       (lambda (endpoint count)
         (with-client type endpoint
           (lambda (s)
             (let ((t (spawn! (lambda () (request s "a" as: 'string timeout: 1000 retries: 30)))))
               (check (wait-until (lambda () (= 1 (count)))))
               (check-fails efsm (request s "b" timeout: 0))
               (check= "re: a" (join! t))
               (check= "re: c" (request s "c" as: 'string timeout: 10000))))))))))

(test "a thread that is ended in its request does not keep the socket"
  (with-server (lambda (n parts) (if (< n 2) '() (list (echo parts))))
    (lambda (endpoint count)
      (with-client 'req endpoint
        (lambda (s)
          (let ((t (spawn! (lambda () (request s "a")))))
            (check (wait-until (lambda () (= 1 (count)))))
            (kill! t)
            (check= "re: b" (request s "b" as: 'string timeout: 10000))))))))

(test "closing the socket ends the request"
  (each-type
   (lambda (type)
     (let* ((s (make-socket type linger: 0 connect: "tcp://127.0.0.1:9"))
            (t (spawn! (lambda () (request s "x")))))
       (until-waiting t)
       (close-socket s)
       (check-fails closed (join! t))
       (check-fails closed (request s "x"))))))

(test "a server that comes back answers"
  (each-type
   (lambda (type)
     (let* ((first (make-socket 'rep linger: 0))
            (endpoint (bind-socket first "tcp://127.0.0.1:*")))
       (with-client type endpoint
         (lambda (s)
           (let ((t (spawn! (lambda () (request s "x" as: 'string timeout: 100 retries: 200)))))
             (receive-message first)
             (close-socket first)
             (let ((second (make-socket 'rep linger: 0 bind: endpoint)))
               (let ((server (spawn! (lambda ()
                                       (let loop ()
                                         (receive-message second)
                                         (send-message second "back")
                                         (loop))))))
                 (check= "back" (join! t))
                 (kill! server)
                 (close-socket second))))))))))

(test "arguments are checked"
  (let ((s (make-socket 'req)) (pull (make-socket 'pull)))
    (check-fails enotsup (request pull "x"))
    (check-type (request 5 "x"))
    (check-type (request s 5))
    (check-type (request s '()))
    (check-type (request s '("a" 5)))
    (check-type (request s "x" retries: -1))
    (check-type (request s "x" retries: #f))
    (check-type (request s "x" timeout: "soon"))
    (check-type (request s "x" as: 'text))
    (check-fails einval (request s "x" tries: 3))
    (close-socket s)
    (close-socket pull)))

;; ------------------------------------------------------- forms of a reply --

(define (text-of pointer size) (list 'bytes size))

(test "the reply comes in each form, also through a procedure"
  (with-server
   (lambda (n parts) (list (echo parts)))
   (lambda (endpoint count)
     (each-type
      (lambda (type)
        (with-client
         type endpoint
         (lambda (s)
           (check= "re: a" (request s "a" as: 'string timeout: 10000))
           (check= (string->blob "re: b") (request s "b" as: 'blob timeout: 10000))
           (check= (list->u8vector (map char->integer (string->list "re: c")))
                   (request s "c" as: 'u8vector timeout: 10000))
           (check= "re: d" (message->string (request s "d" as: 'message timeout: 10000)))
           (check= '(bytes 5) (request s "e" as: text-of timeout: 10000)))))))))

;; ---------------------------------------------------------------- objects --

(define (with-calculator proc)
  (let* ((server (make-socket 'rep linger: 0))
         (endpoint (bind-socket server "tcp://127.0.0.1:*"))
         (thread (spawn! (lambda ()
                           (let loop ()
                             (let ((x (receive-object server)))
                               (if (eq? x 'nonsense)
                                   (send-message server "#<nonsense>")
                                   (send-object server (apply + x))))
                             (loop))))))
    (proc endpoint)
    (kill! thread)
    (close-socket server)))

(test "an object is asked and an object is answered"
  (with-calculator
   (lambda (endpoint)
     (each-type
      (lambda (type)
        (with-client
         type endpoint
         (lambda (s)
           (check= 7/2 (request-object s '(1 2 1/2) timeout: 10000))
           (check= 0 (request-object s '() timeout: 10000))
           (check-fails ebadmsg (request-object s 'nonsense timeout: 10000))
           (check-fails ebadmsg (request-object s '(1000 1000) timeout: 10000 max-bytes: 3))
           (check-fails ebadmsg (request-object s car))
           (check= 5 (request-object s '(2 3) timeout: 10000)))))))))

(test "an object that nobody answers gives the default"
  (let ((s (make-socket 'req connect: "inproc://nobody" linger: 0)))
    (check= #f (request-object s 1 timeout: 1 retries: 0))
    (check= 'none (request-object s 1 timeout: 1 retries: 1 default: 'none))
    (close-socket s)))

(test "request-object names itself in its errors"
  (let ((location (lambda (e) ((condition-property-accessor 'exn 'location) e)))
        (s (make-socket 'req connect: "inproc://nobody" linger: 0)))
    (check= 'request-object (location (raised (request-object 1 2))))
    (check= 'request-object (location (raised (request-object s 2 as: 'string))))
    (check= 'request-object (location (raised (request-object s 2 retries: -1))))
    (check= 'request-object (location (raised (request-object s 2 timeout: 'soon))))
    (check= 'request-object (location (raised (request-object (make-socket 'push) 2))))
    (close-socket s)))

(report-tests)
