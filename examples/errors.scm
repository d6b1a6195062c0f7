;;; Every failure is a condition of the kinds (exn i/o net zmq); the property
;;; code of zmq says which.

(import zmq (chicken condition))

(define (code-of e) (get-condition-property e 'zmq 'code))
(define (message-of e) (get-condition-property e 'exn 'message))

(define first (make-socket 'rep))
(define second (make-socket 'rep))
(define endpoint (bind-socket first "tcp://127.0.0.1:*"))

;; One failure is expected here; any other goes on to whoever catches it.
(define (bind-or-say-so s endpoint)
  (condition-case (bind-socket s endpoint)
    (e (exn i/o net zmq)
       (if (eq? (code-of e) 'eaddrinuse)
           (print "in use already, as expected")
           (abort e)))))

;; prints: in use already, as expected
(bind-or-say-so second endpoint)

(define-syntax show
  (syntax-rules ()
    ((_ expression)
     (condition-case (begin expression (print "no failure"))
       (e (exn zmq) (print (code-of e) ": " (message-of e)))
       (e (exn type) (print "type: " (message-of e)))))))

;; prints: efsm: not in this state of the socket: REQ sends before it receives, REP receives before it sends, by turns
;; prints: eprotonosupport: transport not supported: use tcp, ipc, inproc or another that this libzmq was built with
;; prints: closed: it was closed
;; prints: type: bad argument type - not a message, string, blob or u8vector; send-multipart-message takes a list of these, send-object any datum
(show (send-message first "an answer without a question"))
(show (bind-socket second "nonsense://x"))
(show (begin (close-socket second) (receive-message second)))
(show (send-message first 'not-bytes))

;; Time running out is no failure: it is answered with #f.
(define pull (make-socket 'pull))
;; prints: after 10 ms: #f
(print "after 10 ms: " (receive-message pull timeout: 10))
