;;; The arguments of the storms, HERTZ SECONDS [HOW], and a timer that is faster than csi can set.

(import (chicken foreign) (chicken process-context))

(define-values (hertz seconds how)
  (let ((a (command-line-arguments)))
    (values (string->number (car a)) (string->number (cadr a))
            (and (pair? (cddr a)) (string->symbol (caddr a))))))

(foreign-declare "#include <sys/time.h>")
(define set-timer!
  (foreign-lambda* void ((int hertz))
    "struct itimerval t = {{0, hertz ? 1000000 / hertz : 0}, {0, hertz ? 1000000 / hertz : 0}};
     setitimer(ITIMER_REAL, &t, NULL);"))
