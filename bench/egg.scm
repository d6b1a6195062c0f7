;;; The same works as raw.c, through the egg.
;;;
;;;   egg WORK ARGUMENT...    one of the works at the end of this file

(import zmq (chicken base) (chicken fixnum) (chicken foreign)
        (chicken process-context))
(include "threads.scm")

(foreign-declare "#include \"measure.h\"")

(define-syntax define-measure
  (syntax-rules ()
    ((_ name result ((type argument) ...) body)
     (define name (foreign-lambda* result ((type argument) ...) body)))))

(define-measure pin void ((int processor)) "pin(processor);")
(define-measure raise-limits void () "raise_limits();")
(define-measure split bool () "C_return(split());")
(define-measure tell void ((c-string endpoint)) "tell(endpoint);")
(define-measure told c-string () "C_return(told());")
(define-measure tell-time void () "tell_time(elapsed);")
(define-measure take-time void () "take_time();")
(define-measure become-feeder void
  ((c-string front) (c-string back) (long size) (long count))
  "become_feeder(front, back, size, count);")
(define-measure answer-fd int () "C_return(to_first[0]);")
(define-measure await-end void () "await_end();")
(define-measure start void () "start();")
(define-measure stop void () "stop();")
(define-measure make-times void ((int count)) "make_times((size_t)count);")
(define-measure note-time void () "note_time();")
(define-measure report void ((double count)) "report(count);")
(define-measure resident integer () "C_return((int)resident_kilobytes());")
(define-measure set-extra void ((double value)) "extra[0] = value; extras = 1;")

(define-syntax repeat
  (syntax-rules ()
    ((_ n body ...) (do ((i 0 (fx+ i 1))) ((fx= i n)) body ...))))

(define-syntax repeat-with
  (syntax-rules ()
    ((_ (i n) body ...) (do ((i 0 (fx+ i 1))) ((fx= i n)) body ...))))

(define (must-be wanted got) (unless (eqv? wanted got) (error "not what was sent" got)))

(define-inline (receive-sized s size)
  (unless (fx= size (string-length (receive-message s as: 'string)))
    (error "not what was sent")))

;; how many there are
(define (check-sizes messages size)
  (let loop ((l messages) (n 0))
    (cond ((null? l) n)
          ((fx= size (string-length (car l))) (loop (cdr l) (fx+ n 1)))
          (else (error "not what was sent")))))

(define-syntax define-work
  (syntax-rules ()
    ((_ (name argument ...) body ...)
     (set! works
       (cons (cons (symbol->string 'name)
                   (lambda (argument ...) body ...))
             works)))))
(define works '())

(define (inproc-pair in-type out-type)
  (pin 0)
  (let ((in (make-socket in-type bind: "inproc://pair")))
    (values in (make-socket out-type connect: "inproc://pair"))))

;; one thread over inproc

(define-work (pair size count)
  (let ((data (make-string size #\x)))
    (receive (in out) (inproc-pair 'pair 'pair)
      (start)
      (repeat count
        (send-message out data)
        (receive-sized in size))
      (stop)
      (report count))))

(define-work (records size count)
  (let ((data (make-string size #\x)))
    (receive (in out) (inproc-pair 'pair 'pair)
      (start)
      (repeat count
        (send-message out data)
        (unless (fx= size (message-size (receive-message in)))
          (error "not what was sent")))
      (stop)
      (report count))))

(define-work (batches size count)
  (let ((batch (make-list* 64 (make-string size #\x))))
    (receive (in out) (inproc-pair 'pair 'pair)
      (start)
      (repeat (quotient count 64)
        (must-be 64 (send-messages out batch))
        (check-sizes (receive-messages in as: 'string max: 64) size))
      (stop)
      (report (* 64 (quotient count 64))))))

(define (make-list* n x) (if (= n 0) '() (cons x (make-list* (- n 1) x))))

;; as `pair', and how much the memory grows after the first tenth, in KB
(define-work (memory size count)
  (let ((data (make-string size #\x)) (before #f))
    (receive (in out) (inproc-pair 'pair 'pair)
      (start)
      (repeat-with (i count)
        (when (fx= i (quotient count 10)) (set! before (resident)))
        (send-message out data)
        (receive-message in))
      (stop)
      (set-extra (exact->inexact (- (resident) before)))
      (report count))))

(define-work (parts many size count)
  (let ((parts (make-list* many (make-string size #\x))))
    (receive (in out) (inproc-pair 'pair 'pair)
      (start)
      (repeat count
        (send-multipart-message out parts)
        (check-sizes (receive-multipart-message in as: 'string) size))
      (stop)
      (report count))))

;; streams

(define (push endpoint size count)
  (let ((out (make-socket 'push connect: endpoint)) (data (make-string size #\x)))
    (repeat (fx+ count 1) (send-message out data))))

(define (pull in size count)
  (receive-sized in size)
  (start)
  (repeat count (receive-sized in size))
  (stop))

(define (pull-records in size count)
  (receive-sized in size)
  (start)
  (repeat count
    (unless (fx= size (message-size (receive-message in)))
      (error "not what was sent")))
  (stop))

(define (push-batches endpoint size count)
  (let ((out (make-socket 'push connect: endpoint)) (data (make-string size #\x)))
    (send-message out data)
    (let ((batch (make-list* 64 data)))
      (repeat (quotient (+ count 63) 64) (must-be 64 (send-messages out batch))))))

(define (pull-batches in size count)
  (receive-sized in size)
  (start)
  (let loop ((left (* 64 (quotient (+ count 63) 64))))
    (when (fx> left 0)
      (loop (fx- left (check-sizes (receive-messages in as: 'string) size)))))
  (stop))

(define (run-stream push pull endpoint size count)
  (when (split)
    (push (told) size count)
    (await-end))
  (let ((in (make-socket 'pull)))
    (tell (bind-socket in endpoint))
    (pull in size count)
    (report count)))

(define-work (stream endpoint size count)
  (run-stream push pull endpoint size count))
(define-work (stream-records endpoint size count)
  (run-stream push pull-records endpoint size count))
(define-work (stream-batches endpoint size count)
  (run-stream push-batches pull-batches endpoint size count))

(define (run-threads push pull size count)
  (pin 0)
  (let ((in (make-socket 'pull bind: "inproc://stream")))
    (spawn! (lambda () (push "inproc://stream" size count)))
    (pull in size count)
    (report count)))

(define-work (threads size count) (run-threads push pull size count))
(define-work (threads-batches size count)
  (run-threads push-batches pull-batches size count))

;; latency: in the primordial thread, or in one of its own beside idle ones

(define (serve endpoint count)
  (let ((server (make-socket 'rep connect: endpoint)))
    (repeat count (send-message server (receive-message server as: 'string)))
    (await-end)))

(define (ask client size count)
  (let ((data (make-string size #\x)) (warm (+ 10 (quotient count 10))))
    (make-times count)
    (repeat warm
      (send-message client data)
      (receive-sized client size))
    (repeat count
      (start)
      (send-message client data)
      (receive-sized client size)
      (stop)
      (note-time))
    (report count)))

(define-work (latency endpoint size count)
  (when (split) (serve (told) (+ count 10 (quotient count 10))))
  (let ((client (make-socket 'req)))
    (tell (bind-socket client endpoint))
    (ask client size count)))

(define-work (latency-beside idle endpoint size count)
  (when (split) (serve (told) (+ count 10 (quotient count 10))))
  (let ((client (make-socket 'req)))
    (tell (bind-socket client endpoint))
    (repeat idle (spawn! (lambda () (nap! 3600000))))
    (join! (spawn! (lambda () (ask client size count))))))

;; publishing, polling, waiting

(define-work (publish many count)
  (pin 0)
  (let* ((out (make-socket 'pub sndhwm: 0 bind: "inproc://publish"))
         (subscribers
          (let loop ((i 0))
            (if (= i many)
                '()
                (cons (make-socket 'sub rcvhwm: 0 connect: "inproc://publish"
                                   subscribe: (list "all" (string-append "own-" (number->string i))))
                      (loop (+ i 1)))))))
    (nap! 20)
    (socket-option out 'events)
    (start)
    (repeat count
      (send-message out "all of you, hear this")
      (send-message out "nobody will hear this")
      (let loop ((l subscribers))
        (when (pair? l)
          (receive-sized (car l) 21)
          (loop (cdr l)))))
    (stop)
    (report count)))

(define (many-sockets-context n)
  (let ((context (make-context 1)))
    (raise-limits)
    (context-option-set! context 'max-sockets n)
    context))

(define-work (poll watched active count)
  (pin 0)
  (let ((context (many-sockets-context (+ watched active 10)))
        (poller (make-poller))
        (step (quotient watched active))
        (outs '()))
    (repeat-with (i watched)
      (let ((e (string-append "inproc://" (number->string i))))
        (poller-add! poller (make-socket 'pull context bind: e) in: #t)
        (when (and (= 0 (modulo i step)) (< (quotient i step) active))
          (set! outs (cons (make-socket 'push context connect: e) outs)))))
    (poller-wait poller timeout: 0)
    (repeat count
      (for-each (lambda (out) (send-message out "x")) outs)
      (start)
      (let ((ready (poller-wait poller)))
        (stop)
        (must-be active (length ready))
        (for-each (lambda (s) (receive-sized s 1)) ready)))
    (report count)))

;; threads that wait, each for a socket of its own; one after the other gets a
;; message and answers
(define-work (waiting many count)
  (pin 0)
  (let* ((context (many-sockets-context (+ (* 3 many) 20)))
         (answers (make-socket 'pull context bind: "inproc://answers"))
         (outs (make-vector many)))
    (repeat-with (i many)
      (let* ((e (string-append "inproc://" (number->string i)))
             (in (make-socket 'pull context bind: e))
             (answer (make-socket 'push context connect: "inproc://answers")))
        (vector-set! outs i (make-socket 'push context connect: e))
        (spawn! (lambda ()
                  (let loop ()
                    (send-message answer (receive-message in as: 'string))
                    (loop))))))
    (repeat-with (i many)
      (send-message (vector-ref outs i) "x")
      (receive-sized answers 1))
    (start)
    (repeat-with (i count)
      (send-message (vector-ref outs (fxmod (fx* i 7) many)) "x")
      (receive-sized answers 1))
    (stop)
    (report count)))

;; forwarding: raw.c feeds it, and measures
(define-work (forward size count)
  (when (split)
    (let* ((front (told)) (back (told))) (become-feeder front back size count)))
  (let* ((front (make-socket 'router)) (back (make-socket 'dealer)))
    (tell (bind-socket front "tcp://127.0.0.1:*"))
    (tell (bind-socket back "tcp://127.0.0.1:*"))
    (start)
    (spawn! (lambda () (proxy front back)))
    (##sys#thread-block-for-i/o! ##sys#current-thread (answer-fd) #:input)
    (yield!)
    (take-time)
    (report count)))

(define-work (start)
  (close-socket (make-socket 'pull bind: "inproc://start"))
  (terminate-context (zmq-default-context)))

;; ----------------------------------------------------------------- main --

(let* ((arguments (command-line-arguments))
       (work (and (pair? arguments) (assoc (car arguments) works))))
  (unless work (error "usage: egg WORK ARGUMENT..."))
  (apply (cdr work)
         (map (lambda (x) (or (string->number x) x)) (cdr arguments)))
  (exit))
