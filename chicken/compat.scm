;;; Everything of (zmq), with the defaults of programs written for the later revisions of the old
;;; egg: strings where nothing else is asked for, and no high water mark.

(module (zmq compat) ()

  (import scheme
          (chicken base) (chicken module) (chicken type)
          (prefix (except (zmq base) socket-option-set!) base/)
          (prefix (only (zmq base) socket-option-set!) strict/)
          (prefix (only (zmq object) send-object receive-object request-object) base/))

  ;; The old egg took a number for this option, though it read a boolean.
  (define (base/socket-option-set! s name value)
    (strict/socket-option-set!
     s name
     (cond ((not (eq? name 'mcast-loop)) value)
           ((eqv? value 0) #f)
           ((eqv? value 1) #t)
           (else value))))

  (include "alias.scm")
  (include "names.scm")

  (base/zmq-receive-as 'string)
  (base/zmq-default-hwm 0))
