;;; Messages: making, reading, copying, sizes.

(import zmq (chicken base) (chicken blob) (chicken condition) (chicken gc)
        (chicken memory) (chicken port) (chicken string) srfi-4)
(include "check.scm")
(include "threads.scm")
(include "child.scm")
(include "pair.scm")
(include "leak.scm")

(define every-byte
  (let ((s (make-string 256)))
    (do ((i 0 (+ i 1))) ((= i 256) s) (string-set! s i (integer->char i)))))

(test "a message without data is empty"
  (for-each (lambda (m)
              (check (message? m))
              (check= 0 (message-size m))
              (check= "" (message->string m)))
            (list (make-message) (make-message #f) (make-message "")
                  (make-message 0))))

(test "a message has the bytes it was made of (case 51)"
  (for-each (lambda (data)
              (check= every-byte (message->string (make-message data))))
            (list every-byte (string->blob every-byte)
                  (blob->u8vector (string->blob every-byte)))))

(test "a message of a size is that many zero bytes"
  (for-each (lambda (n)
              (let ((m (make-message n)))
                (check= n (message-size m))
                (check= (make-string n #\nul) (message->string m))))
            '(1 255 65536 65537 1000000)))

(test "sizes that cannot be are conditions (case 53)"
  (check-fails einval (make-message -1))
  (check-fails enomem (make-message (expt 2 62)))
  (check-fails enomem (make-message (expt 2 61)))
  (check-fails enomem (make-message (- (expt 2 64) 1)))
  (check-fails enomem (make-message (expt 2 80)))
  (check-type (make-message 1.0))
  (check-type (make-message 'x))
  (check-type (message-size "x"))
  (check-type (message->string "x"))
  (check-type (copy-message "x")))

(test "a message does not change with what it was made of"
  (for-each (lambda (n)
              (let* ((s (make-string n #\a)) (m (make-message s)))
                (string-set! s 0 #\b)
                (check= (make-string n #\a) (message->string m))
                (string-set! (message->string m) 0 #\c)
                (check= (make-string n #\a) (message->string m))))
            '(10 100000)))

(test "a copy is a message of its own"
  (for-each (lambda (n)
              (let* ((m (make-message (make-string n #\a))) (c (copy-message m)))
                (check (not (eq? m c)))
                (check= (message->string m) (message->string c))))
            '(0 10 100000)))

(test "a message outlives the socket it came through (case 5)"
  (let* ((e (fresh-endpoint)) (in (make-socket 'pull bind: e))
         (out (make-socket 'push connect: e))
         (big (make-string 200000 #\z)))
    (send-message out big)
    (let ((m (receive-message in)))
      (close-socket in)
      (close-socket out)
      (gc #t)
      (check= big (message->string m)))))

(test "a string that is sent may change and move (case 6)"
  (with-pair 'pull 'push
    (lambda (in out)
      (do ((i 0 (+ i 1))) ((= i 200))
        (let ((s (make-string 70000 (integer->char (modulo i 256)))))
          (send-message out s)
          (string-set! s 0 #\!)
          (when (= 0 (modulo i 20)) (gc #t)))
        (check= (make-string 70000 (integer->char (modulo i 256)))
                (take in))))))

(test "large messages that are dropped are freed (case 7)"
  (check-child 'ok
    '((define a (make-socket 'pair bind: "inproc://x"))
      (define b (make-socket 'pair connect: "inproc://x"))
      (define data (make-message 1000000))
      (must-not-leak 300
        (lambda () (send-message a data) (receive-message b)) 200000))
    #:limit 60))

(test "a message larger than the heap is a condition, and kept (case 57)"
  (check-child 'ok
    '((define a (make-socket 'pair bind: "inproc://x"))
      (define b (make-socket 'pair connect: "inproc://x"))
      (send-message a (make-message 40000000))
      (define e
        (call/cc (lambda (k)
          (with-exception-handler k
            (lambda () (receive-message b as: 'string) #f)))))
      (unless (and (condition? e)
                   (eq? 'enomem ((condition-property-accessor 'zmq 'code #f) e)))
        (exit 1))
      (unless (= 40000000 (message-size (receive-message b))) (exit 2)))
    #:options '("-:hm30m")))

(test "a message is kept while its bytes are copied"
  (check-child 'ok
    '((define size 6000000)
      ;; Only its finalizer makes room, so that finalizers run in the midst.
      (set-finalizer! (vector (make-string size)) void)
      (define text (message->string (make-message size)))
      (unless (and (= size (string-length text))
                   (char=? #\nul (string-ref text (- size 1))))
        (exit 3)))
    #:options '("-:hm24m")))

(test "more than 2 GiB is exact, or refused for want of memory (case 52)"
  (check-child 'ok
    '((define size (+ (expt 2 31) 1))
      (define (try thunk)
        (call/cc (lambda (k)
          (with-exception-handler
            (lambda (e)
              (k ((condition-property-accessor 'zmq 'code 'other) e)))
            thunk))))
      (define m (try (lambda () (make-message size))))
      (when (message? m)
        (let ((a (make-socket 'pair bind: "inproc://x"))
              (b (make-socket 'pair connect: "inproc://x")))
          (unless (= size (message-size m)) (exit 1))
          (send-message a m)
          (unless (= size (message-size (receive-message b))) (exit 2))))
      (unless (or (message? m) (eq? m 'enomem)) (exit 3)))))

(test "printing shows the size and none of the bytes"
  (check= "#<zmq message 3 bytes>"
          (with-output-to-string (lambda () (write (make-message "abc"))))))

;; ---------------------------------------------------------- properties --

(test "a message that is received with properties tells them"
  (let* ((in (make-socket 'router linger: 0))
         (out (make-socket 'dealer linger: 0 identity: "me"
                           metadata: "X-color:blue"
                           connect: (bind-socket in "tcp://127.0.0.1:*"))))
    (send-multipart-message out '("a" "b"))
    (let ((parts (receive-multipart-message in properties: #t timeout: 5000)))
      (check= '("me" "a" "b") (map message->string parts))
      (let ((m (cadr parts)))
        (check= "127.0.0.1" (message-property m 'peer-address))
        (check= 'dealer (message-property m 'socket-type))
        (check= "me" (message-property m 'routing-id))
        (check= "blue" (message-property m 'X-color))
        (check= "blue" (message-property m "X-color"))
        (check= #f (message-property m 'user-id))
        (check= #f (message-property m 'X-none))
        (check-type (message-property m 5))
        (check-type (message-property "abc" 'user-id))))
    (send-message out "one")
    (check= "me" (message->string (receive-message in timeout: 5000)))
    (check= "one" (message->string (receive-message in properties: #t)))
    (close-socket out)
    (close-socket in)))

(test "who was authenticated is a property of the messages"
  (check-child 'ok
    '((import (zmq auth))
      (define c (make-context))
      (define a (start-authenticator c plain: '(("ann" . "secret"))))
      (define in (make-socket 'pull c linger: 0 plain-server: #t zap-domain: "test"))
      (define out (make-socket 'push c linger: 0 plain-username: "ann"
                               plain-password: "secret"
                               connect: (bind-socket in "tcp://127.0.0.1:*")))
      (send-message out "x")
      (define m (receive-message in properties: #t timeout: 5000))
      (unless (equal? "ann" (message-property m 'user-id)) (exit 1))
      (stop-authenticator a)
      (terminate-context c timeout: 5000))))

(test "over ipc the address says which process it was"
  (let* ((in (make-socket 'pull linger: 0))
         (out (make-socket 'push linger: 0 connect: (bind-socket in "ipc://*"))))
    (send-message out "x")
    (check (substring-index ":" (message-property
                                 (receive-message in properties: #t timeout: 5000)
                                 'peer-address)))
    (close-socket out)
    (close-socket in)))

(test "a message without properties says how to have them"
  (with-pair 'pull 'push
    (lambda (in out)
      (send-message out "x")
      (let ((e (raised (message-property (receive-message in) 'user-id))))
        (check= 'einval (zmq-code e))
        (check (substring-index "properties: #t" (message-of e))))
      (send-message out "y")
      (check-fails einval (receive-message in as: 'string properties: #t))
      (check= "y" (message->string (receive-message in as: 'message
                                                    properties: #t))))
    "tcp://127.0.0.1:*"))

(test "properties: makes messages whatever zmq-receive-as says"
  (with-pair 'pull 'push
    (lambda (in out)
      (parameterize ((zmq-receive-as 'string))
        (send-message out "x")
        (check (message? (receive-message in properties: #t timeout: 5000)))
        (check= #f (receive-message in properties: #t timeout: 10))
        (check= #f (receive-message in properties: #t non-blocking: #t))))))

(test "a message that is sent on keeps its properties"
  (let* ((in (make-socket 'pull linger: 0))
         (out (make-socket 'push linger: 0
                           connect: (bind-socket in "tcp://127.0.0.1:*"))))
    (with-pair 'pair 'pair
      (lambda (a b)
        (send-message out "x")
        (let ((m (receive-message in properties: #t timeout: 5000)))
          (send-message a m)
          (send-message a m)
          (check= "x" (take b))
          (check= "127.0.0.1" (message-property m 'peer-address)))))
    (close-socket out)
    (close-socket in)))

;; ------------------------------------------------------------ in place --

(define (address-of m)
  (call-with-message m (lambda (pointer size) (pointer->address pointer))))

(test "a large message is sent on without a copy"
  (with-pair 'pair 'pair
    (lambda (a b)
      (let ((m (make-message (make-string 1000000 #\m))))
        (send-message a m)
        (let ((there (receive-message b timeout: 5000)))
          (check= (address-of m) (address-of there))
          (send-message b there)
          (check= (address-of m)
                  (address-of (receive-message a timeout: 5000))))))))

(test "a message is built in place, large or small"
  (for-each
   (lambda (size)
     (let ((m (build-message size
                (lambda (pointer n)
                  (check= size n)
                  (do ((i 0 (+ i 1))) ((= i (min n 1000)))
                    (pointer-u8-set! (pointer+ pointer i) (modulo i 251)))))))
       (check= size (message-size m))
       (let ((text (message->string m)))
         (do ((i 0 (+ i 1))) ((= i (min size 1000)))
           (check= (modulo i 251) (char->integer (string-ref text i))))
         (when (> size 1000)
           (check= #\nul (string-ref text (- size 1)))))
       (with-pair 'pair 'pair
         (lambda (a b)
           (send-message a m)
           (check= (message->string m)
                   (message->string (receive-message b timeout: 5000)))))))
   '(0 1 100 65536 65537 2000000)))

(test "what was built cannot be changed any more"
  (let* ((again #f) (count 0) (m #f)
         (e (raised
             (begin
               (set! m (build-message 100000
                         (lambda (pointer size)
                           (call/cc (lambda (k) (set! again k)))
                           (set! count (+ count 1)))))
               (again #f)))))
    (check= 'einval (zmq-code e))
    (check= 1 count)
    (check= 100000 (message-size m))))

(test "building that is left by a condition leaves nothing"
  (let ((e (raised (build-message 100000 (lambda (pointer size) (error "no"))))))
    (check e)
    (check (not (zmq-code e))))
  (check-type (build-message "5" void))
  (check-type (build-message -1 void))
  (check-type (build-message 5 "void"))
  (check-fails enomem (build-message (expt 2 70) void)))

(test "a message is read in place, large or small, and stays of use"
  (for-each
   (lambda (size)
     (let ((m (make-message (make-string size #\r))))
       (check= (list size 114)
               (call-with-message m
                 (lambda (pointer n)
                   (gc #t)
                   (list n (pointer-u8-ref pointer)))))
       (check= size (message-size m))))
   '(1 65536 65537 1000000))
  (check-type (call-with-message "abc" void))
  (check-type (call-with-message (make-message "abc") 5)))

(define million (make-string 1000000 #\a))

(test "large messages that are dropped soon do not gather"
  (let ((before (begin (make-message million) (resident-memory))))
    (do ((i 0 (+ i 1))) ((= i 300)) (make-message million))
    (check (< (- (resident-memory) before) 20000))))   ; kB

(test "large messages that are kept are freed when they are dropped"
  (let ((kept (let loop ((i 0) (kept '()))
                (if (= i 100)
                    kept
                    (loop (+ i 1)
                          (cons (make-message (make-string 100000 (integer->char (+ 1 i))))
                                kept))))))
    (for-each (lambda (m i)
                (check= 100000 (message-size m))
                (check= (integer->char (+ 1 i)) (string-ref (message->string m) 99999)))
              kept
              (let loop ((i 0) (l '())) (if (= i 100) l (loop (+ i 1) (cons i l))))))
  (gc #t)
  (let ((before (resident-memory)))
    (do ((i 0 (+ i 1))) ((= i 20))
      (let ((kept (let loop ((i 0) (kept '()))
                    (if (= i 20) kept (loop (+ i 1) (cons (make-message million) kept))))))
        (check= 20 (length kept))))
    (check (< (- (resident-memory) before) 120000))))

(report-tests)
