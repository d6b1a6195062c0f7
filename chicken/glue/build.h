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

/* How many words the parts of the message that the kernel holds take, or 0 if one of them is too
 * large. */
static inline size_t szg_words_to_build(sz_socket socket, int parts, shape as)
{
    const void *data;
    size_t size, words = 0;
    for (int i = 0; i < parts; i++) {
        sz_received(socket, (size_t)i, &data, &size);
        if (!is_built(as, size))
            return 0;
        words += C_bytestowords(size) + AROUND;
    }
    return words;
}

/* Builds them, the only part or a list of the parts, and releases the message. */
static inline C_word szg_build_parts(C_word **room, sz_socket socket, int parts, shape as)
{
    C_word result = C_SCHEME_END_OF_LIST;
    for (int i = parts - 1; i >= 0; i--) {
        const void *data = NULL;
        size_t size = 0;
        sz_received(socket, (size_t)i, &data, &size);
        C_word made = build(room, as, data, size);
        result = parts == 1 ? made : C_a_pair(room, made, result);
    }
    sz_release(socket);
    return result;
}

/* (receive-held socket as-blob tag only-small), of CHICKEN's calling convention: receives a
 * message, or finds again the one that the kernel holds, and builds it.  #f if it is too large, or
 * the nursery has no room; the kernel then goes on holding it.  A fixnum is an error. */
static inline void szg_receive_held(C_word c, C_word *av)
{
    sz_socket socket = SOCKET(av[2]);
    shape as = {C_truep(av[3]) ? C_BYTEVECTOR_TYPE : C_STRING_TYPE, av[4], C_truep(av[5])};
    int parts = sz_receive_held(socket);
    if (parts < 0)
        C_kontinue(av[1], C_fix(parts));
    size_t words = szg_words_to_build(socket, parts, as);
    if (words == 0 || !fits_nursery(C_wordstobytes(words)))
        C_kontinue(av[1], C_SCHEME_FALSE);
    if (!C_demand(C_calculate_demand((C_word)words, c, 2))) {
        if (may_collect(words))
            C_save_and_reclaim((void *)szg_receive_held, (int)c, av);
        C_kontinue(av[1], C_SCHEME_FALSE);
    }
    collected = false;
    C_word *room = C_alloc(words);
    C_kontinue(av[1], szg_build_parts(&room, socket, parts, as));
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
