;;; Everything of (zmq), with the defaults of programs written for the later revisions of the old
;;; egg: strings where nothing else is asked for, and no high water mark.

(module (zmq compat) ()

  (import scheme (chicken module) zmq)

  (reexport zmq)

  (zmq-receive-as 'string)
  (zmq-default-hwm 0))
