;;; What strangers throw at a bound socket: it goes on, for the others.

(import zmq (chicken base) (chicken gc))
(include "check.scm")
(include "threads.scm")
(include "child.scm")
(include "leak.scm")
(include "pair.scm")
(include "interop/peer.scm")

;; Starts the stranger at a socket of ours; until it has ended, a good peer
;; asks on, and is answered.
(define (serve-meanwhile s endpoint stranger)
  (let ((good (make-socket 'dealer linger: 0 connect: endpoint)))
    (let loop ((n 0))
      (let ((question (number->string n)))
        (send-message good question)
        (let answer ()
          (let ((got (take-parts s)))
            (check got)
            (send-multipart-message s got timeout: 1000)
            (unless (equal? (list-ref got (- (length got) 1)) question)
              (answer))))
        (let again ()
          (let ((got (take-parts good)))
            (check got)
            (unless (equal? got (list question)) (again))))
        (if (child-ended stranger)
            (begin (check (> n 0)) (check-peer stranger))
            (begin (nap! 2) (loop (+ n 1))))))
    (close-socket good)))

(define (test-stranger role number . options)
  (let* ((s (apply make-socket 'router linger: 0 options))
         (e (bind-socket s "tcp://127.0.0.1:*")))
    (serve-meanwhile s e (start-raw role e number))
    (settle)
    (let ((descriptors (open-descriptors)) (memory (resident-memory)))
      (serve-meanwhile s e (start-raw role e number))
      (check (wait-until (lambda () (<= (open-descriptors) descriptors))))
      (settle)
      (check (< (- (resident-memory) memory) 16384)))
    (close-socket s)))

(test "random bytes end the connection of who sent them (case 66)"
  (test-stranger "garbage" 600))

(test "others' protocols and malformed commands end theirs (case 66)"
  (test-stranger "protocols" 0))

(test "a handshake that does not go on is given up (case 66)"
  (test-stranger "slow" 100 handshake-ivl: 300))

(test "a frame past maxmsgsize ends the connection of its sender (case 67)"
  (for-each (lambda (size) (test-stranger "oversized" size maxmsgsize: 10000))
            (list 10001 (expt 2 40) (- (expt 2 63) 1) (expt 2 63)
                  (- (expt 2 64) 1))))

(test "a frame that no memory can hold ends it without maxmsgsize too (case 67)"
  (for-each (lambda (size) (test-stranger "oversized" size))
            (list (expt 2 62) (- (expt 2 63) 1) (- (expt 2 64) 1))))

(test "a message whose last part never comes is not seen (case 58)"
  (test-stranger "half" 500000)
  (let* ((s (make-socket 'router linger: 0))
         (e (bind-socket s "tcp://127.0.0.1:*"))
         (stranger (start-raw "half" e 500000)))
    (check= 'ok (wait-for-child stranger))
    (check= #f (receive-message s timeout: 100))
    (close-socket s)))

;; Strangers that find other types of sockets.
(define (test-type type role)
  (let* ((s (make-socket type linger: 0))
         (e (bind-socket s "tcp://127.0.0.1:*"))
         (stranger (start-raw role e 60)))
    (let loop ()
      (case type
        ((push pub) #f)
        (else (receive-multipart-message s timeout: 5)))
      (nap! 1)
      (unless (child-ended stranger) (loop)))
    (check-peer stranger)
    (close-socket s)))

(test "strangers at sockets of any type (case 66)"
  (for-each (lambda (type)
              (test-type type "garbage")
              (test-type type "protocols"))
            '(pull push pub sub xpub xsub rep pair dealer router)))

(test "a flood of subscriptions, one three million bytes long (case 68)"
  (check-child 'ok
    `((define s (make-socket 'pub linger: 0))
      (define e (bind-socket s "tcp://127.0.0.1:*"))
      (define pid
        (process-run ,python (list ,raw-program "flood" e "100000")))
      (define good (make-socket 'sub subscribe: "good" connect: e))
      (let loop ((heard 0))
        (send-message s "end")
        (send-message s "good")
        (nap! 2)
        (let ((heard (if (receive-message good non-blocking: #t)
                         (+ heard 1)
                         heard)))
          (receive (ended normal status) (process-wait pid #t)
            (cond ((= ended 0) (loop heard))
                  ((not (and normal (= status 0) (> heard 0))) (exit 1))))))
      (close-socket s)
      (terminate-context (zmq-default-context)))
    limit: 50))

(report-peers)
