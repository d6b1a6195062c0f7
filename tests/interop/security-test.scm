;;; PLAIN and CURVE with peers of other libraries, on either side.

(import zmq (chicken base) (chicken irregex) (chicken file))
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
(define (serve peer options words answered?)
  (let* ((s (apply make-socket 'rep linger: 0 options))
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

;; Options of a client by a certificate that a peer has made: pyzmq's files
;; end with .key.
(define (certificate-of folder name)
  (let* ((file (car (glob (string-append folder "/" name "*_secret"))))
         (text (with-input-from-file file read-string))
         (key (lambda (name)
                (irregex-match-substring
                 (irregex-search `(: ,name " = \"" ($ (+ (~ #\"))))
                                 text)
                 1))))
    (list curve-publickey: (key "public-key") curve-secretkey: (key "secret-key")
          curve-serverkey: server-public)))

;; Folders of public certificates, which the peers' authenticators read.
(for-each
 (lambda (peer)
   (test (string-append "the peer's authenticator knows a key by its certificate, "
                        (car peer))
     (let* ((folder (create-temporary-directory))
            (other (create-temporary-directory)))
       (check-peer (start-peer peer "certificate" folder "client"))
       (check-peer (start-peer peer "certificate" other "stranger"))
       (let ((words (append curve-server
                            (list (option "auth-curve" folder)))))
         (ask peer (certificate-of folder "client") words #t)
         (ask peer (certificate-of other "stranger") words #f)
         (ask peer our-curve-client words #f)))))
 (list pyzmq czmq))

(report-peers)
