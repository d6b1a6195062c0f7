;;; zmq perf: throughput and latency, as libzmq's own programs measure and print them.
;;; --bind is local_thr or local_lat, --connect is remote_thr or remote_lat.

(define (run-perf words)
  (read-arguments! 'perf words)
  (unless (= 2 (length words-beside)) (wrong-usage "zmq perf needs SIZE and COUNT"))
  (let* ((number (lambda (text least)
                   (let ((n (and (digits? text) (string->number text))))
                     (if (and n (>= n least))
                         n
                         (wrong-usage "zmq perf needs SIZE and COUNT as integers, not " text)))))
         (size (number (car words-beside) 0))
         (count (number (cadr words-beside) 2))
         (endpoints (given-endpoints))
         (local (if (option "latency") echo-round-trips count-messages))
         (remote (if (option "latency") time-round-trips send-messages-of))
         (types (if (option "latency") '(rep . req) '(pull . push))))
    (define (run measure type endpoint)
      (let ((socket (open-socket type (open-context))))
        (attach! socket endpoint)
        (measure socket size count)
        (unless (terminate-context (socket-context socket)) (end timed-out))))
    (cond ((null? endpoints) (run-both local remote types size count))
          ((pair? (cdr endpoints)) (wrong-usage "zmq perf takes one --bind or --connect"))
          ((eq? 'bind (caar endpoints)) (run local (car types) (car endpoints)))
          (else (run remote (cdr types) (car endpoints))))))

;; Both ends.  Over tcp and ipc the second is a process of its own.
(define (run-both local remote types size count)
  (let ((transport (or (option "transport") "tcp")))
    (cond ((string=? transport "inproc")
           (let* ((context (open-context))
                  (near (open-socket (car types) context))
                  (far (open-socket (cdr types) context)))
             (bind-socket near "inproc://perf")
             (connect-socket far "inproc://perf")
             (let ((finished #f) (waiter (make-socket 'pair context bind: "inproc://finished")))
               (start 'remote
                      (lambda ()
                        (remote far size count)
                        (send-message (make-socket 'pair context connect: "inproc://finished")
                                      "")))
               (local near size count)
               (receive-message waiter))))
          ((member transport '("tcp" "ipc"))
           (let* ((directory (and (string=? transport "ipc") (create-temporary-directory)))
                  (socket (open-socket (car types) (open-context)))
                  (endpoint (bind-socket socket
                              (if directory
                                  (string-append "ipc://" directory "/perf")
                                  "tcp://127.0.0.1:*")))
                  (pid (process-run (executable-pathname)
                                    (append (list "perf" (number->string size)
                                                  (number->string count) "--connect" endpoint)
                                            (if (option "latency") '("--latency") '())))))
             (local socket size count)
             (close-socket socket)
             (let-values (((pid normal? status) (process-wait pid)))
               (when directory (delete-directory directory #t))
               (unless (and normal? (= 0 status)) (end failed)))))
          (else
           (wrong-usage "there is no transport " transport
                        (hint transport '("tcp" "ipc" "inproc")))))))

;; Microseconds of the monotonic clock.
(define microseconds
  (foreign-lambda* double ()
    "struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t);
     C_return(t.tv_sec * 1e6 + t.tv_nsec / 1e3);"))

(define (check-size message size)
  (unless (= size (message-size message))
    (complain "a message of " (number->string (message-size message)) " bytes came, not of "
              (number->string size))
    (end failed)))

;; The first message starts the clock.
(define (count-messages socket size count)
  (check-size (receive-message socket) size)
  (let ((began (microseconds)))
    (let loop ((n 1))
      (when (< n count)
        (check-size (receive-message socket) size)
        (loop (+ n 1))))
    (let* ((elapsed (max 1.0 (- (microseconds) began)))
           (rate (/ (* 1e6 count) elapsed)))
      (print-figures (list "message size: " size " [B]")
                     (list "message count: " count)
                     (list "mean throughput: " (rounded rate) " [msg/s]")
                     (list "mean throughput: " (decimals (/ (* rate size 8) 1e6)) " [Mb/s]")))))

(define (send-messages-of socket size count)
  (let ((data (make-string size #\x)))
    (let loop ((n 0))
      (when (< n count)
        (send-message socket data)
        (loop (+ n 1))))))

(define (echo-round-trips socket size count)
  (let loop ((n 0))
    (when (< n count)
      (let ((message (receive-message socket)))
        (check-size message size)
        (send-message socket message))
      (loop (+ n 1)))))

(define (time-round-trips socket size count)
  (let ((data (make-string size #\x)) (began (microseconds)))
    (let loop ((n 0))
      (when (< n count)
        (send-message socket data)
        (check-size (receive-message socket) size)
        (loop (+ n 1))))
    (print-figures (list "message size: " size " [B]")
                   (list "roundtrip count: " count)
                   (list "average latency: "
                         (decimals (/ (- (microseconds) began) (* 2.0 count))) " [us]"))))

(define (rounded x) (inexact->exact (round x)))

;; With three places.
(define (decimals x)
  (let* ((thousandths (rounded (* 1000 x))) (rest (number->string (modulo thousandths 1000))))
    (string-append (number->string (quotient thousandths 1000)) "."
                   (make-string (- 3 (string-length rest)) #\0) rest)))

(define (print-figures . lines)
  (for-each (lambda (line) (write-later (string-append (apply string-append (map ->string line))
                                                       "\n")))
            lines)
  (flush-out))
