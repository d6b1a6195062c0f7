;;; Patterns: the reliable patterns of the ZeroMQ Guide, in the wire forms of the ZeroMQ RFCs.  Each
;;; has a file of its own.

(module (zmq patterns private) *

  (import scheme
          (chicken base) (chicken bitwise) (chicken condition) (chicken fixnum) (chicken random)
          (chicken string) (chicken time)
          (only (zmq base)
                with-keywords fail-type fail-argument fail-unsupported check-string check-procedure check-part
                check-timeout exact-natural? now deadline passed? wind finish-or pause!
                start-thread start-service await-end! make-signal wait-until send-signal!
                call-with-controlled-poller control-or-new control-stopped? control-paused?
                await-controlled wake-controlled! make-proxy-control stop-proxy proxy-statistics
                count-received! count-sent! count-dropped! obey! check-open
                make-socket close-socket socket? socket-closed? socket-usable? socket-context
                socket-type socket-option socket-option-set! bind-socket connect-socket
                poller-add! poller-modify! poller-remove! yield! thread-ended? send-message
                make-message message? message-size message->string send-multipart-message receive-multipart-message
                receive-messages starts-with?))

  ;; Several threads use the tables.  The program's own procedures can be interrupted as ever.
  (declare (disable-interrupts))

  (include "patterns/table.scm")
  (include "patterns/majordomo.scm")
  (include "patterns/clone-server.scm")
  (include "patterns/clone.scm")
  (include "patterns/last-value.scm")
  (include "patterns/freelance.scm"))

(module (zmq patterns) ()

  (import scheme (chicken base) (chicken module) (chicken type)
          (prefix (zmq patterns private) private/))

  (include "alias.scm")

  (export-aliases private/
   ;; majordomo
   (majordomo-broker (string #!rest * -> *))
   (majordomo-endpoint ((struct zmq-majordomo-broker) -> *))
   (majordomo-services ((struct zmq-majordomo-broker) -> list))
   (majordomo-stop! (* -> undefined))
   (majordomo-worker (string string procedure #!rest * -> *))
   (majordomo-client (string #!rest * -> *))
   (majordomo-call ((struct zmq-majordomo-client) string list #!rest * -> *))

   ;; clone
   (clone-server (string #!rest * -> *))
   (clone-endpoint ((struct zmq-clone-server) -> *))
   (clone-client (string #!rest * -> *))
   (clone-synchronized? ((struct zmq-clone-client) -> boolean))
   (clone-ref (* string #!optional * -> *))
   (clone-keys (* -> *))
   (clone-set! (* string * #!rest * -> boolean))
   (clone-stop! (* -> undefined))

   ;; freelance
   (freelance-server (string procedure #!rest * -> *))
   (freelance-endpoint ((struct zmq-freelance-server) -> *))
   (freelance-client (list #!rest * -> *))
   (freelance-servers ((struct zmq-freelance-client) -> list))
   (freelance-call ((struct zmq-freelance-client) list #!rest * -> *))
   (freelance-stop! (* -> undefined))

   ;; last value cache
   (last-value-cache ((struct zmq-socket) (struct zmq-socket) #!rest * -> *))))
