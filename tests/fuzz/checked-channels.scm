;;; Channels: a sender and a receiver whose sockets are left alone.  Each message says its number.
;;; Those that were accepted arrive, once and in order.  Senders and receivers that wait are ended
;;; at times and followed by others; a message that one was sending then may arrive or not.

(define-record channel
  context out in to count next accepted unsure got sender receiver over)

(define (channel-sockets c kind)
  (let ((endpoint (pick-one (list "inproc://channel" "ipc://*" own-address)))
        (options (append (list sndhwm: (+ 1 (pick 5)) rcvhwm: (+ 1 (pick 5)) linger: 0)
                         (if (and (one-in? 3) (not (eq? kind 'router))) '(swap: 1000000) '()))))
    (define (make type . more)
      (apply make-socket type c (append more (if (memq type '(pull)) '(rcvhwm: 3) options))))
    (let* ((out (case kind
                  ((router) (make-socket 'router c router-mandatory: #t sndhwm: 2 linger: 0))
                  (else (make kind))))
           (in (case kind
                 ((push) (make 'pull))
                 ((dealer) (make-socket 'router c rcvhwm: 2 linger: 0))
                 (else (make-socket 'dealer c identity: "d" rcvhwm: 2 linger: 0)))))
      (if (one-in? 2)
          (connect-socket out (bind-socket in endpoint))
          (connect-socket in (bind-socket out endpoint)))
      (values out in))))

(define (channel-text n) (string-append (number->string n) (make-string (pick 40) #\space)))

;; Sends from the next number on; the number is that of the message that is being sent.
(define (send-on ch)
  (let ((s (channel-out ch)) (to (channel-to ch)))
    (define (send text)
      (let ((limit (case (pick 3) ((0) #f) (else (pick 10)))))
        (cond (to (send-multipart-message s (list to text) timeout: limit))
              ((one-in? 4) (send-message s text non-blocking: #t))
              ((one-in? 4) (= 1 (send-messages s (list text) timeout: limit)))
              (else (send-message s text timeout: limit)))))
    (let loop ()
      (let ((n (channel-next ch)))
        (when (< n (channel-count ch))
          (let ((sent (channel-attempt (lambda () (send (channel-text n))))))
            (cond ((not sent) (channel-attempt (lambda () (poll '() 1))))
                  (else
                   (if (eq? sent 'unsure)
                       (channel-unsure-set! ch (cons n (channel-unsure ch)))
                       (channel-accepted-set! ch (cons n (channel-accepted ch))))
                   (channel-next-set! ch (+ n 1)))))
          (loop))))
    (channel-over-set! ch #t)))

;; 'unsure for an error of CHICKEN's own, where a signal comes at the wrong time.
(define (channel-attempt thunk)
  (handle-exceptions e
      (cond ((eq? 'ehostunreach (get-condition-property e 'zmq 'code #f)) #f)
            ((overflow? e) 'unsure)
            (else (found! "in a channel: " (said e))))
    (thunk)))

(define (receive-on ch)
  (let ((s (channel-in ch)))
    (define (note! parts)
      (let ((text (if (list? parts) (last* parts) parts)))
        (channel-got-set! ch (cons (string->number (car (string-split text))) (channel-got ch)))))
    (let loop ()
      (let ((limit (case (pick 3) ((0) #f) (else (pick 10)))))
        (case (pick 4)
          ((0) (for-each note! (or (receive-messages s as: 'string max: 5 timeout: limit) '())))
          ((1) (poll (list (make-poll-item s in: #t)) limit)
               (let ((parts (receive-multipart-message s as: 'string non-blocking: #t)))
                 (when parts (note! parts))))
          (else (let ((parts (receive-multipart-message s as: 'string timeout: limit)))
                  (when parts (note! parts))))))
      (loop))))

(define (last* l) (if (null? (cdr l)) (car l) (last* (cdr l))))

;; A receiver ends when its socket is closed.
(define (start-receiver! ch)
  (channel-receiver-set! ch
    (spawn! (lambda ()
              (handle-exceptions e
                  (unless (memq (get-condition-property e 'zmq 'code #f) '(closed eterm))
                    (found! "in a channel: " (said e)))
                (receive-on ch))))))

(define (start-sender! ch) (channel-sender-set! ch (spawn! (lambda () (send-on ch)))))

(define (blocked? t) (eq? 'blocked (##sys#slot t 3)))

;; Ends threads of the channel that wait, now and then.
(define (disturb ch)
  (let loop ((n (pick 20)))
    (unless (or (= n 0) (channel-over ch))
      (nap! (pick 6))
      (when (and (blocked? (channel-sender ch)) (one-in? 2))
        (kill! (channel-sender ch))
        (channel-unsure-set! ch (cons (channel-next ch) (channel-unsure ch)))
        (channel-next-set! ch (+ 1 (channel-next ch)))
        (start-sender! ch))
      (when (and (blocked? (channel-receiver ch)) (one-in? 2))
        (kill! (channel-receiver ch))
        (start-receiver! ch))
      (loop (- n 1)))))

(define (start-channel)
  (let* ((c (make-context)) (kind (pick-one '(push push dealer router))))
    (receive (out in) (channel-sockets c kind)
      (let ((ch (make-channel c out in (and (eq? kind 'router) "d") (+ 10 (pick 150)) 0 '() '() '()
                              #f #f #f)))
        (start-receiver! ch)
        (start-sender! ch)
        (spawn! (lambda () (disturb ch)))
        ch))))

(define (increasing? l)
  (or (null? l) (null? (cdr l)) (and (< (car l) (cadr l)) (increasing? (cdr l)))))

;; A handler that leaves the scheduler loses the thread that it was about to run.
(define (keep-ready ch)
  (requeue! (channel-sender ch))
  (requeue! (channel-receiver ch)))

;; For who looks for the cause.
(define (channel-state ch)
  (map (lambda (s t)
         (list (socket-type s) (socket-option s 'events) (socket-endpoints s)
               (socket-statistics s) (##sys#slot t 3) (##sys#slot t 11)))
       (list (channel-out ch) (channel-in ch))
       (list (channel-sender ch) (channel-receiver ch))))

(define (finish-channel! ch)
  (define (missing)
    (filter* (lambda (n) (not (memv n (channel-got ch)))) (channel-accepted ch)))
  (unless (wait-until (lambda () (keep-ready ch) (channel-over ch)) patience)
    (found! "a channel stands still at " (channel-next ch) " of " (channel-count ch) ": "
            (channel-state ch)))
  (unless (wait-until (lambda () (keep-ready ch) (null? (missing))) patience)
    (found! "a channel lost " (missing)))
  (let ((got (reverse (channel-got ch))))
    (unless (increasing? got) (found! "a channel repeats or reorders: " got))
    (for-each (lambda (n)
                (unless (or (memv n (channel-accepted ch)) (memv n (channel-unsure ch)))
                  (found! "a channel invents " n)))
              got))
  (close-socket (channel-in ch))
  (close-socket (channel-out ch))
  (wait-for "a channel's receiver still waits" (lambda () (ended? (channel-receiver ch))))
  (wait-for "a channel's context does not end"
            (lambda () (terminate-context (channel-context ch) timeout: 1000))))
