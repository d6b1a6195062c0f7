;;; Every pattern of sockets, with peers of other libraries, both ways.

(import zmq (chicken base))
(include "check.scm")
(include "threads.scm")
(include "child.scm")
(include "pair.scm")
(include "interop/peer.scm")

;; Calls the procedure with our socket and the peer: once where we bind, over
;; tcp, and once where the peer does, over ipc.
(define (meet peer ours options theirs words procedure)
  (let* ((s (apply make-socket ours linger: 0 options))
         (e (bind-socket s "tcp://127.0.0.1:*"))
         (child (apply start-peer peer theirs "connect" e words)))
    (procedure s child)
    (close-socket s))
  (let* ((e (string-append "ipc://" (create-temporary-directory) "/socket"))
         (child (apply start-peer peer theirs "bind" e words))
         (s (apply make-socket ours linger: 0 options)))
    (connect-socket s (peer-endpoint child))
    (procedure s child)
    (close-socket s)))

(test-with-peers (peer) "push to pull"
  (meet peer 'push '() "pull" (gets)
        (lambda (s child) (send-all s) (check-peer child))))

(test-with-peers (peer) "pull from push"
  (meet peer 'pull '() "push" (append (sends) '("stay"))
        (lambda (s child) (get-all s) (dismiss child))))

;; The subscription to everything, as an XPUB sees it.
(define to-all (string (integer->char 1)))

;; What a publisher sends before the subscription has come is dropped.
(define (publish s child)
  (check= (list to-all) (take-parts s))
  (send-all s)
  (check-peer child))

(test-with-peers (peer) "xpub to sub"
  (meet peer 'xpub '() "sub" (cons "subscribe=" (gets)) publish))

(test-with-peers (peer) "xpub to xsub"
  (meet peer 'xpub '() "xsub" (cons "send:%01" (gets)) publish))

(test-with-peers (peer) "sub from xpub"
  (meet peer 'sub '(subscribe: "")
        "xpub" (append '("get:%01") (sends) '("stay"))
        (lambda (s child) (get-all s) (dismiss child))))

(test-with-peers (peer) "xsub from xpub"
  (meet peer 'xsub '() "xpub" (append '("get:%01") (sends) '("stay"))
        (lambda (s child)
          (send-message s to-all)
          (get-all s)
          (dismiss child))))

;; A publisher that cannot know whether it is heard says it again.
(test-with-peers (peer) "pub to sub, only what is subscribed to"
  (meet peer 'pub '() "sub" '("subscribe=yes" "get:yes|#256|" "get:yes|#256|")
        (lambda (s child)
          (check (wait-until
                  (lambda ()
                    (send-message s "no")
                    (send-multipart-message s (list "yes" (pattern 256) ""))
                    (eq? 'ok (child-ended child))))))))

(test-with-peers (peer) "sub from pub"
  (meet peer 'sub '(subscribe: "yes") "pub" '("repeat:yes|#256|")
        (lambda (s child)
          (check= (list "yes" (pattern 256) "") (take-parts s))
          (check= (list "yes" (pattern 256) "") (take-parts s))
          (dismiss child))))

(define (ask-all s)
  (for-each (lambda (m)
              (send-multipart-message s m)
              (check= m (take-parts s)))
            messages))

(define echo (string-append "echo:" (number->string (length messages))))

(define (answer-all s)
  (for-each (lambda (m)
              (check= m (take-parts s))
              (send-multipart-message s m))
            messages))

(test-with-peers (peer) "req to rep"
  (meet peer 'req '() "rep" (list echo "stay")
        (lambda (s child) (ask-all s) (dismiss child))))

(define asking (interleave (sends) (gets)))

(test-with-peers (peer) "rep to req"
  (meet peer 'rep '() "req" asking
        (lambda (s child) (answer-all s) (check-peer child))))

(test-with-peers (peer) "req to router"
  (meet peer 'req '() "router" (list echo "stay")
        (lambda (s child) (ask-all s) (dismiss child))))

(test-with-peers (peer) "router to req"
  (meet peer 'router '() "req" asking
        (lambda (s child)
          (for-each (lambda (m)
                      (let ((got (take-parts s)))
                        (check= (cons "" m) (cdr got))
                        (send-multipart-message s got)))
                    messages)
          (check-peer child))))

(test-with-peers (peer) "dealer to rep"
  (meet peer 'dealer '() "rep" (list echo "stay")
        (lambda (s child)
          (send-all s "")
          (get-all s cdr)
          (dismiss child))))

(test-with-peers (peer) "rep to dealer"
  (meet peer 'rep '() "dealer" (append (sends "") (gets ""))
        (lambda (s child) (answer-all s) (check-peer child))))

(test-with-peers (peer) "dealer to router"
  (meet peer 'dealer '(routing-id: "our name") "router"
        (append '("get:our name|hi" "send:@|hi")
                (gets "our name") (sends "our name") '("stay"))
        (lambda (s child)
          (send-message s "hi")
          (check= "hi" (take s))
          (send-all s)
          (get-all s)
          (dismiss child))))

(test-with-peers (peer) "router to dealer"
  (meet peer 'router '(router-mandatory: #t) "dealer"
        (append '("routing-id=its%00name") (sends) (gets))
        (lambda (s child)
          (let ((name (string #\i #\t #\s #\nul #\n #\a #\m #\e)))
            (get-all s (lambda (m) (check= name (car m)) (cdr m)))
            (send-all s name)
            (check-peer child)))))

(test-with-peers (peer) "dealer to dealer"
  (meet peer 'dealer '() "dealer" (list echo "stay")
        (lambda (s child)
          (send-all s)
          (get-all s)
          (dismiss child))))

(test-with-peers (peer) "pair to pair"
  (meet peer 'pair '() "pair" (append (gets) (sends) '("stay"))
        (lambda (s child)
          (send-all s)
          (get-all s)
          (dismiss child))))

;; ------------------------------------------------------ raw TCP --

(test-with-peers (peer) "stream to stream"
  (let* ((s (make-socket 'stream linger: 0))
         (e (bind-socket s "tcp://127.0.0.1:*"))
         (child (start-peer peer "stream" "connect" e "get:*|" "send:@|hello"
                            "get:*|#256")))
    (let ((id (car (take-parts s))))
      (check= (list id "hello") (take-parts s))
      (send-multipart-message s (list id (pattern 256))))
    (check-peer child)
    (close-socket s))
  (let* ((child (start-peer peer "stream" "bind" "tcp://127.0.0.1:*" "get:*|"
                            "send:@|hello" "get:*|#256"))
         (s (make-socket 'stream linger: 0 connect: (peer-endpoint child)))
         (id (car (take-parts s))))
    (check= (list id "hello") (take-parts s))
    (send-multipart-message s (list id (pattern 256)))
    (check-peer child)
    (close-socket s)))

(define line-end (string #\return #\newline))

(test "a stream answers who speaks raw TCP"
  (let* ((s (make-socket 'stream linger: 0))
         (child (start-raw "http" (bind-socket s "tcp://127.0.0.1:*") 0))
         (opened (take-parts s))
         (id (car opened)))
    (check= (list id "") opened)
    (let loop ((request ""))
      (if (substring-index "/path HTTP/1.0" request)
          (send-multipart-message
           s (list id (string-append "HTTP/1.0 200 OK" line-end line-end "/path")))
          (loop (string-append request (cadr (take-parts s))))))
    (send-multipart-message s (list id ""))
    ;; libzmq closes the connection while its socket is used.
    (check (wait-until
            (lambda ()
              (receive-multipart-message s non-blocking: #t)
              (child-ended child))))
    (check-peer child)
    (close-socket s)))

(test "a stream asks who speaks raw TCP"
  (let* ((child (start-raw "upper" "" 0))
         (s (make-socket 'stream linger: 0 connect: (peer-endpoint child)))
         (id (car (take-parts s))))
    (send-multipart-message s (list id "hello"))
    (let loop ((answer ""))
      (unless (string=? answer "HELLO")
        (loop (string-append answer (cadr (take-parts s))))))
    ;; It has closed the connection.
    (check= (list id "") (take-parts s))
    (check-peer child)
    (close-socket s)))

(report-peers)
