;;; The parsers of bytes from elsewhere that are in Scheme, with bytes of all kinds: requests of
;;; ZAP, certificates, several parts in one, and commands of a proxy.
;;;
;;;   parsers RUNS SEED       compile it with csc -O2
;;;
;;; The last line is `N passed, N failed', with a parser as one test.

(import zmq (chicken base) (chicken blob) (chicken condition) (chicken fixnum)
        (chicken process-context) (chicken string))
(include "random.scm")
(include "../threads.scm")

;; The sources of the authenticator, whose replies come here.
(module parsers
    (make-test-authenticator replies-to parse-certificate certificate-text make-certificate
     certificate? certificate-public-key certificate-secret-key certificate-metadata)
  (import scheme
          (chicken base) (chicken condition) (chicken file) (chicken fixnum) (chicken pathname)
          (chicken string)
          (except (zmq base) send-multipart-message))
  (define replies '())
  (define (send-multipart-message socket parts . rest)
    (set! replies (cons parts replies))
    #t)
  (include "../../chicken/certificate.scm")
  (include "../../chicken/authenticator.scm")

  (define (make-test-authenticator . policies)
    (let ((a (make-authenticator (make-context) #f #f (make-policies #f #f #f #f '() #f)
                                 #f 0 0 0)))
      (configure! 'test a policies)
      a))

  (define (replies-to a frames)
    (set! replies '())
    (handle-parts a frames)
    replies))

(import parsers)

(define-values (runs seed)
  (let ((a (map string->number (command-line-arguments))))
    (values (if (pair? a) (car a) 10000) (if (and (pair? a) (pair? (cdr a))) (cadr a) 1))))

(define (must ok? . what) (unless ok? (error "not so" what)))

(define (code-of e)
  (and (condition? e) (get-condition-property e 'zmq 'code #f)))

;; What the thunk returns; the condition, if it is one of the module's.
(define (outcome thunk)
  (call/cc
   (lambda (return)
     (with-exception-handler
      (lambda (e) (if (code-of e) (return e) (signal e)))
      thunk))))

;; ------------------------------------------------------------------- ZAP --

(define-values (public secret) (curve-keypair))
(define key (blob->string (z85-decode public)))

(define policies
  (list (list curve: (list public) plain: '(("user" . "password") ("" . "")))
        (list curve: #t allow: '("10.0.0.0/8" "::1") domain: "domain")
        (list allow: "127.0.0.1" deny: '("127.0.0.0/8"))
        (list gssapi: '("principal") plain: #f allow: '("ipc:0") deny: "192.168.0.0/16")))

(define authenticators (map (lambda (p) (apply make-test-authenticator p)) policies))

(define (usual-frames)
  (append
   (list "peer" "" (if (one-in? 9) "1.1" "1.0") "1"
         (pick-one '("domain" "" "other"))
         (pick-one '("127.0.0.1" "10.1.2.3" "::1" "localhost:0:0:1" "192.168.0.1"))
         "id")
   (pick-one `(("NULL") ("PLAIN" "user" "password") ("PLAIN" "user" "") ("PLAIN" "" "")
               ("CURVE" ,key) ("GSSAPI" "principal") ("PLAIN" "user") ("X" "y")))))

(define (changed-frames l)
  (case (pick 4)
    ((0) l)
    ((1) (map (lambda (f) (if (one-in? 4) (change f) f)) l))
    ((2) (foldr (lambda (f rest) (if (one-in? 6) rest (cons f rest))) '() l))
    (else (foldr (lambda (f rest)
                   (if (one-in? 6)
                       (cons f (cons (random-bytes (pick (if (one-in? 9) 300 8))) rest))
                       (cons f rest)))
                 '() l))))

;; Whether a request that is let in is one that some policy lets in.
(define (may-enter? i frames)
  (let ((r (list-tail frames 4)))
    (and (string=? "1.0" (list-ref frames 2))
         (let ((domain (car r)) (address (cadr r)) (rest (cdddr r)))
           (case i
             ((0) (or (equal? rest (list "CURVE" key))
                      (equal? rest '("PLAIN" "user" "password"))
                      (equal? rest '("PLAIN" "" ""))))
             ((1) (and (string=? "domain" domain)
                       (or (substring=? "10." address 0 0 3) (substring-index ":" address))
                       (or (equal? rest '("NULL"))
                           (and (string=? "CURVE" (car rest))
                                (fx= 32 (string-length (cadr rest)))))))
             ((2) #f)
             (else (and (substring-index "localhost:0" address)
                        (or (equal? rest '("NULL")) (equal? rest '("GSSAPI" "principal"))))))))))

(define (check-reply i frames reply)
  (must (fx= 8 (length reply)) reply)
  (must (equal? (list (car frames) "" "1.0" (list-ref frames 3))
                (list (car reply) (cadr reply) (caddr reply) (cadddr reply)))
        frames reply)
  (let ((status (list-ref reply 4)))
    (must (member status '("200" "400" "500")) status)
    (must (or (not (string=? status "200")) (may-enter? i frames)) i frames)
    (must (or (string=? status "200") (equal? '("" "") (list-tail reply 6))) reply)))

(define (run-zap)
  (let ((i (pick (length authenticators))) (frames (changed-frames (usual-frames))))
    (define (ask) (replies-to (list-ref authenticators i) frames))
    (unless (null? frames)
      (let ((found (ask)))
        (must (or (null? found) (null? (cdr found))) found)
        (for-each (lambda (reply) (check-reply i frames reply)) found)
        (must (equal? found (ask)) frames)))))

;; ---------------------------------------------------------- certificates --

(define pieces
  `("metadata\n" "curve\n" "    " "public-key" "secret-key" " = " "\"" "'" "#" "\n" "\t" "name"
    "\r\n" "=" ,public ,secret "value" ,(string #\nul) ,(make-string 130 #\n)
    ,(string-append "curve\n    public-key = \"" public "\"\n")
    "metadata\n    name = \"value\"\n    other = 'a\"b'\n"))

(define (random-certificate)
  (if (one-in? 2)
      (random-text pieces 12)
      (change (certificate-text
               (make-certificate secret: secret metadata: '(("name" . "value") (x . "it's")))
               #t))))

(define (parse text) (parse-certificate 'test "path" (string-split text "\n" #t)))

;; A certificate that was read can be written, and is then read as the same.
(define (run-certificate)
  (let ((found (outcome (lambda () (parse (random-certificate))))))
    (if (certificate? found)
        (let ((again (parse (certificate-text found (certificate-secret-key found)))))
          (must (equal? (certificate-public-key found) (certificate-public-key again)))
          (must (equal? (certificate-metadata found) (certificate-metadata again))
                (certificate-metadata found)))
        (must (eq? 'einval (code-of found)) found))))

;; ----------------------------------------------------------------- parts --

(define (run-parts)
  (let* ((parts (times (pick 5) (lambda () (random-bytes (pick (if (one-in? 5) 300 20))))))
         (encoded (encode-message parts as: 'string))
         (found (begin
                  (must (equal? parts (decode-message encoded as: 'string)) parts)
                  (outcome (lambda () (decode-message (change encoded) as: 'string))))))
    (must (or (list? found) (eq? 'einval (code-of found))) found)))

;; -------------------------------------------------------------- commands --

;; A proxy obeys the commands and nothing else: it still answers behind any number of other
;; messages, and ends by the command that ends it.
(define (run-commands)
  (call-with-context
   (lambda (c)
     (let* ((front (make-socket 'pull c bind: "inproc://front"))
            (back (make-socket 'push c bind: "inproc://back"))
            (mine (make-socket 'pair c bind: "inproc://control"))
            (control (make-socket 'pair c connect: "inproc://control"))
            (t (spawn! (lambda () (proxy front back control: control)))))
       (define (word)
         (let ((s (change (pick-one '("PAUSE" "RESUME" "TERMINATE" "KILL" "STATISTICS" "")))))
           (if (member s '("TERMINATE" "KILL" "STATISTICS")) "PAUSE" s)))
       (times 50 (lambda ()
                   (send-multipart-message
                    mine (cons (word) (if (one-in? 3) (times (pick 4) word) '()))
                    timeout: 10000)))
       (send-message mine "STATISTICS" timeout: 10000)
       (must (equal? (times 8 (lambda () (make-string 8 #\nul)))
                     (receive-multipart-message mine as: 'string timeout: 10000)))
       (must (not (ended? t)))
       (send-message mine (pick-one '("TERMINATE" "KILL")) timeout: 10000)
       (must (list? (join! t)))))))

;; --------------------------------------------------------------- running --

(define passed 0)
(define failed 0)

;; Each run has a seed of its own, so that it can be repeated alone.
(define (run name count thunk)
  (display name)
  (display " ... ")
  (flush-output)
  (let ((problem
         (call/cc
          (lambda (return)
            (do ((i 0 (fx+ i 1))) ((fx= i count) #f)
              (with-exception-handler
               (lambda (e) (return (cons (+ seed i) e)))
               (lambda () (seed! (+ seed i)) (thunk))))))))
    (cond (problem
           (set! failed (+ failed 1))
           (print "FAILED")
           (print-error-message (cdr problem) (current-output-port)
                                (string-append "with seed " (number->string (car problem)))))
          (else
           (set! passed (+ passed 1))
           (print "ok")))))

(run "requests of ZAP are answered by the policies" runs run-zap)
(run "certificates are read, or refused with their line" runs run-certificate)
(run "several parts in one are read, or refused" runs run-parts)
(run "a proxy obeys commands and nothing else" (max 1 (quotient runs 1000)) run-commands)

(print passed " passed, " failed " failed")
(exit (if (= 0 failed) 0 1))
