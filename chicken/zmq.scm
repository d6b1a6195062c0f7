;;; zmq: ZeroMQ for CHICKEN.  names.scm is the table of contents.

(module zmq ()

  (import scheme
          (chicken base) (chicken module) (chicken type)
          (prefix (zmq base) base/)
          (prefix (only (zmq object) send-object receive-object request-object) base/))

  (include "alias.scm")
  (include "names.scm"))
