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

/* Whether the call is (receiver socket) or (receiver socket as: SYMBOL), and no thread waits for
 * the socket and no part is unread. */
static inline __attribute__((always_inline)) bool is_plain_receive(C_word self, C_word c,
                                                                   const C_word *av, shape *as)
{
    bool known = c == 3 ? !szg_receive_as_set && find_shape(self, ITEM(self, AS_MESSAGE), as)
                        : c == 5 && av[3] == ITEM(self, AS_KEYWORD) && find_shape(self, av[4], as);
    return known && szg_fast && RECORD(av[2], ITEM(self, SOCKET_TAG)) &&
           ITEM(av[2], SOCKET_UNREAD) == C_SCHEME_END_OF_LIST && nobody_waits(av[2]);
}

/* A small message is built in room that was made before it was received, so the kernel has
 * released it already. A larger one waits in the kernel while room is made, and the procedure
 * starts again. */
static inline void receive_fast(C_word c, C_word *av) C_noret;
static inline void receive_fast(C_word c, C_word *av)
{
    C_word general = ITEM(av[0], GENERAL);
    shape as;
    sz_part part;
    if (!C_demand(C_calculate_demand(C_bytestowords(SMALL) + 1 + RECORD_WORDS, c, 2)))
        C_save_and_reclaim((void *)receive_fast, (int)c, av);
    if (!is_plain_receive(av[0], c, av, &as))
        tail_call(general, c, av);
    sz_socket socket = SOCKET(ITEM(av[2], SOCKET_HANDLE));
    if (sz_receive_part(socket, SMALL, &part) != 1)
        tail_call(general, c, av);
    size_t words = C_bytestowords(part.size) + 1 + RECORD_WORDS;
    if (part.size > SMALL) {
        found_room found = is_built(as, part.size) ? look_for_room(words, c) : NO_ROOM;
        if (found == COLLECT_FIRST)
            C_save_and_reclaim((void *)receive_fast, (int)c, av);
        if (found == NO_ROOM)
            tail_call(general, c, av);
    }
    C_word *room = C_alloc(words);
    C_word made = build(&room, as, part.data, part.size);
    if (part.size > SMALL)
        sz_release(socket);
    C_kontinue(av[1], made);
}

/* The same for all parts of a message, as a list. */
static inline void receive_parts_fast(C_word c, C_word *av) C_noret;
static inline void receive_parts_fast(C_word c, C_word *av)
{
    C_word general = ITEM(av[0], GENERAL);
    shape as;
    static held_parts held;
    if (!is_plain_receive(av[0], c, av, &as))
        tail_call(general, c, av);
    held.socket = SOCKET(ITEM(av[2], SOCKET_HANDLE));
    held.count = sz_receive_held(held.socket);
    size_t words = held.count > 0 ? find_parts(&held, as) : 0;
    found_room found =
        words > 0 && fits_nursery(C_wordstobytes(words)) ? look_for_room(words, c) : NO_ROOM;
    if (found == COLLECT_FIRST)
        C_save_and_reclaim((void *)receive_parts_fast, (int)c, av);
    if (found == NO_ROOM)
        tail_call(general, c, av);
    C_word *room = C_alloc(words);
    C_kontinue(av[1], build_parts(&room, &held, as));
}

/* The procedures receive-message and receive-multipart-message: their fast paths, for the calls
 * above. Any other case goes to `general` with the same arguments. */
#define MAKE_RECEIVER(code)                                                                        \
    C_closure(room, 10, (C_word)(code), general, socket_tag, message_tag, as, string, message,     \
              blob, u8vector, last_item(general))

static inline C_word szg_make_receiver(C_word **room, int arguments, C_word general,
                                       C_word socket_tag, C_word message_tag, C_word as,
                                       C_word string, C_word message, C_word blob, C_word u8vector)
{
    (void)arguments;
    return MAKE_RECEIVER(receive_fast);
}

static inline C_word szg_make_parts_receiver(C_word **room, int arguments, C_word general,
                                             C_word socket_tag, C_word message_tag, C_word as,
                                             C_word string, C_word message, C_word blob,
                                             C_word u8vector)
{
    (void)arguments;
    return MAKE_RECEIVER(receive_parts_fast);
}

/* -------------------------------------------------------------- batches -- */

enum {
    FIRST_ROOM = 512,
    LARGEST_ROOM = 4096,
    MESSAGE_ROOM = SMALL / sizeof(C_word) + AROUND,
    SPARE = 256,
    /* Two of this size are enough for a batch: more need memory that is in no cache. */
    LARGE_IN_BATCH = 131072
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

/* What the next batch may take, as the ones before did: there should be room for it, because a
 * collection in the middle of a batch copies what it has so far. In batches of 64 in one thread,
 * 4 KiB take 1.1 of raw C's time for as many, and 1.5 without. */
static size_t expected_words = 0;

static inline void expect_words(size_t words)
{
    expected_words -= expected_words / 8;
    if (expected_words < words)
        expected_words = words;
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
    size_t limit = (size_t)C_unfix(av[6]);
    batch b = {
        .max = C_unfix(av[3]),
        .as = {as_blob ? C_BYTEVECTOR_TYPE : C_STRING_TYPE, av[4], !as_blob && C_truep(av[4])},
        .list = C_SCHEME_END_OF_LIST};
    int reason = 0;
    size_t words = FIRST_ROOM;
    if (!C_demand(FIRST_ROOM + SPARE) || !C_demand((C_word)expected_words)) {
        if (fits_nursery(C_wordstobytes(expected_words)))
            fit_nursery(expected_words);
        expected_words = 0; /* so that it collects once only */
        C_save_and_reclaim((void *)szg_receive_each, (int)c, av);
    }
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
        if (b.count > 0) {
            if (!C_demand((C_word)more + SPARE)) {
                reason = 0;
                break;
            }
        } else {
            found_room found = look_for_room(more + SPARE, c);
            if (found == COLLECT_FIRST)
                C_save_and_reclaim((void *)szg_receive_each, (int)c, av);
            if (found == NO_ROOM)
                break;
        }
        C_word *room = b.room;
        b.room = C_alloc(more);
        add_to_batch(&b, data, size);
        b.room = room;
        sz_release(socket);
        reason = 0;
        if (b.bytes >= limit || (size >= LARGE_IN_BATCH && b.bytes >= 2 * LARGE_IN_BATCH)) {
            reason = 2;
            break;
        }
    }
    if (b.count > 0)
        collected = false;
    size_t taken = C_bytestowords(b.bytes) + AROUND * (size_t)b.count + FIRST_ROOM + SPARE;
    expect_words(reason == 0 && b.count < b.max ? 2 * taken : taken);
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
