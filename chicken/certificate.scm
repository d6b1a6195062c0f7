;;; Certificates: CURVE keys with metadata, in the files of czmq and pyzmq.
;;;
;;; The files are ZPL: names and values, indented by four spaces under the
;;; name of their section.  `path' has the public key, and `path'_secret both.

(define-record-type zmq-certificate
  (make-certificate-record public secret metadata)
  certificate?
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

(define (certificate-public-key c)
  (public-key-of (check-certificate 'certificate-public-key c)))

(define (certificate-secret-key c)
  (secret-key-of (check-certificate 'certificate-secret-key c)))

(define (certificate-metadata c #!optional name)
  (let ((metadata (metadata-of (check-certificate 'certificate-metadata c))))
    (if name
        (let ((entry (assoc (metadata-name 'certificate-metadata name) metadata)))
          (and entry (cdr entry)))
        metadata)))

;; ------------------------------------------------------------ metadata --

(define (every-character? ok? s)
  (let loop ((i 0))
    (or (fx= i (string-length s))
        (and (ok? (string-ref s i)) (loop (fx+ i 1))))))

(define (name-character? c)
  (and (char<? c #\delete)
       (or (char-alphabetic? c) (char-numeric? c)
           (memv c '(#\$ #\- #\_ #\@ #\. #\& #\+ #\/)))))

(define (metadata-name location x)
  (let ((name (if (symbol? x) (symbol->string x) x)))
    (cond ((not (string? name)) (fail-type location "a symbol or string" x))
          ((and (< 0 (string-length name) 256) (every-character? name-character? name))
           name)
          (else
           (fail-argument location
                          "a name has 1 to 255 letters, digits or $ - _ @ . & + /"
                          x)))))

;; A value is written in quotes, which it cannot contain; nothing escapes them.
(define (value-quote value)
  (cond ((not (string-index value #\")) "\"")
        ((not (string-index value #\')) "'")
        (else #f)))

(define (string-index s c)
  (let loop ((i 0))
    (cond ((fx= i (string-length s)) #f)
          ((char=? c (string-ref s i)) i)
          (else (loop (fx+ i 1))))))

(define (check-metadata-value location value)
  (cond ((not (string? value)) (fail-type location "a string" value))
        ((and (every-character? (lambda (c) (char>=? c #\space)) value)
              (value-quote value))
         value)
        (else
         (fail-argument location
                        "a value has no control characters, and not both kinds of quotes"
                        value))))

(define (check-metadata location metadata)
  (unless (and (list? metadata) (every-pair? metadata))
    (fail-type location "an alist of names and strings" metadata))
  (map (lambda (entry)
         (cons (metadata-name location (car entry))
               (check-metadata-value location (cdr entry))))
       metadata))

(define (every-pair? l) (or (null? l) (and (pair? (car l)) (every-pair? (cdr l)))))

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
           (if (or (not public) (string=? own public))
               (make-certificate-record own secret metadata)
               (fail-argument location "the public key is not that of the secret key"
                              public))))
        (public (make-certificate-record public #f metadata))
        (else
         (receive (public secret) (curve-keypair)
           (make-certificate-record public secret metadata)))))

;; -------------------------------------------------------------- saving --

(define (certificate-text c secret?)
  (apply string-append
         (if secret?
             "#   ZeroMQ CURVE Secret Certificate\n#   Keep this file to yourself: do not copy it or change its mode.\n\n"
             "#   ZeroMQ CURVE Public Certificate\n#   Give it to whom you want to talk with, in a way that nobody can change it on.\n\n")
         "metadata\n"
         (append
          (map (lambda (entry)
                 (let ((q (value-quote (cdr entry))))
                   (string-append "    " (car entry) " = " q (cdr entry) q "\n")))
               (metadata-of c))
          (list "curve\n    public-key = \"" (public-key-of c) "\"\n")
          (if secret? (list "    secret-key = \"" (secret-key-of c) "\"\n") '()))))

(define (secret-path path) (string-append path "_secret"))

(define (secret-path? path)
  (let ((n (string-length path)))
    (and (fx>= n 7) (string=? "_secret" (substring path (fx- n 7) n)))))

(define (save-file location path text secret?)
  (let ((code (%save-keyfile path text secret?)))
    (when secret? (%wipe text))
    (checked-file location code path)))

;; The secret file first: a public one alone would be of no use.
(define (save-certificate c path)
  (check-certificate 'save-certificate c)
  (check-path 'save-certificate path)
  (when (secret-path? path)
    (fail-argument 'save-certificate
                   "name the public file: the secret one gets _secret behind it" path))
  (when (secret-key-of c)
    (save-file 'save-certificate (secret-path path) (certificate-text c #t) #t))
  (save-file 'save-certificate path (certificate-text c #f) #f)
  (void))

(define (check-path location path)
  (check-string location path)
  (when (or (string=? "" path) (string-index path #\nul))
    (fail-argument location "not a path" path)))

;; ------------------------------------------------------------- loading --

(define (checked-file location code path)
  (cond ((fx>= code 0) code)
        ((not-there? code) (fail/text location code "no such file or directory" (list path)))
        (else (fail location code path))))

(define (read-keyfile location path)
  (let* ((room (make-string (%keyfile-room)))
         (size (checked-file location (%read-keyfile path room) path))
         (text (substring room 0 size)))
    (%wipe room)
    text))

(define (fail-line location path number text)
  (fail-argument location
                 (string-append "line " (number->string number) ": " text) path))

(define (blank? c) (memv c '(#\space #\tab #\return)))

(define (skip-blanks line i)
  (if (and (fx< i (string-length line)) (blank? (string-ref line i)))
      (skip-blanks line (fx+ i 1))
      i))

(define (trimmed line from to)
  (if (and (fx> to from) (blank? (string-ref line (fx- to 1))))
      (trimmed line from (fx- to 1))
      (substring line from to)))

(define (name-end line i)
  (if (and (fx< i (string-length line)) (name-character? (string-ref line i)))
      (name-end line (fx+ i 1))
      i))

;; Whether nothing but a comment follows.
(define (line-ends? line i)
  (let ((i (skip-blanks line i)))
    (or (fx= i (string-length line)) (char=? #\# (string-ref line i)))))

;; The value behind the =, or what is wrong with it as a symbol.
(define (line-value line i)
  (let* ((i (skip-blanks line i)) (n (string-length line)))
    (if (and (fx< i n) (memv (string-ref line i) '(#\" #\')))
        (let loop ((j (fx+ i 1)))
          (cond ((fx= j n) 'unclosed)
                ((not (char=? (string-ref line j) (string-ref line i))) (loop (fx+ j 1)))
                ((line-ends? line (fx+ j 1)) (substring line (fx+ i 1) j))
                (else 'trailing)))
        (let loop ((j i))
          (if (or (fx= j n) (char=? #\# (string-ref line j)))
              (trimmed line i j)
              (loop (fx+ j 1)))))))

;; Calls (seen depth name value) for each line that says something; the value
;; is #f where there is none.
(define (parse-line location path number line seen)
  (let ((start (skip-blanks line 0)))
    (unless (line-ends? line start)
      (let* ((end (name-end line start)) (next (skip-blanks line end)))
        (when (fx= start end) (fail-line location path number "no name"))
        (seen (fx/ start 4) (substring line start end)
              (cond ((line-ends? line next) #f)
                    ((char=? #\= (string-ref line next))
                     (let ((value (line-value line (fx+ next 1))))
                       (case value
                         ((unclosed) (fail-line location path number "no closing quote"))
                         ((trailing)
                          (fail-line location path number "something behind the value"))
                         (else value))))
                    (else (fail-line location path number "neither a name nor name = value"))))))))

(define (for-each-line text do-line)
  (let ((n (string-length text)))
    (let loop ((number 1) (start 0) (i 0))
      (cond ((fx= i n) (do-line number (substring text start n)))
            ((char=? #\newline (string-ref text i))
             (do-line number (substring text start i))
             (loop (fx+ number 1) (fx+ i 1) (fx+ i 1)))
            (else (loop number start (fx+ i 1)))))))

(define (parse-certificate location path text)
  (let ((section "") (metadata '()) (public #f) (secret #f))
    (define (key number value)
      (let ((key (handle-exceptions e #f (key-text location value))))
        (unless (and key (fx= 40 (string-length value)))
          (fail-line location path number "not a key in Z85"))
        key))
    (define (once number old new)
      (if old (fail-line location path number "a second key") new))
    (for-each-line text
      (lambda (number line)
        (parse-line location path number line
          (lambda (depth name value)
            (cond ((fx= depth 0) (set! section name))
                  ((or (fx> depth 1) (not value)))
                  ((string=? section "metadata")
                   (set! metadata (cons (cons name value) metadata)))
                  ((not (string=? section "curve")))
                  ((string=? name "public-key")
                   (set! public (once number public (key number value))))
                  ((string=? name "secret-key")
                   (set! secret (once number secret (key number value)))))))))
    (unless (or public secret)
      (fail-argument location "no key in this file" path))
    (build-certificate location public secret (reverse metadata))))

(define (read-certificate location path)
  (let* ((text (read-keyfile location path))
         (c (parse-certificate location path text)))
    (%wipe text)
    c))

(define (load-certificate path)
  (check-path 'load-certificate path)
  (read-certificate 'load-certificate
                    (if (and (not (secret-path? path)) (keyfile-stamp (secret-path path)))
                        (secret-path path)
                        path)))

;; ----------------------------------------------------------- directories --

;; What tells whether a file has changed; #f where there is none.
(define (keyfile-stamp path)
  (let ((stamp (make-string (%stamp-size) #\nul)))
    (and (fx>= (%keyfile-stamp path stamp) 0) stamp)))

;; A file that was changed just now may change again without its times'
;; showing it, so that its stamp is not kept.
(define-constant settled-after 2000)

(define (lasting stamp)
  (and stamp (> (%stamp-age stamp) settled-after) stamp))

(define (same-stamp? a b) (and a b (string=? a b)))

;; The public certificates of a directory, read again when they change.  An
;; entry is a vector of path, stamp and certificate; #f for a file that is none.
(define-record-type zmq-store
  (make-store path stamp entries)
  store?
  (path store-path)
  (stamp store-stamp set-store-stamp!)
  (entries store-entries set-store-entries!))

(define (open-store location path)
  (check-path location path)
  (let ((store (make-store path #f '())))
    (unless (directory-exists? path) (fail-argument location "not a directory of certificates" path))
    (refresh-store! store)
    store))

(define (list-store path)
  (handle-exceptions e '()
    (let loop ((names (directory path)))
      (cond ((null? names) '())
            ((secret-path? (car names)) (loop (cdr names)))
            (else (cons (make-pathname path (car names)) (loop (cdr names))))))))

(define (refresh-entry! entry)
  (let ((stamp (keyfile-stamp (vector-ref entry 0))))
    (unless (same-stamp? stamp (vector-ref entry 1))
      (vector-set! entry 1 (lasting stamp))
      (vector-set! entry 2
                   (handle-exceptions e #f
                     (read-certificate 'start-authenticator (vector-ref entry 0)))))))

(define (refresh-store! store)
  (let ((stamp (keyfile-stamp (store-path store))))
    (unless (same-stamp? stamp (store-stamp store))
      (let ((old (store-entries store)))
        (set-store-stamp! store (lasting stamp))
        (set-store-entries!
         store
         (map (lambda (path) (or (find-entry path old) (vector path #f #f)))
              (list-store (store-path store))))))
    (for-each refresh-entry! (store-entries store))))

(define (find-entry path entries)
  (cond ((null? entries) #f)
        ((string=? path (vector-ref (car entries) 0)) (car entries))
        (else (find-entry path (cdr entries)))))

(define (store-certificates store)
  (refresh-store! store)
  (let loop ((l (store-entries store)))
    (cond ((null? l) '())
          ((vector-ref (car l) 2) (cons (vector-ref (car l) 2) (loop (cdr l))))
          (else (loop (cdr l))))))
