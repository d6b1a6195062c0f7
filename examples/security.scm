;;; Encrypted, and only for whom we know: CURVE with an authenticator that
;;; reads the public keys of a directory.

(import zmq (zmq auth) (zmq monitor) (chicken file) (chicken pathname))

;; Each side makes a pair of keys once.  Only files that end in _secret hold
;; secret ones; the server gets a copy of ann's public file.
(define home (create-temporary-directory))
(define known (make-pathname home "known"))
(create-directory known)
(define server-keys (make-certificate))
(define ann (make-certificate metadata: '((name . "Ann"))))
(define eve (make-certificate metadata: '((name . "Eve"))))
(save-certificate ann (make-pathname home "ann"))
(copy-file (make-pathname home "ann") (make-pathname known "ann"))

;; The authenticator comes before the sockets that it guards.
(define context (make-context))
(define authenticator (start-authenticator context curve: known))
(define server
  (make-socket 'rep context curve-server: #t
               curve-secretkey: (certificate-secret-key server-keys)))
(define endpoint (bind-socket server "tcp://127.0.0.1:*"))

(define (client keys)
  (make-socket 'req linger: 0
               curve-serverkey: (certificate-public-key server-keys)
               curve-publickey: (certificate-public-key keys)
               curve-secretkey: (certificate-secret-key keys)))

(define friend (client (load-certificate (make-pathname home "ann"))))
(connect-socket friend endpoint)
(send-message friend "a question")
(print "server: " (receive-message server as: 'string timeout: 5000))
                                        ; prints: server: a question
(send-message server "an answer")
(print "ann: " (receive-message friend as: 'string timeout: 5000))
                                        ; prints: ann: an answer

;; A stranger is refused and told so; the server gets nothing from it.
(define stranger (client eve))
(define monitor (monitor-socket stranger events: '(handshake-failed-auth)))
(connect-socket stranger endpoint)
(send-message stranger "let me in")
(let ((event (receive-event monitor timeout: 5000)))
  (print "eve: " (event-value event) ", " (event-text event)))
                                        ; prints: eve: 400, the peer is refused
(print "server: " (receive-message server timeout: 100))
                                        ; prints: server: #f

(stop-authenticator authenticator)
(delete-directory home #t)
