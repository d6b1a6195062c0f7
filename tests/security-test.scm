;;; Keys and Z85, and secrets that are not told.

(import zmq (chicken base) (chicken blob) (chicken condition) (chicken port)
        (chicken string) srfi-4)
(include "check.scm")

(define (told thunk)
  (let ((e (raised (thunk))))
    (with-output-to-string
      (lambda ()
        (print-error-message e (current-output-port))
        (write (condition->list e))))))

(test "a capability is told by its symbol"
  (check (boolean? (zmq-has? 'curve)))
  (check= #t (zmq-has? 'ipc))
  (check= #f (zmq-has? 'teleport))
  (check-type (zmq-has? 5)))

(define (distinct l)
  (cond ((null? l) '())
        ((member (car l) (cdr l)) (distinct (cdr l)))
        (else (cons (car l) (distinct (cdr l))))))

(test "zmq-has? ignores the case of letters"
  (for-each (lambda (names) (check= 1 (length (distinct (map zmq-has? names)))))
            '(("ipc" "IPC" Ipc) ("curve" CURVE "cUrVe") (ws WS "Ws") (draft DRAFT)
              ("teleport" TELEPORT)))
  (check= #t (zmq-has? 'IPC)))

(test "Z85 goes both ways"
  (check= "HelloWorld" (z85-encode (u8vector->blob (u8vector #x86 #x4F #xD2 #x6F #xB5 #x59 #xF7 #x5B))))
  (check= "HelloWorld" (z85-encode (u8vector #x86 #x4F #xD2 #x6F #xB5 #x59 #xF7 #x5B)))
  (check= (u8vector #x86 #x4F #xD2 #x6F #xB5 #x59 #xF7 #x5B)
          (blob->u8vector (z85-decode "HelloWorld")))
  (check= "" (z85-encode ""))
  (check= (string->blob "") (z85-decode ""))
  (check= "%nSc0" (z85-encode (blob->string (z85-decode "%nSc0")))))

(test "what is not Z85 is refused with its place (case 80)"
  (for-each
   (lambda (wrong words)
     (check-fails einval (z85-decode wrong))
     (check (substring-index words (message-of (raised (z85-decode wrong))))))
   '("Hello Worl" "HelloWor\"d" "HelloWorl" "%nSc1" "00000#####")
   '("at index 5" "at index 8" "at index 9" "at index 0" "at index 5"))
  (for-each (lambda (n) (check-fails einval (z85-encode (make-string n #\x)))) '(1 2 3 5 31))
  (check-type (z85-encode 5))
  (check-type (z85-decode (string->blob "HelloWorld")))
  (check-type (z85-decode 'HelloWorld)))

(test "a pair of keys fits"
  (receive (public secret) (curve-keypair)
    (check= 40 (string-length public))
    (check= 40 (string-length secret))
    (check= public (curve-public-key secret))
    (check= public (curve-public-key (z85-decode secret)))
    (check= public (curve-public-key (blob->u8vector (z85-decode secret)))))
  (check= "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
          (curve-public-key "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6")))

(test "a key has 32 bytes or 40 characters (case 80)"
  (let ((s (make-socket 'dealer)))
    (for-each
     (lambda (key)
       (check-fails einval (curve-public-key key))
       (check-fails einval (socket-option-set! s 'curve-secretkey key))
       (check-fails einval (socket-option-set! s 'curve-serverkey key))
       (check-fails einval (make-socket 'dealer curve-publickey: key)))
     (list "" (make-string 31 #\0) (make-string 39 #\0) (make-string 41 #\0)
           (string-append (make-string 40 #\0) (string #\nul))
           (make-string 40 #\#) (string-append (make-string 39 #\0) " ")))
    (check-type (curve-public-key 'key))
    (close-socket s)))

(test "the options of CURVE and PLAIN are keywords of make-socket"
  (receive (public secret) (curve-keypair)
    (let ((s (make-socket 'dealer curve-server: #t curve-secretkey: secret
                          curve-publickey: (z85-decode public))))
      (check= 'curve (socket-option s 'mechanism))
      (check= secret (socket-option s 'curve-secretkey))
      (check= public (socket-option s 'curve-publickey))
      (close-socket s)))
  (let ((s (make-socket 'dealer plain-username: "ann" plain-password: "p")))
    (check= 'plain (socket-option s 'mechanism))
    (check= "ann" (socket-option s 'plain-username))
    (close-socket s)))

(test "a secret is in no condition and no printed form (case 79)"
  (let* ((secret "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6")
         (bad (string-append (substring secret 0 39) " "))
         (head (substring secret 0 12))
         (s (make-socket 'dealer curve-secretkey: secret)))
    (for-each
     (lambda (thunk)
       (let ((text (told thunk)))
         (check (not (substring-index head text)))))
     (list (lambda () (curve-public-key bad))
           (lambda () (curve-public-key (string->symbol bad)))
           (lambda () (z85-decode bad))
           (lambda () (z85-decode (string->blob secret)))
           (lambda () (z85-encode (string-append secret "x")))
           (lambda () (socket-option-set! s 'curve-secretkey bad))
           (lambda () (socket-option-set! s 'curve-secretkey (list secret)))
           (lambda () (socket-option-set! s 'plain-password (list secret)))
           (lambda () (make-socket 'dealer curve-secretkey: bad))
           (lambda () (make-socket 'dealer curve-secretkey: (list secret)))))
    (check (not (substring-index head (with-output-to-string (lambda () (write s))))))
    (close-socket s)))

(report-tests)
