;;; Waiting for two sockets and a pipe at once.

(import zmq (except (chicken file posix) socket?) (chicken process))

(define (make-pair endpoint)            ; two sockets, connected
  (let ((a (make-socket 'pair)) (b (make-socket 'pair)))
    (bind-socket a endpoint)
    (connect-socket b endpoint)
    (values a b)))

(define-values (red red-end) (make-pair "inproc://red"))
(define-values (blue blue-end) (make-pair "inproc://blue"))
(define-values (pipe pipe-end) (create-pipe))

(define items
  (list (make-poll-item red in: #t)
        (make-poll-item blue in: #t)
        (make-poll-item pipe in: #t)))

(define (take! item)
  (cond ((eq? (poll-item-socket item) red)
         (print "red: " (receive-message red as: 'string)))
        ((eq? (poll-item-socket item) blue)
         (print "blue: " (receive-message blue as: 'string)))
        (else
         (print "pipe: " (car (file-read (poll-item-fd item) 5))))))

;; prints: ready now: #f
(print "ready now: " (poll items #f))   ; #f: do not wait

(send-message red-end "one")
(send-message blue-end "two")
(file-write pipe-end "three")

;; prints: red: one
;; prints: blue: two
;; prints: pipe: three
(let loop ((taken 0))
  (when (< taken 3)
    (when (eqv? 0 (poll items 1000)) (error "nothing came"))
    (for-each (lambda (item)
                (when (poll-item-in? item)
                  (take! item)
                  (set! taken (+ taken 1))))
              items)
    (loop taken)))
