;;; A storm of signals over what storm.scm does not do: proxies, requests, swaps, pollers, monitors,
;;; ports, large messages, contexts that end, threads that are ended.
;;;
;;;   varied HERTZ SECONDS HOW     HOW: count, call, wait, escape, raise or anywhere
;;;
;;; The handler counts, sends and receives without waiting, waits for a message that does not come,
;;; or leaves as in storm.scm.  Channels, whose threads are left alone and whose messages are
;;; numbered, lose, repeat and reorder nothing.  Ends with exit code 0 when the time is over, if
;;; nothing was found and the sockets still work.

(import zmq (zmq monitor) (chicken base) (chicken condition) (chicken fixnum) (chicken io)
        (chicken process signal) (chicken time))
(include "../threads.scm")
(include "timer.scm")
(include "leave.scm")

(define problems '())
(define (found! . what) (set! problems (cons what problems)))

(define (code-of e) (and (condition? e) (get-condition-property e 'zmq 'code #f)))
(define (said e)
  (if (condition? e)
      (list (get-condition-property e 'exn 'location #f)
            (get-condition-property e 'exn 'message #f)
            (get-condition-property e 'exn 'arguments #f))
      e))
(define (check-expected where e)
  (unless (or (eq? e 'stormed) (code-of e)) (found! where (said e))))

(define (quietly where thunk)
  (handle-exceptions e (begin (check-expected where e) #f) (thunk)))

;; -------------------------------------------------------------- handler --

(define signals 0)
(define returned 0)

(define-values (handler-in handler-out)
  (let ((in (make-socket 'pull bind: "inproc://handler" rcvhwm: 10)))
    (values in (make-socket 'push connect: "inproc://handler" sndhwm: 10))))
(define empty (make-socket 'pull bind: "inproc://empty"))

;; Runs the thunk in a handler, which returns once.
(define (in-handler thunk)
  (let ((done #f))
    (quietly 'handler thunk)
    (when done (found! "a handler returned twice"))
    (set! done #t)
    (set! returned (fx+ returned 1))))

(set-signal-handler! signal/alrm
  (lambda (n)
    (set! signals (fx+ signals 1))
    (case how
      ((count) #f)
      ((call) (in-handler (lambda ()
                            (send-message handler-out "signal" non-blocking: #t)
                            (receive-message handler-in non-blocking: #t))))
      ((wait) (in-handler (lambda () (receive-message empty timeout: 1))))
      (else (leave!)))))

;; Calls the thunk where the handler may leave it.  The outer handle-exceptions is for a handler
;; that raises after the thunk has raised.
(define (try thunk)
  (call/cc
   (lambda (k)
     (quietly 'try
       (lambda ()
         (quietly 'try
           (lambda ()
             (set! escape k)
             (thunk)))
         (set! escape #f))))))

(define (forever thunk)
  (spawn! (lambda ()
            (let loop () (when (going?) (quietly 'thread thunk) (yield!) (loop))))))

;; ------------------------------------------------------------- channels --

(define channels '())

(define (start-channel name sender receiver batch?)
  (let ((sent 0) (got 0) (ended #f))
    (define (check m)
      (unless (equal? m (number->string got)) (found! name 'instead-of got m))
      (set! got (fx+ got 1)))
    (define (send-one)
      (when (send-message sender (number->string sent) timeout: 50) (set! sent (fx+ sent 1))))
    (define (receive-some)
      (if batch?
          (for-each check (or (receive-messages receiver as: 'string timeout: 50) '()))
          (let ((m (receive-message receiver as: 'string timeout: 50))) (when m (check m)))))
    (set! channels (cons (lambda () (list name sent got)) channels))
    (spawn! (lambda ()
              (let loop ()
                (when (going?)
                  (handle-exceptions e (found! name 'send (said e)) (send-one))
                  (when (fx= 0 (fxmod sent 7)) (yield!))
                  (loop)))
              (set! ended #t)))
    (spawn! (lambda ()
              (let loop ()
                (unless (and ended (fx= got sent))
                  (handle-exceptions e (found! name 'receive (said e)) (receive-some))
                  (loop)))))))

(define (pull-and-push endpoint receiving sending)
  (let* ((in (apply make-socket 'pull receiving)) (real (bind-socket in endpoint)))
    (values in (apply make-socket 'push connect: real sending))))

(define (channel name endpoint batch? . sending)
  (receive (in out) (pull-and-push endpoint '(rcvhwm: 20) sending)
    (start-channel name out in batch?)))

(unless (eq? how 'anywhere)             ; which ends their threads
  (channel 'tcp "tcp://127.0.0.1:*" #f sndhwm: 20)
  (channel 'inproc "inproc://channel" #t sndhwm: 20)
  (channel 'swap "tcp://127.0.0.1:*" #f sndhwm: 5 swap: 100000))

;; ----------------------------------------------------------- background --

(define control (make-proxy-control))
(define front (make-socket 'router))
(define server (bind-socket front "tcp://127.0.0.1:*"))
(define back (make-socket 'dealer bind: "inproc://back"))
(forever (lambda () (proxy front back control: control)))
(define worker (make-socket 'rep connect: "inproc://back"))
(forever (lambda ()
           (let ((m (receive-message worker timeout: 20)))
             (when m (send-message worker m timeout: 50)))))
(define (make-client) (make-socket 'req req-relaxed: #t req-correlate: #t connect: server))
(define client (make-client))
(define (ask client) (request client "question" as: 'string timeout: 20 tries: 2))
(let ((client (make-client)))
  (forever (lambda ()
             (let ((answer (ask client)))
               (unless (member answer '(#f "question")) (found! 'request answer))))))

(define pub (make-socket 'pub bind: "inproc://pub"))
(define (make-sub) (make-socket 'sub subscribe: "a" connect: "inproc://pub" rcvhwm: 5))
(define sub (make-sub))
(define news '("a" "topic" "and more"))
(forever (lambda () (send-multipart-message pub news) (nap! 1)))
(let ((sub (make-sub)))
  (forever (lambda ()
             (let ((m (receive-multipart-message sub as: 'string timeout: 5)))
               (unless (member m (list #f news)) (found! 'sub m))))))

(define-values (lines-in lines-out) (pull-and-push "inproc://lines" '() '()))
(define from (socket-input-port lines-in timeout: 5))
(define to (socket-output-port lines-out))

(define nobody "tcp://127.0.0.1:9")
(define watched (make-socket 'push linger: 0 reconnect-ivl: 1))
(let ((m (monitor-socket watched)))
  (forever (lambda () (receive-event m timeout: 10))))

(define-values (large-in large-out) (pull-and-push "inproc://large" '(rcvhwm: 4) '(sndhwm: 4)))
(define large (make-string 100000 #\x))
(forever (lambda () (send-message large-out large timeout: 5)))

;; Threads that are ended while they wait.
(forever (lambda ()
           (let ((t (spawn! (lambda () (receive-message empty timeout: 1000)))))
             (nap! 2)
             (kill! t))))

;; Contexts that end while a thread waits.
(forever (lambda ()
           (let* ((c (make-context))
                  (s (make-socket 'pull c bind: "inproc://x"))
                  (t (spawn! (lambda ()
                               (quietly 'ending (lambda () (receive-message s timeout: 2000)))))))
             (make-socket 'push c connect: "inproc://x" linger: 0)
             (nap! 1)
             (terminate-context c)
             (unless (wait-until (lambda () (ended? t))) (found! "a thread still waits")))))

;; ------------------------------------------- what the handler may leave --

(define router (make-socket 'router bind: "inproc://router"))
(define dealer (make-socket 'dealer identity: "me" connect: "inproc://router"))
(define p (make-poller))
(poller-add! p sub in: #t)
(poller-add! p dealer out: #t in: #t)
(poller-add! p router in: #t)
(define idle (make-poller))
(poller-add! idle empty in: #t)

(define operations
  (vector
   (lambda () (receive-message sub timeout: 5 as: 'string))
   (lambda () (poller-wait p timeout: 5))
   (lambda () (poller-wait idle timeout: 5))
   (lambda () (poll (list (make-poll-item sub in: #t) (make-poll-item empty in: #t)) 5))
   (lambda () (ask client))
   (lambda () (send-multipart-message dealer '("x" "y" "z") timeout: 5))
   (lambda () (receive-multipart-message router timeout: 5))
   (lambda ()
     (send-multipart-message router '("me" "ok") timeout: 5)
     (receive-message dealer timeout: 5))
   (lambda () (receive-message large-in timeout: 5 as: (lambda (pointer size) size)))
   (lambda ()
     (let ((m (receive-message large-in timeout: 50 properties: #t))) (and m (message-size m))))
   (lambda () (write-line "a line" to) (flush-output to))
   (lambda () (read-line from))
   (lambda ()
     (call-with-context
      (lambda (c)
        (let* ((a (make-socket 'pair c bind: "inproc://t"))
               (b (make-socket 'pair c connect: "inproc://t")))
          (send-message a "m")
          (receive-message b timeout: 50)))))
   (lambda ()
     (let ((c (make-context)))
       (make-socket 'push c connect: nobody linger: 0)
       (terminate-context c)))
   (lambda () (call-with-socket 'pub (lambda (s) (bind-socket s "tcp://127.0.0.1:*"))))
   (lambda () (connect-socket watched nobody) (nap! 1) (disconnect-socket watched nobody))
   (lambda ()
     (let ((m (monitor-socket watched))) (receive-event m timeout: 2) (close-monitor m)))
   (lambda () (receive-messages sub as: 'u8vector timeout: 5))
   (lambda () (send-messages dealer '("1" ("2" "3") "4") timeout: 5))
   (lambda () (let ((q (make-poller))) (poller-add! q sub in: #t) (poller-wait q timeout: 2)))
   (lambda () (pause-proxy control) (resume-proxy control))
   (lambda () (send-object dealer '(1 "two" #(3)) timeout: 5))
   (lambda ()
     (let ((s (make-socket 'push swap: 50000 linger: 0 connect: nobody)))
       (send-message s "kept")
       (socket-statistics s)
       (close-socket s)))
   (lambda () (send-message dealer "part" send-more: #t) (send-message dealer "last" timeout: 5))
   (lambda () (nap! 1))))

(set-timer! hertz)
(let loop ((i 0))
  (when (going?)
    (try (vector-ref operations (modulo i (vector-length operations))))
    (loop (fx+ i 1))))
(set-timer! 0)
(set-signal-handler! signal/alrm #f)

;; ---------------------------------------------------------- what is left --

(stop-proxy control)
(define (all-arrived? l)
  (or (null? l)
      (let ((c ((car l)))) (and (fx= (cadr c) (caddr c)) (all-arrived? (cdr l))))))
(unless (wait-until (lambda () (all-arrived? channels))) (found! "messages are lost"))

;; What can still be used must work.
(call-with-context
 (lambda (c)
   (let* ((a (make-socket 'pair c bind: "inproc://after"))
          (b (make-socket 'pair c connect: "inproc://after"))
          (t (spawn! (lambda () (nap! 5) (send-message a "alive")))))
     (unless (equal? "alive" (receive-message b as: 'string timeout: 5000))
       (found! "a message does not arrive"))
     (join! t))))

(print signals " signals, " left " times left, " returned " times returned; "
       (map (lambda (c) (c)) channels))
(for-each print problems)
(exit (cond ((pair? problems) 5)
            ((> signals (quotient (* hertz seconds) 20)) 0)
            (else 4)))
