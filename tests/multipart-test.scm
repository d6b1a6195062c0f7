;;; Lists of parts: envelopes, and parts as one run of bytes.

(import zmq (chicken base) (chicken blob) (chicken condition) (chicken string)
        srfi-4)
(include "check.scm")
(include "pair.scm")

(define (unwrapped parts) (receive (id rest) (unwrap-message parts) (cons id rest)))

(test "an envelope is put on and taken off"
  (check= '("id" "" "a" "b") (wrap-message "id" '("a" "b")))
  (check= '("id" "") (wrap-message "id" '()))
  (check= '("id" "a" "b") (unwrapped '("id" "" "a" "b")))
  (check= '("id" "" "a") (unwrapped '("id" "" "" "a")))
  (check= '("id" "a") (unwrapped (wrap-message "id" '("a")))))

(test "an envelope without an empty part loses nothing"
  (check= '("id" "a" "b") (unwrapped '("id" "a" "b")))
  (check= '("id") (unwrapped '("id")))
  (check= '("id") (unwrapped '("id" ""))))

(test "the empty part may be of any kind"
  (for-each
   (lambda (empty) (check= '("id" "a") (unwrapped (list "id" empty "a"))))
   (list "" (string->blob "") (u8vector) (make-message)))
  (check= 2 (length (unwrapped (list "id" (u8vector 0))))))

(test "what is no list of parts is refused"
  (check-type (wrap-message 5 '("a")))
  (check-type (wrap-message "id" "a"))
  (check-type (wrap-message "id" '(5)))
  (check-type (unwrap-message '()))
  (check-type (unwrap-message "a"))
  (check-type (unwrap-message '("id" 5)))
  (check-type (encode-message '(5)))
  (check-type (encode-message "a"))
  (check-type (decode-message 5))
  (check-type (decode-message '("a")))
  (check-type (encode-message '("a") as: 'list))
  (check-fails einval (decode-message "" at: 'string)))

(test "a reply goes back through the envelope of its request"
  (with-pair 'router 'req
    (lambda (router req)
      (send-message req "question")
      (receive (who parts) (unwrap-message (take-parts router))
        (check= '("question") parts)
        (send-multipart-message router (wrap-message who '("answer"))))
      (check= "answer" (take req)))))

(define (bytes . numbers) (list->string (map integer->char numbers)))

;; The form of czmq's zmsg_encode and cppzmq's multipart_t::encode.
(test "parts are encoded as czmq and cppzmq encode them"
  (check= (bytes 2 97 98 0 1 99) (encode-message '("ab" "" "c") as: 'string))
  (check= "" (encode-message '() as: 'string))
  (check= (string-append (bytes 254) (make-string 254 #\x))
          (encode-message (list (make-string 254 #\x)) as: 'string))
  (check= (string-append (bytes 255 0 0 0 255) (make-string 255 #\x))
          (encode-message (list (make-string 255 #\x)) as: 'string))
  (check= (string-append (bytes 255 0 1 17 112) (make-string 70000 #\x))
          (encode-message (list (make-message (make-string 70000 #\x)))
                          as: 'string)))

(define every-byte
  (let loop ((i 0) (s '()))
    (if (= i 256) (list->string (reverse s)) (loop (+ i 1) (cons (integer->char i) s)))))

(test "what is encoded is decoded, of any kind and size"
  (let ((parts (list every-byte "" (make-string 254 #\a) (make-string 255 #\b)
                     (make-string 65536 #\c) (make-string 65537 #\d)
                     (make-string 1000000 #\e) "")))
    (check= parts (decode-message (encode-message parts) as: 'string))
    (check= parts (decode-message (encode-message parts as: 'string) as: 'string))
    (check= parts (decode-message (encode-message parts as: 'u8vector) as: 'string))
    (check= parts (map message->string
                       (decode-message (encode-message parts as: 'blob))))
    (check= (map string->blob parts)
            (decode-message (encode-message (map make-message parts)) as: 'blob)))
  (check= '() (decode-message ""))
  (check= '("a" "b" "c")
          (decode-message (encode-message
                           (list (string->blob "a") (u8vector 98)
                                 (make-message "c")))
                          as: 'string)))

(test "an encoded list is a part like any other"
  (with-pair 'pull 'push
    (lambda (in out)
      (send-message out (encode-message '("a" "b")))
      (check= '("a" "b") (decode-message (receive-message in timeout: 5000)
                                         as: 'string)))))

(test "bytes that are cut off say where"
  (for-each
   (lambda (row)
     (let ((e (raised (decode-message (car row)))))
       (check= 'einval (zmq-code e))
       (unless (substring-index (cadr row) (message-of e))
         (wrong "~s says ~a" (car row) (message-of e)))))
   `((,(bytes 1) "part 1, at byte 0")
     (,(bytes 5 97 98) "part 1, at byte 0")
     (,(bytes 1 97 2 98) "part 2, at byte 2")
     (,(bytes 0 0 255 0 0 0) "part 3, at byte 2")
     (,(bytes 1 97 255 255 255 255 255 98) "part 2, at byte 2"))))

(report-tests)
