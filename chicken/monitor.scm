;;; Monitors: the events of a socket's connections, and waiting for connections.

(module (zmq monitor private) *

  (import scheme
          (chicken base) (chicken bitwise) (chicken condition) (chicken fixnum) (chicken gc)
          (only (zmq base)
                with-keywords checked drop-monitor! fail fail-type fail-argument unknown check-symbol
                exact-natural? check-timeout deadline passed? now perform-on not-yet wind
                collect-and-make handle-of socket-state socket-type socket-option
                %make-monitor %stop-monitor %close-monitor %monitor-fd %receive-event
                %event-name %event-endpoint %event-kind %event-number %event-symbol %event-text
                %event-missed %event-row-name %event-row-text %event-bit %event-near %all-events
                %connections %peers %settled %observe-all))

  (declare (disable-interrupts))

  ;; Connections are counted from the load of this module on, so that a wait knows those made
  ;; before it.
  (define (observe-sockets on?)
    (unless (boolean? on?) (fail-type 'observe-sockets "a boolean" on?))
    (%observe-all on?)
    (void))

  (observe-sockets #t)

  ;; ------------------------------------------------------------ monitors --

  ;; `waiting` counts the threads that wait for the descriptor, which must stay open until the
  ;; last of them has left.  `stopped` is whether close-monitor was called.
  (define-record-type zmq-monitor
    (make-monitor-record handle socket waiting stopped) monitor?
    (handle monitor-handle)
    (socket monitored-socket)
    (waiting monitor-waiting set-monitor-waiting!)
    (stopped monitor-stopped? set-monitor-stopped!))

  (set-record-printer! zmq-monitor
    (lambda (m port)
      (display "#<zmq monitor of " port)
      (display (monitored-socket m) port)
      (display (if (monitor-stopped? m) " closed>" ">") port)))

  (define (check-monitor location x)
    (if (monitor? x) x (fail-type location "a ZeroMQ monitor" x)))

  (define (mask-of-events location events)
    (cond ((eq? events 'all) (%all-events))
          ((list? events)
           (foldl (lambda (bits name)
                    (check-symbol location name)
                    (let* ((text (symbol->string name)) (bit (%event-bit text)))
                      (when (eq? bit 0)
                        (fail-argument location (unknown "event" name %event-near) name))
                      (bitwise-ior bits bit)))
                  0 events))
          (else (fail-type location "a list of events, or all" events))))

  (define (open-monitor location s bits)
    (let ((m (make-monitor-record 0 s 0 #f)))
      (set-finalizer! m drop-monitor!)
      (checked location
               (collect-and-make (lambda () (%make-monitor m (handle-of location s) bits)))
               s)
      m))

  (define (monitor-socket s . rest)
    (handle-of 'monitor-socket s)
    (with-keywords 'monitor-socket rest ((#:events events 'all))
      (open-monitor 'monitor-socket s (mask-of-events 'monitor-socket events))))

  (define (close-monitor m)
    (check-monitor 'close-monitor m)
    (set-monitor-stopped! m #t)
    (%stop-monitor (monitor-handle m))
    (close-unless-awaited! m)
    (void))

  (define (close-unless-awaited! m)
    (when (and (monitor-stopped? m) (fx= 0 (monitor-waiting m)))
      (%close-monitor (monitor-handle m))))

  (define (monitor-fd m)
    (check-monitor 'monitor-fd m)
    (checked 'monitor-fd (%monitor-fd (monitor-handle m)) m))

  (define (monitor-events)
    (let loop ((row 0))
      (let ((name (%event-row-name row)))
        (if name
            (cons (cons (string->symbol name) (%event-row-text row)) (loop (fx+ row 1)))
            '()))))

  ;; -------------------------------------------------------------- events --

  (define-record-type zmq-event
    (make-event symbol endpoint value code text missed) event?
    (symbol event-symbol)
    (endpoint event-endpoint)
    (value event-value)
    (code event-code)
    (text event-text)
    (missed event-missed))

  (set-record-printer! zmq-event
    (lambda (e port)
      (display "#<zmq event " port)
      (display (event-symbol e) port)
      (for-each (lambda (x) (when x (display " " port) (display x port)))
                (list (event-endpoint e) (event-value e)
                      (and (event-text e) (string-append "(" (event-text e) ")"))))
      (display ">" port)))

  ;; The event received last.  The kernel's table says of what kind its value is.
  (define (found-event)
    (let ((endpoint (%event-endpoint)))
      (make-event (string->symbol (%event-name))
                  (and (not (string=? endpoint "")) endpoint)
                  (case (%event-kind)
                    ((0) #f)
                    ((1 3 5) (%event-number))
                    (else (string->symbol (%event-symbol))))
                  (%event-number)
                  (%event-text)
                  (%event-missed))))

  ;; Performs an operation that waits for events.  A continuation may leave the wait and enter it
  ;; again; a thread is counted while it is inside.
  (define (perform-on-monitor location m limit attempt)
    (let ((inside #f))
      (wind
       (lambda ()
         (set! inside #t)
         (set-monitor-waiting! m (fx+ (monitor-waiting m) 1)))
       (lambda () (perform-on location (%monitor-fd (monitor-handle m)) limit attempt))
       (lambda ()
         (when inside
           (set! inside #f)
           (set-monitor-waiting! m (fx- (monitor-waiting m) 1)))
         (close-unless-awaited! m)))))

  (define (receive-event m . rest)
    (check-monitor 'receive-event m)
    (with-keywords 'receive-event rest ((#:timeout timeout #f))
      (let* ((limit (deadline (check-timeout 'receive-event timeout)))
             (attempt (lambda ()
                        (let ((code (%receive-event (monitor-handle m))))
                          (if (eq? code 0) (found-event) code))))
             (got (perform-on-monitor 'receive-event m limit attempt)))
        (if (fixnum? got) (fail 'receive-event got m) got))))

  ;; ------------------------------------------------------------- waiting --

  ;; Inproc connections cause no events, and a socket that was closed may linger before its
  ;; monitor ends, so a wait looks again after so many milliseconds.
  (define-constant look-again 50)

  (define (earlier a b) (if (and a (< a b)) a b))

  ;; Waits until (look), called when the counts are known, returns #t.  Otherwise it returns #f,
  ;; or the latest time to look again.
  (define (wait-for-connections location s timeout look)
    (let* ((limit (deadline (check-timeout location timeout)))
           (m (open-monitor location s (mask-of-events location '(handshake-succeeded))))
           (next #f)
           (attempt (lambda ()
                      (%receive-event (monitor-handle m))
                      (checked location (socket-state s) s)
                      (checked location (%connections (handle-of location s)) s)
                      (set! next (look))
                      (or (eq? next #t) not-yet))))
      (wind
       void
       (lambda ()
         (let loop ()
           (or (perform-on-monitor
                location m (earlier next (earlier limit (+ (now) look-again))) attempt)
               (and (not (passed? limit)) (loop)))))
       (lambda () (close-monitor m)))))

  (define (check-count location n)
    (unless (exact-natural? n) (fail-type location "a number of peers" n)))

  (define (wait-connected s . rest)
    (handle-of 'wait-connected s)
    (with-keywords 'wait-connected rest ((#:peers peers 1) (#:timeout timeout #f))
      (check-count 'wait-connected peers)
      (wait-for-connections 'wait-connected s timeout (lambda () (>= (%peers) peers)))))

  ;; Reading the events of the publisher makes it process the subscriptions that have arrived.
  (define (wait-for-subscribers s n . rest)
    (handle-of 'wait-for-subscribers s)
    (check-count 'wait-for-subscribers n)
    (unless (memq (socket-type s) '(pub xpub))
      (fail-argument 'wait-for-subscribers "only PUB and XPUB have subscribers" s))
    (with-keywords 'wait-for-subscribers rest ((#:timeout timeout #f))
      (and (wait-for-connections
            'wait-for-subscribers s timeout
            (lambda () (and (>= (%peers) n) (or (<= (%settled) (now)) (%settled)))))
           (begin (socket-option s 'events) #t)))))

(module (zmq monitor) ()

  (import scheme (chicken base) (chicken module) (chicken type)
          (prefix (zmq monitor private) private/)
          (prefix (only (zmq base) socket-connections) private/))

  (include "alias.scm")

  (export-aliases private/
    (monitor-socket (socket #!rest * -> monitor))
    (monitor? (* -> boolean))
    (close-monitor (monitor -> undefined))
    (receive-event (monitor #!rest * -> (or false event)))
    (monitor-fd (monitor -> fixnum))
    (monitor-events (-> list))
    (event? (* -> boolean))
    (event-symbol (event -> symbol))
    (event-endpoint (event -> (or false string)))
    (event-value (event -> *))
    (event-code (event -> *))
    (event-text (event -> (or false string)))
    (event-missed (event -> integer))
    (wait-connected (socket #!rest * -> boolean))
    (wait-for-subscribers (socket integer #!rest * -> boolean))
    (socket-connections (socket -> (or false list)))
    (observe-sockets (boolean -> undefined))))
