;;; Few descriptors: what is no longer used is collected and waited for, and what runs in the
;;; background does not die.

(import zmq (chicken base) (chicken file) (chicken file posix) (chicken io) (chicken pathname)
        (chicken string))
(include "check.scm")
(include "threads.scm")
(include "child.scm")

;; What a program prints that may have so many descriptors.
(define (output-with descriptors . forms)
  (let ((source (make-pathname (create-temporary-directory) "few.scm")))
    (with-output-to-file source
      (lambda ()
        (for-each (lambda (form) (write form) (newline))
                  (cons '(import zmq (zmq monitor) (chicken base) (chicken condition)
                                 (chicken file posix) (chicken process))
                        forms))))
    (let* ((child (start-program "/bin/sh"
                                 (list "-c" (conc "ulimit -n " descriptors "; exec \"$0\" -s \"$1\"")
                                       (csi) source)
                                 limit: 100))
           (outcome (wait-for-child child)))
      (conc outcome " " (child-output child) (child-errors child)))))

(define-syntax check-output
  (syntax-rules ()
    ((_ wanted descriptors form ...)
     (check= (string-append "ok " wanted) (output-with descriptors 'form ...)))))

(test "sockets that were closed give back their descriptors to a connect"
  (check-output "done" 100
    (do ((i 0 (+ i 1))) ((= i 1000) (display "done"))
      (let ((s (make-socket 'push linger: 0)))
        (connect-socket s "tcp://127.0.0.1:9")
        (close-socket s)))))

(test "sockets that were closed give back their descriptors to a bind"
  (check-output "done" 100
    (do ((i 0 (+ i 1))) ((= i 1000) (display "done"))
      (let ((s (make-socket 'pull linger: 0)))
        (bind-socket s "tcp://127.0.0.1:*")
        (close-socket s)))))

(test "pollers and contexts that nobody refers to give back their descriptors"
  (check-output "done" 100
    (do ((i 0 (+ i 1))) ((= i 500)) (make-poller))
    (do ((i 0 (+ i 1))) ((= i 200)) (make-context))
    (display "done")))

(test "monitors that nobody refers to give back their descriptors"
  (check-output "done" 100
    (define s (make-socket 'pull bind: "tcp://127.0.0.1:*"))
    (do ((i 0 (+ i 1))) ((= i 300)) (monitor-socket s))
    (display "done")))

(test "a swap drains though there were no descriptors when it began to fill"
  (check-output "20 of 20" 64
    (define out (make-socket 'push linger: 0 swap: 50000000))
    (define in (make-socket 'pull bind: "inproc://i"))
    (define held
      (let loop ((l '()))
        (let ((f (condition-case (file-open "/dev/null" open/rdonly) (x () #f))))
          (if f (loop (cons f l)) l))))
    (do ((i 0 (+ i 1))) ((= i 20)) (send-message out (make-string 10000 #\a) timeout: 50))
    (do ((i 0 (+ i 1))) ((= i 3000000)))
    (for-each file-close held)
    (connect-socket out "inproc://i")
    (display (let loop ((n 0)) (if (receive-message in timeout: 5000) (loop (+ n 1)) n)))
    (display " of 20")))

(test "with any number of descriptors left a swap is refused or drains"
  (check-output "20 20 20 20 20 20 20 20 20 " 64
    (do ((left 0 (+ left 1))) ((= left 9))
      (process-wait
       (process-fork
        (lambda ()
          (let* ((out (make-socket 'push linger: 0))
                 (in (make-socket 'pull bind: "inproc://i"))
                 (held (let loop ((l '()))
                         (let ((f (condition-case (file-open "/dev/null" open/rdonly)
                                    (x () #f))))
                           (if f (loop (cons f l)) l)))))
            (do ((i 0 (+ i 1)) (l held (cdr l)))
                ((= i left)
                 (condition-case (socket-option-set! out 'swap 1000000) ((exn zmq) #f))
                 (for-each file-close l))
              (file-close (car l)))
            (socket-option-set! out 'swap 1000000)
            (do ((i 0 (+ i 1))) ((= i 20))
              (send-message out (make-string 10000 #\a) timeout: 50))
            (connect-socket out "inproc://i")
            (do ((i 0 (+ i 1))) ((= i 20)) (receive-message in))
            (display "20 ")
            (flush-output)
            (exit 0))))))))

(test "a swap that cannot be pumped is not turned on, and can be later"
  (check-output "emfile 20" 64
    (define out (make-socket 'push linger: 0))
    (define in (make-socket 'pull bind: "inproc://i"))
    (define held
      (let loop ((l '()))
        (let ((f (condition-case (file-open "/dev/null" open/rdonly) (x () #f))))
          (if f (loop (cons f l)) l))))
    (display (condition-case (begin (socket-option-set! out 'swap 1000000) "on")
               (e (exn zmq) (get-condition-property e 'zmq 'code))))
    (display " ")
    (for-each file-close held)
    (socket-option-set! out 'swap 1000000)
    (do ((i 0 (+ i 1))) ((= i 20)) (send-message out (make-string 10000 #\a) timeout: 50))
    (connect-socket out "inproc://i")
    (display (let loop ((n 0)) (if (receive-message in timeout: 5000) (loop (+ n 1)) n)))))

(report-tests)
