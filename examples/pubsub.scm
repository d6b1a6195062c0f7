;;; A publisher and a subscriber, in two processes.  A publisher drops what
;;; nobody has subscribed to yet, so it publishes "sync" until the subscriber
;;; says that it hears.

(import zmq (chicken file) (chicken process))

(define place (create-temporary-directory))
(define news (string-append "ipc://" place "/news"))
(define answers (string-append "ipc://" place "/answers"))

(define (subscribe)
  (let ((sub (make-socket 'sub)) (answer (make-socket 'push)))
    (socket-option-set! sub 'subscribe "sync")
    (socket-option-set! sub 'subscribe "weather")
    (connect-socket sub news)
    (connect-socket answer answers)
    ;; prints: subscriber: weather: rain
    ;; prints: subscriber: weather: sun
    ;; prints: that was all
    (let loop ((synchronized #f))
      (let ((text (receive-message sub as: 'string timeout: 5000)))
        (cond ((not text) (error "no news"))
              ((string=? text "weather: end") (print "that was all"))
              ((string=? text "sync")
               (unless synchronized (send-message answer "I hear"))
               (loop #t))
              (else (print "subscriber: " text) (loop #t)))))))

(define (publish subscriber)
  (let ((pub (make-socket 'pub)) (answer (make-socket 'pull)))
    (bind-socket pub news)
    (bind-socket answer answers)
    (let loop ((attempts 500))
      (when (= attempts 0) (error "no subscriber"))
      (send-message pub "sync")
      (unless (receive-message answer timeout: 10) (loop (- attempts 1))))
    (for-each (lambda (text) (send-message pub text))
              '("weather: rain" "sports: 3 to 1" "weather: sun" "weather: end"))
    (receive (pid normal status) (process-wait subscriber)
      (delete-directory place #t)
      (exit (if (and normal (= status 0)) 0 1)))))

;; The child is made before any socket: a child must not use its parent's.
(publish (process-fork subscribe))
