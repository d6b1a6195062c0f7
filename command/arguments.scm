;;; Arguments: the words after the command, read by a table of options.

;; Options: name, name of the argument (#f for a flag), kind, the commands that know it, a line of
;; help.  Kinds: `text', `count' (1 or more), `number' (0 or more); `list' may be given repeatedly.
(define-constant all-options
  '(("bind" "ENDPOINT" list (talk monitor perf) "bind the socket")
    ("connect" "ENDPOINT" list (talk monitor perf) "connect the socket")
    ("subscribe" "PREFIX" list (talk) "receive what begins so (sub, xsub); without it, everything")
    ("data" "TEXT" list (talk) "send this instead of the lines of standard input")
    ("file" "PATH" list (talk) "send the contents of a file as one message")
    ("raw" #f flag (talk) "send all of standard input as one message")
    ("echo" #f flag (talk) "answer each message with itself")
    ("exec" "COMMAND" text (talk) "answer each message with what the shell command makes of it")
    ("count" "N" count (talk monitor top)
     "end after N messages: received, or sent where the type only sends")
    ("interval" "MS" number (talk proxy top) "wait between two messages, or two tables")
    ("delay" "MS" number (talk) "wait so long before the first message, not for a subscriber")
    ("timeout" "MS" number (talk monitor top)
     "end with status 3 where a message, or the first subscriber, takes longer")
    ("format" "FORMAT" text (talk) "write messages as text, quoted, hex, json or raw")
    ("progress" #f flag (talk) "tell messages and rate on standard error, once a second")
    ("report" "ENDPOINT" text (talk proxy) "publish statistics there, for zmq top")
    ("option" "NAME=VALUE" list (talk monitor proxy perf) "set an option of the socket")
    ("swap" "BYTES" number (talk) "let the queue go on in a file of this size")
    ("curve-server" "KEYFILE" text (talk monitor proxy) "be a CURVE server with this certificate")
    ("curve" "KEYFILE" text (talk monitor) "be a CURVE client with this certificate")
    ("server-key" "KEY" text (talk monitor) "the server's public key, or a file with it")
    ("plain" "USER:FILE" text (talk monitor) "be a PLAIN client; the file holds the password")
    ("plain-server" "FILE" text (talk monitor proxy)
     "be a PLAIN server; each line of the file is USER:PASSWORD")
    ("allow" "DIRECTORY" text (talk monitor proxy)
     "let in only the CURVE clients whose certificates are there")
    ("linger" "MS" number (talk proxy monitor perf)
     "wait so long at the end for what was not delivered; 1000")
    ("frontend" "TYPE=ENDPOINT" text (proxy) "the first socket; bound, or connected with >ENDPOINT")
    ("backend" "TYPE=ENDPOINT" text (proxy) "the second socket")
    ("capture" "ENDPOINT" text (proxy) "publish a copy of each message there")
    ("statistics" #f flag (proxy) "write what has passed, once in each interval (1000)")
    ("json" #f flag (keygen) "write the keys as JSON")
    ("transport" "NAME" text (perf) "tcp, ipc or inproc, where both ends are run; tcp")
    ("latency" #f flag (perf) "measure round trips instead of the throughput")))

(define option-name car)
(define option-argument cadr)
(define option-kind caddr)
(define option-commands cadddr)
(define (option-help o) (list-ref o 4))

(define (options-of command)
  (keep (lambda (o) (memq command (option-commands o))) all-options))

(define (keep wanted? l)
  (cond ((null? l) '())
        ((wanted? (car l)) (cons (car l) (keep wanted? (cdr l))))
        (else (keep wanted? (cdr l)))))

(define (any-of true? l) (and (pair? l) (or (true? (car l)) (any-of true? (cdr l)))))

;; What was given: pairs of name and value, in their order; and the words beside them.
(define given '())
(define words-beside '())

(define (option name) (let ((p (assoc name given))) (and p (cdr p))))
(define (option-list name) (map cdr (keep (lambda (p) (equal? name (car p))) given)))

;; Reads the words of a command, and keeps what they say.
(define (read-arguments! command words)
  (let loop ((words words) (options '()) (beside '()))
    (cond ((null? words)
           (set! given (reverse options))
           (set! words-beside (reverse beside)))
          ((string=? (car words) "--") (loop '() options (append (reverse (cdr words)) beside)))
          ((option-word? (car words))
           (let* ((split (split-at #\= (car words)))
                  (name (substring (car split) 2))
                  (row (assoc name (options-of command))))
             (unless row (unknown-option command name))
             (receive (value rest) (option-value row (cdr split) (cdr words))
               (when (and (assoc name options) (not (eq? 'list (option-kind row))))
                 (wrong-usage "--" name " is given twice"))
               (loop rest (cons (cons name value) options) beside))))
          (else (loop (cdr words) options (cons (car words) beside))))))

(define (option-word? word)
  (and (> (string-length word) 2) (string=? "--" (substring word 0 2))))

;; The text before the first such character and that behind it, or #f.
(define (split-at char text)
  (let ((at (substring-index (string char) text)))
    (if at
        (cons (substring text 0 at) (substring text (+ at 1)))
        (cons text #f))))

;; The value, which stands behind the = or is the next word, and the words left.
(define (option-value row attached words)
  (let ((name (option-name row)))
    (cond ((eq? 'flag (option-kind row))
           (when attached (wrong-usage "--" name " takes no value"))
           (values #t words))
          (attached (values (check-value row attached) words))
          ((null? words) (wrong-usage "--" name " needs a value: " (option-argument row)))
          (else (values (check-value row (car words)) (cdr words))))))

(define (check-value row text)
  (define (number least)
    (let ((n (and (digits? text) (string->number text))))
      (if (and n (>= n least))
          n
          (wrong-usage "--" (option-name row) " needs an integer, " (number->string least)
                       " or more, not " text))))
  (case (option-kind row)
    ((count) (number 1))
    ((number) (number 0))
    (else text)))

(define (digits? text)
  (and (< 0 (string-length text) 19)
       (let loop ((i 0))
         (or (= i (string-length text))
             (and (char-numeric? (string-ref text i)) (loop (+ i 1)))))))

(define (unknown-option command name)
  (wrong-usage "there is no option --" name
               (if (assoc name all-options)
                   " here; see --help"
                   (hint name (map option-name (options-of command)) "--"))))

;; ---------------------------------------------------------- nearest names --

;; A question about the nearest of the names, or nothing where none is near.
(define (hint name names #!optional (before ""))
  (let loop ((names names) (best #f) (least (+ 1 (quotient (+ 2 (string-length name)) 3))))
    (if (null? names)
        (if best (string-append "; did you mean " before best "?") "")
        (let ((d (distance name (car names))))
          (if (< d least) (loop (cdr names) (car names) d) (loop (cdr names) best least))))))

;; How many characters must be inserted, removed or replaced.
(define (distance a b)
  (let row ((i 0) (above (count-to (string-length b))))
    (if (= i (string-length a))
        (last-of above)
        (row (+ i 1)
             (let column ((j 0) (above above) (left (+ i 1)))
               (cons left
                     (if (null? (cdr above))
                         '()
                         (column (+ j 1) (cdr above)
                                 (min (+ left 1)
                                      (+ (cadr above) 1)
                                      (+ (car above)
                                         (if (char=? (string-ref a i) (string-ref b j))
                                             0
                                             1)))))))))))

(define (count-to n) (let loop ((i n) (l '())) (if (< i 0) l (loop (- i 1) (cons i l)))))

(define (last-of l) (if (null? (cdr l)) (car l) (last-of (cdr l))))
