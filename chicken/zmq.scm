;;; zmq: ZeroMQ for CHICKEN.  This form is the table of contents; each noun
;;; has a file of its own, and doc/zmq.wiki is the manual.

(module zmq ()

  (import scheme (chicken base) (chicken module) (prefix (zmq base) base/)
          (prefix (only (zmq object) send-object receive-object) base/))

  (include "alias.scm")

  (export-aliases base/
   ;; the library
   zmq-version zmq-has?

   ;; contexts
   make-context context? terminate-context shutdown-context call-with-context
   context-option context-option-set!
   zmq-default-context zmq-io-threads

   ;; sockets
   make-socket socket? zmq-socket? close-socket socket-closed? socket-type socket-context
   call-with-socket zmq-default-hwm
   bind-socket connect-socket unbind-socket disconnect-socket
   socket-endpoints socket-fd

   ;; swap
   zmq-swap-directory

   ;; options
   socket-option socket-option-set! socket-options context-options

   ;; messages
   make-message message? message-size message->string copy-message
   build-message call-with-message message-property

   ;; lists of parts
   wrap-message unwrap-message encode-message decode-message

   ;; transfer
   send-message receive-message receive-message*
   send-multipart-message receive-multipart-message
   send-messages receive-messages
   zmq-receive-as
   request

   ;; objects
   send-object receive-object

   ;; ports and the REPL
   socket-input-port socket-output-port make-log-port call-with-zmq-log-port zmq-repl

   ;; polling
   make-poll-item poll-item? poll-item-socket poll-item-fd
   poll-item-in? poll-item-out? poll-item-error? poll
   make-poller poller? poller-add! poller-modify! poller-remove! poller-wait
   poller-events

   ;; security
   curve-keypair curve-public-key z85-encode z85-decode

   ;; proxies
   proxy make-proxy-control proxy-control?
   pause-proxy resume-proxy stop-proxy proxy-state proxy-statistics

   ;; statistics and diagnosis
   socket-statistics zmq-trace

   ;; exit
   zmq-exit-linger))
