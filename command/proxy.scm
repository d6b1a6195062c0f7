;;; zmq proxy: passes messages between two sockets until it is interrupted.

(define (run-proxy words)
  (read-arguments! 'proxy words)
  (when (pair? words-beside)
    (wrong-usage "zmq proxy takes its endpoints by --frontend and --backend, not "
                 (car words-beside)))
  (let* ((front (proxy-side "frontend"))
         (back (proxy-side "backend"))
         (context (open-context))
         (control (make-proxy-control))
         (capture (and (option "capture") (make-socket 'pub context)))
         (open (lambda (side)
                 (let ((socket (open-socket (car side) context)))
                   (when (eq? 'sub (car side)) (socket-option-set! socket 'subscribe ""))
                   (watch-connections! socket)
                   (attach! socket (cdr side))
                   socket))))
    (let* ((front (open front)) (back (open back)))
      (when capture (attach! capture (endpoint-of (option "capture") 'bind)))
      (start-report! (string-append "proxy " (option "frontend"))
                     (lambda () (proxy-statistics control)))
      (when (option "statistics")
        (start 'statistics
               (lambda ()
                 (let loop ()
                   (pause (or (option "interval") 1000))
                   (write-out (statistics-line (proxy-statistics control)))
                   (loop)))))
      (proxy front back capture: capture control: control))))

;; Type and endpoint of an option such as router=tcp://127.0.0.1:5555.
(define (proxy-side name)
  (let* ((text (or (option name) (wrong-usage "a proxy needs --" name " TYPE=ENDPOINT")))
         (split (split-at #\= text)))
    (unless (cdr split) (wrong-usage "--" name " needs TYPE=ENDPOINT, not " text))
    (unless (member (car split) type-names)
      (wrong-usage "there is no socket type " (car split) (hint (car split) type-names)))
    (cons (string->symbol (car split)) (endpoint-of (cdr split) 'bind))))

(define (statistics-line statistics)
  (string-append
   (string-intersperse
    (map (lambda (p) (string-append (symbol->string (car p)) "=" (number->string (cdr p))))
         statistics)
    " ")
   "\n"))
