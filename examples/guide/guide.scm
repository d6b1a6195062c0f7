;;; What the programs of this folder share: received parts are strings, arguments
;;; of the command line have defaults, and what is printed is there at once.

(import zmq (chicken base) (chicken process-context) (chicken random) (chicken time))
(include "../threads.scm")

(zmq-receive-as 'string)

;; The argument with that number, of the default's kind; the default if it is
;; not given.
(define (argument n default)
  (let ((all (command-line-arguments)))
    (cond ((>= n (length all)) default)
          ((number? default) (string->number (list-ref all n)))
          (else (list-ref all n)))))

(define (say . things)
  (apply print things)
  (flush-output))

(define random pseudo-random-integer)

(define now current-process-milliseconds)

;; Starts n threads, each of which calls the procedure with its number.
(define (start-threads n procedure)
  (if (= n 0)
      '()
      (cons (thread-start! (lambda () (procedure n)))
            (start-threads (- n 1) procedure))))

(define (last l) (if (null? (cdr l)) (car l) (last (cdr l))))

;; Waits until one of the sockets has a message, and returns the first that has;
;; #f when the timeout, which is as for `poll', has passed.
(define (first-ready timeout . sockets)
  (let ((items (map (lambda (socket) (make-poll-item socket in: #t)) sockets)))
    (poll items timeout)
    (let find ((items items))
      (cond ((null? items) #f)
            ((poll-item-in? (car items)) (poll-item-socket (car items)))
            (else (find (cdr items)))))))

(define (filter keep? l)
  (cond ((null? l) '())
        ((keep? (car l)) (cons (car l) (filter keep? (cdr l))))
        (else (filter keep? (cdr l)))))

;; The parts with another last one: an envelope is kept, however long it is.
(define (replace-last parts part)
  (if (null? (cdr parts))
      (list part)
      (cons (car parts) (replace-last (cdr parts) part))))

;; For a program whose other threads do the work.
(define (sleep-forever)
  (thread-sleep! 3600)
  (sleep-forever))
