;;; Titanic: requests are in files before they are accepted, and so are their replies (RFC 9).
;;; Look at: the client, the service, the broker and this program may all be restarted in between.
;;;   csi -s titanic.scm [BROKER-ENDPOINT [DIRECTORY [MILLISECONDS]]]

(import zmq (zmq patterns)
        (chicken file) (chicken io) (chicken irregex) (chicken pathname) (chicken sort))
(include "guide.scm")

(define broker (argument 0 "tcp://localhost:5555"))
(define place (argument 1 ".titanic"))
(create-directory place #t)

(define (file id kind) (make-pathname place id kind))
(define (stored? id kind) (file-exists? (file id kind)))

;; A file has all parts of a message, and is complete before it has its name.
(define (store id kind parts)
  (with-output-to-file (file id "new")
    (lambda () (write-string (encode-message parts as: 'string))))
  (rename-file (file id "new") (file id kind) #t))

(define (stored id kind)
  (decode-message (with-input-from-file (file id kind) read-string) as: 'string))

;; The time comes first, so names in order are requests in order.  The rest cannot be guessed.
(define (new-id)
  (define (hex c) (substring (number->string (+ 256 (char->integer c)) 16) 1))
  (apply string-append (number->string (current-seconds) 16)
         (map hex (string->list (random-bytes (make-string 8))))))

(define (known? id) (and (irregex-match "[0-9a-f]{24}" id) (stored? id "request")))

(define (accept parts)                  ; the service and the body
  (let ((id (new-id)))
    (store id "request" parts)
    (list "200" id)))

(define (reply-to id)
  (cond ((not (known? id)) '("400"))
        ((stored? id "reply") (cons "200" (stored id "reply")))
        (else '("300"))))               ; not yet

(define (forget id)
  (when (known? id)
    (for-each (lambda (kind) (delete-file* (file id kind))) '("request" "reply")))
  '("200"))

(define (offer service procedure)
  (thread-start!
   (lambda () (majordomo-worker broker service procedure heartbeat: (argument 2 2500)
                                error: (lambda (failure) '("500"))))))
(offer "titanic.request" accept)
(offer "titanic.reply" (lambda (parts) (reply-to (car parts))))
(offer "titanic.close" (lambda (parts) (forget (car parts))))

(define client (majordomo-client broker))
(define (call service parts) (majordomo-call client service parts timeout: 1000 retries: 0))

;; Gives each request to its service, if there is one, again and again until there is a reply.
(let loop ()
  (for-each
   (lambda (id)
     (unless (stored? id "reply")
       (let* ((request (stored id "request"))
              (reply (and (equal? '("200") (call "mmi.service" (list (car request))))
                          (call (car request) (cdr request)))))
         (when (and reply (known? id)) (store id "reply" reply)))))
   (sort (map pathname-file (glob (file "*" "request"))) string<?))
  (thread-sleep! 0.1)
  (loop))
