;;; Updates of the clone programs: messages of a key, a sequence number and a value.
;;; Look at: the key comes first, so that subscribers can choose by it.
;;; A part of clonesrv1 to 3 and clonecli1 to 3.

(define (send-update socket key sequence value)
  (send-multipart-message socket (list key (number->string sequence) value)))

;; Calls the procedure with what came, or returns #f when the time is up.
(define (receive-update socket procedure #!key timeout)
  (let ((parts (receive-multipart-message socket timeout: timeout)))
    (and parts
         (procedure (car parts) (string->number (cadr parts)) (caddr parts)))))

;; The state is an association list of keys and values.
(define (store key value state) (alist-update key value state equal?))
