;;; Measures the egg beside raw C: every row is run in rounds, in each of them
;;; one program after the other, and a figure is divided by that of the row's
;;; first program in the same round.
;;;
;;; Prints a table, and writes it, the raw records and a plot to
;;; bench/results/.  Called by `make bench', which says where the programs are
;;; (BUILD) and whether it has to be quick (QUICK=1).  ROUNDS=n sets the number
;;; of rounds; ONLY=words runs the rows with these words in their names.

(import (chicken base) (chicken file) (chicken fixnum) (chicken format)
        (chicken io) (chicken pathname) (chicken process)
        (chicken process-context) (chicken sort) (chicken string)
        (chicken time) (chicken time posix))

(define here (pathname-directory (make-absolute-pathname (current-directory) (program-name))))
(define build (or (get-environment-variable "BUILD") (make-pathname here "../build")))
(define quick (equal? (get-environment-variable "QUICK") "1"))
(define only (or (get-environment-variable "ONLY") ""))
(define rounds
  (let ((given (get-environment-variable "ROUNDS")))
    (if given (string->number given) (if quick 3 5))))

;; Of ipc, for this run.
(define scratch (create-temporary-directory))

(define (program name) (make-pathname build (conc "bench/" name)))

;; How a binding of another language is run, or #f where it is not installed.
(define (other interpreter test script)
  (let ((pid (process-run (conc "exec " interpreter " " test " >/dev/null 2>&1"))))
    (receive (pid normal status) (process-wait pid)
      (and normal (= status 0)
           (conc interpreter " " (make-pathname here script))))))

(define commands
  `((raw . ,(program "raw"))
    (egg . ,(program "egg"))
    (egg-checked . ,(program "egg-checked"))
    (pyzmq . ,(other "/usr/bin/python3" "-I -c 'import zmq'" "pyzmq.py"))
    (php . ,(other "php" "-r 'exit(class_exists(\"ZMQ\") ? 0 : 1);'" "php-zmq.php"))))

;; ---------------------------------------------------------------- rows --

;; A row: its name, whether a quick run has it, how many messages a run has,
;; what is shown, and the programs.  Shown are lists of words behind the name,
;; the place of the figure in a record (see below), and its unit in seconds.
;; A program: its label, its command, its work, where N stands for the number,
;; and the goal: a ratio, or a list of `most' and an absolute figure.

(define (row name quick count shown . programs)
  (list name quick count shown programs))

(define nanoseconds '(("" time "ns" 1e-9)))
(define microseconds '(("" time "us" 1e-6)))
(define milliseconds '(("" time "ms" 1e-3)))
(define distribution
  '((", median" 4 "us" 1e-6) (", 99 %" 5 "us" 1e-6) (", 99.9 %" 6 "us" 1e-6)))

(define (endpoint transport)
  (if (string=? transport "tcp")
      "tcp://127.0.0.1:*"
      (string-append "ipc://" scratch "/stream")))

;; php-zmq hangs over ipc.
(define (others work)
  `(("pyzmq" pyzmq ,work #f)
    ,@(if (substring-index "ipc:" work) '() `(("php-zmq" php ,work #f)))))

(define (pair-row size quick count)
  (let ((work (conc "pair " size " N")))
    (apply row (conc "one thread, inproc, " size " B") quick count nanoseconds
           `("raw C" raw ,work #f)
           `("as: 'string" egg ,work ,(and (= size 32) 1.15))
           `("the same, -O3 only" egg-checked ,work #f)
           `("records" egg ,(conc "records " size " N") ,(and (= size 32) 1.30))
           (append
            ;; A batch of a megabyte or more comes in pieces.
            (if (< (* 64 size) 1000000)
                `(("batches of 64" egg ,(conc "batches " size " N") ,(and (= size 32) 1.00))
                  ("raw C, 64 in flight" raw ,(conc "batches " size " N") #f))
                '())
            (others work)))))

(define (stream-row transport size quick count)
  (let* ((to (conc (endpoint transport) " " size " N"))
         (work (conc "stream " to))
         (goal (if (= size 16) 1.10 1.05)))
    (apply row (conc transport ", PUSH to PULL, " size " B") quick count nanoseconds
           `("raw C" raw ,work #f)
           `("as: 'string" egg ,work ,goal)
           `("the same, -O3 only" egg-checked ,work #f)
           `("records" egg ,(conc "stream-records " to) ,goal)
           `("batches of 64" egg ,(conc "stream-batches " to) ,(if (= size 16) 1.00 goal))
           (others work))))

(define (threads-row size quick count)
  (row (conc "two threads, inproc, " size " B") quick count nanoseconds
       `("raw C" raw ,(conc "threads " size " N") #f)
       `("one a call" egg ,(conc "threads " size " N") #f)
       `("batches of 64" egg ,(conc "threads-batches " size " N") #f)))

(define (latency-row transport size quick)
  (let* ((to (conc (endpoint transport) " " size " N"))
         (beside (lambda (n) (conc "latency-beside " n " " to))))
    (apply row (conc transport ", REQ and REP, " size " B") quick 5000 distribution
           `("raw C" raw ,(conc "latency " to) #f)
           `("primordial thread" egg ,(conc "latency " to) 1.05)
           `("green thread" egg ,(beside 0) 1.05)
           `("beside 10 idle" egg ,(beside 10) 1.05)
           `("beside 1000 idle" egg ,(beside 1000) 1.05)
           (others (conc "latency " to)))))

(define (publish-row many quick count)
  (row (conc "PUB to " many " SUB, half is filtered") quick count nanoseconds
       `("raw C" raw ,(conc "publish " many " N") #f)
       `("egg" egg ,(conc "publish " many " N") #f)))

(define (poll-row watched quick count)
  (row (conc "16 ready of " watched ", a round") quick count microseconds
       `("zmq_poll" raw ,(conc "poll " watched " 16 N") #f)
       `("poller-wait" egg ,(conc "poll " watched " 16 N") (most 10))))

(define rows
  (list
   (pair-row 32 #t 2000000)
   (pair-row 256 #f 1000000)
   (pair-row 4096 #t 400000)
   (pair-row 65536 #f 40000)
   (pair-row 1048576 #f 2000)
   (row "one thread, inproc, 4 parts of 32 B" #t 400000 nanoseconds
        '("raw C" raw "parts 4 32 N" #f)
        '("lists" egg "parts 4 32 N" #f))
   (stream-row "tcp" 16 #t 2000000)
   (stream-row "tcp" 256 #f 600000)
   (stream-row "tcp" 4096 #f 60000)
   (stream-row "tcp" 65536 #t 10000)
   (stream-row "tcp" 1048576 #f 800)
   (stream-row "tcp" 16777216 #f 60)
   (stream-row "ipc" 16 #t 2000000)
   (stream-row "ipc" 256 #f 600000)
   (stream-row "ipc" 4096 #f 60000)
   (stream-row "ipc" 65536 #f 10000)
   (stream-row "ipc" 1048576 #f 800)
   (stream-row "ipc" 16777216 #f 60)
   (threads-row 16 #t 2000000)
   (threads-row 65536 #f 20000)
   (threads-row 1048576 #f 1500)
   (latency-row "tcp" 1 #t)
   (latency-row "tcp" 65536 #f)
   (latency-row "ipc" 1 #f)
   (publish-row 1 #f 1000000)
   (publish-row 10 #t 200000)
   (publish-row 100 #f 20000)
   (poll-row 16 #f 20000)
   (poll-row 100 #f 10000)
   (poll-row 1000 #t 1000)
   (poll-row 4000 #f 200)
   (row "what watching more costs" #f 20000 microseconds
        '("16 of 16" egg "poll 16 16 N" #f)
        '("16 of 1000" egg "poll 1000 16 N" 2.0)
        '("16 of 4000" egg "poll 4000 16 N" #f))
   (row "waiting threads, a message" #t 20000 microseconds
        '("1 thread" egg "waiting 1 N" #f)
        '("10 threads" egg "waiting 10 N" #f)
        '("100 threads" egg "waiting 100 N" #f)
        '("1000 threads" egg "waiting 1000 N" 3.0))
   (row "ROUTER to DEALER, tcp, 1 MiB" #t 1000 microseconds
        '("zmq_proxy" raw "proxy 1048576 N" #f)
        '("proxy" egg "forward 1048576 N" 1.05))
   (row "start and end of a program" #t 100 milliseconds
        `("raw C" raw ,(conc "run N " (program "raw") " start") #f)
        `("egg" raw ,(conc "run N " (program "egg") " start") #f))
   (row "10 million messages, KB more at the end" #f 10000000
        '(("" 4 "KB" 1))
        '("raw C" raw "memory 32 N" #f)
        '("records" egg "memory 32 N" (most 1024)))))

;; -------------------------------------------------------------- running --

;; A record: count, seconds, seconds of processor time, peak of memory in KB,
;; and three quantiles of single times in seconds where there are some.
(define (run-once command work count)
  (let* ((line (conc "timeout 30 " command " "
                     (string-translate* work `((" N" . ,(conc " " count))))))
         (text (with-input-from-pipe line read-line))
         (figures (if (eof-object? text)
                      '()
                      (map string->number (string-split text)))))
    (and (<= 4 (length figures)) (list->vector figures))))

(define (figure record shown)
  (let ((place (cadr shown)))
    (if (eq? place 'time)
        (/ (vector-ref record 1) (vector-ref record 0))
        (vector-ref record place))))

(define (median numbers)
  (list-ref (sort numbers <) (quotient (length numbers) 2)))

(define (each-of f l) (map f l))

(define (say . things)
  (for-each (lambda (x) (display x (current-error-port))) things)
  (flush-output (current-error-port)))

(define results
  (let ((name (conc here "/results/"
                    (time->string (seconds->local-time (current-seconds))
                                  "%Y-%m-%d-%H%M"))))
    (create-directory name #t)
    name))

(define records (open-output-file (make-pathname results "records.tsv")))
(define table (open-output-file (make-pathname results "table.md")))

;; The rounds of a row: for each program the list of its records, the same
;; place being the same round.  A program that failed is left out.
(define (run-row name count programs)
  (let loop ((round 0) (got (each-of (lambda (p) '()) programs)))
    (if (= round rounds)
        got
        (loop (+ round 1)
              (map (lambda (p l)
                     (say ".")
                     (let ((r (run-once (cdr (assq (cadr p) commands)) (caddr p) count)))
                       (if r
                           (fprintf records "~a\t~a\t~a\t~a~%" name (car p) round
                                    (string-intersperse (map ->string (vector->list r)) "\t"))
                           (say "[" (car p) " failed]"))
                       (cons r l)))
                   programs got)))))

(define (ratios own base shown)
  (let loop ((a own) (b base) (l '()))
    (cond ((null? a) l)
          ((and (car a) (car b) (> (figure (car b) shown) 0))
           (loop (cdr a) (cdr b)
                 (cons (/ (figure (car a) shown) (figure (car b) shown)) l)))
          (else (loop (cdr a) (cdr b) l)))))

;; ---------------------------------------------------------------- table --

(define (decimals x n)
  (let* ((scale (expt 10 n)) (y (inexact->exact (round (* x scale)))))
    (if (= n 0)
        (number->string y)
        (conc (if (< x 0) "-" "") (quotient (abs y) scale) "."
              (let ((s (number->string (remainder (abs y) scale))))
                (conc (make-string (- n (string-length s)) #\0) s))))))

(define (shown-figure x unit)
  (let ((y (/ x (cadddr unit))))
    (conc (decimals y (if (< y 100) 1 0)) " " (caddr unit))))

(define (line . cells)
  (let ((text (conc "| " (string-intersperse (map ->string cells) " | ") " |")))
    (print text)
    (flush-output)
    (write-line text table)
    (flush-output table)))

(define (verdict goal ratio x)
  (cond ((not goal) '("" ""))
        ((pair? goal)
         (list (conc "<= " (cadr goal) " absolute") (if (<= x (cadr goal)) "yes" "**no**")))
        (else (list (conc "<= " (decimals goal 2)) (if (<= ratio goal) "yes" "**no**")))))

;; name, program, ratio, least, most; of works that raw C has, without the tails of distributions
(define plotted '())

;; name, label, the figure in its unit, what the summary says of it
(define figures '())

(define (figure-of title label)
  (let loop ((l figures))
    (cond ((null? l) #f)
          ((and (equal? title (caar l)) (equal? label (cadar l))) (car l))
          (else (loop (cdr l))))))

(define (show-program name shown program first own base)
  (let ((good (filter-out-false own)))
    (when (pair? good)
      (let* ((title (conc name (car shown)))
             (x (median (each-of (lambda (r) (figure r shown)) good)))
             (cpu (median (each-of (lambda (r) (/ (vector-ref r 2) (vector-ref r 0))) good)))
             (peak (apply max (each-of (lambda (r) (vector-ref r 3)) good)))
             (rs (ratios own base shown))
             (ratio (if (pair? rs) (median rs) 1))
             (goal (cadddr program))
             (judged (verdict goal ratio (/ x (cadddr shown)))))
        (set! figures
          (cons (list title (car program) (/ x (cadddr shown))
                      (cond ((or (eq? own base) (null? rs)) (shown-figure x shown))
                            ((eq? 'time (cadr shown))
                             (conc (decimals ratio 2) " (" (decimals (cpu-ratio own base) 2) ")"))
                            (else (decimals ratio 2))))
                figures))
        (unless (eq? own base)
          (when (and (pair? rs) (eq? 'raw (cadr first)) (not (memv (cadr shown) '(5 6))))
            (set! plotted (cons (list title program ratio (apply min rs) (apply max rs))
                                plotted))))
        (line title (car program) (shown-figure x shown)
              (if (or (eq? own base) (null? rs)) "" (decimals ratio 2))
              (if (or (eq? own base) (null? rs))
                  ""
                  (conc (decimals (apply min rs) 2) " to " (decimals (apply max rs) 2)))
              (car judged) (cadr judged)
              (conc (decimals (* 1e6 cpu) 2) " us"
                    (if (or (eq? own base) (null? rs)) "" (conc " (" (decimals (cpu-ratio own base) 2) ")")))
              (conc (decimals (/ peak 1024) 1) " MB"))))))

;; That of processor time, which other work on the machine touches less.
(define (cpu-ratio own base)
  (let ((each (lambda (l)
                (map (lambda (r) (/ (vector-ref r 2) (vector-ref r 0)))
                     (filter-out-false l)))))
    (/ (median (each own)) (median (each base)))))

(define (filter-out-false l)
  (cond ((null? l) '())
        ((car l) (cons (car l) (filter-out-false (cdr l))))
        (else (filter-out-false (cdr l)))))

(define (installed programs)
  (cond ((null? programs) '())
        ((cdr (assq (cadar programs) commands)) (cons (car programs) (installed (cdr programs))))
        (else (installed (cdr programs)))))

(define (measure name count shown programs)
  (let* ((programs (installed programs))
         (got (run-row name count programs)))
    (say "\n")
    (for-each
     (lambda (s)
       (for-each (lambda (p own) (show-program name s p (car programs) own (car got)))
                 programs got))
     shown)))

;; -------------------------------------------------------------- summary --

;; What users do, one row for each work: the first program's figure, and the others as multiples of
;; it, with those of processor time in parentheses.
(define (summarize)
  (define (cell-of title label)
    (let ((f (figure-of title label))) (if f (cadddr f) "")))
  (define all-titles (reverse (titles figures)))
  ;; Of the works that the second program has.
  (define (write-table . labels)
    (define (write-cells l) (print "| " (string-intersperse l " | ") " |"))
    (define present (filter (lambda (title) (figure-of title (cadr labels))) all-titles))
    (when (pair? present)
      (newline)
      (write-cells (cons "work" labels))
      (write-cells (map (lambda (x) "---") (cons #f labels)))
      (for-each (lambda (title)
                  (write-cells (cons title (map (lambda (label) (cell-of title label)) labels))))
                present)))
  (with-output-to-file (make-pathname results "summary.md")
    (lambda ()
      (write-table "raw C" "as: 'string" "the same, -O3 only" "records" "batches of 64"
                   "raw C, 64 in flight" "pyzmq" "php-zmq")
      (write-table "raw C" "one a call")
      (write-table "raw C" "primordial thread" "green thread" "beside 1000 idle" "pyzmq" "php-zmq")
      (write-table "raw C" "egg")
      (write-table "raw C" "lists")
      (write-table "zmq_poll" "poller-wait")
      (write-table "zmq_proxy" "proxy")
      (write-table "1 thread" "10 threads" "100 threads" "1000 threads"))))

;; ----------------------------------------------------------------- plot --

;; A series: its name in the legend, gnuplot's mark and colour, and which programs it has.
(define all-series
  (let ((labelled (lambda (label) (lambda (p) (equal? label (car p)))))
        (others '("as: 'string" "the same, -O3 only" "raw C, 64 in flight" "records"
                  "batches of 64" "pyzmq" "php-zmq")))
    `(("egg, as a string" 7 "#1f5fa8" ,(labelled "as: 'string"))
      ("egg, as a message" 5 "#1f5fa8" ,(labelled "records"))
      ("egg, batches of 64" 9 "#1f5fa8" ,(labelled "batches of 64"))
      ("egg" 11 "#12355b" ,(lambda (p) (not (member (car p) others))))
      ("pyzmq" 6 "#c8641b" ,(labelled "pyzmq"))
      ("php-zmq" 4 "#8a3b8f" ,(labelled "php-zmq")))))

(define (titles rows)
  (let loop ((l rows) (found '()))
    (cond ((null? l) (reverse found))
          ((member (caar l) found) (loop (cdr l) found))
          (else (loop (cdr l) (cons (caar l) found))))))

;; A row of the plot for each kind of work, with a mark for each program.
(define (plot)
  (let* ((rows (reverse plotted)) (names (titles rows)) (height (length names)))
    (define (data-file i) (make-pathname results (conc "ratios-" i) "tsv"))
    (define (place name)
      (- height -1 (length (member name names))))
    (define (write-series series i)
      (with-output-to-file (data-file i)
        (lambda ()
          (for-each
           (lambda (row)
             (when ((list-ref series 3) (cadr row))
               (printf "~a\t~a\t~a\t~a~%" (+ (place (car row)) (* 0.12 (- i 2.5)))
                       (list-ref row 2) (list-ref row 3) (list-ref row 4))))
           rows))))
    (define (curve series i)
      (conc "'" (data-file i) "' using 2:1:3:4 title \"" (car series)
            "\" with xerrorbars pt " (cadr series) " ps 0.7 lw 0.8 lc '" (list-ref series 2) "'"))
    (define present
      (filter (lambda (series) (any? (lambda (row) ((list-ref series 3) (cadr row))) rows))
              all-series))
    (for-each write-series present (iota-of present))
    (let ((out (open-output-pipe "gnuplot")))
      (for-each
       (lambda (text) (write-line text out))
       (list (conc "set terminal svg size 900," (+ 150 (* 26 height)) " font 'sans,12'")
             (conc "set output '" (make-pathname results "ratios.svg") "'")
             "set title 'Time as a multiple of raw C: median, least and most of the rounds' offset 0,1"
             "set datafile separator '\t'"
             "set logscale x 2"
             "set xrange [*:*]"
             "set format x '%g'"
             (conc "set yrange [" (+ 1 height) ":0]")
             (conc "set ytics ("
                   (string-intersperse
                    (map (lambda (name) (conc "\"" name "\" " (place name))) names) ", ")
                   ")")
             "set grid x"
             "set arrow from 1,graph 0 to 1,graph 1 nohead lw 2 lc 'black'"
             "set label 'raw C' at 1,graph 1 center offset 0,0.5"
             "set key bottom center outside horizontal"
             "set lmargin 36"
             (conc "plot " (string-intersperse (map curve present (iota-of present)) ", "))))
      (close-output-port out))))

(define (any? proper? l) (and (pair? l) (or (proper? (car l)) (any? proper? (cdr l)))))

(define (filter proper? l)
  (cond ((null? l) '())
        ((proper? (car l)) (cons (car l) (filter proper? (cdr l))))
        (else (filter proper? (cdr l)))))

(define (iota-of l)
  (let loop ((l l) (i 0)) (if (null? l) '() (cons i (loop (cdr l) (+ i 1))))))

;; A picture of how a figure grows.  A series: its name, colour, and points, each the place on the
;; axis, the name of a row and the label of a program.
(define (plot-growth file title axis unit settings . all)
  (define (measured series)
    (filter cdr (map (lambda (point)
                       (let ((f (figure-of (cadr point) (caddr point))))
                         (cons (car point) (and f (caddr f)))))
                     (cddr series))))
  (define present (filter (lambda (series) (pair? (measured series))) all))
  (define (data-file i) (make-pathname results (conc file "-" i) "tsv"))
  (when (pair? present)
    (for-each
     (lambda (series i)
       (with-output-to-file (data-file i)
         (lambda ()
           (for-each (lambda (p) (printf "~a\t~a~%" (car p) (cdr p))) (measured series)))))
     present (iota-of present))
    (let ((out (open-output-pipe "gnuplot")))
      (for-each
       (lambda (text) (write-line text out))
       (list "set terminal svg size 700,380 noenhanced font 'sans,12'"
             (conc "set output '" (make-pathname results file "svg") "'")
             (conc "set title '" title "'")
             (conc "set xlabel '" axis "'")
             (conc "set ylabel '" unit "'")
             "set logscale x 10"
             "set yrange [0:*]"
             settings
             "set grid"
             "set key left"
             (conc "plot "
                   (string-intersperse
                    (map (lambda (series i)
                           (conc "'" (data-file i) "' title \"" (car series)
                                 "\" with linespoints pt 7 lw 2 lc '" (cadr series) "'"))
                         present (iota-of present))
                    ", "))))
      (close-output-port out))))

(define (plot-all-growth)
  (define latency "tcp, REQ and REP, 1 B, median")
  (define (round n) (conc "16 ready of " n ", a round"))
  (plot-growth "latency" "A round trip over tcp beside idle threads" "idle threads" "us"
               "set xtics ('0' 1, '10' 10, '1000' 1000); set key bottom"
               `("raw C" "black" (1 ,latency "raw C") (10 ,latency "raw C") (1000 ,latency "raw C"))
               `("egg" "#1f5fa8" (1 ,latency "green thread") (10 ,latency "beside 10 idle")
                       (1000 ,latency "beside 1000 idle")))
  (plot-growth "poller" "A round of a poller: 16 sockets are ready" "sockets watched" "us"
               "set logscale y 10; set yrange [1:*]; set xrange [10:6000]; set key top"
               `("zmq_poll" "black"
                 ,@(map (lambda (n) (list n (round n) "zmq_poll")) '(16 100 1000 4000)))
               `("poller-wait" "#1f5fa8"
                 ,@(map (lambda (n) (list n (round n) "poller-wait")) '(16 100 1000 4000)))))

;; ----------------------------------------------------------------- main --

(define (wanted? r)
  (and (or (cadr r) (not quick)) (substring-index only (car r)) #t))

(define (wanted rows)
  (cond ((null? rows) '())
        ((wanted? (car rows)) (cons (car rows) (wanted (cdr rows))))
        (else (wanted (cdr rows)))))

(let ((rows (wanted rows)) (begun (current-seconds)))
  (line "work" "through" "median" "of the first" "least to most" "goal" "reached"
        "CPU a message (of the first)" "peak memory")
  (line "---" "---" "---" "---" "---" "---" "---" "---" "---")
  (let loop ((l rows) (i 1))
    (when (pair? l)
      (let ((r (car l)))
        (say "row " i " of " (length rows) ", " (- (current-seconds) begun) " s: " (car r) " ")
        (measure (car r)
                 (if quick (max 20 (quotient (caddr r) 5)) (caddr r))
                 (cadddr r) (list-ref r 4)))
      (loop (cdr l) (+ i 1))))
  (close-output-port records)
  (close-output-port table)
  (delete-directory scratch #t)
  (summarize)
  (when (pair? plotted)
    (plot)
    (plot-all-growth))
  (say "results in " results "\n"))
