;;; Statistics for `zmq top': a message of three parts, "zmq-statistics", a name, and lines of key
;;; and number.

(define-constant report-topic "zmq-statistics")
(define-constant report-interval 1000)

(define (report-message name statistics)
  (list report-topic name
        (apply string-append
               (map (lambda (p) (string-append (symbol->string (car p)) " "
                                               (number->string (or (cdr p) 0)) "\n"))
                    statistics))))

;; Publishes the statistics once a second, where the option says so.
(define (start-report! name statistics)
  (when (option "report")
    (let ((publisher (make-socket 'pub (make-context) linger: 0)))
      (attach! publisher (endpoint-of (option "report") 'bind))
      (start 'report
             (lambda ()
               (let loop ()
                 (send-multipart-message publisher (report-message name (statistics)))
                 (pause (or (option "interval") report-interval))
                 (loop)))))))

(define (pause ms) (when (> ms 0) (poll '() ms)))

;; What the socket did, and how many messages wait in its swap.
(define (statistics-of socket)
  (append (socket-statistics socket)
          (if (option "swap") (list (cons 'queue (socket-option socket 'swap-count))) '())))
