;;; What --help says.  All comes from the tables of options and commands.

(define type-names
  '("push" "pull" "pub" "sub" "req" "rep" "dealer" "router" "pair" "xpub" "xsub" "stream"))

;; Name, arguments, a line of help.
(define commands
  '(("proxy" "--frontend TYPE=ENDPOINT --backend TYPE=ENDPOINT" "passes messages between sockets")
    ("monitor" "TYPE [--bind ENDPOINT] [--connect ENDPOINT]" "writes what happens to connections")
    ("top" "ENDPOINT..." "shows the rates of programs that publish their statistics")
    ("keygen" "[NAME]" "makes a CURVE certificate")
    ("perf" "SIZE COUNT [--bind ENDPOINT | --connect ENDPOINT]"
     "measures throughput or latency, as libzmq's own programs do")))

(define command-names (map car commands))

(define (version)
  (string-append "zmq 0.1.0, libzmq "
                 (string-intersperse (map number->string (zmq-version)) ".") "\n"))

;; The help for a command or type; #f: for all.
(define (usage name)
  (let ((row (assoc name commands)))
    (cond ((not name)
           (string-append
            "usage: zmq TYPE [ENDPOINT...] [OPTION...]\n"
            (apply string-append
                   (map (lambda (row) (string-append "       zmq " (car row) " " (cadr row) "\n"))
                        commands))
            "       zmq --help | COMMAND --help | --version\n\n"
            "A TYPE is " (string-intersperse type-names " ") ".\n"
            "An ENDPOINT is @tcp://127.0.0.1:5555 to bind, '>tcp://127.0.0.1:5555' to connect.\n\n"
            (columns (map (lambda (row) (list (car row) (caddr row))) commands))
            "\nOptions of a TYPE:\n"
            (options-text 'talk)
            "\nExamples:\n"
            "  zmq pull --bind tcp://127.0.0.1:5555\n"
            "  echo hello | zmq push --connect tcp://127.0.0.1:5555\n"
            "  zmq rep --bind tcp://127.0.0.1:5556 --echo\n"))
          (row
           (string-append "usage: zmq " name " " (cadr row) " [OPTION...]\n" name " " (caddr row)
                          ".\n\n" (options-text (string->symbol name))))
          (else
           (string-append "usage: zmq " name " [ENDPOINT...] [OPTION...]\n\n"
                          (options-text 'talk))))))

(define (options-text command)
  (columns
   (map (lambda (o)
          (list (string-append "--" (option-name o)
                               (if (option-argument o)
                                   (string-append " " (option-argument o))
                                   ""))
                (option-help o)))
        (options-of command))))

;; Rows of two texts, the second ones below each other.
(define (columns rows)
  (let ((width (apply max 0 (map (lambda (row) (string-length (car row))) rows))))
    (apply string-append
           (map (lambda (row)
                  (string-append "  " (car row)
                                 (make-string (- (+ 2 width) (string-length (car row))) #\space)
                                 (cadr row) "\n"))
                rows))))
