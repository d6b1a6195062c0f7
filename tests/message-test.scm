;;; Messages: making, reading, copying, sizes.

(import zmq (chicken base) (chicken blob) (chicken condition) (chicken gc)
        (chicken port) srfi-4)
(include "check.scm")
(include "threads.scm")
(include "child.scm")
(include "pair.scm")

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

(report-tests)
