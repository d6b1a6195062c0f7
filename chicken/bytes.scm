;;; How bytes are represented: the only file that makes them.  Inside the module
;;; they are strings or blobs, which CHICKEN 5 lays out alike, and which TEXT
;;; gives to C; a u8vector is unwrapped to its blob.

;; A part that is received as a message and is larger stays in the kernel: see glue/build.h.
(define-foreign-variable largest-small-part int "LARGEST_SMALL_PART")

;; The heap may have been given a limit, past which CHICKEN ends the process.
;; It copies from one half to the other.
(define-foreign-variable heap-limit unsigned-integer64 "C_maximal_heap_size")

(define (heap-room? size)
  (let ((room? (lambda ()
                 (let ((now (memory-statistics)))
                   (<= (* 2 (+ size (vector-ref now 1) (vector-ref now 2)))
                       heap-limit)))))
    (or (room?) (begin (collect!) (room?)))))

(define heap-limited? (< heap-limit (expt 2 62)))

;; See glue/room.h.
(define-foreign %set-nursery-size! void ((word size)) "szg_set_nursery_size(size)")
(define-foreign %keep-room-in-heap void ((size_t size)) "szg_keep_room_in_heap(size)")
(%set-nursery-size! (vector-ref (##sys#memory-info) 1))

;; A string of any bytes: make-string would fill it.  What room there is is
;; known only after a collection.
(define (make-bytes location size)
  (unless heap-limited? (%keep-room-in-heap size))
  (if (or (< size 1000000) (not heap-limited?) (heap-room? size))
      (##core#inline "szg_blob_to_string" (make-blob size))
      (fail location enomem size)))

(define (bytes? x) (or (string? x) (blob? x) (u8vector? x)))

;; What the kernel can read: a string or blob with the bytes of x, which it
;; shares.
(define (bytes-storage x)
  (if (u8vector? x) (u8vector->blob/shared x) x))

(define (bytes-size x)
  (if (string? x) (string-length x) (blob-size x)))

(define-foreign %bytes->string word ((word from) (word to)) "szg_fill(to, C_data_pointer(from))")

;; The same in the nursery, or #f if it has no room now.
(define %small-copy (##core#primitive "szg_small_copy"))

;; A fresh string of the bytes of x, a string or blob.
(define (bytes->string location x)
  (or (and (fx<= (bytes-size x) largest-small-part) (%small-copy x))
      (large-bytes->string location x)))

(define (large-bytes->string location x)
  (let ((size (bytes-size x)))
    (if (fx= size 0)
        (make-string 0)
        (%bytes->string x (make-bytes location size)))))

;; A string that nobody else sees, as `kind`, without a copy.
(define (string->kind string kind)
  (case kind
    ((string) string)
    ((blob) (string->blob! string))
    (else (blob->u8vector/shared (string->blob! string)))))

(define (string->blob! string)
  (##core#inline "C_string_to_bytevector" string)
  string)

;; What %get-bytes or %decode-part has found with the owner, as a fresh
;; string.  Finalizers may run while that is made: they must not free the
;; owner, and they may leave other results behind.
(define (found-bytes location owner)
  (let* ((from (%bytes-pointer))
         (string (make-bytes location (%bytes-size))))
    (%copy-bytes from string owner)
    string))

;; Whether a string begins with another.
(define (starts-with? prefix s)
  (and (fx>= (string-length s) (string-length prefix))
       (substring=? prefix s 0 0 (string-length prefix))))
