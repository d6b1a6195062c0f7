;;; zmq top: a table of the programs that publish their statistics (see report.scm).

(define (run-top words)
  (read-arguments! 'top words)
  (when (null? words-beside) (wrong-usage "zmq top needs an ENDPOINT that publishes statistics"))
  (let ((socket (make-socket 'sub (make-context) subscribe: report-topic))
        (interval (or (option "interval") 1000))
        (screen? (terminal-port? (current-output-port))))
    (for-each (lambda (text) (attach! socket (endpoint-of text 'connect))) words-beside)
    (let loop ((n 1) (before '()))
      (let* ((first (if (null? before)
                        (or (receive-report socket (option "timeout")) (give-up "report"))
                        #f))
             (now (merge-reports (gather socket interval (if first (list first) '())) before)))
        (write-out (string-append (if screen? "\x1b;[H\x1b;[J" "")
                                  (top-table now)
                                  (if screen? "" "\n")))
        (unless (eqv? n (option "count")) (loop (+ n 1) now))))))

;; The time and the parts of the next message, or #f.
(define (receive-report socket timeout)
  (let ((parts (receive-multipart-message socket as: 'string timeout: timeout)))
    (and parts (cons (current-process-milliseconds) parts))))

;; What is received within that time, the newest first.
(define (gather socket ms found)
  (let ((until (+ (current-process-milliseconds) ms)))
    (let loop ((found found))
      (let* ((left (- until (current-process-milliseconds)))
             (new (and (> left 0) (receive-report socket left))))
        (if new (loop (cons new found)) found)))))

;; ------------------------------------------------------------------ reports --

;; A report: the name, the time it came, its numbers, and the report before it.
(define-record report name time numbers before)

;; The reports by name, the newest of each.
(define (merge-reports messages reports)
  (let loop ((messages (reverse messages)) (reports reports))
    (if (null? messages)
        (sort reports (lambda (a b) (string<? (report-name a) (report-name b))))
        (let* ((time (caar messages)) (parts (cdar messages))
               (numbers (and (= 3 (length parts)) (numbers-of (caddr parts)))))
          (loop (cdr messages)
                (if numbers (add-report (cadr parts) time numbers reports) reports))))))

(define (add-report name time numbers reports)
  (let ((old (any-of (lambda (r) (and (string=? name (report-name r)) r)) reports)))
    (when old (report-before-set! old #f))
    (cons (make-report name time numbers old)
          (keep (lambda (r) (not (eq? r old))) reports))))

;; The lines as an alist; #f for what is no report.
(define (numbers-of text)
  (let loop ((lines (string-split text "\n")) (numbers '()))
    (if (null? lines)
        (reverse numbers)
        (let ((words (string-split (car lines) " ")))
          (and (= 2 (length words))
               (digits? (cadr words))
               (loop (cdr lines)
                     (cons (cons (string->symbol (car words)) (string->number (cadr words)))
                           numbers)))))))

(define (number-in numbers key) (let ((p (assq key numbers))) (and p (cdr p))))

;; The first of the keys that the report has.
(define (report-value report keys)
  (any-of (lambda (key) (number-in (report-numbers report) key)) keys))

(define (report-rate report keys)
  (let ((before (report-before report)) (value (report-value report keys)))
    (and before value
         (let ((old (report-value before keys))
               (ms (- (report-time report) (report-time before))))
           (and old (> ms 0) (inexact->exact (round (/ (* 1000 (- value old)) ms))))))))

(define (top-table reports)
  (define (cell x) (if x (number->string x) "-"))
  (define (row texts widths)
    (string-append
     (string-intersperse
      (map (lambda (text width)
             (string-append (make-string (max 0 (- width (string-length text))) #\space) text))
           (cdr texts) (cdr widths))
      " ")
     "  " (car texts) "\n"))
  (define widths '(0 10 12 10 12 6 8 8))
  (apply string-append
         (row '("name" "sent/s" "sent" "recv/s" "received" "peers" "queue" "drops") widths)
         (map (lambda (r)
                (row (list (report-name r)
                           (cell (report-rate r '(messages-sent back-sent)))
                           (cell (report-value r '(messages-sent back-sent)))
                           (cell (report-rate r '(messages-received front-received)))
                           (cell (report-value r '(messages-received front-received)))
                           (cell (report-value r '(peers)))
                           (cell (report-value r '(queue)))
                           (cell (report-value r '(drops dropped))))
                     widths))
              reports)))
