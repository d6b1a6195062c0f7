/* How CHICKEN lays out the objects that the glue reads and builds, and how they stand for the
 * kernel's. A handle of the kernel is a fixnum; a call that makes one answers the handle or a
 * negative sz_error. The bytes of strings and blobs are passed to the kernel where they are: the
 * collector moves them, so a pointer to them is valid during one call only. */
#ifndef GLUE_WORD_H
#define GLUE_WORD_H

#include <chicken.h>
#include "szmq.h"

#define HANDLE(kind, word) ((kind){(uint64_t)C_unfix(word)})
#define CONTEXT(word) HANDLE(sz_context, word)
#define SOCKET(word) HANDLE(sz_socket, word)
#define MESSAGE(word) HANDLE(sz_message, word)
#define POLLER(word) HANDLE(sz_poller, word)
#define MONITOR(word) HANDLE(sz_monitor, word)
#define TAG(word) (uint64_t) C_unfix(word)
/* A call that makes an object and sets `made`: its handle, or the error. */
#define MADE(kind, call)                                                                           \
    ({                                                                                             \
        kind made;                                                                                 \
        int code = (call);                                                                         \
        C_fix(code < 0 ? code : (C_word)made.id);                                                  \
    })
/* The same for an object that a record owns: stores the handle in the record and returns 0, or the
 * error.  A signal handler can leave between two calls of C, and the finalizer of the record frees
 * what the first one has made. */
#define OWNED(kind, record, call)                                                                  \
    ({                                                                                             \
        kind made;                                                                                 \
        int code = (call);                                                                         \
        if (code >= 0)                                                                             \
            ITEM(record, HANDLE_FIELD) = C_fix((C_word)made.id);                                   \
        code;                                                                                      \
    })
#define TEXT(string) (const char *)C_data_pointer(string), (size_t)C_header_size(string)

#define ITEM(block, place) C_block_item(block, place)

/* C_header_bits(x) == type, in fewer instructions. */
#define IS(x, type) (!C_immediatep(x) && (C_uword)C_block_header(x) >> 56 == (C_uword)(type) >> 56)
#define HAS_BYTES(x) (IS(x, C_STRING_TYPE) || IS(x, C_BYTEVECTOR_TYPE))
#define RECORD(x, tag) (IS(x, C_STRUCTURE_TYPE) && ITEM(x, 0) == (tag))

enum {
    FEW_PARTS = 16 /* parts of a message for which room is set aside */
};

/* The field of each record that owns an object of the kernel. */
enum {
    HANDLE_FIELD = 1
};

/* The fields of a socket and of a queue that the glue reads: see chicken/record.scm and
 * chicken/queue.scm. */
enum {
    SOCKET_HANDLE = HANDLE_FIELD,
    SOCKET_QUEUE = 4,
    SOCKET_STAGED,
    SOCKET_UNREAD
};
enum {
    QUEUE_WAITERS = 2
};
enum {
    WAITER_WOKEN = 4
};

static inline bool nobody_waits(C_word socket)
{
    return ITEM(ITEM(socket, SOCKET_QUEUE), QUEUE_WAITERS) == C_SCHEME_END_OF_LIST;
}

/* Calls a procedure with the arguments that this one was called with. */
static inline void tail_call(C_word procedure, C_word c, C_word *av) C_noret;
static inline void tail_call(C_word procedure, C_word c, C_word *av)
{
    av[0] = procedure;
    ((C_proc)(void *)ITEM(procedure, 0))(c, av);
}

/* What send-message and receive-message are closed over: the procedure that does what their fast
 * path cannot, the tags of records, and more. */
enum {
    GENERAL = 1,
    SOCKET_TAG,
    MESSAGE_TAG,
    SEND_REPORT
};

/* Both end with the last item of the general procedure, in which CHICKEN looks for the name. */
static inline C_word last_item(C_word procedure)
{
    return ITEM(procedure, C_header_size(procedure) - 1);
}

/* Whether the fast paths are taken: not while the trace is on. */
static bool szg_fast = true;

#endif
