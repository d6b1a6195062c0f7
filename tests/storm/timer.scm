;;; A timer that is faster than csi can set.

(import (chicken foreign))
(foreign-declare "#include <sys/time.h>")
(define set-timer!
  (foreign-lambda* void ((int hertz))
    "struct itimerval t = {{0, hertz ? 1000000 / hertz : 0}, {0, hertz ? 1000000 / hertz : 0}};
     setitimer(ITIMER_REAL, &t, NULL);"))
