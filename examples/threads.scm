;;; One thread waits for a message while another works: waiting stops only the
;;; thread that waits.

(import zmq)

;; Threads come from the egg srfi-18, as thread-start! and thread-join!.  So that
;; no egg is needed, these two stand on the same threads of CHICKEN's runtime.
(define (start-thread thunk)
  (let ((thread (##sys#make-thread #f 'created 'example 10000)))
    (##sys#setslot thread 1
      (lambda ()
        (thunk)
        (##sys#thread-kill! thread 'dead)
        (##sys#schedule)))
    (##sys#setslot thread 3 'ready)
    (##sys#add-to-ready-queue thread)
    thread))

(define (join-thread thread)
  (unless (memq (##sys#slot thread 3) '(dead terminated))
    (##sys#thread-block-for-termination! ##sys#current-thread thread)
    (##sys#thread-yield!)
    (join-thread thread)))

(define in (make-socket 'pair))
(define out (make-socket 'pair))
(bind-socket in "inproc://threads")
(connect-socket out "inproc://threads")

(define work-done 0)

(define receiver
  (start-thread
   (lambda ()
     (print "receiver: waiting")
     (print "receiver: got " (receive-message in as: 'string)))))

(define worker
  (start-thread
   (lambda ()
     (let loop ()
       (set! work-done (+ work-done 1))
       (if (< work-done 100000) (loop)))
     (print "worker: done " work-done " pieces of work")
     (send-message out "the worker's message"))))

(join-thread worker)
(join-thread receiver)
