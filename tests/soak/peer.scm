;;; A peer of the soak, on this module: peers.py says what the arguments and
;;; lines mean.  It can have several roles, each in threads of its own.

(import zmq (chicken base) (chicken condition) (chicken file posix) (chicken fixnum)
        (chicken process-context) (chicken process signal) (chicken string) (chicken time))
(include "../threads.scm")

(define pattern
  (let ((s (make-string 65536)))
    (do ((i 0 (fx+ i 1))) ((fx= i 65536) s)
      (string-set! s i (integer->char (fxand 255 (fx+ (fx* i 7) (fxshr i 8))))))))

;; The parts that follow the header of a message.
(define (payload incarnation number scale)
  (let ((size (if (= 0 (modulo number 97))
                  40000
                  (* scale (modulo (+ (* number 37) (* incarnation 11)) 1500))))
        (start (modulo (+ (* incarnation 131) (* number 17)) 4096))
        (parts (modulo number 3)))
    (let loop ((p 0))
      (if (= p parts)
          '()
          (let ((from (+ start (* p 29))))
            (cons (substring pattern from (+ from size)) (loop (+ p 1))))))))

;; One write, so that a line is whole or absent when the process is killed.
(define (say . words)
  (file-write fileno/stdout (string-append (string-intersperse (map ->string words) " ") "\n")))

(define quiet #f)
(define leave #f)
(set-signal-handler! signal/usr1 (lambda (_) (set! quiet #t)))
(set-signal-handler! signal/term (lambda (_) (set! leave #t)))

(define (read-options text)
  (map (lambda (word)
         (let ((at (substring-index "=" word)))
           (cons (string->symbol (substring word 0 at)) (substring word (+ at 1)))))
       (string-split text ";")))

(define (option options name) (alist-ref name options))
(define (number-option options name) (string->number (option options name)))

(define (open-socket options)
  (let* ((type (string->symbol (option options 'type)))
         (hwm (number-option options 'hwm))
         (swap (number-option options 'swap))
         (s (make-socket type linger: 1000 sndhwm: hwm rcvhwm: hwm reconnect-ivl: 50)))
    (define (set name value) (socket-option-set! s name value))
    (when (eq? type 'router) (set 'router-mandatory #t))
    (when (eq? type 'sub)
      (set 'subscribe (string-append "c" (option options 'channel) ".")))
    (when (option options 'secret)
      (set 'curve-secretkey (option options 'secret))
      (set 'curve-publickey (option options 'public))
      (if (option options 'server)
          (set 'curve-serverkey (option options 'server))
          (set 'curve-server #t)))
    (when (> swap 0)
      (set 'swap-plaintext #t)
      (set 'swap swap))
    ((if (equal? "bind" (option options 'where)) bind-socket connect-socket)
     s (option options 'endpoint))
    s))

(define (read-header header)
  (map string->number (string-split (substring header 1) ".")))

(define (start-role options)
  (let* ((s (open-socket options))
         (channel (number-option options 'channel))
         (incarnation (number-option options 'incarnation))
         (scale (number-option options 'scale))
         (pause (quotient 1000 (number-option options 'rate))))

    (define (check! parts)
      (let ((numbers (read-header (car parts))))
        (unless (and (= channel (car numbers))
                     (equal? (cdr parts) (payload (cadr numbers) (caddr numbers) scale)))
          (say channel "b" (car parts)))
        (say channel "r" (cadr numbers) (caddr numbers))))

    (define (receive-all)
      (check! (receive-multipart-message s as: 'string))
      (receive-all))

    (define (answer-all)
      (let ((parts (receive-multipart-message s as: 'string)))
        (check! (cdr parts))
        (condition-case
            (send-multipart-message s (list (car parts) (number->string incarnation) (cadr parts)))
          (e (exn zmq)
             (if (eq? 'ehostunreach (get-condition-property e 'zmq 'code))
                 (say channel "u")
                 (abort e))))
        (answer-all)))

    (define (read-answers)
      (let* ((parts (receive-multipart-message s as: 'string))
             (numbers (read-header (cadr parts))))
        (say channel "a" (car parts) (cadr numbers) (caddr numbers))
        (read-answers)))

    (define (send-all)
      (let loop ((number 0))
        (unless quiet
          (send-multipart-message
           s (cons (string-append "c" (number->string channel) "." (number->string incarnation)
                                  "." (number->string number))
                   (payload incarnation number scale)))
          (say channel "s" number)
          (nap! pause)
          (loop (+ number 1))))
      (report-swap)
      (say channel "q"))

    (define (report-swap)
      (when (> (number-option options 'swap) 0)
        (say channel "w" (socket-option s 'swap-peak) (socket-option s 'swap-dropped)
             (socket-option s 'swap-lost))))

    (say channel "up" (socket-option s 'last-endpoint))
    (case (socket-option s 'type)
      ((push pub) (list (start send-all)))
      ((dealer) (list (start send-all) (start read-answers)))
      ((router) (list (start answer-all)))
      (else (list (start receive-all))))))

;; What a thread raises ends the program, and says so.
(define (start thunk)
  (spawn! (lambda ()
            (handle-exceptions e
                (begin (print-error-message e (current-error-port)) (exit 70))
              (thunk)))))

(for-each (lambda (words) (start-role (read-options words))) (command-line-arguments))
(let loop () (unless leave (nap! 100) (loop)))
(exit 0)
