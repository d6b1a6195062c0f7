;;; A poller watches many sockets, and what a wait costs does not grow with
;;; them.  `value:' stands for a socket in what it answers.

(import zmq)

(define pushers '())
(define poller (make-poller))

(define (watch! n)
  (let* ((endpoint (string-append "inproc://" (number->string n)))
         (pull (make-socket 'pull bind: endpoint))
         (push (make-socket 'push connect: endpoint)))
    (set! pushers (cons (cons n push) pushers))
    (poller-add! poller pull in: #t value: (cons n pull))))

(do ((n 0 (+ n 1))) ((= n 100))
  (watch! n))

(print (poller-wait poller timeout: 10))   ; prints: #f
(send-message (cdr (assv 42 pushers)) "to 42")
(send-message (cdr (assv 7 pushers)) "to 7")

;; What has been found and not taken is found again.
(let loop ((left 2))
  (when (> left 0)
    (for-each (lambda (ready)
                (print (car ready) " got "
                       (receive-message (cdr ready) as: 'string)))
              (poller-wait poller timeout: 5000 max: 1))
    (loop (- left 1))))
;; prints: 42 got to 42
;; prints: 7 got to 7

(print (poller-wait poller timeout: 0))    ; prints: #f
