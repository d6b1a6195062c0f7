;;; What happens to the connections of a socket: a monitor tells it, and waiting
;;; for a peer takes the place of sleeping.

(import zmq (zmq monitor) (chicken file))

(define place (create-temporary-directory))
(define endpoint (string-append "ipc://" place "/news"))
(define server (make-socket 'pub bind: endpoint))

;; The monitor comes before what it is to tell about.
(define client (make-socket 'sub subscribe: "" reconnect-ivl: 20))
(define monitor (monitor-socket client))
(connect-socket client endpoint)

;; A publisher drops what nobody has subscribed to yet.
(or (wait-for-subscribers server 1 timeout: 5000) (error "nobody subscribed"))
(send-message server "the first message")
(print "received: " (receive-message client as: 'string timeout: 5000))

;; The server goes and comes back.
(close-socket server)
(define again (make-socket 'pub bind: endpoint))
(or (wait-connected again timeout: 5000) (error "nobody came back"))

;; connect-delayed, connected, handshake-succeeded, disconnected, ...
(let loop ()
  (let ((event (receive-event monitor timeout: 100)))
    (when event
      (print (event-symbol event) " " (event-value event))
      (loop))))
(close-monitor monitor)

(for-each (lambda (count) (print (car count) ": " (cdr count)))
          (socket-connections client))
(delete-directory place #t)
