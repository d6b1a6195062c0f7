;;; Who may connect: an authenticator for a context, and certificates.

(module (zmq auth private) *

  (import scheme
          (chicken base) (chicken condition) (chicken file) (chicken fixnum) (chicken pathname)
          (chicken string)
          (only (zmq base)
                with-keywords checked fail fail/text fail-type fail-argument check-string
                not-there? fail-exposed lower-case key-text curve-public-key curve-keypair
                z85-encode same-text? %wipe
                %read-keyfile %keyfile-room %save-keyfile %keyfile-stamp %stamp-size %stamp-age
                %check-network %network-holds? context-or-default context-guard set-context-guard!
                start-thread start-service thread-ended? finish-or pause!
                make-socket close-socket socket-closed? socket-usable? bind-socket
                unbind-socket send-multipart-message receive-multipart-message))

  ;; Many threads change the counts of an authenticator.  The program's own procedures can be
  ;; interrupted as ever.
  (declare (disable-interrupts))

  (include "certificate.scm")
  (include "authenticator.scm"))

(module (zmq auth) ()

  (import scheme (chicken base) (chicken module) (chicken type)
          (prefix (zmq auth private) private/))

  (include "alias.scm")

  (export-aliases private/
    (start-authenticator ((or false context) #!rest * -> authenticator))
    (stop-authenticator (authenticator -> undefined))
    (configure-authenticator! (authenticator #!rest * -> undefined))
    (authenticator? (* -> boolean))
    (current-zap-request (parameter (or false list)))
    (make-certificate (#!rest * -> certificate))
    (certificate? (* -> boolean))
    (certificate-public-key (certificate -> string))
    (certificate-secret-key (certificate -> (or false string)))
    (certificate-metadata (certificate #!optional (or false symbol string) -> *))
    (save-certificate (certificate string -> undefined))
    (load-certificate (string #!rest * -> certificate))))
