;;; A storm of signals: a timer whose handler leaves by a continuation, raises or counts, beside
;;; threads that send, receive, open and close.
;;;
;;;   storm HERTZ SECONDS HOW     HOW: escape, raise, count or anywhere
;;;
;;; The handler leaves the primordial thread only; with `anywhere' it leaves whichever thread is
;;; current, as CHICKEN runs it there, so the program's threads may be lost but nothing else.
;;; Ends with exit code 0 when the time is over and the sockets still work.

(import zmq (chicken base) (chicken condition) (chicken fixnum) (chicken process signal)
        (chicken time))
(include "../threads.scm")
(include "timer.scm")
(include "leave.scm")

(define signals 0)
(set-signal-handler! signal/alrm
  (lambda (n)
    (set! signals (fx+ signals 1))
    (unless (eq? how 'count) (leave!))))

(define (quietly thunk) (handle-exceptions e #f (thunk)))

;; Calls the thunk where the handler may leave it.  What the thunk raises ends it too; a signal that
;; comes then may raise again.
(define (try thunk)
  (call/cc
   (lambda (k)
     (quietly
      (lambda ()
        (quietly (lambda () (set! escape k) (thunk)))
        (set! escape #f))))))

(define (forever thunk)
  (spawn! (lambda () (let loop () (when (going?) (quietly thunk) (yield!) (loop))))))

(define-values (in out)
  (let* ((in (make-socket 'pull rcvhwm: 50)) (e (bind-socket in "tcp://127.0.0.1:*")))
    (values in (make-socket 'push sndhwm: 50 connect: e))))
(define-values (rep req)
  (let ((rep (make-socket 'rep bind: "inproc://storm")))
    (values rep (make-socket 'req req-relaxed: #t req-correlate: #t connect: "inproc://storm"))))
(define p (make-poller))
(poller-add! p in in: #t)

(forever (lambda () (send-message out "one" timeout: 20)))
(forever (lambda () (send-multipart-message out '("two" "parts") timeout: 20)))
(forever (lambda () (receive-multipart-message in timeout: 5)))
(forever (lambda () (send-message rep (receive-message rep timeout: 10) timeout: 10)))
(forever (lambda ()
           (let ((s (make-socket 'pair linger: 0 bind: "inproc://*")))
             (receive-message s timeout: 1)
             (close-socket s))))
(forever (lambda () (nap! 2)))

(set-timer! hertz)

(let loop ((i 0))
  (when (going?)
    (try (lambda ()
           (case (modulo i 8)
             ((0) (receive-message in timeout: 5))
             ((1) (send-message out "three" timeout: 5))
             ((2) (poll (list (make-poll-item in in: #t)) 5))
             ((3) (poller-wait p timeout: 5))
             ((4) (send-message req "question" timeout: 5) (receive-message req timeout: 5))
             ((5) (receive-messages in timeout: 5))
             ((6) (let ((s (make-socket 'push linger: 0))) (close-socket s)))
             ((7) (nap! 1)))))
    (loop (fx+ i 1))))

(set-timer! 0)
(set-signal-handler! signal/alrm #f)

;; What can still be used must work.
(call-with-context
 (lambda (c)
   (let ((a (make-socket 'pair c bind: "inproc://after"))
         (b (make-socket 'pair c connect: "inproc://after")))
     (spawn! (lambda () (nap! 5) (send-message a "alive")))
     (unless (equal? "alive" (receive-message b as: 'string timeout: 5000)) (exit 3)))))
(print signals " signals, " left " times left")
(exit (if (> signals (quotient (* hertz seconds) 20)) 0 4))
