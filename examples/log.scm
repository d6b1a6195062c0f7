;;; Log lines of several threads, collected by a subscriber.  A line is a
;;; message of two parts, its topic and its text.

(import zmq (chicken format))
(include "threads.scm")

;; The collector is bound, so that any number of programs can connect.
(define collector (make-socket 'sub subscribe: "server"))
(define endpoint (bind-socket collector "tcp://127.0.0.1:*"))

(define (work log name)
  (do ((i 1 (+ i 1))) ((> i 2))
    (fprintf log "~a did " name)                ; the line is sent whole
    (fprintf log "job ~a~%" i)))

(define worker
  (thread-start!
   (lambda ()
     (call-with-zmq-log-port (string-append ">" endpoint)
       (lambda (log)
         (fprintf log "started~%")
         (work log "ann")
         (work log "bob"))
       topic: "server.1" wait: 5000))))

;; prints: (server.1 started)
;; prints: (server.1 ann did job 1)
;; prints: (server.1 ann did job 2)
;; prints: (server.1 bob did job 1)
;; prints: (server.1 bob did job 2)
(do ((i 0 (+ i 1))) ((= i 5))
  (print (or (receive-multipart-message collector as: 'string timeout: 10000)
             (error "no log"))))
