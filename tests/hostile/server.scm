;;; What is attacked: a socket of every type for each mechanism, over tcp and ws, and a ROUTER that
;;; answers honest peers.  Prints "name port" for each, and reads what comes until standard input ends.

(import zmq (chicken base) (chicken condition) (chicken file posix) (chicken keyword)
        (chicken string))

(define context (make-context))
(define-values (public secret) (curve-keypair))

(define (options mechanism)
  (case mechanism
    ((null) '())
    ((plain) '(#:plain-server #t))
    ((curve) (list curve-server: #t curve-secretkey: secret))))

;; As SECURITY.md tells a public server to do.
(define limits '(#:maxmsgsize 65536 #:handshake-ivl 2000 #:backlog 1024 #:rcvhwm 1000))

(define (port-of endpoint) (last (string-split (car (string-split endpoint "/" #t)) ":")))
(define (last l) (if (null? (cdr l)) (car l) (last (cdr l))))

(define (told name endpoint)
  (print name " " (last (string-split (car (string-split (substring endpoint 6) "/")) ":")))
  (flush-output))

(define (has? option type)
  (memq type (cdr (assq 'socket-types (socket-options option)))))

(define (open type mechanism transport)
  (let ((s (make-socket type context linger: 0)))
    (let loop ((l (append limits (options mechanism))))
      (when (pair? l)
        (let ((option (string->symbol (keyword->string (car l)))))
          (when (has? option type) (socket-option-set! s option (cadr l))))
        (loop (cddr l))))
    (when (eq? type 'sub) (socket-option-set! s 'subscribe ""))
    (condition-case
     (begin (told (conc type "/" mechanism "/" transport)
                  (bind-socket s (conc transport "://127.0.0.1:*")))
            s)
     ;; This type does not work over this transport, or libzmq lacks it.
     (e (exn zmq) #f))))

(define sockets
  (let loop ((types '(pull push pub sub req rep dealer router pair xpub xsub stream)) (found '()))
    (if (null? types)
        found
        (loop (cdr types)
              (append found
                      (map (lambda (m) (open (car types) m 'tcp)) '(null plain curve))
                      (map (lambda (m) (open (car types) m 'ws)) '(null)))))))

;; Not a REP: with libzmq 4.3.4 that may lose a reply when a stranger's request is malformed.
(define honest (make-socket 'router context linger: 0 maxmsgsize: 65536 handshake-ivl: 2000
                            backlog: 1024))
(told "honest" (bind-socket honest "tcp://127.0.0.1:*"))
(print "ready")
(flush-output)

(define poller (make-poller))
(for-each (lambda (s)
            (when (and s (not (memq (socket-type s) '(push pub req))))
              (poller-add! poller s in: #t)))
          sockets)
(poller-add! poller honest in: #t)
(poller-add! poller 0 in: #t)

(let loop ()
  (for-each
   (lambda (found)
     (let ((target found))
       (cond ((eq? target 0) (exit 0))
             (else
              ;; What a poller reports may be a malformed request, which libzmq drops.
              (let ((m (receive-multipart-message target non-blocking: #t)))
                ;; A REP must answer before it can receive again.
                (when (and m (memq (socket-type target) '(rep router)))
                  (send-multipart-message target m non-blocking: #t)))))))
   (poller-wait poller))
  (loop))
