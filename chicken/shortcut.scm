;;; The short way of the two operations that every message pays for, as
;;; procedures in C that see the arguments as they were passed: a socket that
;;; nobody else waits for, a message of one part, nothing to parse.  Whatever
;;; else there is to do is left to the long way, a Scheme procedure that is
;;; called with the same arguments.
;;;
;;; Compiled Scheme makes a list of the keywords, a closure at each branch and
;;; three frames on the way; here there is one frame and no garbage but the
;;; message.  For 32 bytes sent and received that is 400 instructions of 1,800.

;; What a procedure here is closed over: the long way, and symbols to compare
;; with.
(foreign-declare "
enum { LONG_WAY = 1, SOCKET_TAG, MESSAGE_TAG,
       DEFAULT_WAY, WAITING_WAY, AS_KEYWORD, AS_STRING, AS_MESSAGE, AS_BLOB,
       AS_U8VECTOR, TRY };
enum { TOLD_ONCE = MESSAGE_TAG + 1 };

#define ITEM(block, place) C_block_item(block, place)
#define RECORD(x, tag) (IS(x, C_STRUCTURE_TYPE) && ITEM(x, 0) == (tag))

static void go_on(C_word procedure, C_word c, C_word *av) C_noret;
static void go_on(C_word procedure, C_word c, C_word *av)
{
    av[0] = procedure;
    ((C_proc)(void *)ITEM(procedure, 0))(c, av);
}

/* What holds the bytes of a string, a blob, or a message around one; else
 * #f. */
static C_word storage(C_word x, C_word message)
{
    if (HAS_BYTES(x)) return x;
    return RECORD(x, message) ? storage(ITEM(x, 1), message) : C_SCHEME_FALSE;
}
")

;; (send-message socket message).  An error that the kernel tells only once
;; goes to a procedure of the socket and the code.
(foreign-declare "
static void send_short(C_word c, C_word *av) C_noret;
static void send_short(C_word c, C_word *av)
{
    C_word self = av[0];
    if (!C_demand(C_calculate_demand(0, c, 2)))
        C_save_and_reclaim((void *)send_short, c, av);
    if (c == 4 && RECORD(av[2], ITEM(self, SOCKET_TAG)) &&
        ITEM(av[2], SOCKET_STAGED) == C_SCHEME_END_OF_LIST &&
        ITEM(av[2], SOCKET_WAITERS) == C_SCHEME_END_OF_LIST) {
        C_word data = storage(av[3], ITEM(self, MESSAGE_TAG));
        if (data != C_SCHEME_FALSE) {
            int code = sz_send_bytes(SOCKET(ITEM(av[2], SOCKET_HANDLE)), TEXT(data));
            if (code == 0) C_kontinue(av[1], C_SCHEME_TRUE);
            if (code == SZ_ECORRUPT) {
                av[3] = C_fix(code);
                go_on(ITEM(self, TOLD_ONCE), c, av);
            }
        }
    }
    go_on(ITEM(self, LONG_WAY), c, av);
}

static C_word make_sender(C_word **room, int arguments, C_word long_way,
                          C_word socket, C_word message, C_word told_once)
{
    (void)arguments;
    return C_closure(room, 5, (C_word)send_short, long_way, socket, message,
                     told_once);
}
")
(define-inline (sender long-way told-once)
  (##core#inline_allocate ("make_sender" 6)
   long-way 'zmq-socket 'zmq-message told-once))

;; (receive-message socket) and (receive-message socket as: 'string), or one of
;; the other symbols.  Without as:, the parameter need not be asked before it
;; was set for the first time.
;;
;; Room for what is small is made first, so that the kernel can let go of it at
;; once.  What is larger waits there while room is made, and the procedure
;; begins anew; where the nursery is too small for it, the long way is taken.
(foreign-declare "
enum { SMALL = 1024 };

static bool parameter_set = false;

/* Whether a collection may make room in the nursery: not if the one before has
 * not, where the nursery is small. */
static bool collected = false;
static bool may_collect(void) { return collected = !collected; }

static size_t largest_built(bool as_message)
{
    return as_message ? LARGEST_SMALL_PART : LARGEST_IN_NURSERY;
}

static bool receives_at_once(C_word self, C_word s)
{
    return RECORD(s, ITEM(self, SOCKET_TAG)) &&
           ITEM(s, SOCKET_UNREAD) == C_SCHEME_END_OF_LIST &&
           ITEM(s, SOCKET_WAITERS) == C_SCHEME_END_OF_LIST;
}

static void receive_short(C_word c, C_word *av) C_noret;
static void receive_short(C_word c, C_word *av)
{
    C_word self = av[0], as, type = C_STRING_TYPE;
    C_word tag = 0; /* of the record around the bytes */
    if (!C_demand(C_calculate_demand(C_bytestowords(SMALL) + 1 + RECORD_WORDS, c, 2)))
        C_save_and_reclaim((void *)receive_short, c, av);
    if (c == 5 && av[3] == ITEM(self, AS_KEYWORD)) as = av[4];
    else if (c != 3) go_on(ITEM(self, LONG_WAY), c, av);
    else if (parameter_set) go_on(ITEM(self, DEFAULT_WAY), c, av);
    else as = ITEM(self, AS_MESSAGE);

    if (as == ITEM(self, AS_STRING)) tag = 0;
    else if (as == ITEM(self, AS_MESSAGE)) tag = ITEM(self, MESSAGE_TAG);
    else if (as == ITEM(self, AS_BLOB)) type = C_BYTEVECTOR_TYPE;
    else if (as == ITEM(self, AS_U8VECTOR)) type = C_BYTEVECTOR_TYPE, tag = as;
    else go_on(ITEM(self, LONG_WAY), c, av);

    if (!receives_at_once(self, av[2])) go_on(ITEM(self, LONG_WAY), c, av);
    if (ITEM(av[2], SOCKET_HANDLE) == sleeper && !C_truep(ITEM(self, TRY)))
        go_on(ITEM(self, WAITING_WAY), c, av);
    sz_part part;
    int parts = sz_receive_part(SOCKET(ITEM(av[2], SOCKET_HANDLE)), SMALL, &part);
    if (parts == SZ_EAGAIN) go_on(ITEM(self, WAITING_WAY), c, av);
    if (parts != 1) go_on(ITEM(self, LONG_WAY), c, av);
    C_word words = (C_word)C_bytestowords(part.size) + 1 + RECORD_WORDS;
    if (part.size > SMALL) {
        if (part.size > largest_built(tag == ITEM(self, MESSAGE_TAG)))
            go_on(ITEM(self, LONG_WAY), c, av);
        if (!C_demand(C_calculate_demand(words, c, 2))) {
            if (may_collect()) C_save_and_reclaim((void *)receive_short, c, av);
            go_on(ITEM(self, LONG_WAY), c, av);
        }
        collected = false;
    }
    C_word *room = C_alloc(words);
    C_word made = build_bytes(&room, type, part.data, part.size);
    if (part.size > SMALL) sz_release(SOCKET(ITEM(av[2], SOCKET_HANDLE)));
    if (tag != 0) made = C_a_i_record2(&room, 2, tag, made);
    C_kontinue(av[1], made);
}

static C_word make_receiver(C_word **room, int arguments, C_word long_way,
                            C_word socket, C_word record, C_word default_way,
                            C_word waiting_way, C_word as, C_word string, C_word message,
                            C_word blob, C_word u8vector, C_word try)
{
    (void)arguments;
    return C_closure(room, 12, (C_word)receive_short, long_way, socket, record,
                     default_way, waiting_way, as, string, message, blob, u8vector, try);
}
")
(define-inline (receiver long-way default-way waiting-way try)
  (##core#inline_allocate ("make_receiver" 13)
   long-way 'zmq-socket 'zmq-message default-way waiting-way
   #:as 'string 'message 'blob 'u8vector try))

(define-foreign %parameter-set! void () "parameter_set = true;")
