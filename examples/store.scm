;;; A producer that never waits for its consumer: what it sends is held in a
;;; swap, in memory and then on the disk, and passed on by a thread that repeats
;;; each message until the consumer has confirmed it.  Here the consumer is
;;; killed in the middle, stays away for a while, and is started again.
;;;
;;; A swap lives as long as its process: it survives the consumer, not the
;;; producer.

(import zmq (chicken file) (except (chicken file posix) socket?) (chicken io) (chicken process)
        (chicken process signal) (chicken process-context posix))
(include "threads.scm")

(define endpoint
  (let* ((probe (make-socket 'rep (make-context 1)))
         (endpoint (bind-socket probe "tcp://127.0.0.1:*")))
    (close-socket probe)
    (terminate-context (socket-context probe))
    endpoint))

(define log-file (create-temporary-file))

(define (logged) (with-input-from-file log-file read-lines))

;; The consumer: writes down what it gets, then confirms it.  What it has
;; already is what was under way when it was killed.
(define (consume)
  (let ((in (make-socket 'rep bind: endpoint)))
    (let loop ((last (let ((lines (logged))) (and (pair? lines) (last-of lines)))))
      (let ((work (receive-message in as: 'string)))
        (unless (equal? work last)
          (let ((log (file-open log-file (+ open/wronly open/append))))
            (file-write log (string-append work "\n"))
            (file-close log)))
        (send-message in "done")
        (loop work)))))

(define (last-of l) (if (null? (cdr l)) (car l) (last-of (cdr l))))

(define (start-consumer) (process-fork consume #t))

;; The producer's store, and the thread that empties it.
(define taken (make-socket 'pull rcvhwm: 1 bind: "inproc://store"))
(define store
  (make-socket 'push sndhwm: 1 swap: 1000000000 connect: "inproc://store"))

(define (deliver out work)
  (unless (and (send-message out work timeout: 300)
               (receive-message out timeout: 300))
    (deliver out work)))

(thread-start!
 (lambda ()
   (let ((out (make-socket 'req req-relaxed: #t req-correlate: #t linger: 0
                           reconnect-ivl: 20 connect: endpoint)))
     (let loop ()
       (deliver out (receive-message taken as: 'string))
       (loop)))))

(define (produce from to)
  (do ((i from (+ i 1))) ((> i to))
    (send-message store (number->string i))))

(define (wait-for lines)
  (thread-sleep! 0.02)
  (unless (>= (length (logged)) lines) (wait-for lines)))

(define first (start-consumer))
(produce 1 500)
(wait-for 100)
(process-signal first signal/kill)
(process-wait first)
(produce 501 1000)
(print "without a consumer, all is held: "
       (>= (socket-option store 'swap-count) 500))  ; prints: without a consumer, all is held: #t

(define second (start-consumer))
(wait-for 1000)
(process-signal second signal/kill)
(process-wait second)
(print "each came once, in order: "
       (equal? (logged)
               (let loop ((i 1000) (l '()))
                 (if (= i 0) l (loop (- i 1) (cons (number->string i) l))))))
;; prints: each came once, in order: #t
(delete-file log-file)
