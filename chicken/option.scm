;;; Options: the kernel's table says what type each one has, and this file converts its values.

;; In the order of sz_value_type.
(define-constant boolean-type 0)
(define-constant bitmap-type 2)
(define-constant enum-type 3)
(define-constant flags-type 4)

(define (find-option location context? name)
  (check-symbol location name)
  (let* ((text (symbol->string name))
         (row (%option-row context? text)))
    (when (fx< row 0)
      (fail-argument location (unknown-option context? name text) name))
    row))

;; What is no option, and what is meant.
(define misplaced
  '(("timeout" . "each call takes timeout:; rcvtimeo and sndtimeo are for all calls of a socket")
    ("as" . "receive-message takes as:; the parameter zmq-receive-as is for all calls")
    ("context" . "the context is the second argument of make-socket, without a keyword")
    ("bind" . "bind-socket binds, and make-socket takes bind:")
    ("connect" . "connect-socket connects, and make-socket takes connect:")))

(define (unknown-option context? name text)
  (define (near text) (%option-near context? text))
  (define (with-hint what hint) (string-append "unknown " what " option " text " (" hint ")"))
  (define (nothing-near? text) (not (or (near text) (near (plain-name text)))))
  (cond (context?
         (if (fx>= (%option-row #f text) 0)
             (with-hint "context" "it is for sockets: make-socket and socket-option-set! take it")
             (unknown "context option" name near)))
        ((fx>= (%option-row #t text) 0)
         (with-hint "socket" "it is for contexts: make-context and context-option-set! take it"))
        ((assoc text misplaced) => (lambda (p) (with-hint "socket" (cdr p))))
        ((nothing-near? text)
         (with-hint "socket" "besides bind: and connect:, (socket-options) lists all"))
        (else (unknown "socket option" name near))))

(define (option-symbols row) (map string->symbol (string-split (%option-symbols row))))

;; The least and the greatest value.
(define (bounds row type)
  (if (eq? type bitmap-type)
      (values 0 (- (expt 2 64) 1))
      (values (%option-min row) (%option-max row))))

(define (value->integer location row name value)
  (define (symbol->integer x)
    (check-symbol location x)
    (let loop ((symbols (option-symbols row)) (i 0))
      (cond ((null? symbols)
             (fail-argument location (string-append "not one of " (%option-symbols row)) name x))
            ((eq? x (car symbols)) i)
            (else (loop (cdr symbols) (fx+ i 1))))))
  (define (wrong wanted)
    (fail-type location (string-append wanted ", for " (symbol->string name)) value))
  (let ((type (%option-type row)))
    (cond ((eq? type boolean-type)
           (unless (boolean? value) (wrong "a boolean"))
           (if value 1 0))
          ((eq? type enum-type) (symbol->integer value))
          ((eq? type flags-type)
           (unless (list? value) (wrong "a list of symbols"))
           (foldl (lambda (bits x) (bitwise-ior bits (expt 2 (symbol->integer x)))) 0 value))
          ((not (exact-integer? value)) (wrong "an exact integer"))
          (else
           (receive (low high) (bounds row type)
             (unless (<= low value high)
               (fail-argument location
                              (string-append "value out of range " (number->string low) " to "
                                             (number->string high))
                              name value)))
           value))))

(define (integer->value row n)
  (let ((type (%option-type row)))
    (cond ((eq? type boolean-type) (not (eqv? n 0)))
          ((eq? type bitmap-type) (%bits n))
          ((eq? type enum-type)
           (let ((symbols (option-symbols row)))
             (if (< -1 n (length symbols)) (list-ref symbols n) n)))
          ((eq? type flags-type)
           (let loop ((symbols (option-symbols row)) (n n))
             (cond ((null? symbols) '())
                   ((even? n) (loop (cdr symbols) (arithmetic-shift n -1)))
                   (else (cons (car symbols) (loop (cdr symbols) (arithmetic-shift n -1)))))))
          (else n))))

(define (set-option! location s name value)
  (check-socket location s)
  (if (eq? name 'swap)
      (with-swap location s value (lambda () (set-plain-option! location s name value)))
      (set-plain-option! location s name value)))

(define (set-plain-option! location s name value)
  (let* ((row (find-option location #f name))
         (type (%option-type row))
         (handle (socket-handle s))
         (code
          (cond ((eq? type bitmap-type)
                 (%set-bits handle row (value->integer location row name value)))
                ((<= type flags-type)
                 (%set-integer handle row (value->integer location row name value)))
                ((bytes? value) (%set-bytes handle row (bytes-storage value)))
                (else (fail-type location "a string, blob or u8vector"
                                 (if (%option-secret? row) name value))))))
    (socket-touched! s)
    (let ((about (if (%option-secret? row) (list name s) (list name value s))))
      (when (fx= code elength)
        (receive (low high) (bounds row type)
          (apply fail-argument location
                 (string-append "value of " (number->string (bytes-size (bytes-storage value)))
                                " bytes; it takes " (number->string low) " to "
                                (number->string high))
                 about)))
      (when (fx< code 0) (apply fail location code about)))
    (void)))

(define (socket-option-set! s name value) (set-option! 'socket-option-set! s name value))

;; The bytes of an option as a string, or an error code.
(define (option-bytes handle row)
  (let loop ((room 255))
    (let* ((to (make-string room)) (size (%option-bytes handle row to (%option-secret? row))))
      (cond ((< size 0) size)
            ((<= size room) (substring to 0 size))
            (else (loop size))))))

(define (socket-option s name)
  (check-socket 'socket-option s)
  (let* ((row (find-option 'socket-option #f name))
         (integer? (<= (%option-type row) flags-type))
         (handle (socket-handle s))
         (box (vector 0))
         (got (if integer? (%get-integer handle row box) (option-bytes handle row)))
         (code (cond (integer? (vector-ref box 0)) ((string? got) 0) (else got)))
         (value (if (and integer? (fx>= code 0)) (integer->value row got) got)))
    (socket-touched! s)
    (checked 'socket-option code name s)
    (case name
      ;; The kernel receives whole messages; the socket's record has the parts that are unread.
      ((rcvmore) (unread? s))
      ((events) (if (and (unread? s) (not (memq 'in value))) (cons 'in value) value))
      (else value))))

;; -------------------------------------------------------------- as data --

(define-constant type-names '#(boolean integer bitmap enum flags bytes string key))

;; The rows of one scope as association lists, or only the one called `name`.
(define (option-table location context? name)
  (if name
      (row->alist (find-option location context? name))
      (let loop ((row 0))
        (cond ((not (%option? row)) '())
              ((eq? context? (%option-context? row))
               (cons (row->alist row) (loop (fx+ row 1))))
              (else (loop (fx+ row 1)))))))

(define (socket-options #!optional name) (option-table 'socket-options #f name))
(define (context-options #!optional name) (option-table 'context-options #t name))

(define (row->alist row)
  (let*-values
      (((text) (lambda (column) (%option-text row column)))
       ((symbol) (lambda (column)
                   (let ((t (text column))) (and (not (string=? t "")) (string->symbol t)))))
       ((type) (%option-type row))
       ((name) (symbol 0))
       ((low high) (if (memv type (list boolean-type enum-type flags-type))
                       (values #f #f)
                       (bounds row type))))
    `((symbol . ,name)
      (alias-of . ,(let ((real (symbol 1))) (and (not (eq? real name)) real)))
      (type . ,(vector-ref type-names type))
      (access . ,(symbol 2))
      (unit . ,(symbol 3))
      (minimum . ,low)
      (maximum . ,high)
      (values . ,(option-symbols row))
      (default . ,(row-default row type (symbol 2)))
      ,@(if (%option-context? row)
            `((early . ,(%option-early? row)))
            `((socket-types . ,(row-types row))
              (live . ,(%option-live? row))))
      (since . ,(text->version (text 4)))
      (needs . ,(symbol 5))
      (secret . ,(%option-secret? row))
      (text . ,(text 6)))))

;; The value in a new socket or context; #f if the option can only be read.
(define (row-default row type access)
  (cond ((eq? access 'r) #f)
        ((eq? type bitmap-type) (%option-initial row))
        ((<= type flags-type) (integer->value row (%option-initial row)))
        ((eq? (vector-ref type-names type) 'key) (make-string 40 #\0))
        (else "")))

(define (row-types row)
  (let loop ((i 0))
    (let ((name (%type-at i)))
      (cond ((not name) '())
            ((%option-type? row i) (cons (string->symbol name) (loop (fx+ i 1))))
            (else (loop (fx+ i 1)))))))

;; "4.2" is (4 2 0), as from zmq-version.
(define (text->version text)
  (let ((numbers (map string->number (string-split text "."))))
    (if (null? (cddr numbers)) (append numbers '(0)) numbers)))
