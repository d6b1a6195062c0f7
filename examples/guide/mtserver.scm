;;; A server of several threads: they share the requests that one endpoint receives.
;;; Look at: the threads are REP sockets on inproc, and a proxy deals out the requests.
;;;   csi -s mtserver.scm [ENDPOINT [THREADS]]

(import zmq)
(include "guide.scm")

(define clients (make-socket 'router bind: (argument 0 "tcp://*:5555")))
(define workers (make-socket 'dealer bind: "inproc://workers"))

(define (serve n)
  (let ((socket (make-socket 'rep connect: "inproc://workers")))
    (let loop ()
      (say "Thread " n " received " (receive-message socket))
      (thread-sleep! 0.1)               ; some work, in which the others go on
      (send-message socket "World")
      (loop))))

(start-threads (argument 1 5) serve)
(proxy clients workers)
