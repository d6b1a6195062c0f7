;;; Certificates: CURVE keys with metadata, in the files of czmq and pyzmq.
;;;
;;; The files are ZPL: names and values, indented by four spaces under the name of their section.
;;; The file `path` has the public key, `path`_secret has both.

(define-record-type zmq-certificate
  (make-certificate-record public secret metadata) certificate?
  (public public-key-of)
  (secret secret-key-of)
  (metadata metadata-of))

(set-record-printer! zmq-certificate
  (lambda (c port)
    (display "#<zmq certificate " port)
    (display (public-key-of c) port)
    (when (secret-key-of c) (display " and its secret key" port))
    (display ">" port)))

(define (check-certificate location x)
  (if (certificate? x) x (fail-type location "a ZeroMQ certificate" x)))

(define (certificate-public-key c) (public-key-of (check-certificate 'certificate-public-key c)))
(define (certificate-secret-key c) (secret-key-of (check-certificate 'certificate-secret-key c)))

(define (certificate-metadata c #!optional name)
  (let ((metadata (metadata-of (check-certificate 'certificate-metadata c))))
    (if name
        (alist-ref (metadata-name 'certificate-metadata name) metadata string=?)
        metadata)))

;; ------------------------------------------------------------ metadata --

(define (every? ok? l) (or (null? l) (and (ok? (car l)) (every? ok? (cdr l)))))

;; The index of the first character from the i-th on that is not ok, or the length of s.
(define (skip ok? s i)
  (if (and (fx< i (string-length s)) (ok? (string-ref s i))) (skip ok? s (fx+ i 1)) i))

(define (every-character? ok? s) (fx= (skip ok? s 0) (string-length s)))

(define (name-character? c)
  (and (char<? c #\delete)
       (or (char-alphabetic? c) (char-numeric? c) (memv c '(#\$ #\- #\_ #\@ #\. #\& #\+ #\/)))))

(define (metadata-name location x)
  (let ((name (if (symbol? x) (symbol->string x) x)))
    (cond ((not (string? name)) (fail-type location "a symbol or string" x))
          ((and (< 0 (string-length name) 256) (every-character? name-character? name)) name)
          (else
           (fail-argument location "a name has 1 to 255 letters, digits or $ - _ @ . & + /" x)))))

;; A file has a value in quotes of a kind that the value does not contain: ZPL has no escapes.
(define (value-quote value)
  (cond ((not (substring-index "\"" value)) "\"")
        ((not (substring-index "'" value)) "'")
        (else #f)))

(define (metadata-value location x)
  (cond ((not (string? x)) (fail-type location "a string" x))
        ((and (every-character? (lambda (c) (char>=? c #\space)) x) (value-quote x)) x)
        (else
         (fail-argument location "a value has no control characters, and not both kinds of quotes"
                        x))))

(define (check-metadata location metadata)
  (unless (and (list? metadata) (every? pair? metadata))
    (fail-type location "an alist of names and strings" metadata))
  (map (lambda (entry)
         (cons (metadata-name location (car entry)) (metadata-value location (cdr entry))))
       metadata))

;; -------------------------------------------------------------- making --

(define (make-certificate . rest)
  (with-keywords 'make-certificate rest
      ((#:public public #f) (#:secret secret #f) (#:metadata metadata '()))
    (build-certificate 'make-certificate
                       (and public (key-text 'make-certificate public))
                       (and secret (key-text 'make-certificate secret))
                       (check-metadata 'make-certificate metadata))))

(define (build-certificate location public secret metadata)
  (cond (secret
         (let ((own (curve-public-key secret)))
           (unless (or (not public) (string=? own public))
             (fail-argument
              location
              "the public key is not that of the secret key: give both of one pair, or one alone"
              public))
           (make-certificate-record own secret metadata)))
        (public (make-certificate-record public #f metadata))
        (else
         (receive (public secret) (curve-keypair)
           (make-certificate-record public secret metadata)))))

;; --------------------------------------------------------------- files --

(define (secret-path path) (string-append path "_secret"))

(define (secret-path? path)
  (let ((start (fx- (string-length path) 7)))
    (and (fx>= start 0) (substring=? "_secret" path 0 start))))

(define (check-path location path)
  (check-string location path)
  (when (or (string=? "" path) (memv #\nul (string->list path)))
    (fail-argument location "a path is not empty and has no NUL byte" path)))

(define (checked-file location code path)
  (cond ((fx>= code 0) code)
        ((not-there? code) (fail/text location code "no such file or directory" (list path)))
        (else (fail location code path))))

;; -------------------------------------------------------------- saving --

;; A value with both kinds of quotes comes from a file that has none around it.
(define (certificate-text c secret?)
  (define (line name value)
    (let ((mark (or (value-quote value) "")))
      (string-append "    " name " = " mark value mark "\n")))
  (string-append
   (if secret?
       "#   ZeroMQ CURVE Secret Certificate\n#   Keep this file to yourself: do not copy it or change its mode.\n\n"
       "#   ZeroMQ CURVE Public Certificate\n#   Give it to whom you want to talk with, in a way that nobody can change it on.\n\n")
   "metadata\n"
   (foldr (lambda (entry rest) (string-append (line (car entry) (cdr entry)) rest))
          "" (metadata-of c))
   "curve\n"
   (line "public-key" (public-key-of c))
   (if secret? (line "secret-key" (secret-key-of c)) "")))

;; Saves the secret file first: a public one alone would be of no use.
(define (save-certificate c path)
  (define (save path secret?)
    (let* ((text (certificate-text c secret?)) (code (%save-keyfile path text secret?)))
      (when secret? (%wipe text))
      (checked-file 'save-certificate code path)))
  (check-certificate 'save-certificate c)
  (check-path 'save-certificate path)
  (when (secret-path? path)
    (fail-argument 'save-certificate
                   "name the public file: the secret one gets _secret behind it" path))
  (when (secret-key-of c) (save (secret-path path) #t))
  (save path #f)
  (void))

;; ------------------------------------------------------------- loading --

(define (blank? c) (memv c '(#\space #\tab #\return)))

;; Whether nothing but a comment follows.
(define (line-ends? line i)
  (let ((i (skip blank? line i)))
    (or (fx= i (string-length line)) (char=? #\# (string-ref line i)))))

;; The value after the =, in quotes or up to a comment.
(define (line-value line i fail)
  (let* ((start (skip blank? line i))
         (n (string-length line))
         (mark (and (fx< start n) (string-ref line start))))
    (if (memv mark '(#\" #\'))
        (let ((end (skip (lambda (c) (not (char=? c mark))) line (fx+ start 1))))
          (cond ((fx= end n) (fail "no closing quote"))
                ((line-ends? line (fx+ end 1)) (substring line (fx+ start 1) end))
                (else (fail "something behind the value"))))
        (let loop ((i start) (end start))
          (cond ((or (fx= i n) (char=? #\# (string-ref line i))) (substring line start end))
                ((blank? (string-ref line i)) (loop (fx+ i 1) end))
                (else (loop (fx+ i 1) (fx+ i 1))))))))

;; Calls (entry! depth name value), with #f for no value, unless the line is empty.
(define (parse-line line fail entry!)
  (let* ((start (skip blank? line 0))
         (end (skip name-character? line start))
         (next (skip blank? line end))
         (enter (lambda (value) (entry! (fx/ start 4) (substring line start end) value))))
    (cond ((line-ends? line start))
          ((fx= start end) (fail "no name"))
          ((line-ends? line next) (enter #f))
          ((char=? #\= (string-ref line next)) (enter (line-value line (fx+ next 1) fail)))
          (else (fail "neither a name nor name = value")))))

(define (parse-certificate location path lines)
  (let ((number 0) (section "") (metadata '()) (public #f) (secret #f))
    (define (fail-line text)
      (fail-argument location (string-append "line " (number->string number) ": " text) path))
    (define (new-key old value)
      (let ((key (and (fx= 40 (string-length value))
                      (handle-exceptions e #f (key-text location value)))))
        (cond ((not key) (fail-line "not a key in Z85"))
              (old (fail-line "a second key"))
              (else key))))
    (define (entry! depth name value)
      (cond ((fx= depth 0) (set! section name))
            ((or (fx> depth 1) (not value)))
            ((string=? section "metadata")
             (when (fx> (string-length name) 255) (fail-line "a name of more than 255 characters"))
             (set! metadata (cons (cons name value) metadata)))
            ((not (string=? section "curve")))
            ((string=? name "public-key") (set! public (new-key public value)))
            ((string=? name "secret-key") (set! secret (new-key secret value)))))
    (for-each (lambda (line)
                (set! number (fx+ number 1))
                (parse-line line fail-line entry!))
              lines)
    (unless (or public secret)
      (fail-argument location "no key in this file: save-certificate writes such files" path))
    (build-certificate location public secret (reverse metadata))))

;; A secret key is refused where others can use its file, unless any mode will do.
(define (read-certificate location path any-mode)
  (let* ((room (make-string (%keyfile-room)))
         (code (checked-file location (%read-keyfile path room) path))
         (text (substring room 0 (fxshr code 1)))
         (lines (string-split text "\n" #t)))
    (%wipe room)
    (%wipe text)
    (let ((c (parse-certificate location path lines)))
      (when (and (secret-key-of c) (fxodd? code) (not any-mode)) (fail-exposed location path))
      c)))

(define (load-certificate path . rest)
  (check-path 'load-certificate path)
  (with-keywords 'load-certificate rest ((#:any-mode any-mode #f))
    (read-certificate 'load-certificate
                      (if (and (not (secret-path? path)) (keyfile-stamp (secret-path path)))
                          (secret-path path)
                          path)
                      any-mode)))

;; ----------------------------------------------------------- directories --

;; A string that is another one after the file has changed; #f if there is no file.
(define (keyfile-stamp path)
  (let ((stamp (make-string (%stamp-size) #\nul)))
    (and (fx>= (%keyfile-stamp path stamp) 0) stamp)))

;; A file that was changed just now may change again within the resolution of its times, so its
;; stamp is not kept.
(define-constant settled-after 2000)

(define (lasting stamp) (and stamp (> (%stamp-age stamp) settled-after) stamp))

(define (same-stamp? a b) (and a b (string=? a b)))

;; The public certificates of a directory, read again when they change.  An entry is a list of
;; path, stamp and certificate; the certificate is #f if the file has none.
(define-record-type zmq-store
  (make-store path stamp entries) store?
  (path store-path)
  (stamp store-stamp set-store-stamp!)
  (entries store-entries set-store-entries!))

(define (open-store location path)
  (check-path location path)
  (unless (directory-exists? path) (fail-argument location "not a directory of certificates" path))
  (let ((store (make-store path #f '())))
    (refresh-store! store)
    store))

(define (list-store path)
  (foldr (lambda (name rest)
           (if (secret-path? name) rest (cons (make-pathname path name) rest)))
         '() (handle-exceptions e '() (directory path))))

(define (refreshed entry)
  (let* ((path (car entry)) (stamp (keyfile-stamp path)))
    (if (same-stamp? stamp (cadr entry))
        entry
        (list path (lasting stamp)
              (handle-exceptions e #f (read-certificate 'start-authenticator path #t))))))

(define (refresh-store! store)
  (let ((stamp (keyfile-stamp (store-path store))) (old (store-entries store)))
    (set-store-entries!
     store
     (map refreshed
          (if (same-stamp? stamp (store-stamp store))
              old
              (map (lambda (path) (or (assoc path old) (list path #f #f)))
                   (list-store (store-path store))))))
    (set-store-stamp! store (lasting stamp))))

(define (store-certificates store)
  (refresh-store! store)
  (foldr (lambda (entry rest) (if (caddr entry) (cons (caddr entry) rest) rest))
         '() (store-entries store)))
