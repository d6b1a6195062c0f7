;;; What (zmq) and (zmq compat) export, with the types that csc checks programs by.  Each noun has a
;;; file of its own, and doc/zmq.wiki is the manual.

(export-aliases base/
  ;; the library
  (zmq-version (-> (list fixnum fixnum fixnum)))
  (zmq-has? ((or symbol string) -> boolean))

  ;; contexts
  (make-context (#!rest * -> context))
  (context? (* -> boolean))
  (terminate-context (context #!rest * -> boolean))
  (shutdown-context (context -> undefined))
  (call-with-context ((procedure (context) . *) #!rest * -> . *))
  (context-option ((or false context) symbol -> *))
  (context-option-set! ((or false context) symbol * -> undefined))
  (zmq-default-context (parameter (or false context)))
  (zmq-io-threads (parameter integer))

  ;; sockets
  (make-socket (symbol #!rest * -> socket))
  (socket? (* -> boolean))
  (zmq-socket? (* -> boolean))
  (close-socket (socket -> undefined))
  (socket-closed? (socket -> boolean))
  (socket-type (socket -> symbol))
  (socket-context (socket -> context))
  (call-with-socket (symbol (procedure (socket) . *) #!rest * -> . *))
  (bind-socket (socket string -> string))
  (connect-socket (socket string -> string))
  (unbind-socket (socket string -> undefined))
  (disconnect-socket (socket string -> undefined))
  (socket-endpoints (socket -> list))
  (socket-fd (socket -> fixnum))
  (zmq-default-hwm (parameter (or false integer)))

  ;; swap
  (zmq-swap-directory (parameter string))

  ;; options
  (socket-option (socket symbol -> *))
  (socket-option-set! (socket symbol * -> undefined))
  (socket-options (#!optional (or false symbol) -> list))
  (context-options (#!optional (or false symbol) -> list))

  ;; messages
  (make-message (#!optional (or false part integer) -> message))
  (message? (* -> boolean))
  (message-size (message -> integer))
  (message->string (message -> string))
  (copy-message (message -> message))
  (build-message (integer (procedure (pointer integer) . *) -> message))
  (call-with-message (message (procedure (pointer integer) . *) -> . *))
  (message-property (message (or symbol string) -> *))

  ;; lists of parts
  (wrap-message (part list -> list))
  (unwrap-message (list -> part list))
  (encode-message (list #!rest * -> *))
  (decode-message (part #!rest * -> list))

  ;; transfer
  (send-message (socket part #!rest * -> boolean))
  (receive-message (socket #!rest * -> *))
  (receive-message* (socket #!rest * -> *))
  (send-multipart-message (socket list #!rest * -> boolean))
  (receive-multipart-message (socket #!rest * -> (or false list)))
  (send-messages (socket list #!rest * -> fixnum))
  (receive-messages (socket #!rest * -> (or false list)))
  (zmq-receive-as (parameter (or symbol procedure)))
  (request (socket (or part list) #!rest * -> *))

  ;; objects
  (send-object (socket * #!rest * -> boolean))
  (receive-object (socket #!rest * -> *))
  (request-object (socket * #!rest * -> *))

  ;; ports and the REPL
  (socket-input-port (socket #!rest * -> input-port))
  (socket-output-port (socket #!rest * -> output-port))
  (make-log-port (socket #!optional (or false string) -> output-port))
  (call-with-zmq-log-port (string (procedure (output-port) . *) #!rest * -> . *))
  (zmq-repl (-> undefined))

  ;; polling
  (make-poll-item ((or socket fixnum) #!rest * -> poll-item))
  (poll-item? (* -> boolean))
  (poll-item-socket (poll-item -> (or false socket)))
  (poll-item-fd (poll-item -> (or false fixnum)))
  (poll-item-in? (poll-item -> boolean))
  (poll-item-out? (poll-item -> boolean))
  (poll-item-error? (poll-item -> boolean))
  (poll (list (or boolean integer) -> (or false fixnum)))
  (make-poller (-> poller))
  (poller? (* -> boolean))
  (poller-add! (poller (or socket fixnum) #!rest * -> undefined))
  (poller-modify! (poller (or socket fixnum) #!rest * -> undefined))
  (poller-remove! (poller (or socket fixnum) -> undefined))
  (poller-wait (poller #!rest * -> (or false list)))
  (poller-events (poller (or socket fixnum) -> list))

  ;; security
  (curve-keypair (-> string string))
  (curve-public-key ((or string blob u8vector) -> string))
  (z85-encode ((or string blob u8vector) -> string))
  (z85-decode (string -> blob))

  ;; proxies
  (proxy (socket socket #!rest * -> (or false list)))
  (make-proxy-control (-> proxy-control))
  (proxy-control? (* -> boolean))
  (pause-proxy (proxy-control -> undefined))
  (resume-proxy (proxy-control -> undefined))
  (stop-proxy (proxy-control -> undefined))
  (proxy-state (proxy-control -> symbol))
  (proxy-statistics (proxy-control -> list))

  ;; statistics and diagnosis
  (socket-statistics (socket -> list))
  (zmq-trace (parameter boolean))

  ;; exit
  (zmq-exit-linger (parameter integer)))
