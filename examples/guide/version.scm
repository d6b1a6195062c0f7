;;; The version of libzmq that runs.
;;; Look at: the list has three numbers, so versions can be compared.
;;;   csi -s version.scm

(import zmq)
(include "guide.scm")

(say "Current ZeroMQ version is " (zmq-version))
