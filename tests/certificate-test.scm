;;; Certificates: saved, loaded, and refused where they are none.

(import zmq (zmq auth) (chicken base) (chicken blob) (chicken condition) (chicken file)
        (only (chicken file posix) set-file-permissions!)
        (chicken port) (chicken random) (chicken string))
(include "check.scm")
(include "threads.scm")
(include "child.scm")
(include "directory.scm")

(define-values (public secret) (curve-keypair))
(define-values (other-public other-secret) (curve-keypair))

(test "a certificate is saved and loaded, and its secret is for its owner only (case 79)"
  (with-directory
   (lambda (d)
     (let* ((c (make-certificate metadata: '((name . "Ann \"A\" B") ("e-mail" . "a@b # c"))))
            (path (make-pathname d "ann")))
       (save-certificate c path)
       (check= #o644 (mode path))
       (check= #o600 (mode (string-append path "_secret")))
       (check= 2 (length (directory d #t)))
       (check (not (substring-index (certificate-secret-key c) (file-text path))))
       (let ((loaded (load-certificate path)))
         (check= (certificate-public-key c) (certificate-public-key loaded))
         (check= (certificate-secret-key c) (certificate-secret-key loaded))
         (check= '(("name" . "Ann \"A\" B") ("e-mail" . "a@b # c")) (certificate-metadata loaded))
         (check= "a@b # c" (certificate-metadata loaded 'e-mail))
         (check= #f (certificate-metadata loaded "nothing"))
         (check (not (substring-index (certificate-secret-key c)
                                      (with-output-to-string (lambda () (write loaded)))))))
       (delete-file (string-append path "_secret"))
       (check= #f (certificate-secret-key (load-certificate path)))
       (save-certificate (make-certificate public: public) path)
       (check= public (certificate-public-key (load-certificate path)))
       (check= 1 (length (directory d #t)))))))

(test "a secret key that others can read is refused, unless any mode will do"
  (with-directory
   (lambda (d)
     (let* ((path (make-pathname d "ann")) (hidden (string-append path "_secret")))
       (save-certificate (make-certificate) path)
       (for-each
        (lambda (mode)
          (set-file-permissions! hidden mode)
          (check-fails eacces (load-certificate path))
          (check-fails eacces (load-certificate hidden))
          (check (substring-index "chmod 600" (message-of (raised (load-certificate path)))))
          (check (certificate-secret-key (load-certificate path any-mode: #t))))
        (list #o644 #o640 #o604 #o660 #o602))
       (set-file-permissions! hidden #o400)
       (check (certificate-secret-key (load-certificate path)))
       ;; A public one may be of any mode.
       (delete-file hidden)
       (set-file-permissions! path #o666)
       (check= #f (certificate-secret-key (load-certificate path)))
       (check-fails einval (load-certificate path mode: 1))))))

(test "what is saved can be loaded, and what cannot be loaded is not saved"
  (with-directory
   (lambda (d)
     (let ((path (make-pathname d "ann")) (entry (lambda (n) `((a . ,(make-string n #\x))))))
       (save-certificate (make-certificate metadata: (entry 60000)) path)
       (check= 60000 (string-length (certificate-metadata (load-certificate path) 'a)))
       (check-fails einval (save-certificate (make-certificate metadata: (entry 70000)) path))
       (check= 60000 (string-length (certificate-metadata (load-certificate path) 'a)))
       (with-output-to-file path
         (lambda ()
           (display "metadata\n    ")
           (display (make-string 256 #\n))
           (display " = \"x\"\ncurve\n    public-key = \"")
           (display public)
           (display "\"\n")))
       (delete-file (string-append path "_secret"))
       (check-fails einval (load-certificate path))))))

(test "a value with both kinds of quotes that was read from a file is saved again"
  (with-directory
   (lambda (d)
     (let ((path (make-pathname d "f")) (copy (make-pathname d "g")) (value "5\" of Ann's"))
       (write-file path (string-append "metadata\n    size = " value " # inches\n"
                                       "curve\n    public-key = \"" public "\"\n"))
       (check= value (certificate-metadata (load-certificate path) 'size))
       (save-certificate (load-certificate path) copy)
       (check= value (certificate-metadata (load-certificate copy) 'size))))))

(test "the secret file is never readable for others, whatever the umask (case 79)"
  (with-directory
   (lambda (d)
     (let ((path (make-pathname d "k")))
       (check-child 'ok
         `((import (zmq auth) (chicken file posix))
           (set! (file-creation-mode) 0)
           (save-certificate (make-certificate) ,path)
           (exit (if (= #o600 (modulo (file-permissions ,(string-append path "_secret")) 512))
                     0 1))))))))

(test "a certificate is of keys that fit"
  (check= public (certificate-public-key (make-certificate secret: secret)))
  (check= public (certificate-public-key (make-certificate secret: secret public: public)))
  (check= #f (certificate-secret-key (make-certificate public: (z85-decode public))))
  (check-fails einval (make-certificate secret: secret public: other-public))
  (check-fails einval (make-certificate secret: "short"))
  (check-type (make-certificate secret: 5))
  (check-fails einval (make-certificate metadata: '(("a b" . "c"))))
  (check-fails einval (make-certificate metadata: '((a . "b\nsecret-key = x"))))
  (check-fails einval (make-certificate metadata: '((a . "\"'"))))
  (check-type (make-certificate metadata: '((a . 5))))
  (check-type (make-certificate metadata: '(a)))
  (check-type (certificate-public-key public))
  (check-type (save-certificate public "x"))
  (check-fails einval (save-certificate (make-certificate) "x_secret"))
  (check-fails enoent (save-certificate (make-certificate) "/no/such/directory/x")))

(test "files that are no certificates are refused with the line (case 80)"
  (with-directory
   (lambda (d)
     (let ((path (make-pathname d "f")))
       (define (refused-with words text)
         (write-file path text)
         (check-fails einval (load-certificate path))
         (let ((m (message-of (raised (load-certificate path)))))
           (unless (substring-index words m) (wrong "~s, not ~s" m words))
           (check (not (substring-index (substring secret 0 12) m)))))
       (define (line name value) (string-append "    " name " = \"" value "\"\n"))
       (refused-with "no key" "")
       (refused-with "no key" "metadata\n    a = b\n")
       (refused-with "no key" (line "public-key" public))
       (refused-with "line 2: not a key" (string-append "curve\n" (line "public-key" "x")))
       (refused-with "line 2: not a key"
                     (string-append "curve\n" (line "secret-key" (substring secret 0 39))))
       (refused-with "line 3: a second key"
                     (string-append "curve\n" (line "public-key" public) (line "public-key" public)))
       (refused-with "that of the secret key"
                     (string-append "curve\n" (line "public-key" other-public)
                                    (line "secret-key" secret)))
       (refused-with "line 2: no closing quote"
                     (string-append "curve\n    secret-key = \"" secret "\n"))
       (refused-with "line 2: something behind"
                     (string-append "curve\n    public-key = \"" public "\" x\n"))
       (refused-with "line 1: no name" "= x\n")
       (refused-with "line 1: neither" "curve public\n")
       (refused-with "64 KiB" (make-string 70000 #\#))
       (refused-with "line 1: no name" (string #\nul #\1))
       (check-fails enoent (load-certificate (make-pathname d "nobody")))
       (check-fails einval (load-certificate d))
       (check-fails einval (load-certificate "/dev/zero"))
       (check-fails einval (load-certificate ""))
       (check-type (load-certificate 5))))))

(test "random files are refused or read, and nothing else (case 80)"
  (with-directory
   (lambda (d)
     (let* ((path (make-pathname d "f"))
            (good (begin (save-certificate (make-certificate secret: secret metadata: '((a . "b"))) path)
                         (file-text (string-append path "_secret")))))
       (delete-file (string-append path "_secret"))
       (do ((i 0 (+ i 1))) ((= i 1000))
         (let ((text (string-copy good)))
           (do ((n (pseudo-random-integer 4) (- n 1))) ((< n 0))
             (string-set! text (pseudo-random-integer (string-length text))
                          (integer->char (pseudo-random-integer 256))))
           (write-file path text)
           (let ((e (raised (load-certificate path any-mode: #t))))
             (when (and e (not (eq? 'einval (zmq-code e)))) (abort e)))))))))

(report-tests)
