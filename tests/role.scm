;;; Roles of the patterns in processes of their own, which are stopped, killed and started again.

(import zmq (chicken base) (chicken process signal) (chicken process-context posix)
        (chicken file posix) (chicken random) (chicken tcp))

;; An endpoint that can be bound again and again: the first of `count` free ports in a row, below
;; those that the system gives to others.  A socket of libzmq that was closed listens a while longer,
;; and a client of another type that meets it never connects again.
(define (free-endpoint #!optional (count 1))
  (define (endpoint port) (string-append "tcp://127.0.0.1:" (number->string port)))
  (define (free? port)
    (condition-case (begin (tcp-close (tcp-listen port 4 "127.0.0.1")) #t)
      ((exn i/o net) #f)))
  (let try ()
    (let ((port (+ 10000 (pseudo-random-integer 20000))))
      (if (let all ((i 0)) (or (= i count) (and (free? (+ port i)) (all (+ i 1)))))
          (endpoint port)
          (try)))))

(define (start-role . forms)
  (start-child `((import (zmq patterns)) ,@forms) limit: 55))

;; What a program that runs a role in the background ends with.
(define stay '(let loop () (nap! 1000) (loop)))

(define (stop child) (process-signal (child-pid child) signal/stop))
(define (continue child) (process-signal (child-pid child) signal/cont))

(define (kill-9 child)
  (kill-child child)
  (check= '(signal 9) (wait-for-child child)))
