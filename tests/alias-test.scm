;;; Exported names: a program that defines one of them at its top level changes
;;; nothing in the egg.

(import zmq (chicken base) (chicken io) (chicken string))
(include "check.scm")
(include "threads.scm")
(include "child.scm")

;; The names that a module exports.
(define (exported file)
  (let find ((datum (with-input-from-file file (lambda () (read-list)))))
    (cond ((and (pair? datum) (eq? 'export-aliases (car datum)))
           (map car (cddr datum)))
          ((pair? datum) (append (find (car datum)) (find (cdr datum))))
          (else '()))))

(define names
  (append (exported "../chicken/names.scm")
          (exported "../chicken/monitor.scm")
          (exported "../chicken/auth.scm")
          (exported "../chicken/patterns.scm")))

(define (saved name) (symbol-append 'saved- name))

;; The program, with the saved procedures in place of those it names.
(define (with-saved forms)
  (cond ((and (symbol? forms) (memq forms names)) (saved forms))
        ((pair? forms) (cons (with-saved (car forms)) (with-saved (cdr forms))))
        (else forms)))

;; Something of everything: what would call a redefined procedure raises.
(define workout
  (with-saved
   '((define c (make-context 1))
     (define a (start-authenticator c curve: #t allow: "127.0.0.0/8"))
     (define-values (public secret) (curve-keypair))
     (define server (make-socket 'rep c curve-server: #t curve-secretkey: secret
                                 bind: "tcp://127.0.0.1:*"))
     (define m (monitor-socket server))
     (define own (make-certificate))
     (define client (make-socket 'req c curve-serverkey: public
                                 curve-publickey: (certificate-public-key own)
                                 curve-secretkey: (certificate-secret-key own)
                                 connect: (socket-option server 'last-endpoint)))
     (unless (wait-connected client timeout: 20000) (exit 2))
     (send-multipart-message client '("a" "b"))
     (unless (equal? '("a" "b") (receive-multipart-message server as: 'string)) (exit 3))
     (send-message server "c")
     (unless (= 1 (poll (list (make-poll-item client in: #t)) 20000)) (exit 4))
     (define p (make-poller))
     (poller-add! p client in: #t)
     (unless (= 1 (length (poller-wait p timeout: 20000))) (exit 5))
     (unless (equal? '("c") (receive-messages client as: 'string)) (exit 6))
     (unless (event? (receive-event m timeout: 20000)) (exit 7))
     (define control (make-proxy-control))
     (define front (make-socket 'pull c bind: "inproc://front"))
     (define back (make-socket 'push c bind: "inproc://back" swap: 100000))
     (spawn! (lambda () (proxy front back control: control)))
     (define in (make-socket 'push c connect: "inproc://front"))
     (define out (make-socket 'pull c connect: "inproc://back"))
     (send-messages in '("1" "2"))
     (unless (equal? "1" (receive-message* out timeout: 20000)) (exit 8))
     (unless (equal? '("x") (decode-message (encode-message '("x")) as: 'string)) (exit 9))
     (stop-proxy control)
     (socket-statistics in)
     (close-monitor m)
     (stop-authenticator a)
     (define b (majordomo-broker "tcp://127.0.0.1:*"))
     (define worker (make-proxy-control))
     (spawn! (lambda () (majordomo-worker (majordomo-endpoint b) "a" values control: worker)))
     (define caller (majordomo-client (majordomo-endpoint b)))
     (unless (equal? '("x") (majordomo-call caller "a" '("x") timeout: 20000)) (exit 11))
     (stop-proxy worker)
     (majordomo-stop! b)
     (define shared (clone-server "tcp://127.0.0.1:*"))
     (define sharer (clone-client (clone-endpoint shared) timeout: 20000))
     (unless (clone-set! sharer "a" "x" timeout: 20000) (exit 12))
     (for-each clone-stop! (list sharer shared))
     (call-with-socket 'pair void c)
     (unless (terminate-context c timeout: 20000) (exit 10)))))

(test "defining every exported name leaves the egg as it was"
  (check (> (length names) 90))
  (receive (outcome output errors)
      (run-child
       `((import (zmq monitor) (zmq auth) (zmq patterns))
         ,@(map (lambda (name) `(define ,(saved name) ,name)) names)
         ,@(map (lambda (name)
                  `(define ,name (lambda arguments (error "redefined" ',name))))
                names)
         ,@workout)
       limit: 60)
    (check= "" (if (eq? 'ok outcome) "" (conc outcome ": " output errors)))))

(report-tests)
