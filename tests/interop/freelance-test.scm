;;; Freelance, with peers that follow the RFC by themselves.

(import zmq (zmq patterns) (chicken base) (chicken process signal))
(include "check.scm")
(include "threads.scm")
(include "child.scm")
(include "role.scm")
(include "interop/peer.scm")

(define (start-python . arguments)
  (start-program python (cons (make-pathname here "freelance.py") arguments) limit: 55))

(define (await-servers c . endpoints)
  (unless (wait-until (lambda () (equal? endpoints (freelance-servers c))) 20000)
    (wrong "~a are alive, not ~a" (freelance-servers c) endpoints)))

(test "a client of the egg is served by servers of pyzmq, of which one is stopped and killed"
  (let* ((one (free-endpoint))
         (two (free-endpoint))
         (first (start-python "server" one "first"))
         (second (start-python "server" two "second"))
         (c (freelance-client (list one two) heartbeat: 100)))
    (define (call . parts) (freelance-call c parts timeout: 20000))
    (await-servers c one two)
    (check= '("first" "a" "" "b") (call "a" "" "b"))
    (stop first)
    (check= '("second" "c") (call "c"))
    (await-servers c two)
    (continue first)
    (await-servers c one two)
    (kill-9 first)
    (await-servers c two)
    (check= '("second" "d") (call "d"))
    (kill-9 second)
    (check= "" (child-errors first))
    (check= "" (child-errors second))
    (freelance-stop! c)))

(test "a client of pyzmq is served by a server of the egg"
  (let* ((s (freelance-server "tcp://127.0.0.1:*" (lambda (parts) (append parts parts))))
         (child (start-python "client" (string-append (free-endpoint) "," (freelance-endpoint s))
                              "a" "b")))
    (check-peer child)
    (check= "a b a b\n" (child-output child))
    (freelance-stop! s)))

(report-tests)
