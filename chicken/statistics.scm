;;; Statistics: counts of a socket and of its connections.

(define-constant statistic-names
  '(messages-sent bytes-sent messages-received bytes-received
    send-eagains receive-eagains waits drops))

;; The kernel counts the connections of observed sockets only; else their values are #f.
(define (socket-statistics s)
  (check-socket 'socket-statistics s)
  (let ((handle (socket-handle s)))
    (checked 'socket-statistics (%check-socket handle) s)
    (let ((observed? (fx= 0 (%connections handle))))
      (append (map (lambda (name index) (cons name (%statistic handle index)))
                   statistic-names '(0 1 2 3 4 5 6 7))
              `((peers . ,(and observed? (%peers)))
                (reconnects . ,(and observed? (%retried)))
                (handshake-failures . ,(and observed? (%failed))))))))
