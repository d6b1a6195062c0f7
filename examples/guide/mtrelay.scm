;;; Threads that signal each other: step 1 is ready, then step 2, then the program.
;;; Look at: a PAIR on inproc takes the place of a semaphore or a condition variable.
;;;   csi -s mtrelay.scm

(import zmq)
(include "guide.scm")

(define (step1)
  (let ((next (make-socket 'pair connect: "inproc://step2")))
    (say "Step 1 ready, signaling step 2")
    (send-message next "READY")))

(define (step2)
  (let ((receiver (make-socket 'pair bind: "inproc://step2"))
        (next (make-socket 'pair connect: "inproc://step3")))
    (thread-start! step1)
    (receive-message receiver)
    (say "Step 2 ready, signaling step 3")
    (send-message next "READY")))

(define receiver (make-socket 'pair bind: "inproc://step3"))
(thread-start! step2)
(receive-message receiver)
(say "Test successful!")
