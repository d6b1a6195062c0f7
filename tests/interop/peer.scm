;;; Peers: programs of other libraries, started as watched processes.  What
;;; their arguments mean is in peer.py, peer.c and peer.js alike:
;;;
;;;   TYPE bind|connect ENDPOINT [OPTION=VALUE...] [STEP...]
;;;
;;; Steps, in order; the program fails where one does:
;;;   send:PARTS   sends a message
;;;   get:PARTS    receives one, which must be that
;;;   echo:N       receives N messages and sends each back
;;;   repeat:PARTS sends it every 10 milliseconds until ended by SIGTERM
;;;   none:MS      nothing comes for so many milliseconds
;;;   stay         until it is ended by SIGTERM, which is no failure
;;;
;;; PARTS are joined by `|': #N is a pattern of N bytes, * any part, @ the
;;; first part of the last message, anything else itself, with %XX.

(import (chicken base) (chicken file) (chicken pathname) (chicken port)
        (chicken process) (chicken process-context) (chicken process signal)
        (chicken string) (chicken io))

(define here (make-pathname tests-directory "interop"))
(define built
  (make-pathname (or (get-environment-variable "BUILD")
                     (make-pathname tests-directory "../build"))
                 "interop"))

(define (succeeds? command . arguments)
  (eq? 'ok (wait-for-child
            (start-program "/usr/bin/env" (cons command arguments)))))

;; The interpreter that has pyzmq: Debian's, whatever else is in the path.
(define python
  (let loop ((l (list (or (get-environment-variable "PYTHON") "/usr/bin/python3")
                      "python3")))
    (cond ((null? l) "/usr/bin/python3")
          ((succeeds? (car l) "-I" "-c" "import zmq") (car l))
          (else (loop (cdr l))))))

;; Each peer's name, and the command that runs it.
(define pyzmq (list "pyzmq" python (make-pathname here "peer.py")))
(define czmq (list "czmq" (make-pathname built "peer")))
(define zeromq.js
  (let ((modules (string-append "NODE_PATH=" (make-pathname built "node_modules"))))
    (and (succeeds? modules "node" "-e" "require('zeromq')")
         (list "zeromq.js" modules "node" (make-pathname here "peer.js")))))

(define peers (if zeromq.js (list pyzmq czmq zeromq.js) (list pyzmq czmq)))

(define (start-peer peer . arguments)
  (start-program "/usr/bin/env" (append (cdr peer) (map ->string arguments))
                 limit: 45))

;; One that speaks TCP itself: see raw.py.
(define raw-program (make-pathname here "raw.py"))

(define (start-raw role endpoint number)
  (start-program python (list raw-program role endpoint (->string number))
                 limit: 60))

;; Where a peer that binds has bound.
(define (peer-endpoint child)
  (or (wait-until
       (lambda ()
         (let ((lines (string-split (child-output child) "\n")))
           (and (pair? lines) (car lines)))))
      (wrong "the peer has not bound: ~a" (child-errors child))))

;; The peer has done all that it was told.
(define (check-peer child)
  (let ((outcome (wait-for-child child)))
    (unless (eq? outcome 'ok)
      (wrong "the peer ended as ~s: ~a~a" outcome (child-output child)
             (child-errors child)))))

(define (child-ended child)
  (or (child-outcome child)
      (receive (pid normal status) (process-wait (child-pid child) #t)
        (and (not (= 0 pid))
             (begin (child-outcome-set! child (outcome-of child normal status))
                    (child-outcome child))))))

(define (dismiss child)
  (kill-child child signal/term)
  (check-peer child))

;; A test with each of the peers; those that are not installed are named.
(define-syntax test-with-peers
  (syntax-rules ()
    ((_ (peer) name body ...)
     (begin
       (unless zeromq.js (skip! (string-append name ", zeromq.js")))
       (for-each (lambda (peer)
                   (test (string-append name ", " (car peer)) body ...))
                 peers)))))

(define skipped '())
(define (skip! name) (set! skipped (cons name skipped)))

(define (report-peers)
  (unless (null? skipped)
    (print "skipped " (length skipped) ", for want of npm's package zeromq: "
           (string-intersperse (reverse skipped) "; ")))
  (report-tests))

;; ------------------------------------------------------------ messages --

;; Byte i is i + i/256, modulo 256: the same again after 65536.
(define cycle
  (let ((s (make-string 65536)))
    (do ((i 0 (+ i 1))) ((= i 65536) s)
      (string-set! s i (integer->char (modulo (+ i (quotient i 256)) 256))))))

(define (pattern n)
  (let loop ((parts '()) (left n))
    (if (> left 65536)
        (loop (cons cycle parts) (- left 65536))
        (apply string-append
               (reverse (cons (substring cycle 0 left) parts))))))

(define big (pattern 10000000))

;; Messages as parts, and as a peer is told of them.
(define messages
  (list '("hello") '("") '("a" "" "b") '("" "" "")
        (list (pattern 256))
        (list (pattern 65537) "" "#" "%")
        (list "head" big "tail")))

(define (escaped text)
  (string-translate* text '(("#" . "%23") ("%" . "%25") ("|" . "%7c"))))

(define (told parts)
  (string-intersperse
   (map (lambda (part)
          (cond ((= (string-length part) 10000000) "#10000000")
                ((> (string-length part) 200)
                 (string-append "#" (number->string (string-length part))))
                (else (escaped part))))
        parts)
   "|"))

(define (step verb . parts) (string-append verb ":" (told parts)))
(define (interleave a b)
  (if (null? a) '() (cons (car a) (cons (car b) (interleave (cdr a) (cdr b))))))
(define (sends . first)
  (map (lambda (m) (apply step "send" (append first m))) messages))
(define (gets . first)
  (map (lambda (m) (apply step "get" (append first m))) messages))

(define (send-all s . first)
  (for-each (lambda (m)
              (check= #t (send-multipart-message s (append first m)
                                                 timeout: 10000)))
            messages))

(define (get-all s #!optional (unwrap values))
  (for-each (lambda (m) (check= m (unwrap (take-parts s)))) messages))
