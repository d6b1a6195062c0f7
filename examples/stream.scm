;;; A STREAM speaks plain TCP: here it answers HTTP.  Each message has two
;;; parts, the name of the connection and bytes; no bytes mean that it was
;;; opened or closed, and sending none closes it.
;;;
;;;   csi -s stream.scm 8080    serves at that port until it is ended

(import zmq (chicken io) (chicken process-context) (chicken string)
        (chicken tcp))
(include "threads.scm")

(define newline-twice (string #\return #\newline #\return #\newline))

(define (answer request)
  (let ((words (string-split request " ")))
    (string-append "HTTP/1.0 200 OK" newline-twice
                   "You asked for " (cadr words) "\n")))

;; A request may come in pieces: `begun' has those of each connection.
(define (serve s begun)
  (let* ((message (receive-multipart-message s as: 'string))
         (name (car message))
         (entry (assoc name begun))
         (request (string-append (if entry (cdr entry) "") (cadr message)))
         (others (let loop ((l begun))
                   (cond ((null? l) '())
                         ((eq? entry (car l)) (cdr l))
                         (else (cons (car l) (loop (cdr l))))))))
    (cond ((string=? (cadr message) "")
           (serve s (if entry others (cons (cons name "") begun))))
          ((substring-index newline-twice request)
           (send-multipart-message s (list name (answer request)))
           (send-multipart-message s (list name ""))
           (serve s others))
          (else (serve s (cons (cons name request) others))))))

(define (port-of endpoint) (string->number (caddr (string-split endpoint ":"))))

(let ((arguments (command-line-arguments)) (s (make-socket 'stream)))
  (if (pair? arguments)
      (begin (bind-socket s (string-append "tcp://*:" (car arguments)))
             (serve s '()))
      (let ((endpoint (bind-socket s "tcp://127.0.0.1:*")))
        (thread-start! (lambda () (serve s '())))
        (receive (in out) (tcp-connect "127.0.0.1" (port-of endpoint))
          (display (string-append "GET /hello HTTP/1.0" newline-twice) out)
          (print (read-line in))           ; prints: HTTP/1.0 200 OK
          (read-line in)
          (print (read-line in))))))       ; prints: You asked for /hello
