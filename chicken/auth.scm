;;; Who may connect: an authenticator for a context, and certificates.

(module (zmq auth)
  (start-authenticator stop-authenticator configure-authenticator! authenticator?
   current-zap-request
   make-certificate certificate? certificate-public-key certificate-secret-key
   certificate-metadata save-certificate load-certificate)

  (import scheme
          (chicken base) (chicken condition) (chicken file) (chicken fixnum) (chicken pathname)
          (zmq base))

  (include "certificate.scm")
  (include "authenticator.scm"))
