;;; How bytes are represented: the only file that makes them.  Inside the module
;;; they are strings or blobs, which CHICKEN 5 lays out alike, and which TEXT
;;; gives to C; a u8vector is unwrapped to its blob.

;; A part larger than this stays in libzmq's own storage when it is received
;; as a message.  Up to it, copying into the nursery is cheaper than a handle
;; with its finalizer, and the nursery has room for several.
;; A string, blob or u8vector is copied in any case, and goes to the nursery up
;; to a quarter of it: that is five times as fast as the heap.
(foreign-declare "
enum { LARGEST_SMALL_PART = 65536, LARGEST_IN_NURSERY = 262144 };

/* Words of the record around the bytes of a message, and of all that is around
 * those of one in a list. */
enum { RECORD_WORDS = 3, AROUND = 1 + RECORD_WORDS + C_SIZEOF_PAIR };
")
(define-foreign-variable largest-small-part int "LARGEST_SMALL_PART")

;; The heap may have been given a limit, past which CHICKEN ends the process.
;; It copies from one half to the other.
(define-foreign-variable heap-limit unsigned-integer64 "C_maximal_heap_size")

(define (heap-room? size)
  (let ((room? (lambda ()
                 (let ((now (memory-statistics)))
                   (<= (* 2 (+ size (vector-ref now 1) (vector-ref now 2)))
                       heap-limit)))))
    (or (room?) (begin (gc #t) (room?)))))

(define heap-limited? (< heap-limit (expt 2 62)))

(foreign-declare "
static C_word blob_to_string(C_word blob)
{
    C_block_header(blob) = C_STRING_TYPE | C_header_size(blob);
    return blob;
}
")

;; A string of any bytes: make-string would fill it.  What room there is is
;; known only after a collection.
(define (make-bytes location size)
  (if (or (< size 1000000) (not heap-limited?) (heap-room? size))
      (##core#inline "blob_to_string" (make-blob size))
      (fail location enomem size)))

(define (bytes? x) (or (string? x) (blob? x) (u8vector? x)))

;; What the kernel can read: a string or blob with the bytes of x, which it
;; shares.
(define (bytes-storage x)
  (if (u8vector? x) (u8vector->blob/shared x) x))

(define (bytes-size x)
  (if (string? x) (string-length x) (blob-size x)))

;; Builds a string or blob (by its type) in space that was set aside.
(foreign-declare "
static C_word build_bytes(C_word **room, C_word type, const void *data,
                          size_t size)
{
    C_word *made = *room;
    *made = type | (C_word)size;
    memcpy(made + 1, data, size);
    *room = made + 1 + C_bytestowords(size);
    return (C_word)made;
}
")

(define-foreign %bytes->string scheme-object
  ((scheme-object from) (scheme-object to))
  "memcpy(C_data_pointer(to), C_data_pointer(from), C_header_size(to));
   C_return(to);")

;; The same in the nursery, or #f if there is no room just now.
(define %small-bytes->string
  (foreign-primitive scheme-object ((scheme-object from))
    "C_word words = (C_word)C_bytestowords(C_header_size(from)) + 1;
     if (!C_demand(words + 256)) C_return(C_SCHEME_FALSE);
     C_word *room = C_alloc(words);
     C_return(build_bytes(&room, C_STRING_TYPE, TEXT(from)));"))

;; A fresh string of the bytes of x, a string or blob.
(define (bytes->string location x)
  (or (and (fx<= (bytes-size x) largest-small-part) (%small-bytes->string x))
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

;; What %get-bytes or %message-bytes has found with the owner, as a fresh
;; string.  Finalizers may run while that is made: they must not free the
;; owner, and they may leave other results behind.
(define (found-bytes location owner)
  (let* ((from (%bytes-pointer))
         (string (make-bytes location (%bytes-size))))
    (%copy-bytes from string owner)
    string))

;; Receives a message, or has the one again that the kernel holds, and
;; builds its parts in the nursery: a string or blob, or a list of them, each in
;; a record with the tag if there is one.  Answers #f if one is large or there
;; is no room just now, and then leaves it.
(define %receive-parts
  (foreign-primitive scheme-object
      ((scheme-object socket) (bool as_blob) (scheme-object tag))
    "const void *data;
     size_t size, words = 0;
     sz_socket from = SOCKET(socket);
     C_word type = as_blob ? C_BYTEVECTOR_TYPE : C_STRING_TYPE;
     int parts = sz_receive_held(from);
     if (parts < 0) C_return(C_fix(parts));
     for (int i = 0; i < parts; i++) {
         sz_received(from, (size_t)i, &data, &size);
         if (size > LARGEST_SMALL_PART) C_return(C_SCHEME_FALSE);
         words += C_bytestowords(size) + AROUND;
     }
     if (!C_demand((C_word)words + 256)) C_return(C_SCHEME_FALSE);
     C_word *room = C_alloc(words);
     C_word result = C_SCHEME_END_OF_LIST;
     for (int i = parts - 1; i >= 0; i--) {
         sz_received(from, (size_t)i, &data, &size);
         C_word made = build_bytes(&room, type, data, size);
         if (C_truep(tag)) made = C_a_i_record2(&room, 2, tag, made);
         result = parts == 1 ? made : C_a_pair(&room, made, result);
     }
     sz_release(from);
     C_return(result);"))

;; The bytes of all parts of the message that the kernel holds.
(define-foreign %held-bytes integer64 ((scheme-object s))
  "const void *data;
   size_t size, total = 0;
   int parts = sz_receive_held(SOCKET(s));
   for (int i = 0; i < parts; i++)
       if (sz_received(SOCKET(s), (size_t)i, &data, &size) == 0) total += size;
   C_return((int64_t)total);")
;; The message that the kernel holds, if it has one part and is as long; it is
;; then released.
(define-foreign %copy-held bool ((scheme-object s) (scheme-object to))
  "const void *data;
   size_t size;
   if (sz_receive_held(SOCKET(s)) != 1 ||
       sz_received(SOCKET(s), 0, &data, &size) != 0 || size != C_header_size(to))
       C_return(false);
   memcpy(C_data_pointer(to), data, size);
   sz_release(SOCKET(s));
   C_return(true);")
