;;; Connections that fail, told on standard error: otherwise a program would wait in silence.

(define-constant failures
  '(handshake-failed-protocol handshake-failed-auth handshake-failed-no-detail))

;; Peers that fail come again and again.
(define-constant most-complaints 20)

(define (watch-connections! socket)
  (let ((monitor (monitor-socket socket
                                 events: (append '(disconnected connect-retried) failures))))
    (start 'connections
           (lambda ()
             (let loop ((told '()))
               ;; It fails when the socket is closed.
               (let* ((event (condition-case (receive-event monitor) ((exn zmq) #f)))
                      (text (and event (failure-text socket event (null? told)))))
                 (cond ((not event))
                       ((or (not text) (member text told) (= most-complaints (length told)))
                        (loop told))
                       (else
                        (complain text)
                        (loop (cons text told))))))))))

;; What the event says that the user should know, or #f.  A connection also ends after a failure.
(define (failure-text socket event first?)
  (define at (or (event-endpoint event) ""))
  (define (ended why)
    (string-append "no handshake at " at ": the peer ended it" why
                   "; types of sockets, mechanisms and keys must fit"))
  (cond ((eq? 'handshake-failed-no-detail (event-symbol event))
         (ended (string-append " (" (event-text event) ")")))
        ((memq (event-symbol event) failures)
         (string-append "no handshake at " at ": " (event-text event)))
        ((or (not first?) (eq? 'stream (socket-type socket)) (greeted? socket)) #f)
        ((eq? 'disconnected (event-symbol event)) (ended ""))
        ((terminal-port? (current-error-port)) (string-append "nobody answers at " at " yet"))
        (else #f)))

;; Whether a handshake has succeeded, or the socket is closed.
(define (greeted? socket)
  (condition-case (< 0 (cdr (assq 'handshakes (socket-connections socket))))
    ((exn zmq) #t)))
