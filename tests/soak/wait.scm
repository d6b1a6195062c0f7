;;; Waiting for long: messages go to and fro between threads while others use
;;; the same sockets, threads are killed, signals come and sockets are dropped.
;;; What stops for five seconds ends the program.
;;;
;;;   csi -s wait.scm [ROUNDS]    a million if none is given

(import zmq (chicken base) (chicken fixnum) (chicken format) (chicken gc) (chicken process-context)
        (chicken process-context posix) (chicken process signal) (chicken time))
(include "../threads.scm")
(include "../leak.scm")

(define rounds
  (let ((arguments (command-line-arguments)))
    (if (pair? arguments) (string->number (car arguments)) 1000000)))

(define progress 0)
(define (step!) (set! progress (fx+ progress 1)))

(define (watch)
  (let loop ((seen progress))
    (set-alarm! 5)
    (nap! 1000)
    (if (= seen progress)
        (begin (print "stopped at " progress) (exit 1))
        (loop progress))))

(define (pair)
  (let* ((a (make-socket 'pair bind: (sprintf "inproc://~a" (gensym))))
         (b (make-socket 'pair connect: (car (socket-endpoints a)))))
    (values a b)))

(define (say what) (print what ": " rounds " rounds, " (resident-memory) " kB") (flush-output))

;; Each message is answered by the next number; a third user looks at both.
(define (ping-pong nosy)
  (receive (a b) (pair)
    (let* ((stop #f)
           (echo (spawn! (lambda ()
                           (do ((i 0 (fx+ i 1))) ((fx= i rounds))
                             (send-message b (receive-message b as: 'string))))))
           (others (map (lambda (look)
                          (spawn! (lambda ()
                                    (let loop () (unless stop (look a) (look b) (yield!) (loop))))))
                        nosy)))
      (do ((i 0 (fx+ i 1))) ((fx= i rounds))
        (let ((n (number->string i)))
          (send-message a n)
          (unless (equal? n (receive-message a as: 'string)) (print "wrong order") (exit 1)))
        (step!))
      (join! echo)
      (set! stop #t)
      (for-each join! others)
      (close-socket a)
      (close-socket b))))

;; Several readers of one socket, of which one is killed again and again.
(define (kill-readers)
  (receive (in out) (pair)
    (let* ((got 0)
           (read (lambda () (receive-message in) (set! got (fx+ got 1)) (step!)))
           (reader (lambda () (spawn! (lambda () (let loop () (read) (loop)))))))
      (let loop ((i 0) (victim (reader)) (others (list (reader) (reader))))
        (when (fx< i (quotient rounds 10))
          (send-message out "x")
          (when (= 0 (modulo i 3)) (yield!))
          (if (= 0 (modulo i 7))
              (begin (kill! victim) (loop (fx+ i 1) (reader) others))
              (loop (fx+ i 1) victim others))))
      ;; Who was killed after it had received is the only one to lose any.
      (unless (wait-until (lambda () (not (memq 'in (socket-option in 'events)))))
        (print "messages stay") (exit 1))
      (close-socket in)
      (close-socket out))))

;; Sockets that are dropped, with what they wait for.
(define (drop-sockets)
  (let ((before (open-descriptors)))
    (do ((i 0 (fx+ i 1))) ((fx= i rounds))
      (make-socket (if (even? i) 'pull 'push) linger: 0)
      (step!))
    (settle)
    (when (> (open-descriptors) (+ before 20))
      (print "descriptors: " before " before, " (open-descriptors) " now")
      (exit 97))))

(spawn! watch)
(ping-pong '())
(say "ping-pong")
(ping-pong (list (lambda (s) (socket-option s 'events))
                 (lambda (s) (poll (list (make-poll-item s in: #t)) 0))))
(say "ping-pong beside others")
(kill-readers)
(say "readers killed")
(drop-sockets)
(say "sockets dropped")
