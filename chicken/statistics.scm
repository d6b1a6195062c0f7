;;; Statistics: what a socket has done, and what became of its connections.

(define-constant statistic-names
  '(messages-sent bytes-sent messages-received bytes-received
    send-eagains receive-eagains waits drops))

;; Connections are known where the socket is observed.
(define (socket-statistics s)
  (check-socket 'socket-statistics s)
  (let ((handle (socket-handle s)))
    (checked 'socket-statistics (%check-socket handle) s)
    (let ((own (let loop ((names statistic-names) (i 0))
                 (if (null? names)
                     '()
                     (cons (cons (car names) (%statistic handle i))
                           (loop (cdr names) (fx+ i 1))))))
          (observed? (fx= 0 (%connections handle))))
      (append own
              `((peers . ,(and observed? (%peers)))
                (reconnects . ,(and observed? (%retried)))
                (handshake-failures . ,(and observed? (%failed))))))))
