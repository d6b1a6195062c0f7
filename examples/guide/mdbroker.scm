;;; Majordomo: a broker for services by name, with the protocol MDP/0.1 of ZeroMQ's RFC 7.
;;; Look at: one ROUTER serves clients and workers, told apart by the part behind the empty one.
;;;   csi -s mdbroker.scm [ENDPOINT [MILLISECONDS]]

(import zmq (chicken condition))
(include "guide.scm")
(include "majordomo.scm")

;; Without a limit: a ROUTER drops what is above it.
(define broker (make-socket 'router sndhwm: 0 bind: (argument 0 "tcp://*:5555")))
(define interval (argument 1 2500))
(define known '())                      ; workers: (name service time-of-death)
(define idle '())                       ; their names, idle longest first
(define requests '())                   ; (service client body ...), oldest first

(define (without x l) (filter (lambda (y) (not (equal? x y))) l))
(define (without-first x l)
  (if (eq? x (car l)) (cdr l) (cons (car l) (without-first x (cdr l)))))
(define (service-of worker) (cadr (assoc worker known)))
(define (living service) (filter (lambda (w) (string=? service (cadr w))) known))

(define (tell worker command . more)
  (send-multipart-message broker (append (list worker "" for-workers command) more)))

(define (heard-of worker service)
  (set! known (cons (list worker service (+ (now) (* 3 interval)))
                    (filter (lambda (w) (not (string=? worker (car w)))) known))))

(define (dispatch worker)               ; a request for its service, if there is one
  (let ((request (assoc (service-of worker) requests)))
    (when request
      (set! requests (without-first request requests))
      (set! idle (without worker idle))
      (apply tell worker command/request (cadr request) "" (cddr request)))))

(define (from-client client service . body)
  (if (string=? service "mmi.service")  ; a question to the broker itself
      (send-multipart-message broker
        (list client "" for-clients service (if (null? (living (car body))) "404" "200")))
      (set! requests (append requests (list (append (list service client) body))))))

(define (from-worker worker command . more)
  (cond ((equal? command command/ready) (heard-of worker (car more)))
        ((not (assoc worker known)) (tell worker command/disconnect))
        (else
         (heard-of worker (service-of worker))
         (when (equal? command command/reply)
           (send-multipart-message broker
             (append (list (car more) "" for-clients (service-of worker)) (cddr more))))))
  (when (member command (list command/ready command/reply))
    (set! idle (append idle (list worker)))))

(let loop ((next (+ (now) interval)))
  (let ((message (receive-multipart-message broker timeout: (max 0 (- next (now))))))
    (when message
      (condition-case
          (apply (if (string=? (caddr message) for-clients) from-client from-worker)
                 (car message) (cdddr message))
        ((exn) (say "W: a message that is not by the protocol"))))
    (set! known (filter (lambda (w) (> (caddr w) (now))) known))
    (set! idle (filter (lambda (w) (assoc w known)) idle))
    (for-each dispatch idle)
    (cond ((< (now) next) (loop next))
          (else (for-each (lambda (w) (tell w command/heartbeat)) idle)
                (loop (+ (now) interval))))))
