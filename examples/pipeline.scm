;;; Work is dealt out to three workers in turn, and the results come together.
;;; Here all are sockets of one program, over inproc; wordcount.scm does the
;;; same with processes.

(import zmq (chicken sort))

(define (make-worker)
  (let ((tasks (make-socket 'pull)) (results (make-socket 'push)))
    (connect-socket tasks "inproc://tasks")
    (connect-socket results "inproc://results")
    (cons tasks results)))

(define (work! worker name)
  (let ((task (receive-message (car worker) as: 'string non-blocking: #t)))
    (when task
      (let ((n (string->number task)))
        (print "worker " name " squares " n)
        (send-message (cdr worker) (number->string (* n n)))
        (work! worker name)))))

(define tasks (make-socket 'push))
(define results (make-socket 'pull))
(bind-socket tasks "inproc://tasks")
(bind-socket results "inproc://results")

;; prints: worker a squares 1
;; prints: worker a squares 4
;; prints: worker b squares 2
;; prints: worker b squares 5
;; prints: worker c squares 3
;; prints: worker c squares 6
(let ((workers (list (make-worker) (make-worker) (make-worker))))
  (for-each (lambda (n) (send-message tasks (number->string n)))
            '(1 2 3 4 5 6))
  (for-each work! workers '(a b c)))

;; prints: results: (1 4 9 16 25 36)
(let loop ((n 6) (squares '()))
  (if (> n 0)
      (let ((square (receive-message results as: 'string timeout: 1000)))
        (loop (- n 1) (cons (string->number square) squares)))
      (print "results: " (sort squares <))))
