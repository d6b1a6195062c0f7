;;; Batches: many messages for one call of C each way.
;;;
;;; A message of one part stands for itself in a list, one of several parts is
;;; a list of its parts.

;; -------------------------------------------------------------- sending --

(define (check-batch messages)
  (let ((rest (behind-bytes messages)))
    (unless (null? rest)
      (unless (list? messages)
        (fail-type 'send-messages "a list of messages" messages))
      (let loop ((l rest))
        (when (pair? l)
          (let ((m (car l)))
            (if (and (pair? m) (list? m))
                (for-each (lambda (p) (check-part 'send-messages p)) m)
                (check-part 'send-messages m)))
          (loop (behind-bytes (cdr l))))))))

(define (stable-message m)
  (if (pair? m) (map stable-part m) (stable-part m)))

;; Sends what can be sent of a list of messages, and answers the rest of it; how
;; many those are is %number, and why not all %refusal.
(foreign-declare "
static int refusal;

static int send_some(sz_socket socket, C_word list)
{
    enum { MANY = 64 };
    sz_part messages[MANY];
    size_t count = 0;
    for (; count < MANY && list != C_SCHEME_END_OF_LIST; list = C_u_i_cdr(list)) {
        C_word x = C_u_i_car(list);
        if (IS(x, C_PAIR_TYPE)) break;
        messages[count++] = part_of(x);
    }
    return sz_send_each(socket, messages, count);
}

static C_word send_each(sz_socket socket, C_word list)
{
    number = refusal = 0;
    while (list != C_SCHEME_END_OF_LIST) {
        C_word first = C_u_i_car(list);
        int done;
        if (IS(first, C_PAIR_TYPE)) {
            done = send_parts(socket, first);
            if (done == 0) done = 1;
        } else {
            done = send_some(socket, list);
        }
        if (done < 0) {
            refusal = done;
            break;
        }
        number += done;
        while (done-- > 0) list = C_u_i_cdr(list);
    }
    return list;
}
")
(define-foreign %send-each scheme-object
  ((scheme-object s) (scheme-object messages))
  "C_return(send_each(SOCKET(s), messages));")
(define-foreign %refusal int () "C_return(refusal);")

;; The first message ends the one that this thread has begun with send-more:.
(define (with-staged! s messages)
  (let ((staged (if (null? messages) '() (take-staged! s))))
    (if (null? staged)
        messages
        (let ((first (car messages)))
          (cons (append (reverse staged) (if (pair? first) first (list first)))
                (cdr messages))))))

;; How many were accepted, the first ones of the list.  When one fails, that
;; number is in the condition.
(define (send-messages s messages . rest)
  (check-socket 'send-messages s)
  (with-keywords 'send-messages rest
      ((#:non-blocking non-blocking #f)
       (#:timeout timeout socket-timeout))
    (check-wait 'send-messages timeout)
    (check-batch messages)
    (let ((messages (with-staged! s messages)))
      (if (waited? s)
          (send-batch s messages 0 #f non-blocking timeout)
          ;; Most often the first try takes them all.
          (let* ((left (%send-each (socket-handle s) messages))
                 (sent (%number)))
            (if (null? left)
                sent
                (send-batch s left sent (%refusal) non-blocking timeout)))))))

;; Goes on behind a first try, if `refusal` is its outcome.
(define (send-batch s left sent refusal non-blocking timeout)
  (let* ((kept non-blocking)
         (keep! (lambda ()
                  (unless kept
                    (set! left (map stable-message left))
                    (set! kept #t)))))
    (when (or refusal (line? s out-bit)) (keep!))
    (let ((code (attempt-or-wait
                 s out-bit non-blocking timeout
                 (lambda ()
                   (unless refusal
                     (set! left (%send-each (socket-handle s) left))
                     (set! sent (fx+ sent (%number)))
                     (unless (null? left) (keep!)))
                   (let ((code (or refusal (%refusal))))
                     (set! refusal #f)
                     (or-later code non-blocking))))))
      (when (and code (not (eq? code 0)))
        (fail/text 'send-messages code (%error-text code) (list s)
                   'accepted sent))
      sent)))

;; ------------------------------------------------------------ receiving --

;; Builds messages of one part in the nursery while there is room: a list of
;; at most `max`, behind three numbers: why there are not more, which is an
;; error, 0 if there is no room, or 1 before a message that is large or has
;; several parts, which the kernel then holds; how many there are; and their
;; bytes.
(foreign-declare "
enum { FIRST_ROOM = 512, LARGEST_ROOM = 4096,
       MESSAGE_ROOM = SMALL / sizeof(C_word) + AROUND };

typedef struct {
    C_word *room, *end; /* where the next one is built */
    C_word list, *tail;
    C_word count, max, type, tag;
    size_t bytes;
} batch;

static void add_to_batch(batch *b, const void *data, size_t size)
{
    C_word made = build_bytes(&b->room, b->type, data, size);
    if (C_truep(b->tag)) made = C_a_i_record2(&b->room, 2, b->tag, made);
    C_word pair = C_a_pair(&b->room, made, C_SCHEME_END_OF_LIST);
    *b->tail = pair;
    b->tail = &C_block_item(pair, 1);
    b->bytes += size;
    b->count++;
}

static bool take_small(void *argument, const void *data, size_t size)
{
    batch *b = argument;
    add_to_batch(b, data, size);
    return b->count < b->max && b->end - b->room >= MESSAGE_ROOM;
}

static void receive_each(C_word c, C_word *av) C_noret;
static void receive_each(C_word c, C_word *av)
{
    sz_socket socket = SOCKET(av[2]);
    bool as_blob = C_truep(av[5]);
    batch b = {.max = C_unfix(av[3]), .tag = av[4], .list = C_SCHEME_END_OF_LIST,
               .type = as_blob ? C_BYTEVECTOR_TYPE : C_STRING_TYPE};
    size_t largest = largest_built(C_truep(b.tag) && !as_blob);
    int reason = 0;
    C_word words = FIRST_ROOM;
    if (!C_demand(FIRST_ROOM + 256)) C_save_and_reclaim((void *)receive_each, c, av);
    b.tail = &b.list;
    while (b.count < b.max) {
        const void *data;
        size_t size;
        if (b.end - b.room < MESSAGE_ROOM) {
            if (!C_demand(words + 256)) break;
            b.room = C_alloc(words);
            b.end = b.room + words;
            if (words < LARGEST_ROOM) words *= 2;
        }
        reason = sz_receive_each(socket, SMALL, take_small, &b);
        if (reason == 0) continue;
        if (reason != 1) break;
        sz_received(socket, 0, &data, &size);
        if (size > largest) break;
        C_word more = (C_word)C_bytestowords(size) + AROUND;
        if (!C_demand(more + 256)) {
            reason = 0;
            if (b.count > 0) break;
            if (may_collect()) C_save_and_reclaim((void *)receive_each, c, av);
            reason = 1;
            break;
        }
        C_word *room = b.room;
        b.room = C_alloc(more);
        add_to_batch(&b, data, size);
        b.room = room;
        sz_release(socket);
        reason = 0;
    }
    if (reason > 1) reason = 1;
    if (b.count > 0) collected = false;
    C_word *room = C_alloc(3 * C_SIZEOF_PAIR);
    C_word list = C_a_pair(&room, C_fix((C_word)b.bytes), b.list);
    list = C_a_pair(&room, C_fix(b.count), list);
    C_kontinue(av[1], C_a_pair(&room, C_fix(reason), list));
}
")
(define %receive-each (##core#primitive "receive_each"))

;; The message that the kernel holds, or #f where it is left for the next call:
;; only the first of a batch may turn out not to fit into the heap.
(define (receive-whole s as first?)
  (let ((got (receive-raw s as)))
    (if (fixnum? got)
        got
        (let ((parts (if (pair? got) got (list got))))
          (set-unread! s parts)
          (and (or first? (eq? as 'message) (not (any-message? parts)))
               (take-unread! s as))))))

(define (any-message? parts)
  (and (pair? parts) (or (message? (car parts)) (any-message? (cdr parts)))))

(define (take-unread! s as)
  (let ((presented (map (lambda (part) (present part as)) (own (socket-unread s)))))
    (set-unread! s '())
    (if (null? (cdr presented)) (car presented) presented)))

;; At most `max` messages, those that are there; `before` are lists of those
;; that were received already, the last list first.  What the nursery has no
;; room for is copied by the collector, so that a batch ends behind `bytes`.
;; An error only where there is none.
(define (receive-batch s as max bytes before)
  (let* ((found (%receive-each (socket-handle s) max
                               (case as
                                 ((message) 'zmq-message)
                                 ((u8vector) 'u8vector)
                                 (else #f))
                               (blobs? as)))
         (reason (car found))
         (left (fx- max (cadr found)))
         (bytes (fx- bytes (caddr found)))
         (got (cdddr found))
         (all (if (null? got) before (cons got before))))
    (cond ((and (fx< reason 0) (null? all)) reason)
          ((or (fx< reason 0) (fx= left 0)) (joined all))
          ((fx= reason 1) (receive-on s as left bytes all))
          ((fx> bytes 0) (receive-batch s as left bytes all))
          (else (joined all)))))

;; Goes on with the message that the kernel holds, if it is the first or there
;; are bytes left for it.
(define (receive-on s as max bytes before)
  (let ((size (%held-bytes (socket-handle s))))
    (if (and (pair? before) (>= size bytes))
        (joined before)
        (let ((next (receive-whole s as (null? before))))
          (cond ((not next) (joined before))
                ((fixnum? next) (if (null? before) next (joined before)))
                ((or (fx= max 1) (>= size bytes))
                 (joined (cons (list next) before)))
                (else (receive-batch s as (fx- max 1) (- bytes size)
                                     (cons (list next) before))))))))

;; Less than what a string may have before the room in the heap is looked at.
(define-constant batch-bytes 1000000)

(define (joined lists)
  (let loop ((lists (cdr lists)) (all (car lists)))
    (if (null? lists) all (loop (cdr lists) (append (car lists) all)))))

(define (check-max x)
  (unless (and (fixnum? x) (fx> x 0))
    (fail-type 'receive-messages "a positive fixnum" x)))

(define (check-kind as)
  (when (procedure? as)
    (fail-type 'receive-messages "message, string, blob or u8vector" as))
  (check-as 'receive-messages as))

;; Waits until there is one, and takes what is there.
(define (receive-messages s . rest)
  (check-socket 'receive-messages s)
  (with-keywords 'receive-messages rest
      ((#:max max 1000)
       (#:as given unset)
       (#:non-blocking non-blocking #f)
       (#:timeout timeout socket-timeout))
    (check-max max)
    (check-wait 'receive-messages timeout)
    (let ((as (check-kind (if (eq? given unset) (zmq-receive-as) given))))
      (if (unread? s)
          (receive-after s as max (take-unread! s as))
          (let ((got (attempt-or-wait
                      s in-bit non-blocking timeout
                      (lambda () (receive-batch s as max batch-bytes '())))))
            (if (fixnum? got) (fail 'receive-messages got s) got))))))

;; What follows a message that was begun, where nobody else stands in line.
(define (receive-after s as max first)
  (if (or (fx= max 1) (line? s in-bit))
      (list first)
      (let ((got (receive-batch s as (fx- max 1) batch-bytes (list (list first)))))
        (used! s)
        got)))
