;;; SHA-256, HMAC and JSON of examples/jupyter, with published vectors.

(include "check.scm")
(include "../examples/jupyter/sha256.scm")
(include "../examples/jupyter/json.scm")

(define (digest text) (hexadecimal (sha256 text)))

(test "sha256 of the vectors of FIPS 180"
  (check= "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" (digest ""))
  (check= "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" (digest "abc"))
  (check= "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
          (digest "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))
  (check= "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
          (digest (string-append
                   "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                   "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"))))

(define (repeated n times) (make-string times (integer->char n)))

(test "hmac-sha256 of the vectors of RFC 4231"
  (define (mac key text) (hexadecimal (hmac-sha256 key text)))
  (check= "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
          (mac (repeated #x0b 20) "Hi There"))
  (check= "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
          (mac "Jefe" "what do ya want for nothing?"))
  (check= "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
          (mac (repeated #xaa 20) (repeated #xdd 50)))
  (check= "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
          (mac (repeated #xaa 131) "Test Using Larger Than Block-Size Key - Hash Key First"))
  (check= "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
          (mac (repeated #xaa 131)
               (string-append
                "This is a test using a larger than block-size key and a larger than block-size "
                "data. The key needs to be hashed before being used by the HMAC algorithm."))))

(test "JSON is read"
  (check= '((a . 1) (b . #(#t #f null "x")) (c))
          (string->json " {\"a\":1, \"b\":[true,false,null,\"x\"],\"c\":{}}"))
  (check= '#(-1.5 1000.0 0) (string->json "[-1.5, 1e3, 0]"))
  (check= "\"\\/\n\t" (string->json "\"\\\"\\\\\\/\\n\\t\""))
  (check= "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" (string->json "\"\\u00e4\\u20ac\\ud83d\\ude00\"")))

(test "what is no JSON is an error"
  (for-each (lambda (text) (check (raised (string->json text))))
            '("" "{" "[1,]" "[1 2]" "{\"a\"}" "\"a" "tru" "\"\\x\"" "\"\\u12\"" "1 2"
              "{a:1}" "-" "\"\\ud83d\"" "\"\\ud83d\\u0020\"")))

(test "JSON is written and read back"
  (define (round-trip x) (string->json (json->string x)))
  (for-each (lambda (x) (check= x (round-trip x)))
            (list 1 -7 0.5 "a\"b\\c\n\r\t" '#() '#(1 "2" null) '() '((a . ((b . #(#t))))) #f
                  "\xc3\xa4\xf0\x9f\x98\x80" (string (integer->char 0) (integer->char 31)))))

(test "what JSON cannot have is written as something it can"
  (check= "null" (json->string +inf.0))
  (check= "0.5" (json->string 1/2))
  (check= "\"\xef\xbf\xbda\xef\xbf\xbd\"" (json->string "\xffa\xc3")))

(report-tests)
