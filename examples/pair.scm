;;; Two threads of one program talk through a PAIR.  One waits for messages
;;; while the other works: waiting stops only the thread that waits.

(import zmq)
(include "threads.scm")

(define in (make-socket 'pair bind: "inproc://threads"))
(define out (make-socket 'pair connect: "inproc://threads"))

(define receiver
  (thread-start!
   (lambda ()
     (print "receiver: waiting")            ; prints: receiver: waiting
     (let ((result (receive-message in as: 'string)))
       (send-message in (string-append "thanks for " result))))))

(define worker
  (thread-start!
   (lambda ()
     (do ((pieces 0 (+ pieces 1)))
         ((= pieces 100000)
          (print "worker: " pieces " pieces") ; prints: worker: 100000 pieces
          (send-message out "the work"))))))

(thread-join! worker)
(thread-join! receiver)
(print (receive-message out as: 'string))   ; prints: thanks for the work
