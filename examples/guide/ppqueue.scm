;;; Paranoid Pirate: the queue and its workers send each other heartbeats.
;;; Look at: a worker that has been silent for three intervals gets no more requests.
;;;   csi -s ppqueue.scm [CLIENTS-ENDPOINT [WORKERS-ENDPOINT [MILLISECONDS]]]

(import zmq)
(include "guide.scm")

(define frontend (make-socket 'router bind: (argument 0 "tcp://*:5555")))
(define backend (make-socket 'router bind: (argument 1 "tcp://*:5556")))
(define interval (argument 2 1000))
(define ready (string (integer->char 1)))        ; what workers say, in the words of RFC 6
(define heartbeat (string (integer->char 2)))

;; The free workers, the one that has been free longest first: each a pair of its
;; name and the time until which it is taken for alive.
(define (joined workers name)
  (append (filter (lambda (w) (not (string=? (car w) name))) workers)
          (list (cons name (+ (now) (* 3 interval))))))

(define (alive workers)
  (filter (lambda (w) (> (cdr w) (now))) workers))

(define (beat workers)
  (for-each (lambda (w) (send-multipart-message backend (list (car w) heartbeat)))
            workers)
  (+ (now) interval))

(let loop ((workers '()) (next (now)))
  (let* ((next (if (>= (now) next) (beat workers) next))
         (workers (alive workers))
         (time-left (max 0 (- next (now))))
         (socket (if (null? workers)
                     (first-ready time-left backend)
                     (first-ready time-left backend frontend))))
    (cond ((not socket) (loop workers next))
          ((eq? socket backend)
           (let* ((message (receive-multipart-message backend))
                  (reply (cdr message)))
             (unless (member reply (list (list ready) (list heartbeat)))
               (send-multipart-message frontend reply))
             (loop (joined workers (car message)) next)))
          (else
           (send-multipart-message
            backend (cons (caar workers) (receive-multipart-message frontend)))
           (loop (cdr workers) next)))))
