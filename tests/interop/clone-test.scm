;;; Clone, with peers that follow the RFC by themselves.

(import zmq (zmq patterns) (chicken base))
(include "check.scm")
(include "threads.scm")
(include "child.scm")
(include "role.scm")
(include "interop/peer.scm")

(define (start-python . arguments)
  (start-program python (cons (make-pathname here "clone.py") arguments) limit: 55))

(define (await-value c key value)
  (unless (wait-until (lambda () (equal? value (clone-ref c key))) 20000)
    (wrong "~a is ~s, not ~s" key (clone-ref c key) value)))

(test "a client of pyzmq shares the table of a server of the egg"
  (let* ((s (clone-server "tcp://127.0.0.1:*" heartbeat: 100))
         (c (clone-client (clone-endpoint s) heartbeat: 100 timeout: 20000)))
    (clone-set! c "a" "1" timeout: 20000)
    (clone-set! c "b" "2" timeout: 20000)
    (clone-set! c "c" "3" ttl: 1000 timeout: 20000)
    (clone-set! c "b" "" timeout: 20000)
    (let ((child (start-python "client" (clone-endpoint s) "d=4" "e=5")))
      (check-peer child)
      (check= "a=1 c=3 d=4 e=5\n" (child-output child)))
    (await-value c "d" "4")
    (await-value c "e" "5")
    (clone-stop! c)
    (clone-stop! s)))

(test "clients of the egg share the table of a server of pyzmq, which is killed and started again"
  (let* ((e (free-endpoint 3))
         (a (clone-client e heartbeat: 100 timeout: 0))
         (b (clone-client e heartbeat: 100 timeout: 0)))
    (do ((i 0 (+ i 1))) ((= i 3))
      (let ((server (start-python "server" e)) (value (number->string i)))
        (check= #t (clone-set! a "key" value timeout: 30000))
        (check= #t (clone-set! a value "x" timeout: 30000))
        (await-value b "key" value)
        (await-value b value "x")
        (check= #t (clone-set! b value "" timeout: 30000))
        (await-value a value #f)
        (check= "" (child-errors server))
        (kill-9 server)))
    (clone-stop! a)
    (clone-stop! b)))

(report-tests)
