;;; Objects over sockets: what is sent arrives, and what a stranger sends is an object within the
;;; limits or a condition.

(import zmq (zmq object) (chicken base) (chicken blob) (chicken gc) (chicken keyword) (chicken port)
        (chicken process-context)
        (chicken random) (chicken read-syntax) (chicken string) (chicken time) srfi-4)
(include "check.scm")
(include "threads.scm")
(include "pair.scm")

(define (text x #!optional (bytes 1000000) (depth 100)) (object->text 'test x bytes depth))
(define (object s #!optional (depth 100) (symbols 50)) (text->object 'test s depth symbols))

(define (make-list n x) (if (= n 0) '() (cons x (make-list (- n 1) x))))

(define (repeated s n) (string-append "(" (string-intersperse (make-list n s) "") ")"))

(define (through in out x) (send-object out x) (receive-object in timeout: 10000))

(define samples
  (list 0 -5 (expt 7 40) (- (expt 7 9000)) 1/3 -22/7 0.1 (+ 0.1 0.2) 3.0 1e300 5e-324 1e23
        +inf.0 -inf.0 (sqrt -2) (make-rectangular 1/2 -3.5)
        #t #f #!eof '() #\a #\space #\( #\x1 #\x1234
        "" "plain" "two\nlines\t\"and\" \\ more|" (string #\nul #\x7f #\xff) "é"
        'symbol '|two words| '|| '|1| '|1/2| '|.| '|#foo| '|a:| ':a 'UPPER '+ '- '... '1+ '->x
        (string->symbol "a\nb|\\c") (string->symbol "é") '#:key (string->keyword "a b")
        (string->blob "") (string->blob (string #\nul #\xff))
        '(1 2 3) '(a . b) '(a b . c) '((())) '#() '#(1 #(2) "x") ''quoted '`(a ,b ,@c)
        '#u8() '#u8(0 255) '#s8(-128 127) (u64vector (- (expt 2 64) 1)) (f32vector 1.5)
        (f64vector 0.1 +inf.0) '((name . "Ann") (age . 7) (scores 1.5 2))))

(test "every kind of object arrives as it was sent"
  (with-pair 'pull 'push
    (lambda (in out) (for-each (lambda (x) (check= x (through in out x))) samples))))

(test "CHICKEN's own read understands what is sent"
  (for-each (lambda (x)
              (unless (and (flonum? x) (not (integer? x)))
                (check= x (with-input-from-string (text x) read))))
            samples))

(test "what CHICKEN's own write prints is read"
  (for-each (lambda (x)
              (unless (flonum? x)
                (check= x (object (with-output-to-string (lambda () (write x)))))))
            '(1 -2/3 "a\nb\"\\" foo |a b| #\a #\newline #\x41 (1 . 2) #(a "b") #u8(1 2) ()
              (quote x) #:key #t #${00ff})))

;; ------------------------------------------------------------------ numbers --

(define (random-flonum)
  (let ((bytes (make-string 8)))
    (do ((i 0 (+ i 1))) ((= i 8))
      (string-set! bytes i (integer->char (pseudo-random-integer 256))))
    (f64vector-ref (blob->f64vector/shared (string->blob bytes)) 0)))

(define (same-flonum? a b)
  (or (and (not (= a a)) (not (= b b)))
      (and (= a b) (or (not (= a 0.0)) (= (/ 1.0 a) (/ 1.0 b))))))

(test "flonums arrive to the last bit, nan and the zeros included"
  (for-each (lambda (x) (check (same-flonum? x (object (text x)))))
            (list +nan.0 0.0 -0.0 1e22 1e23 2.2250738585072014e-308 1.7976931348623157e308))
  (do ((i 0 (+ i 1))) ((= i 20000))
    (let ((x (random-flonum)))
      (unless (same-flonum? x (object (text x))) (wrong "~a became ~a" x (text x))))))

(test "a flonum is written with the fewest digits that suffice"
  (check= '("0.1" "0.30000000000000004" "100.0" "1e+22")
          (map text (list 0.1 (+ 0.1 0.2) 100.0 1e22))))

(test "numbers are read in all their forms"
  (check= '(5 -5 1/2 1.0 0.5 -500.0 255 -255 0+1i 1-2i)
          (map object '("+5" "-5" "2/4" "1." ".5" "-.5e3" "#xff" "#x-FF" "+i" "1-2i")))
  (check= '(|1/0| |1e| |--1| |1.2.3| |+| |1i2|) (map object '("1/0" "1e" "--1" "1.2.3" "+" "1i2"))))

;; --------------------------------------------------- what cannot be sent --

(define (refusal x) (message-of (raised (text x))))

(test "a value that is no object is refused by its name"
  (for-each (lambda (x name)
              (check-fails ebadmsg (text x))
              (check-fails ebadmsg (text (list 1 (vector x))))
              (check (substring-index name (refusal (list 1 (vector x))))))
            (list car (current-output-port) (void) (make-socket 'pair) (delay 1)
                  (string->uninterned-symbol "lonely") (/ 1 (expt 3 20000)))
            '("scheme#car" "stdout" "unspecified" "zmq socket pair" "promise" "lonely" "1/")))

(define (ring)
  (let ((l (list 1 2 3))) (set-cdr! (cddr l) l) l))

(define (long-ring n)
  (let ((l (make-list n 'x)))
    (let loop ((p l)) (if (null? (cdr p)) (set-cdr! p (cdr l)) (loop (cdr p))))
    l))

(test "a list without an end is refused as such"
  (for-each (lambda (x)
              (check-fails ebadmsg (text x))
              (check (substring-index "no end" (refusal x))))
            (list (ring) (list 'a (ring)) (cons 1 (ring)) (long-ring 1000))))

(test "what contains itself is refused as such"
  (let ((l (list 1 2)) (v (vector 0 1)) (deep (list 1 2 3)))
    (set-car! (cdr l) l)
    (vector-set! v 1 (list v))
    (set-car! (cddr deep) (vector (cdr deep)))
    (for-each (lambda (x)
                (check-fails ebadmsg (text x))
                (check (substring-index "contains itself" (refusal x))))
              (list l v (list v l) deep))))

(test "an object shared by two places is none that contains itself"
  (let ((x (list 1)))
    (check= '((1) (1) #((1))) (object (text (list x x (vector x)))))))

(define (nested n) (if (= n 0) '() (list (nested (- n 1)))))

(test "max-bytes and max-depth bound what is sent"
  (check= "(1 2)" (text '(1 2) 5))
  (check-fails ebadmsg (text '(1 2) 4))
  (check-fails ebadmsg (text (make-string 1000 #\a) 1000))
  (check= (nested 2) (object (text (nested 2) 100 3)))
  (check-fails ebadmsg (text (nested 2) 100 2))
  (check-fails ebadmsg (text '#(#u8(1)) 100 1))
  (check-fails ebadmsg (text (nested 200000))))

;; -------------------------------------------------------- hostile texts --

(define hostile
  '("" " " "(" ")" "(1" "(1 . )" "(. 1)" "(1 . 2 3)" "\"a" "\"\\q\"" "\"\\x4\"" "#\\" "#\\foo"
    "#<procedure>" "#.(exit)" "#;1 2" "#|1|# 2" "; 1" "1 2" "#u8(256)" "#u8(a)" "#u8((1))"
    "#u8(1 . 2)" "#s8(128)" "#f64(i)" "#${abc}" "#${ab cd}" "#$" "[1]" "{1}" "a|b" "|a" "#e1" "#b1"
    "#x" "#x1/2" "#d1" "#:" "#t1" "#(1 . 2)" "#(1" "#!foo" "#!optional" "#,(foo)" "#'a" "#`a"
    "'" ",@" "#5=(#5# 1)" "#0#" "##sys#x" "#\\x110000000" "#\\U0020000000"))

(test "a text that is no object is refused with its place"
  (for-each (lambda (s)
              (check-fails ebadmsg (object s))
              (check (substring-index "at byte" (message-of (raised (object s))))))
            (append hostile (list (string #\nul) (string #\a #\nul) (string #\x7 #\1)))))

(test "nothing is evaluated, and no reader of the program's is called"
  (check= '(quote (exit 1)) (object "'(exit 1)"))
  (set-read-syntax! #\! (lambda (port) (exit 3)))
  (set-sharp-read-syntax! #\v (lambda (port) (exit 3)))
  (check= '! (object "!"))
  (check-fails ebadmsg (object "#v(1)"))
  (set-read-syntax! #\! #f)
  (set-sharp-read-syntax! #\v #f))

(test "max-depth bounds what is read"
  (check= (nested 99) (object (text (nested 99))))
  (check-fails ebadmsg (object (make-string 101 #\()))
  (check-fails ebadmsg (object (make-string 1000000 #\()))
  (check-fails ebadmsg (object (make-string 1000000 #\')))
  (check-fails ebadmsg (object (repeated "#(" 200000)))
  (check-fails ebadmsg (object "((1))" 1))
  (check= 1 (object "1" 0)))

(define serial 0)
(define (new-name)
  (set! serial (+ serial 1))
  (sprintf "new-~a-~a" (current-process-milliseconds) serial))

(define (new-names n) (if (= n 0) '() (cons (new-name) (new-names (- n 1)))))
(define (list-text names) (string-append "(" (string-intersperse names) ")"))

(test "max-symbols bounds the symbols and keywords that are new"
  (check= 50 (length (object (list-text (new-names 50)))))
  (check-fails ebadmsg (object (list-text (new-names 51))))
  (for-each
   (lambda (form)
     (check-fails ebadmsg
                  (object (list-text (map (lambda (n) (sprintf form n)) (new-names 51))))))
   '("#:~a" "~a:" "|~a|" "#:|~a|" "a~a" "'~a"))
  (check-fails ebadmsg (object (new-name) 100 0))
  (check= '(car car #:in) (object "(car |car| #:in)" 100 0)))

;; Of the processor, as others may use it too.
(define (milliseconds thunk)
  (receive (before system) (cpu-time)
    (thunk)
    (receive (after system) (cpu-time) (- after before))))

(parameterize ((test-limit 200))
  (test "the worst megabytes are read or refused within seconds"
    (for-each
     (lambda (s)
       (let ((ms (milliseconds (lambda () (raised (object s 1000 1000))))))
         (unless (< ms 10000)
           (wrong "~a took ~a ms" (substring s 0 (min 20 (string-length s))) ms))))
     (list (make-string 1000000 #\9)
           (string-append "#x" (make-string 1000000 #\f))
           (repeated (string-append (make-string 3999 #\9) " ") 250)
           (repeated (string-append (make-string 1999 #\9) "/" (make-string 1999 #\7) " ") 250)
           (repeated "1e9999 " 140000)
           (repeated "1e-9999 " 140000)
           (string-append "1e" (make-string 1000000 #\9))
           (string-append "0." (make-string 1000000 #\0) "1")
           (repeated "\\\"" 10)
           (string-append "\"" (repeated "\\n" 300000) "\"")
           (repeated "() " 300000)
           (repeated "#u8(1)" 150000)
           (repeated (string-append (make-string 900 #\() (make-string 900 #\)) " ") 500)
           (make-string 1000000 #\a)))))

(test "memory does not grow with the symbols that strangers send"
  (let ((used (lambda () (gc #t) (vector-ref (memory-statistics) 1)))
        (send-some (lambda (n) (do ((i 0 (+ i 1))) ((= i n)) (object (list-text (new-names 50)))))))
    (send-some 100)
    (let ((before (used)))
      (send-some 2000)
      (check (< (- (used) before) 2000000)))))

;; ----------------------------------------------------------------- fuzzing --

(define seed
  (or (let ((given (get-environment-variable "ZMQ_SEED"))) (and given (string->number given))) 1))
(define rounds
  (or (let ((given (get-environment-variable "ZMQ_ROUNDS"))) (and given (string->number given)))
      20000))

(define (pick l) (list-ref l (pseudo-random-integer (length l))))

(define tokens
  (append hostile
          (map text samples)
          '("(" "(" "(" ")" ")" ")" " " " . " "#(" "#u8(" "#f32(" "'" "," "\"" "|" "\\" "#" "#\\"
            "#x" "#${" "}" "+" "-" "1" "/" "." "e" "i" ":" "\n" "nan.0" "inf.0")))

(define (random-text)
  (apply string-append
         (let loop ((n (pseudo-random-integer 12)))
           (if (= n 0) '() (cons (pick tokens) (loop (- n 1)))))))

(define (random-bytes-text)
  (let ((s (make-string (pseudo-random-integer 40))))
    (do ((i 0 (+ i 1))) ((= i (string-length s)) s)
      (string-set! s i (integer->char (pseudo-random-integer 256))))))

(define (random-object depth)
  (if (or (= depth 0) (< (pseudo-random-integer 3) 1))
      (pick samples)
      (let ((items (let loop ((n (pseudo-random-integer 5)))
                     (if (= n 0) '() (cons (random-object (- depth 1)) (loop (- n 1)))))))
        (if (= 0 (pseudo-random-integer 2)) items (list->vector items)))))

;; The text of an object with some bytes changed, left out or doubled.
(define (mutated s)
  (let loop ((n (pseudo-random-integer 4)) (s s))
    (if (or (= n 0) (string=? s ""))
        s
        (let ((i (pseudo-random-integer (string-length s))))
          (loop (- n 1)
                (string-append
                 (substring s 0 i)
                 (case (pseudo-random-integer 4)
                   ((0) "")
                   ((1) (string (integer->char (pseudo-random-integer 256))))
                   ((2) (substring s i (string-length s)))
                   (else (pick tokens)))
                 (substring s (+ i 1) (string-length s))))))))

(define (same-object? a b)
  (cond ((and (pair? a) (pair? b))
         (and (same-object? (car a) (car b)) (same-object? (cdr a) (cdr b))))
        ((and (vector? a) (vector? b)) (same-object? (vector->list a) (vector->list b)))
        ((and (flonum? a) (flonum? b)) (same-flonum? a b))
        ((and (f32vector? a) (f32vector? b)) (same-object? (f32vector->list a) (f32vector->list b)))
        ((and (f64vector? a) (f64vector? b)) (same-object? (f64vector->list a) (f64vector->list b)))
        ((and (cplxnum? a) (cplxnum? b))
         (and (same-object? (real-part a) (real-part b))
              (same-object? (imag-part a) (imag-part b))))
        (else (equal? a b))))

(test "any text is an object that can be sent again, or a condition"
  (set-pseudo-random-seed! (number->string seed))
  (do ((i 0 (+ i 1))) ((= i rounds))
    (let* ((s (case (pseudo-random-integer 4)
                ((0) (random-bytes-text))
                ((1) (random-text))
                (else (mutated (text (random-object 4))))))
           (read #f)
           (e (raised (set! read (object s)))))
      (cond ((not e)
             (unless (same-object? read (object (text read)))
               (wrong "seed ~a, round ~a: ~s was read as ~s" seed i s read)))
            ((not (eq? 'ebadmsg (zmq-code e)))
             (wrong "seed ~a, round ~a: ~s raised ~a" seed i s (describe e)))))))

(test "any object of these kinds arrives"
  (do ((i 0 (+ i 1))) ((= i 2000))
    (let ((x (random-object 5)))
      (unless (same-object? x (object (text x))) (wrong "seed ~a: ~s" seed x)))))

;; ----------------------------------------------------------------- sockets --

(test "objects can be the parts of a message"
  (with-pair 'pull 'push
    (lambda (in out)
      (check= #t (send-object out '(a 1) send-more: #t))
      (check= #t (send-object out "b"))
      (check= '(a 1) (receive-object in timeout: 10000))
      (check= #t (socket-option in 'rcvmore))
      (check= "b" (receive-object in timeout: 10000))
      (check= #f (socket-option in 'rcvmore)))))

(test "giving up answers #f, or what default: says"
  (with-pair 'pull 'push
    (lambda (in out)
      (check= #f (receive-object in timeout: 10))
      (check= #f (receive-object in non-blocking: #t))
      (check= 'none (receive-object in timeout: 10 default: 'none))
      (send-object out #f)
      (check= #f (receive-object in timeout: 10000 default: 'none))))
  (let ((s (make-socket 'push)))
    (check= #f (send-object s 1 non-blocking: #t))
    (check= #f (send-object s 1 timeout: 10))
    (close-socket s)))

(test "a bad object is taken from the socket, and the next one comes"
  (with-pair 'pull 'push
    (lambda (in out)
      (for-each (lambda (s) (send-message out s)) '("(1" "#.(exit)" "2"))
      (check-fails ebadmsg (receive-object in timeout: 10000))
      (check-fails ebadmsg (receive-object in timeout: 10000))
      (check= 2 (receive-object in timeout: 10000)))))

(test "the limits are keywords of both"
  (with-pair 'pull 'push
    (lambda (in out)
      (check-fails ebadmsg (send-object out '(1 2 3) max-bytes: 6))
      (check-fails ebadmsg (send-object out '((1)) max-depth: 1))
      (do ((i 0 (+ i 1))) ((= i 2)) (send-object out '((1 2 3)) max-bytes: 9 max-depth: 2))
      (check-fails ebadmsg (receive-object in timeout: 10000 max-bytes: 8))
      (check-fails ebadmsg (receive-object in timeout: 10000 max-depth: 1))
      (send-message out (new-name))
      (check-fails ebadmsg (receive-object in timeout: 10000 max-symbols: 0)))))

(test "an object of more than a megabyte takes a larger max-bytes"
  (with-pair 'pull 'push
    (lambda (in out)
      (let ((x (make-string 2000000 #\x)))
        (check-fails ebadmsg (send-object out x))
        (send-object out x max-bytes: 3000000)
        (check-fails ebadmsg (receive-object in timeout: 10000))
        (send-object out x max-bytes: 3000000)
        (check= x (receive-object in timeout: 10000 max-bytes: 3000000))))))

(test "an object that is refused takes the parts before it along"
  (with-pair 'pull 'push
    (lambda (in out)
      (send-object out 1 send-more: #t)
      (check-fails ebadmsg (send-object out car))
      (send-object out 2)
      (check= 2 (receive-object in timeout: 10000))
      (check= #f (socket-option in 'rcvmore)))))

(test "other threads run while a large object is read"
  (let ((ticks (start-ticker)) (s (repeated "(a 1 \"x\") " 200000)))
    (let ((before (ticks)))
      (object s)
      (check (> (- (ticks) before) 0)))
    (ticks 'stop)))

(test "arguments are checked"
  (with-pair 'pull 'push
    (lambda (in out)
      (check-type (send-object 5 1))
      (check-type (receive-object 5))
      (check-type (send-object out 1 max-bytes: -1))
      (check-type (receive-object in max-depth: "x"))
      (check-type (receive-object in max-symbols: 1.5))
      (check-type (receive-object in timeout: 'soon))
      (check-fails einval (receive-object in maximum: 3))
      (check-type (send-object out 1 2))
      (check-fails enotsup (send-object in 1))
      (check-fails enotsup (receive-object out))))
  (let ((s (make-socket 'pair)))
    (close-socket s)
    (check-fails closed (send-object s 1))
    (check-fails closed (receive-object s))))

(report-tests)
