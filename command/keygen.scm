;;; zmq keygen: a new CURVE certificate.

(define (run-keygen words)
  (read-arguments! 'keygen words)
  (when (> (length words-beside) 1) (wrong-usage "zmq keygen takes one NAME"))
  (let* ((certificate (make-certificate))
         (public (certificate-public-key certificate))
         (secret (certificate-secret-key certificate)))
    (if (null? words-beside)
        (write-out
         (if (option "json")
             (string-append "{\"public\":" (json public) ",\"secret\":" (json secret) "}\n")
             (string-append "public " public "\nsecret " secret "\n")))
        (let ((path (string-append (car words-beside) ".key")))
          (when (or (file-exists? path) (file-exists? (string-append path "_secret")))
            (complain path " exists already")
            (end failed))
          (save-certificate certificate path)
          (write-out
           (if (option "json")
               (string-append "{\"public\":" (json public) ",\"file\":" (json path) "}\n")
               (string-append path "\n" path "_secret\n")))))))
