;;; Two sockets are polled: without waiting, for a time, and for ever.

(import (zmq compat))

(define context (make-context 1))
(zmq-default-context context)
(define tasks (make-socket 'pull))
(define news (make-socket 'sub))
(bind-socket tasks "inproc://tasks")
(bind-socket news "inproc://news")
(socket-option-set! news 'subscribe "1")

(define out (make-socket 'push))
(define pub (make-socket 'pub))
(connect-socket out "inproc://tasks")
(connect-socket pub "inproc://news")

(define items (list (make-poll-item tasks in: #t) (make-poll-item news in: #t)))

(print (poll items #f))                         ; prints: #f
(when (= 0 (poll items 10)) (print "nothing"))  ; prints: nothing
(print (receive-message tasks non-blocking: #t))   ; prints: #f

(send-message out "task")
(send-message pub "10001 31 5")
(let loop ((n 0))
  (when (< n 2)
    (poll items #t)
    (loop (+ n (length
                (map (lambda (item)
                       (when (poll-item-in? item)
                         (print (receive-message (poll-item-socket item)))))
                     (let ready ((l items))
                       (cond ((null? l) '())
                             ((poll-item-in? (car l)) (cons (car l) (ready (cdr l))))
                             (else (ready (cdr l))))))))))) ; prints: task
; prints: 10001 31 5
(for-each close-socket (list tasks news out pub))
(terminate-context context)
