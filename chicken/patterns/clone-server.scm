;;; Clone: a table of keys and values that a server shares with its clients.  The wire form is CHP
;;; (RFC 12).  A message about a key has five parts: the key, a sequence number, a UUID, properties
;;; and the value; an empty value deletes the key.  This file has the messages and the server,
;;; clone.scm the client.

(define chp-snapshot "ICANHAZ?")
(define chp-end "KTHXBAI")
(define chp-alive "HUGZ")
(define reserved-keys (list chp-snapshot chp-end chp-alive))

(define-constant clone-liveness 4)

;; Updates that a slow client may have waiting.
(define-constant most-updates 100000)

(define (sequence-bytes n)
  (list->string
   (map (lambda (shift) (integer->char (bitwise-and 255 (arithmetic-shift n (- shift)))))
        '(56 48 40 32 24 16 8 0))))

;; The number of a part of eight bytes, or #f.
(define (sequence-of part)
  (and (= 8 (message-size part))
       (number-of (message->string part))))

;; The five parts with the key as a string and the number, or #f.
(define (update-of parts)
  (and (fx= 5 (length parts))
       (let ((key (text (car parts))) (sequence (sequence-of (cadr parts))))
         (and key sequence (text (caddr parts)) (cons key (cons sequence (cddr parts)))))))

(define update-key car)
(define update-sequence cadr)
(define (update-uuid u) (message->string (caddr u)))
(define update-properties cadddr)
(define (update-value u) (list-ref u 4))

;; ------------------------------------------------------------------ ports --

;; The endpoint up to the port, and the port, which is #f for any free one.
(define (split-endpoint location endpoint)
  (check-string location endpoint)
  (define (refuse)
    (fail-argument location
                   (string-append "a clone uses three TCP ports in a row: "
                                  "give the first, as in tcp://127.0.0.1:5556")
                   endpoint))
  (unless (starts-with? "tcp://" endpoint) (refuse))
  (let* ((colon (let find ((i (fx- (string-length endpoint) 1)))
                  (if (char=? #\: (string-ref endpoint i)) i (find (fx- i 1)))))
         (digits (substring endpoint (fx+ colon 1)))
         (port (digits->number digits)))
    (cond ((member digits '("*" "0")) (values (substring endpoint 0 (fx+ colon 1)) #f))
          ((and port (<= port 65533)) (values (substring endpoint 0 (fx+ colon 1)) port))
          (else (refuse)))))

;; Numbers that peers send: string->number takes too long for some.
(define (digits->number s)
  (and (fx<= 1 (string-length s))
       (fx<= (string-length s) 9)
       (let loop ((l (string->list s)) (n 0))
         (cond ((null? l) n)
               ((char-numeric? (car l))
                (loop (cdr l) (+ (* 10 n) (fx- (char->integer (car l)) 48))))
               (else #f)))))

(define (port-endpoint before port) (string-append before (number->string port)))

;; ----------------------------------------------------------------- server --

;; `table` has the values, as messages; `ends` the times at which keys with a ttl end.
;; `snapshots` are those that are being sent.
(define-record-type zmq-clone-server
  (make-clone-server endpoint sockets control table ends sequence snapshots heartbeat thread)
  clone-server?
  (endpoint server-endpoint)
  (sockets server-sockets)              ; for snapshots, updates, and what clients set
  (control server-control)
  (table server-table)
  (ends server-ends)
  (sequence server-sequence set-server-sequence!)
  (snapshots server-snapshots set-server-snapshots!)
  (heartbeat server-heartbeat)
  (thread server-thread set-server-thread!))

(set-record-printer! zmq-clone-server
  (lambda (s port)
    (for-each (lambda (x) (display x port))
              (list "#<zmq clone server " (server-endpoint s) " of "
                    (table-count (server-table s)) " keys>"))))

(define (snapshot-socket s) (car (server-sockets s)))
(define (publisher-socket s) (cadr (server-sockets s)))
(define (collector-socket s) (caddr (server-sockets s)))

;; Numbers begin with the time, so that clients notice a server that was started anew.
(define (first-sequence)
  (+ (* 1000000 (inexact->exact (floor (current-seconds))))
     (modulo (number-of (random-text 4)) 1000000)))

(define (clone-server endpoint . rest)
  (let-values (((before port) (split-endpoint 'clone-server endpoint)))
    (with-keywords 'clone-server rest ((#:heartbeat heartbeat 1000) (#:options options '()))
      (check-interval 'clone-server heartbeat)
      (check-options 'clone-server options)
      (let*-values (((sockets endpoint) (bind-three before port options 50))
                    ((s) (make-clone-server endpoint sockets (make-proxy-control) (make-table)
                                            (make-table) (first-sequence) '() heartbeat #f)))
        (start-service 'zmq-clone-server
                       (lambda () (server-thread s))
                       (lambda (thread) (set-server-thread! s thread))
                       (lambda () (clone-on? (server-control s) sockets))
                       (lambda () (run-clone-server s)))
        s))))

(define (clone-on? control sockets)
  (and (not (control-stopped? control)) (socket-usable? (car sockets))))

;; The three sockets and the endpoint of the first.  The two ports behind a free one may be taken.
(define (bind-three before port options tries)
  (let ((sockets (list (apply make-socket 'router router-mandatory: #t linger: 0 options)
                       (apply make-socket 'pub sndhwm: most-updates linger: 1000 options)
                       (apply make-socket 'sub rcvhwm: most-updates subscribe: "" linger: 0
                              options)))
        (endpoint #f))
    (define (close) (for-each close-socket sockets))
    (define (bind-all)
      (finish-or
       close
       (lambda ()
         (set! endpoint
           (bind-socket (car sockets)
                        (if port (port-endpoint before port) (string-append before "*"))))
         (let ((first (or port (let-values (((before port) (split-endpoint 'clone-server endpoint)))
                                 port))))
           (bind-socket (cadr sockets) (port-endpoint before (+ first 1)))
           (bind-socket (caddr sockets) (port-endpoint before (+ first 2)))))))
    (if (or port (fx= tries 0))
        (bind-all)
        (condition-case (bind-all)
          (e (exn zmq) (set! sockets #f))))
    (if sockets
        (values sockets endpoint)
        (bind-three before port options (fx- tries 1)))))

(define (run-clone-server s)
  (call-with-controlled-poller
   'clone-server (server-control s)
   (lambda (p)
     (poller-add! p (snapshot-socket s) in: #t)
     (poller-add! p (collector-socket s) in: #t)
     (let loop ((alive (now)))
       (drain (snapshot-socket s) (lambda (m) (take-snapshot-request! s m)))
       (drain (collector-socket s) (lambda (m) (take-set! s m)))
       (set-server-snapshots! s (send-snapshots s))
       (expire-keys! s)
       (when (passed? alive)
         (try-send (publisher-socket s) (list chp-alive (sequence-bytes 0) "" "" "")))
       (let ((alive (if (passed? alive) (deadline (server-heartbeat s)) alive)))
         (await-controlled 'clone-server (server-control s) p
                           (min alive
                                (if (pair? (server-snapshots s)) (deadline 5) alive)
                                (if (= 0 (table-count (server-ends s))) alive (deadline 50)))
                           (lambda () #f))
         (when (clone-on? (server-control s) (server-sockets s)) (loop alive)))))))

;; Takes what is there, but not for ever.
(define (drain s take!)
  (let loop ((left 1000))
    (let ((m (and (fx> left 0) (next-message s))))
      (when m
        (take! m)
        (loop (fx- left 1))))))

;; ----------------------------------------------------------- snapshots --

;; A snapshot that is being sent: to whom, what is left of it, and the message that ends it.
(define-record-type zmq-chp-snapshot (make-snapshot client left end limit) snapshot?
  (client snapshot-client)
  (left snapshot-left set-snapshot-left!)
  (end snapshot-end)
  (limit snapshot-limit))

(define-constant most-snapshots 10000)
(define-constant longest-snapshot 60000) ; milliseconds

;; All pairs have the number that ends the snapshot, as RFC 12 wants it to be the highest.
(define (take-snapshot-request! s m)
  (let ((subtree (and (fx= 3 (length m)) (text (caddr m)))))
    (when (and subtree
               (part-is? (cadr m) chp-snapshot)
               (fx< (length (server-snapshots s)) most-snapshots))
      (let* ((sequence (sequence-bytes (server-sequence s)))
             (pairs (foldl (lambda (l pair) (if (starts-with? subtree (car pair)) (cons pair l) l))
                           '()
                           (table-map (server-table s) cons))))
        (set-server-snapshots!
         s (cons (make-snapshot (car m)
                                (map (lambda (pair)
                                       (list (car pair) sequence "" "" (cdr pair)))
                                     pairs)
                                (list chp-end sequence "" "" subtree)
                                (deadline longest-snapshot))
                 (server-snapshots s)))))))

;; Sends what the clients have room for.  Returns the snapshots that are not finished.
(define (send-snapshots s)
  (define (send n parts)
    (condition-case
        (if (send-multipart-message (snapshot-socket s) (cons (snapshot-client n) parts)
                                    non-blocking: #t)
            'sent
            'full)
      ((exn zmq) 'gone)))
  (define (finished? n)
    (let loop ((budget 1000))
      (let ((left (snapshot-left n)))
        (if (fx= budget 0)
            #f
            (case (send n (if (pair? left) (car left) (snapshot-end n)))
              ((sent)
               (if (pair? left)
                   (begin
                     (set-snapshot-left! n (cdr left))
                     (loop (fx- budget 1)))
                   #t))
              ((full) (passed? (snapshot-limit n)))
              (else #t))))))
  (foldr (lambda (n rest) (if (finished? n) rest (cons n rest))) '() (server-snapshots s)))

;; ------------------------------------------------------------- updates --

(define-constant longest-properties 65536)

(define (take-set! s m)
  (let ((u (update-of m)))
    (when (and u (valid-key? (update-key u)))
      (when (<= (message-size (update-properties u)) longest-properties)
        (set-key! s (update-key u) (caddr u) (message->string (update-properties u))
                  (update-value u))))))

(define (valid-key? key) (not (or (string=? key "") (member key reserved-keys))))

;; The number of the property ttl among lines of the form name=value, or #f.
(define (ttl-of properties)
  (let loop ((lines (string-split properties "\n")))
    (cond ((null? lines) #f)
          ((starts-with? "ttl=" (car lines)) (digits->number (substring (car lines) 4)))
          (else (loop (cdr lines))))))

(define (set-key! s key uuid properties value)
  (let ((ttl (ttl-of properties)))
    (set-server-sequence! s (+ 1 (server-sequence s)))
    (cond ((= 0 (message-size value))
           (table-delete! (server-table s) key)
           (table-delete! (server-ends s) key))
          (else
           (table-set! (server-table s) key value)
           (if ttl
               (table-set! (server-ends s) key (deadline (* 1000 ttl)))
               (table-delete! (server-ends s) key))))
    (try-send (publisher-socket s)
              (list key (sequence-bytes (server-sequence s)) uuid properties value))))

(define (expire-keys! s)
  (unless (= 0 (table-count (server-ends s)))
    (table-for-each (server-ends s)
                    (lambda (key end)
                      (when (passed? end) (set-key! s key "" "" (make-message "")))))))
