;;; Counts the words of text files with several processes.  Each has a role:
;;;
;;;   ventilator FILE...    deals the text out to the workers, in chunks
;;;   worker                counts the words of chunks
;;;   sink TOTAL DISTINCT   adds the counts and compares them with these figures
;;;   count FILE...         counts alone and prints TOTAL and DISTINCT
;;;
;;;   ventilator --tasks--> worker --counts--> sink; all --reports--> ventilator
;;;
;;; The launcher `wordcount` starts them.  Workers may also sit on other machines:
;;; run the launcher with TRANSPORT=tcp HOST=<its address>, and there, before it or
;;; meanwhile, `TRANSPORT=tcp HOST=<the same> csi -s wordcount.scm worker`.

(import zmq (chicken file) (chicken io) (chicken plist) (chicken process-context)
        (chicken sort) (chicken string) (chicken time))

(define (setting name default)
  (or (get-environment-variable name) default))

(define (give-up . words)
  (display (string-append "wordcount: " (apply conc words) "\n")
           (current-error-port))
  (exit 1))

(define (number-setting name default)
  (let ((n (string->number (setting name default))))
    (if (and (exact-integer? n) (> n 0))
        n
        (give-up name " is a number of 1 or more, not " (setting name default)))))

;; ---------------------------------------------------------------- sockets

;; Milliseconds without a message after which somebody must be gone.
(define patience (* 1000 (number-setting "PATIENCE" "20")))

(define (endpoint name)
  (let ((transport (setting "TRANSPORT" "ipc")))
    (cond ((string=? transport "tcp")
           (conc "tcp://" (setting "HOST" "127.0.0.1") ":"
                 (+ (number-setting "PORT" "5555")
                    (cdr (assq name '((tasks . 0) (reports . 1) (counts . 2)))))))
          ((string=? transport "ipc")
           (conc "ipc://" (setting "WORDCOUNT_DIR" "/tmp") "/" name))
          (else (give-up "TRANSPORT is ipc or tcp, not " transport)))))

(define (open-socket type attach! name)
  (let ((s (make-socket type)))
    ;; Only few chunks wait at a worker: a slow one must not sit on many.
    (when (eq? name 'tasks) (socket-option-set! s 'hwm 8))
    (attach! s (endpoint name))
    s))

(define (send s . parts)
  (or (send-multipart-message s parts timeout: patience)
      (give-up "nobody takes " (car parts) " messages")))

(define (await s what)
  (or (receive-multipart-message s as: 'string timeout: patience)
      (give-up "waited too long for " what)))

;; --------------------------------------------------------------- counting

;; Core CHICKEN has no hash tables, but it keeps its symbols in one.  So a word
;; is a symbol here, and its count a property of the symbol.
(define words '())
(define total 0)

(define (add! word n)
  (let ((word (string->symbol word)))
    (unless (get word 'count) (set! words (cons word words)))
    (put! word 'count (+ n (get word 'count 0)))
    (set! total (+ total n))))

(define (count-of word) (get word 'count))

(define (start-again!)
  (for-each (lambda (word) (remprop! word 'count)) words)
  (set! words '())
  (set! total 0))

;; A word is a run of the letters A to Z.  The text is overwritten.
(define (count-text! text)
  (do ((i 0 (+ i 1))) ((= i (string-length text)))
    (string-set! text i (letter-or-space (string-ref text i))))
  (for-each (lambda (word) (add! word 1)) (string-split text " ")))

(define (letter-or-space c)
  (cond ((and (char>=? c #\a) (char<=? c #\z)) c)
        ((and (char>=? c #\A) (char<=? c #\Z)) (char-downcase c))
        (else #\space)))

;; Counts travel as lines: a word, a space, its count.
(define (counts->lines)
  (string-intersperse (map (lambda (word) (conc word " " (count-of word))) words)
                      "\n"))

(define (add-lines! text)
  (let loop ((fields (string-split text " \n")))
    (unless (null? fields)
      (add! (car fields) (string->number (cadr fields)))
      (loop (cddr fields)))))

;; Calls proc with chunks of about 16 KiB that end where a word ends, and
;; returns how many they were.
(define (for-each-chunk files proc)
  (define (not-space? c) (not (char-whitespace? c)))
  (define (read-chunks port n)
    (let ((text (read-string 16384 port)))
      (cond ((eof-object? text) n)
            (else (proc (string-append text (read-token not-space? port)))
                  (read-chunks port (+ n 1))))))
  (foldl (lambda (n file)
           (unless (file-readable? file) (give-up "no file to read: " file))
           (call-with-input-file file (lambda (port) (read-chunks port n))))
         0 files))

;; ------------------------------------------------------------------ roles

(define (ventilator files)
  (define tasks (open-socket 'push bind-socket 'tasks))
  (define reports (open-socket 'pull bind-socket 'reports))
  (define counts (open-socket 'push connect-socket 'counts))
  (define present 0)          ; the sink and the workers that have not left
  (define (next-report timeout)
    (let ((report (receive-message reports as: 'string timeout: timeout)))
      (cond ((equal? report "ready") (set! present (+ present 1)))
            ((equal? report "bye") (set! present (- present 1))))
      report))
  (define (wait-until there? what)
    (let ((report (next-report patience)))
      (cond ((not report) (give-up "waited too long for " what))
            ((not (there? report)) (wait-until there? what)))))
  ;; Wait for all workers, or the first would get most of the work.
  (let ((expected (+ 1 (number-setting "WORKERS" "4"))))
    (wait-until (lambda (report) (= present expected)) "the workers and the sink"))
  (send counts "start")
  (let ((n (for-each-chunk files (lambda (text) (send tasks "chunk" text)))))
    (send counts "chunks" (number->string n)))
  ;; All stay until the sink has everything and says bye: what a process has sent
  ;; may be lost with it.
  (wait-until (lambda (report) (string=? report "bye")) "the sink")
  ;; Whom a token reaches is not known, so tokens are sent until all have left.
  (let loop ((attempts (quotient patience 50)))
    (when (= attempts 0) (give-up present " workers have not left"))
    (do ((i 0 (+ i 1))) ((= i present))
      (send-message tasks "end" non-blocking: #t))
    (let next ()
      (cond ((= present 0))
            ((next-report 50) (next))
            (else (loop (- attempts 1)))))))

(define (worker)
  (define tasks (open-socket 'pull connect-socket 'tasks))
  (define counts (open-socket 'push connect-socket 'counts))
  (define reports (open-socket 'push connect-socket 'reports))
  (send reports "ready")
  (let loop ((task (await tasks "a task")))
    (when (string=? (car task) "chunk")
      (let* ((text (cadr task)) (size (string-length text)))
        (count-text! text)
        (send counts "counts" (number->string size) (counts->lines))
        (start-again!)
        (loop (await tasks "a task")))))
  (send reports "bye"))

(define (sink expected-total expected-distinct)
  (define counts (open-socket 'pull bind-socket 'counts))
  (define reports (open-socket 'push connect-socket 'reports))
  (send reports "ready")
  (let loop ((start #f) (chunks #f) (messages 0) (bytes 0))
    (if (equal? messages chunks)
        (let ((ms (max 1 (- (current-process-milliseconds) start))))
          (send reports "bye")
          (print-most-frequent 20)
          (print messages " messages, " (rounded (/ messages ms 1/1000))
                 " messages/s, " (rounded (/ bytes ms 1000)) " MB/s"))
        (let* ((message (await counts (conc "message " (+ messages 1))))
               (kind (car message))
               (start (or start (current-process-milliseconds))))
          (cond ((string=? kind "counts")
                 (add-lines! (caddr message))
                 (loop start chunks (+ messages 1)
                       (+ bytes (string->number (cadr message)))))
                ((string=? kind "chunks")
                 (loop start (string->number (cadr message)) messages bytes))
                (else (loop start chunks messages bytes))))))
  (let ((agree (and (= total expected-total)
                    (= (length words) expected-distinct))))
    (print total " words, " (length words) " distinct: "
           (if agree "totals agree" "totals DIFFER"))
    (exit (if agree 0 1))))

(define (print-most-frequent n)
  (define (before? a b)
    (if (= (count-of a) (count-of b))
        (string<? (symbol->string a) (symbol->string b))
        (> (count-of a) (count-of b))))
  (let loop ((l (sort words before?)) (n n))
    (unless (or (null? l) (= n 0))
      (let ((count (number->string (count-of (car l)))))
        (print (make-string (max 0 (- 9 (string-length count))) #\space)
               count " " (car l)))
      (loop (cdr l) (- n 1)))))

(define (rounded x) (/ (round (* 10.0 x)) 10))

(define (main #!optional (role "none") . arguments)
  (case (string->symbol role)
    ((ventilator) (ventilator arguments))
    ((worker) (worker))
    ((sink) (apply sink (map string->number arguments)))
    ((count) (for-each-chunk arguments count-text!)
             (print total " " (length words)))
    (else (give-up "no such role: " role))))

(apply main (command-line-arguments))
