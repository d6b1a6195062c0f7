;;; Options: values of Scheme, what is refused, the old contract's meanings.

(import zmq (chicken base) (chicken blob) (chicken condition) (chicken string)
        srfi-4)
(include "check.scm")
(include "pair.scm")

(define (with-socket type procedure)
  (let ((s (make-socket type)))
    (procedure s)
    (close-socket s)))

(define-syntax kept
  (syntax-rules ()
    ((_ type name value ...)
     (with-socket type
       (lambda (s)
         (begin (socket-option-set! s name value)
                (check= value (socket-option s name)))
         ...)))))

(test "integers, booleans, words and bytes keep their value"
  (kept 'push 'linger 0 1000 -1)
  (kept 'push 'sndhwm 0 5 2147483647)
  (kept 'pull 'immediate #t #f)
  (kept 'dealer 'identity "me" (string #\x00 #\xff #\nul #\a))
  (kept 'push 'affinity 0 1 (- (expt 2 64) 1))
  (kept 'push 'maxmsgsize -1 (expt 2 40)))

(test "hwm is both marks and reads as the send side"
  (with-socket 'dealer
    (lambda (s)
      (check= 1000 (socket-option s 'hwm))
      (socket-option-set! s 'hwm 7)
      (check= '(7 7 7) (map (lambda (o) (socket-option s o))
                            '(hwm sndhwm rcvhwm)))
      (socket-option-set! s 'rcvhwm 9)
      (check= 7 (socket-option s 'hwm)))))

(test "the old options have their old meanings"
  (kept 'pub 'recovery-ivl 10 0 2147483)
  (kept 'pub 'mcast-loop #f #t)
  (kept 'pub 'rate 100)
  (kept 'push 'sndbuf 0 16384)
  (kept 'push 'rcvbuf 0 16384)
  (kept 'push 'swap 0)
  (with-socket 'pub
    (lambda (s)
      (check= 10 (socket-option s 'recovery-ivl))
      (check= #t (socket-option s 'mcast-loop))
      (check= 0 (socket-option s 'sndbuf))
      (check= "" (socket-option s 'identity))
      (check= #f (socket-option s 'rcvmore)))))

(test "values of the wrong type are refused as types (case 39)"
  (with-socket 'dealer
    (lambda (s)
      (check-type (socket-option-set! s 'linger "1"))
      (check-type (socket-option-set! s 'linger 1.5))
      (check-type (socket-option-set! s 'linger #t))
      (check-type (socket-option-set! s 'immediate 1))
      (check-type (socket-option-set! s 'identity 5))
      (check-type (socket-option-set! s 'identity 'me))
      (check-type (socket-option-set! s 'affinity 1.0))
      (check-type (socket-option-set! s "linger" 1))
      (check-type (socket-option s "linger")))))

(test "values out of range are refused, with option and value (cases 39, 40)"
  (with-socket 'dealer
    (lambda (s)
      (check-fails einval (socket-option-set! s 'hwm -5))
      (check-fails einval (socket-option-set! s 'linger -2))
      (check-fails einval (socket-option-set! s 'linger (expt 2 31)))
      (check-fails einval (socket-option-set! s 'linger (expt 2 70)))
      (check-fails einval (socket-option-set! s 'linger (- (expt 2 70))))
      (check-fails einval (socket-option-set! s 'affinity (expt 2 64)))
      (check-fails einval (socket-option-set! s 'affinity -1))
      (check-fails einval
                   (socket-option-set! s 'identity (make-string 256 #\x)))
      (let ((arguments ((condition-property-accessor 'exn 'arguments)
                        (raised (socket-option-set! s 'linger -2)))))
        (check (memq 'linger arguments))
        (check (memv -2 arguments))))))

(test "options of another type, direction or name are refused (case 39)"
  (with-socket 'push
    (lambda (s)
      (check-fails einval (socket-option-set! s 'subscribe "x"))
      (check-fails einval (socket-option-set! s 'type 'pull))
      (check-fails einval (socket-option s 'subscribe))
      (check-fails einval (socket-option s 'io-threads))
      (check-fails einval (socket-option-set! s 'lingr 1))
      (check (substring-index "linger"
               (message-of (raised (socket-option-set! s 'lingr 1)))))
      (check (socket-option s 'linger)))))

(test "bytes may be strings, blobs and u8vectors"
  (with-socket 'dealer
    (lambda (s)
      (for-each (lambda (id)
                  (socket-option-set! s 'identity id)
                  (check= "abc" (socket-option s 'identity)))
                (list "abc" (string->blob "abc") (u8vector 97 98 99))))))

(test "a subscription may be empty, binary, and be taken back"
  (with-pair 'pub 'sub
    (lambda (pub sub)
      (let ((prefix (string #\nul #\xff)))
        (socket-option-set! sub 'subscribe prefix)
        (send-message pub "no")
        (send-message pub (string-append prefix "yes"))
        (check= (string-append prefix "yes") (take sub))
        (socket-option-set! sub 'unsubscribe prefix)
        (send-message pub (string-append prefix "no"))
        (check= #f (receive-message sub timeout: 20))
        (socket-option-set! sub 'subscribe "")
        (send-message pub "anything")
        (check= "anything" (take sub))))))

(test "a secret is not in the condition that refuses it (case 39)"
  (with-socket 'push
    (lambda (s)
      (let ((e (raised (socket-option-set! s 'curve-secretkey "my secret"))))
        (check e)
        (check (not (substring-index "my secret" (describe e)))))
      (let ((e (raised (socket-option-set! s 'plain-password
                                           (make-string 300 #\z)))))
        (check e)
        (check (not (substring-index "zzz" (describe e))))))))

(test "rcvmore is that of the part received last"
  (with-pair 'pull 'push
    (lambda (in out)
      (send-multipart-message out '("1" "2" "3"))
      (check= "1" (take in))
      (check= #t (socket-option in 'rcvmore))
      (check= "2" (take in))
      (check= #t (socket-option in 'rcvmore))
      (check= "3" (take in))
      (check= #f (socket-option in 'rcvmore)))))

(report-tests)
