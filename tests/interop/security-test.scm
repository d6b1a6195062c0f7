;;; PLAIN and CURVE with peers of other libraries, on either side.

(import zmq (zmq auth) (chicken base) (chicken file))
(include "check.scm")
(include "threads.scm")
(include "child.scm")
(include "pair.scm")
(include "interop/peer.scm")

;; The key pairs of ZeroMQ's own manual.
(define server-public "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7")
(define server-secret "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6")
(define client-public "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID")
(define client-secret "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs")

(define (option name value) (string-append name "=" (escaped value)))

(define curve-server
  (list "curve-server=1" (option "curve-publickey" server-public)
        (option "curve-secretkey" server-secret)))
(define curve-client
  (list (option "curve-publickey" client-public)
        (option "curve-secretkey" client-secret)
        (option "curve-serverkey" server-public)))

(define our-curve-server
  (list curve-server: #t curve-secretkey: server-secret
        curve-publickey: server-public))
(define our-curve-client
  (list curve-publickey: client-public curve-secretkey: client-secret
        curve-serverkey: server-public))

;; More than one record of CURVE.
(define large (pattern 70000))

;; Our client asks the peer's server, which answers, or never hears of it.
(define (ask peer options words answered?)
  (let* ((child (apply start-peer peer "rep" "bind" "tcp://127.0.0.1:*"
                       (append words (if answered?
                                         '("get:#70000|" "send:answer" "stay")
                                         '("none:300")))))
         (s (apply make-socket 'req linger: 0 connect: (peer-endpoint child)
                   options)))
    (let ((wait (if answered? 10000 300)))
      ;; Who was refused may have nobody to send to already.
      (check= (and answered? "answer")
              (and (send-multipart-message s (list large "") timeout: wait)
                   (receive-message s as: 'string timeout: wait))))
    (if answered? (dismiss child) (check-peer child))
    (close-socket s)))

;; The peer's client asks our server.
(define (serve peer options words answered? #!optional context)
  (let* ((s (apply make-socket 'rep context linger: 0 options))
         (e (bind-socket s "tcp://127.0.0.1:*"))
         (child (apply start-peer peer "req" "connect" e
                       (append words '("send:#70000|")
                               (if answered? '("get:answer") '("none:500"))))))
    (check= (and answered? (list large ""))
            (receive-multipart-message s as: 'string
                                       timeout: (if answered? 10000 500)))
    (when answered? (send-message s "answer"))
    (if answered? (check-peer child) (begin (kill-child child) (wait-for-child child)))
    (close-socket s)))

(test-with-peers (peer) "the peer's authenticator tells names and passwords apart"
  (let ((words '("plain-server=1" "auth-plain=ann:secret")))
    (ask peer '(plain-username: "ann" plain-password: "secret") words #t)
    (ask peer '(plain-username: "ann" plain-password: "guess") words #f)
    (ask peer '(plain-username: "bob" plain-password: "secret") words #f)
    (ask peer our-curve-client words #f)
    (ask peer '() words #f)))

(test-with-peers (peer) "our client speaks CURVE to the peer's server"
  (let ((words (append curve-server '("auth-curve=any"))))
    (ask peer our-curve-client words #t)
    (ask peer '(plain-username: "ann" plain-password: "secret") words #f)
    (ask peer '() words #f)
    ;; The key of another server.
    (ask peer (append our-curve-client (list curve-serverkey: client-public))
         words #f)))

(test-with-peers (peer) "the peer's client speaks CURVE to our server"
  (serve peer our-curve-server curve-client #t))

;; libzmq lets nobody in who cannot be asked about.
(test-with-peers (peer) "a PLAIN server of ours without an authenticator admits nobody"
  (serve peer '(plain-server: #t) '("plain-username=ann" "plain-password=secret")
         #f))

(test-with-peers (peer) "our server has nothing to do with a peer of another mechanism"
  (serve peer our-curve-server '() #f)
  (serve peer our-curve-server '("plain-username=ann" "plain-password=secret") #f)
  (serve peer '(plain-server: #t) curve-client #f)
  (serve peer '() curve-client #f))

;; ------------------------------------------------- our authenticator --

(define (with-authenticator procedure . rules)
  (call-with-context
   (lambda (context)
     (let ((a (apply start-authenticator context rules)))
       (procedure context)
       (stop-authenticator a)))))

(test-with-peers (peer) "our authenticator tells the peers' names and passwords apart"
  (with-authenticator
   (lambda (context)
     (define (try words answered?)
       (serve peer '(plain-server: #t) words answered? context))
     (try '("plain-username=ann" "plain-password=secret") #t)
     (try '("plain-username=ann" "plain-password=guess") #f)
     (try '("plain-username=eve" "plain-password=secret") #f)
     (try '() #f)
     (try curve-client #f))
   plain: '(("ann" . "secret"))))

(test-with-peers (peer) "our authenticator lets in whose key it knows"
  (with-authenticator
   (lambda (context) (serve peer our-curve-server curve-client #t context))
   curve: (list client-public))
  (with-authenticator
   (lambda (context) (serve peer our-curve-server curve-client #f context))
   curve: (list server-public)))

(test-with-peers (peer) "our authenticator lets no stranger in who brings nothing"
  (with-authenticator
   (lambda (context) (serve peer '() '() #f context))
   curve: (list client-public)))

(test-with-peers (peer) "our authenticator goes by the peer's address"
  (with-authenticator
   (lambda (context) (serve peer our-curve-server curve-client #f context))
   curve: #t deny: "127.0.0.0/8")
  (with-authenticator
   (lambda (context) (serve peer '() '() #t context))
   allow: "127.0.0.1"))

;; ------------------------------------------------ files of certificates --

;; pyzmq ends the names of its files with .key, and its authenticator looks
;; for such only.
(define (public-file folder)
  (let ((file (car (glob (string-append folder "/*_secret")))))
    (substring file 0 (- (string-length file) 7))))

(define (make-theirs peer)
  (let ((folder (create-temporary-directory)))
    (check-peer (start-peer peer "certificate" folder "client"))
    folder))

(define (client-options certificate)
  (list curve-publickey: (certificate-public-key certificate)
        curve-secretkey: (certificate-secret-key certificate)
        curve-serverkey: server-public))

(define-syntax test-certificates
  (syntax-rules ()
    ((_ (peer) name body ...)
     (for-each (lambda (peer) (test (string-append name ", " (car peer)) body ...))
               (list pyzmq czmq)))))

(test-certificates (peer) "the peer's authenticator knows a key by the peer's own file, which we read"
  ;; pyzmq's secret file has the mode that the umask leaves.
  (let* ((folder (make-theirs peer))
         (words (append curve-server (list (option "auth-curve" folder))))
         (load (lambda (folder) (load-certificate (public-file folder) any-mode: #t))))
    (ask peer (client-options (load folder)) words #t)
    (ask peer (client-options (load (make-theirs peer))) words #f)))

(test-certificates (peer) "the peer's authenticator knows a key by a file of ours"
  (let* ((folder (create-temporary-directory))
         (words (append curve-server (list (option "auth-curve" folder))))
         (ours (make-certificate metadata: '((name . "Ann") (e-mail . "ann@x")))))
    (save-certificate ours (string-append folder "/ann.key"))
    (ask peer (client-options ours) words #t)
    (ask peer (client-options (make-certificate)) words #f)))

(test-certificates (peer) "our authenticator knows a key by the peer's file, and the peer our server's by ours"
  (let* ((folder (make-theirs peer))
         (ours (make-certificate))
         (server-file (string-append (create-temporary-directory) "/server.key"))
         (words (lambda (folder)
                  (list (option "certificate"
                                (string-append (public-file folder)
                                               (if (eq? peer pyzmq) "_secret" "")))
                        (option "server-certificate" server-file))))
         (options (list curve-server: #t
                        curve-secretkey: (certificate-secret-key ours))))
    (save-certificate (make-certificate public: (certificate-public-key ours))
                      server-file)
    (with-authenticator
     (lambda (context)
       (serve peer options (words folder) #t context)
       (serve peer options (words (make-theirs peer)) #f context))
     curve: folder)))

(report-peers)
