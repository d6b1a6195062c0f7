;;; Transfer: whole messages, exact bytes, parts, the states of sockets.

(import zmq (chicken base) (chicken blob) (chicken condition) (chicken gc)
        (chicken memory) (chicken process signal) (chicken string) (chicken time) srfi-4)
(include "check.scm")
(include "threads.scm")
(include "child.scm")
(include "pair.scm")

(define (pattern n)
  (let ((s (make-string n)))
    (do ((i 0 (+ i 1))) ((= i n) s)
      (string-set! s i (integer->char (modulo (+ i (quotient i 256)) 256))))))

(test "what is sent arrives byte for byte, in every form (cases 50, 51)"
  (with-pair 'pull 'push
    (lambda (in out)
      (for-each
       (lambda (n)
         (let ((s (pattern n)))
           (for-each
            (lambda (data)
              (check= #t (send-message out data))
              (check= s (receive-message in as: 'string))
              (send-message out data)
              (check= s (message->string (receive-message in)))
              (send-message out data)
              (check= s (blob->string (receive-message in as: 'blob)))
              (send-message out data)
              (check= s (blob->string
                         (u8vector->blob (receive-message in as: 'u8vector)))))
            (list s (string->blob s) (blob->u8vector (string->blob s))
                  (make-message s)))))
       '(0 1 29 33 34 255 256 257 1000 65535 65536 65537 100000 262144 262145 5000000)))))

(test "a procedure gets a pointer and a size while the data is there"
  (with-pair 'pull 'push
    (lambda (in out)
      (for-each
       (lambda (n)
         (let ((s (pattern n)))
           (send-message out s)
           (check= s (receive-message in
                       as: (lambda (pointer size)
                             (let ((to (make-string size)))
                               (move-memory! pointer to size)
                               to))))))
       '(1 255 70000)))))

(test "zmq-receive-as is what receive-message answers"
  (with-pair 'pull 'push
    (lambda (in out)
      (parameterize ((zmq-receive-as 'string))
        (send-message out "text")
        (check= "text" (receive-message in))
        (send-message out "text")
        (check= "text" (receive-message* in))
        (send-multipart-message out '("a" "b"))
        (check= '("a" "b") (receive-multipart-message in)))
      (send-message out "text")
      (check= "text" (receive-message* in))
      (send-message out "text")
      (check= "text" (message->string (receive-message* in as: 'message)))
      (check-type (zmq-receive-as 'list))
      (check-type (receive-message in as: 'list)))))

(test "sending does not consume a message"
  (with-pair 'pull 'push
    (lambda (in out)
      (for-each (lambda (n)
                  (let ((m (make-message (pattern n))))
                    (do ((i 0 (+ i 1))) ((= i 3))
                      (send-message out m)
                      (check= (pattern n) (take in)))
                    (check= (pattern n) (message->string m))))
                '(10 100000)))))

(test "parts arrive in order and as one message (cases 50, 54)"
  (with-pair 'pull 'push
    (lambda (in out)
      (let ((many (let loop ((i 0) (l '()))
                    (if (= i 1000) l (loop (+ i 1) (cons (number->string i) l))))))
        (for-each (lambda (parts)
                    (send-multipart-message out parts)
                    (check= parts (take-parts in)))
                  (list '("") '("" "" "") '("a" "" "b") many
                        (list (pattern 100000) "x" (pattern 70000)))))
      (check-type (send-multipart-message out '()))
      (check-type (send-multipart-message out "x"))
      (check-type (send-multipart-message out '("a" 5)))
      (check-type (send-multipart-message out '("a" . "b")))
      (check= #f (receive-message in non-blocking: #t)))))

(test "a hundred thousand parts keep their order (case 54)"
  (with-pair 'pull 'push
    (lambda (in out)
      (let ((parts (let loop ((i 100000) (l '()))
                     (if (= i 0) l (loop (- i 1) (cons (number->string i) l))))))
        (send-multipart-message out parts)
        (check (equal? parts (take-parts in)))))))

(test "send-more makes one message of several sends"
  (with-pair 'pull 'push
    (lambda (in out)
      (check= #t (send-message out "a" send-more: #t))
      (check= #f (receive-message in non-blocking: #t))
      (check= #t (send-message out "b" send-more: #t))
      (check= #t (send-message out "c"))
      (check= '("a" "b" "c") (take-parts in)))))

(test "a message begun and never ended is not seen (case 25)"
  (let* ((e (fresh-endpoint)) (in (make-socket 'pull bind: e))
         (out (make-socket 'push connect: e)))
    (send-message out "a" send-more: #t)
    (close-socket out)
    (check= #f (receive-message in timeout: 30))
    (close-socket in)))

(test "the parts left unread come before the next message (case 55)"
  (with-pair 'pull 'push
    (lambda (in out)
      (send-multipart-message out '("1" "2" "3"))
      (send-multipart-message out '("4"))
      (check= "1" (take in))
      (check= '("2" "3") (take-parts in))
      (check= "4" (take in)))))

(test "a message longer than what was expected is whole (case 56)"
  (with-pair 'pull 'push
    (lambda (in out)
      (send-message out "x")
      (take in)
      (send-message out (pattern 10000))
      (check= 10000 (string-length (take in))))))

(test "sockets refuse the direction they have not (case 44)"
  (with-pair 'pull 'push
    (lambda (in out)
      (check-fails enotsup (send-message in "x"))
      (check-fails enotsup (receive-message out))
      (send-message out "x")
      (check= "x" (take in))))
  (let ((s (make-socket 'sub)))
    (check-fails enotsup (send-message s "x"))
    (close-socket s)))

(test "request and reply out of turn fail and go on (case 44)"
  (with-pair 'rep 'req
    (lambda (rep req)
      (check-fails efsm (receive-message req))
      (check-fails efsm (send-message rep "x"))
      (send-message req "q")
      (check-fails efsm (send-message req "again"))
      (check= "q" (take rep))
      (check-fails efsm (receive-message rep))
      (send-message rep "a")
      (check= "a" (take req)))))

(test "a mandatory router knows who is there (case 61)"
  (with-pair 'router 'dealer
    (lambda (router dealer)
      (check= #t (send-multipart-message router '("nobody" "dropped")))
      (socket-option-set! router 'router-mandatory #t)
      (check-fails ehostunreach (send-multipart-message router '("nobody" "x")))
      (send-message dealer "hello")
      (let ((id (car (take-parts router))))
        (send-multipart-message router (list id "you"))
        (check= "you" (take dealer))))))

(test "a full queue gives up without waiting (case 59)"
  (let* ((e (fresh-endpoint))
         (in (make-socket 'pull rcvhwm: 3 bind: e))
         (out (make-socket 'push sndhwm: 3 connect: e)))
    (let loop ((sent 0))
      (if (send-message out (number->string sent) non-blocking: #t)
          (loop (+ sent 1))
          (begin
            (check= 6 sent)
            (check= #f (send-multipart-message out '("a" "b") non-blocking: #t))
            (check= #f (send-message out "a" timeout: 20))
            (do ((i 0 (+ i 1))) ((= i sent))
              (check= (number->string i) (take in)))
            (check= #f (receive-message in non-blocking: #t)))))
    (close-socket in)
    (close-socket out)))

(test "timeouts are kept, the socket's and the call's (case 60)"
  (let ((s (make-socket 'pull bind: (fresh-endpoint))))
    (define (time-of thunk)
      (let ((t (current-process-milliseconds)))
        (thunk)
        (- (current-process-milliseconds) t)))
    (check= #f (receive-message s timeout: 0))
    (check (<= 50 (time-of (lambda () (check= #f (receive-message s timeout: 50)))) 500))
    (socket-option-set! s 'rcvtimeo 50)
    (check (<= 50 (time-of (lambda () (check= #f (receive-message s)))) 500))
    (check (<= 50 (time-of (lambda () (check= #f (receive-multipart-message s)))) 500))
    (close-socket s)
    (let ((p (make-socket 'push sndtimeo: 50)))
      (check (<= 50 (time-of (lambda () (check= #f (send-message p "x")))) 500))
      (check= #f (send-message p "x" timeout: 0))
      (check-type (send-message p "x" timeout: 'soon))
      (check-type (send-message p "x" timeout: -1))
      (close-socket p))))

(test "wrong arguments of transfer are refused"
  (with-pair 'pull 'push
    (lambda (in out)
      (for-each (lambda (x) (check-type (send-message out x)))
                (list 5 #f 'x '("a") #\a 1.5))
      (check-fails einval (send-message out "x" nonblocking: #t))
      (check-fails einval (send-message out "x" timeout:))
      (check-type (send-message out "x" 'non-blocking #t))
      (check-fails einval (receive-message in send-more: #t))
      (check= #f (receive-message in non-blocking: #t)))))

(test "a collection in the midst of transfer changes nothing (case 3)"
  (check-child 'ok
    '((define a (make-socket 'pair bind: "inproc://x"))
      (define b (make-socket 'pair connect: "inproc://x"))
      (do ((i 0 (+ i 1))) ((= i 3000))
        (let* ((n (modulo (* i 37) 5000))
               (s (make-string n (integer->char (modulo i 256)))))
          (send-multipart-message a (list s (make-message s) "end"))
          (unless (equal? (list s s "end")
                          (receive-multipart-message b as: 'string))
            (exit 1))
          (when (= 0 (modulo i 100)) (gc #t)))))
    #:options '("-:s16k" "-:hi1m")
    #:limit 60))

(test "a peer that dies in the middle of a message leaves no part of it (case 58)"
  (let* ((in (make-socket 'pull rcvhwm: 5))
         (e (bind-socket in "tcp://127.0.0.1:*"))
         (child (start-child
                 `((define s (make-socket 'push sndhwm: 5 connect: ,e))
                   (define big (make-string 300000 #\x))
                   (let loop ((i 0))
                     (send-multipart-message s
                       (list (number->string i) big big "end"))
                     (loop (+ i 1)))))))
    (do ((i 0 (+ i 1))) ((= i 5))
      (check= 4 (length (take-parts in))))
    (kill-child child)
    (wait-for-child child)
    (let loop ()
      (let ((parts (receive-multipart-message in as: 'string timeout: 200)))
        (when parts
          (check= 4 (length parts))
          (check= "end" (list-ref parts 3))
          (loop))))
    (close-socket in)))

(test "a server that dies does not keep its client for ever (case 45)"
  (let* ((probe (make-socket 'rep)) (e (bind-socket probe "tcp://127.0.0.1:*"))
         (req (make-socket 'req req-relaxed: #t req-correlate: #t linger: 0
                           connect: e)))
    (send-message req "1")
    (check= "1" (take probe))
    (close-socket probe)
    (check= #f (receive-message req timeout: 100))
    (let ((again (make-socket 'rep)))
      (check (wait-until (lambda () (not (raised (bind-socket again e))))))
      (send-message req "2")
      (check= "2" (take again))
      (send-message again "answer 2")
      (check= "answer 2" (take req))
      (close-socket again))
    (close-socket req)))

(test "messages larger than the nursery arrive"
  (check-child 'ok
    '((define in (make-socket 'pull bind: "inproc://small"))
      (define out (make-socket 'push connect: "inproc://small"))
      (define data (make-string 60000 #\x))
      (define (check got) (unless (equal? got data) (exit 1)))
      (let loop ((i 0))
        (when (< i 300)
          (send-message out data)
          (check (receive-message in as: 'string timeout: 5000))
          (send-message out data)
          (check (receive-message in as: 'string))
          (send-message out data)
          (check (message->string (receive-message in)))
          (send-messages out (list data data))
          (let batch ((n 0))
            (when (< n 2)
              (let ((got (receive-messages in as: 'string)))
                (for-each check got)
                (batch (+ n (length got))))))
          (loop (+ i 1)))))
    options: '("-:s48k")))

;; Some are kept until the end, so that collections copy them.
(define large-strings
  '((define in (make-socket 'pull bind: "inproc://large"))
    (define out (make-socket 'push connect: "inproc://large"))
    (define (bytes size)
      (let ((s (make-string size #\x)))
        (string-set! s 0 #\a)
        (string-set! s (- size 1) #\z)
        s))
    (define (check wanted got)
      (unless (equal? wanted got) (exit 1))
      got)
    (define (check-all size)
      (let ((data (bytes size)))
        (define (send) (send-message out data))
        (define (receive as) (receive-message in as: as timeout: 20000))
        (list
         (begin (send) (check data (receive 'string)))
         (begin (send) (check data (blob->string (receive 'blob))))
         (begin (send) (check (string->blob data) (u8vector->blob (receive 'u8vector))))
         (let ((got #f))
           (let ((t (spawn! (lambda () (set! got (receive 'string))))))
             (yield!)
             (send)
             (join! t)
             (check data got)))
         (begin (send-messages out (list data data))
                (let loop ((got '()))
                  (if (= 2 (length got))
                      (begin (for-each (lambda (s) (check data s)) got) got)
                      (loop (append got (receive-messages in as: 'string))))))
         (begin (send-multipart-message out (list "head" data data))
                (check (list "head" data data)
                       (receive-multipart-message in as: 'string))))))
    (define sizes '(262144 262145 524288 1000000 1048576 1572840 1572865 3000000))
    (define kept (map check-all sizes))
    (for-each check-all sizes)
    (unless (= 8 (length kept)) (exit 2))))

;; How the program ended, and whether its nursery grew.
(define (result-of-large-strings #!key (before "") (options '()))
  (receive (became output errors)
      (run-child `((define (nursery) (vector-ref (##sys#memory-info) 1))
                   (define at-first (nursery))
                   ,@large-strings
                   (write (> (nursery) at-first)))
                 limit: 60 before: before options: options)
    (list became output)))

(test "large strings arrive as they were sent, in a larger nursery"
  (check= '(ok "#t") (result-of-large-strings)))

(test "large strings arrive where the stack has no room for a larger nursery"
  (check= '(ok "#f") (result-of-large-strings before: "ulimit -s 1600")))

(test "large strings arrive where memory is limited"
  (check= '(ok "#f") (result-of-large-strings before: "ulimit -v 1500000")))

(test "large strings arrive where the heap is limited"
  (check= '(ok "#f") (result-of-large-strings options: '("-:hm250m"))))

(test "large strings arrive in a nursery whose size was given"
  (check= '(ok "#f") (result-of-large-strings options: '("-:s300k")))
  (check= '(ok "#f") (result-of-large-strings options: '("-:s3m"))))

;; How many collections of the whole heap 100 strings of this size take.
(define (collections-of-strings size)
  (receive (became output errors)
      (run-child `((define in (make-socket 'pair bind: "inproc://dropped"))
                   (define out (make-socket 'pair connect: "inproc://dropped"))
                   (define data (make-string ,size))
                   (do ((i 0 (+ i 1))) ((= i 100))
                     (send-message out data)
                     (receive-message in as: 'string)))
                 limit: 60 options: '("-:g"))
    (check= 'ok became)
    (let loop ((from 0) (n 0))
      (let ((found (substring-index "level  1" errors from)))
        (if found (loop (+ found 1) (+ n 1)) n)))))

(test "strings of a megabyte that are dropped make no collection of the heap"
  (check (< (- (collections-of-strings 1048576) (collections-of-strings 10)) 5)))

(test "a thread that sends large messages to another does not fill the queue"
  (let ((in (make-socket 'pull rcvhwm: 1000 bind: "inproc://turns"))
        (out (make-socket 'push sndhwm: 1000 connect: "inproc://turns"))
        (data (make-string 65536 #\x))
        (sent 0) (most 0))
    (define receiver
      (spawn! (lambda ()
                (do ((i 1 (+ i 1))) ((> i 1000))
                  (receive-message in as: 'string timeout: 20000)
                  (set! most (max most (- sent i)))))))
    (until-waiting receiver)
    (do ((i 0 (+ i 1))) ((= i 1000))
      (send-message out data)
      (set! sent (+ sent 1)))
    (join! receiver)
    (check (< most 200))
    (close-socket in)
    (close-socket out)))

(report-tests)
