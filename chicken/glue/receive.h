/* Receiving what Scheme gets in one call of C. */
#ifndef GLUE_RECEIVE_H
#define GLUE_RECEIVE_H

#include "build.h"

#include <stdlib.h>

enum {
    SMALL = 1024 /* what room is set aside for before a message is received */
};

/* Whether the parameter zmq-receive-as was ever set: as long as it was not, the fast path need
 * not ask for it. */
static bool szg_receive_as_set = false;

enum {
    AS_KEYWORD = MESSAGE_TAG + 1,
    AS_STRING,
    AS_MESSAGE,
    AS_BLOB,
    AS_U8VECTOR
};

static inline bool find_shape(C_word self, C_word as, shape *found)
{
    *found = (shape){C_STRING_TYPE, C_SCHEME_FALSE, false};
    if (as == ITEM(self, AS_STRING))
        return true;
    if (as == ITEM(self, AS_MESSAGE)) {
        found->tag = ITEM(self, MESSAGE_TAG);
        found->only_small = true;
        return true;
    }
    found->type = C_BYTEVECTOR_TYPE;
    if (as == ITEM(self, AS_BLOB))
        return true;
    found->tag = as;
    return as == ITEM(self, AS_U8VECTOR);
}

/* A small message is built in room that was made before it was received, so the kernel has
 * released it already. A larger one waits in the kernel while room is made, and the procedure
 * starts again. */
static inline void receive_fast(C_word c, C_word *av) C_noret;
static inline void receive_fast(C_word c, C_word *av)
{
    C_word self = av[0], s = av[2];
    shape as;
    sz_part part;
    if (!C_demand(C_calculate_demand(C_bytestowords(SMALL) + 1 + RECORD_WORDS, c, 2)))
        C_save_and_reclaim((void *)receive_fast, (int)c, av);
    bool known = c == 3 ? !szg_receive_as_set && find_shape(self, ITEM(self, AS_MESSAGE), &as)
                        : c == 5 && av[3] == ITEM(self, AS_KEYWORD) && find_shape(self, av[4], &as);
    if (!known || !RECORD(s, ITEM(self, SOCKET_TAG)) ||
        ITEM(s, SOCKET_UNREAD) != C_SCHEME_END_OF_LIST || !nobody_waits(s))
        tail_call(ITEM(self, GENERAL), c, av);
    sz_socket socket = SOCKET(ITEM(s, SOCKET_HANDLE));
    if (sz_receive_part(socket, SMALL, &part) != 1)
        tail_call(ITEM(self, GENERAL), c, av);
    size_t words = C_bytestowords(part.size) + 1 + RECORD_WORDS;
    if (part.size > SMALL) {
        if (!is_built(as, part.size))
            tail_call(ITEM(self, GENERAL), c, av);
        if (!C_demand(C_calculate_demand((C_word)words, c, 2))) {
            if (may_collect(words))
                C_save_and_reclaim((void *)receive_fast, (int)c, av);
            tail_call(ITEM(self, GENERAL), c, av);
        }
        collected = false;
    }
    C_word *room = C_alloc(words);
    C_word made = build(&room, as, part.data, part.size);
    if (part.size > SMALL)
        sz_release(socket);
    C_kontinue(av[1], made);
}

/* The procedure receive-message: the fast path for (receive-message socket) and (receive-message
 * socket as: SYMBOL), where no thread waits for the socket and no part is unread. It builds a
 * message of one part; any other case goes to `general` with the same arguments. */
static inline C_word szg_make_receiver(C_word **room, int arguments, C_word general,
                                       C_word socket_tag, C_word message_tag, C_word as,
                                       C_word string, C_word message, C_word blob, C_word u8vector)
{
    (void)arguments;
    return C_closure(room, 10, (C_word)receive_fast, general, socket_tag, message_tag, as, string,
                     message, blob, u8vector, last_item(general));
}

/* Whether the procedure takes the fast path, as it does at first. */
static inline void szg_receive_fast(C_word receiver, bool fast)
{
    ITEM(receiver, 0) = (C_word)(fast ? receive_fast : call_general);
}

/* -------------------------------------------------------------- batches -- */

enum {
    FIRST_ROOM = 512,
    LARGEST_ROOM = 4096,
    MESSAGE_ROOM = SMALL / sizeof(C_word) + AROUND,
    SPARE = 256,
    /* From this size on the length of a batch matters: what a collection finds of it is copied
     * into the heap. */
    LARGE_IN_BATCH = 4096
};

typedef struct {
    C_word *room, *end; /* where the next message is built */
    C_word list, *tail;
    C_word count, max;
    shape as;
    size_t bytes;
} batch;

static inline void add_to_batch(batch *b, const void *data, size_t size)
{
    C_word made = build(&b->room, b->as, data, size);
    C_word pair = C_a_pair(&b->room, made, C_SCHEME_END_OF_LIST);
    *b->tail = pair;
    b->tail = &C_u_i_cdr(pair);
    b->bytes += size;
    b->count++;
}

static inline bool take_small(void *argument, const void *data, size_t size)
{
    batch *b = argument;
    add_to_batch(b, data, size);
    return b->count < b->max && b->end - b->room >= MESSAGE_ROOM;
}

/* (receive-each socket max tag as-blob limit): builds messages of one part while there are some
 * and the nursery has room. A list of at most `max` of them, preceded by three numbers: an error;
 * 0 if the nursery is full; 1 if the next message, which the kernel then holds, is too large or
 * has several parts; 2 if the last message is large and they have `limit` bytes; how many there
 * are; their bytes. */
static inline void szg_receive_each(C_word c, C_word *av)
{
    sz_socket socket = SOCKET(av[2]);
    bool as_blob = C_truep(av[5]);
    C_word limit = C_unfix(av[6]);
    batch b = {
        .max = C_unfix(av[3]),
        .as = {as_blob ? C_BYTEVECTOR_TYPE : C_STRING_TYPE, av[4], !as_blob && C_truep(av[4])},
        .list = C_SCHEME_END_OF_LIST};
    int reason = 0;
    size_t words = FIRST_ROOM;
    if (!C_demand(FIRST_ROOM + SPARE))
        C_save_and_reclaim((void *)szg_receive_each, (int)c, av);
    b.tail = &b.list;
    while (b.count < b.max) {
        const void *data;
        size_t size;
        if (b.end - b.room < MESSAGE_ROOM) {
            if (!C_demand((C_word)words + SPARE))
                break;
            b.room = C_alloc(words);
            b.end = b.room + words;
            if (words < LARGEST_ROOM)
                words *= 2;
        }
        reason = sz_receive_each(socket, SMALL, take_small, &b);
        if (reason == 0)
            continue;
        if (reason != 1) {
            reason = reason < 0 ? reason : 1;
            break;
        }
        sz_received(socket, 0, &data, &size);
        if (!is_built(b.as, size))
            break;
        size_t more = C_bytestowords(size) + AROUND;
        if (!C_demand((C_word)more + SPARE)) {
            reason = 0;
            if (b.count > 0)
                break;
            if (may_collect(more))
                C_save_and_reclaim((void *)szg_receive_each, (int)c, av);
            reason = 1;
            break;
        }
        C_word *room = b.room;
        b.room = C_alloc(more);
        add_to_batch(&b, data, size);
        b.room = room;
        sz_release(socket);
        reason = 0;
        if (size >= LARGE_IN_BATCH && (C_word)b.bytes >= limit) {
            reason = 2;
            break;
        }
    }
    if (b.count > 0)
        collected = false;
    C_word *room = C_alloc(3 * C_SIZEOF_PAIR);
    C_word list = C_a_pair(&room, C_fix((C_word)b.bytes), b.list);
    list = C_a_pair(&room, C_fix(b.count), list);
    C_kontinue(av[1], C_a_pair(&room, C_fix(reason), list));
}

/* -------------------------------------------------------------- handles -- */

/* Takes the parts of the message that the kernel holds as handles, into the vector. SZ_ENOENT if
 * their number is not `count`. */
static inline int szg_take_parts(C_word socket, C_word handles, int count)
{
    sz_message few[16], *made = few;
    if (count > 16)
        made = malloc((size_t)count * sizeof *made);
    if (made == NULL)
        return SZ_ENOMEM;
    int code = sz_take_all(SOCKET(socket), made, (size_t)count);
    for (int i = 0; i < count && code == 0; i++)
        C_set_block_item(handles, i, C_fix((C_word)made[i].id));
    if (made != few)
        free(made);
    return code;
}

/* The bytes of all parts of the message that the kernel holds. */
static inline int64_t szg_held_bytes(C_word socket)
{
    const void *data;
    size_t size, total = 0;
    int parts = sz_receive_held(SOCKET(socket));
    for (int i = 0; i < parts; i++)
        if (sz_received(SOCKET(socket), (size_t)i, &data, &size) == 0)
            total += size;
    return (int64_t)total;
}

#endif
