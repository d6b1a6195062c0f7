;;; Everything of (zmq), with the defaults of programs written for the later revisions of the old
;;; egg: strings where nothing else is asked for, and no high water mark.

(module (zmq compat) ()

  (import scheme
          (chicken base) (chicken module) (chicken type)
          (prefix (zmq base) base/)
          (prefix (only (zmq object) send-object receive-object) base/))

  (include "alias.scm")
  (include "names.scm")

  (base/zmq-receive-as 'string)
  (base/zmq-default-hwm 0))
