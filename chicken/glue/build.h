/* Building strings, blobs and messages from bytes that the kernel holds. Objects are built in
 * the nursery, in room that the caller has set aside with C_alloc; what is too large for it
 * stays in the kernel behind a handle. */
#ifndef GLUE_BUILD_H
#define GLUE_BUILD_H

#include "room.h"
#include "word.h"

enum {
    /* A part received as a message that is larger stays in libzmq's buffer: up to this size a
     * copy in the nursery costs less than a handle and its finalizer. */
    LARGEST_SMALL_PART = 65536,
    /* Words of the record around the bytes, and of all that is around those of one element of a
     * list: header, record, pair. */
    RECORD_WORDS = 3,
    AROUND = 1 + RECORD_WORDS + C_SIZEOF_PAIR
};

/* What a part is built as: its type, the tag of a record around it, or #f, and whether only a small
 * one is built. */
typedef struct {
    C_word type, tag;
    bool only_small;
} shape;

/* A string, blob or u8vector is a copy anyway, and that costs least in the nursery. */
static inline bool is_built(shape as, size_t size)
{
    return as.only_small ? size <= LARGEST_SMALL_PART : fits_nursery(size);
}

static inline __attribute__((always_inline)) C_word build(C_word **room, shape as, const void *data,
                                                          size_t size)
{
    C_word made = (C_word)*room;
    C_block_header(made) = (C_header)as.type | size;
    memcpy(C_data_pointer(made), data, size);
    *room += 1 + C_bytestowords(size);
    return C_truep(as.tag) ? C_a_i_record2(room, 2, as.tag, made) : made;
}

/* The message that the kernel holds, and its first parts. It is static, as CHICKEN has one thread
 * and what is on its stack takes room from the nursery. */
typedef struct {
    sz_socket socket;
    int count;
    sz_part few[FEW_PARTS];
} held_parts;

static inline void part_at(const held_parts *held, int i, const void **data, size_t *size)
{
    if (i < FEW_PARTS) {
        *data = held->few[i].data;
        *size = held->few[i].size;
    } else {
        sz_received(held->socket, (size_t)i, data, size);
    }
}

/* Finds the parts: how many words they take, or 0 if one of them is too large. */
static inline size_t find_parts(held_parts *held, shape as)
{
    size_t words = 0;
    for (int i = 0; i < held->count; i++) {
        const void *data;
        size_t size;
        sz_received(held->socket, (size_t)i, &data, &size);
        if (!is_built(as, size))
            return 0;
        words += C_bytestowords(size) + AROUND;
        if (i < FEW_PARTS)
            held->few[i] = (sz_part){data, size, {0}};
    }
    return words;
}

/* Builds a list of them, and releases the message. */
static inline C_word build_parts(C_word **room, const held_parts *held, shape as)
{
    C_word result = C_SCHEME_END_OF_LIST;
    for (int i = held->count - 1; i >= 0; i--) {
        const void *data = NULL;
        size_t size = 0;
        part_at(held, i, &data, &size);
        C_word made = build(room, as, data, size);
        result = C_a_pair(room, made, result);
    }
    sz_release(held->socket);
    return result;
}

/* (receive-held socket as-blob only-small), of CHICKEN's calling convention: receives a message, or
 * finds again the one that the kernel holds, and builds its only part or a list of its parts.  #f
 * if it is too large, or the nursery has no room; the kernel then goes on holding it.  A fixnum is
 * an error. */
static inline void szg_receive_held(C_word c, C_word *av)
{
    static held_parts held;
    shape as = {C_truep(av[3]) ? C_BYTEVECTOR_TYPE : C_STRING_TYPE, C_SCHEME_FALSE, C_truep(av[4])};
    held.socket = SOCKET(av[2]);
    held.count = sz_receive_held(held.socket);
    if (held.count < 0)
        C_kontinue(av[1], C_fix(held.count));
    size_t words = find_parts(&held, as);
    if (words == 0 || !fits_nursery(C_wordstobytes(words)))
        C_kontinue(av[1], C_SCHEME_FALSE);
    found_room found = look_for_room(words, c);
    if (found == COLLECT_FIRST)
        C_save_and_reclaim((void *)szg_receive_held, (int)c, av);
    if (found == NO_ROOM)
        C_kontinue(av[1], C_SCHEME_FALSE);
    C_word *room = C_alloc(words);
    C_word parts = build_parts(&room, &held, as);
    C_kontinue(av[1], held.count == 1 ? C_u_i_car(parts) : parts);
}

/* (small-copy bytes), likewise: a string with the bytes, or #f if the nursery has no room. */
static inline void szg_small_copy(C_word c, C_word *av)
{
    size_t size = C_header_size(av[2]);
    size_t words = C_bytestowords(size) + AROUND;
    if (!C_demand(C_calculate_demand((C_word)words, c, 2)))
        C_kontinue(av[1], C_SCHEME_FALSE);
    C_word *room = C_alloc(words);
    shape string = {C_STRING_TYPE, C_SCHEME_FALSE, true};
    C_kontinue(av[1], build(&room, string, C_data_pointer(av[2]), size));
}

/* Makes a blob a string in place. */
static inline C_word szg_blob_to_string(C_word blob)
{
    C_block_header(blob) = (C_header)C_STRING_TYPE | C_header_size(blob);
    return blob;
}

/* Fills a string or blob with the bytes at `from`, and returns it. */
static inline C_word szg_fill(C_word to, const void *from)
{
    memcpy(C_data_pointer(to), from, C_header_size(to));
    return to;
}

#endif
