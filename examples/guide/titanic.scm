;;; Titanic: requests are on the disk before they are accepted, and so are their replies.
;;; Look at: the service, the client and this program may all be restarted in between.
;;;   csi -s titanic.scm [ENDPOINT [SERVICE-ENDPOINT [DIRECTORY]]]

(import zmq (chicken file) (chicken io) (chicken pathname) (chicken sort))
(include "guide.scm")

(define server (make-socket 'rep bind: (argument 0 "tcp://*:5556")))
(define place (argument 2 ".titanic"))
(create-directory place #t)

(define (file id kind) (make-pathname place id kind))

;; A file is complete before it has its name.
(define (save id kind text)
  (let ((temporary (file id "new")))
    (with-output-to-file temporary (lambda () (write-string text)))
    (rename-file temporary (file id kind) #t)))

(define (saved id kind)
  (let ((text (with-input-from-file (file id kind) read-string)))
    (if (eof-object? text) "" text)))

(define (new-id)
  (number->string (+ (random #x10000000) (* #x10000000 (+ 1 (random #x1000000)))) 16))

;; Sends what waits to the service, again and again until it has replied.
(define (deliver)
  (let ((service (make-socket 'req req-relaxed: #t req-correlate: #t linger: 0
                              connect: (argument 1 "tcp://localhost:5555"))))
    (let loop ()
      (for-each
       (lambda (path)
         (let ((id (pathname-file path)))
           (unless (file-exists? (file id "reply"))
             (send-message service (saved id "request"))
             (let ((reply (receive-message service timeout: 1000)))
               (when reply (save id "reply" reply))))))
       (sort (glob (file "*" "request")) string<?))
      (thread-sleep! 0.1)
      (loop))))
(thread-start! deliver)

(define (answer command text)
  (cond ((string=? command "titanic.request")
         (let ((id (new-id)))
           (save id "request" text)
           (list "200" id)))
        ((not (and (string->number text 16) (file-exists? (file text "request")))) '("400"))
        ((string=? command "titanic.close")
         (for-each (lambda (kind) (delete-file* (file text kind))) '("request" "reply"))
         '("200"))
        ((file-exists? (file text "reply")) (list "200" (saved text "reply")))
        (else '("300"))))

(let loop ()
  (send-multipart-message server (apply answer (receive-multipart-message server)))
  (loop))
