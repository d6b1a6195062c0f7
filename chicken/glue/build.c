#include "build.h"

size_t szg_words_to_build(sz_socket socket, int parts, shape as)
{
    const void *data;
    size_t size, words = 0;
    for (int i = 0; i < parts; i++) {
        sz_received(socket, (size_t)i, &data, &size);
        if (size > largest_built(as))
            return 0;
        words += C_bytestowords(size) + AROUND;
    }
    return words;
}

C_word szg_build_parts(C_word **room, sz_socket socket, int parts, shape as)
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

void szg_receive_held(C_word c, C_word *av)
{
    sz_socket socket = SOCKET(av[2]);
    shape as = {C_truep(av[3]) ? C_BYTEVECTOR_TYPE : C_STRING_TYPE, av[4]};
    int parts = sz_receive_held(socket);
    if (parts < 0)
        C_kontinue(av[1], C_fix(parts));
    size_t words = szg_words_to_build(socket, parts, as);
    if (words == 0 || !C_demand(C_calculate_demand((C_word)words, c, 2)))
        C_kontinue(av[1], C_SCHEME_FALSE);
    C_word *room = C_alloc(words);
    C_kontinue(av[1], szg_build_parts(&room, socket, parts, as));
}

void szg_small_copy(C_word c, C_word *av)
{
    size_t size = C_header_size(av[2]);
    size_t words = C_bytestowords(size) + AROUND;
    if (!C_demand(C_calculate_demand((C_word)words, c, 2)))
        C_kontinue(av[1], C_SCHEME_FALSE);
    C_word *room = C_alloc(words);
    shape string = {C_STRING_TYPE, C_SCHEME_FALSE};
    C_kontinue(av[1], build(&room, string, C_data_pointer(av[2]), size));
}

C_word szg_blob_to_string(C_word blob)
{
    C_block_header(blob) = (C_header)C_STRING_TYPE | C_header_size(blob);
    return blob;
}

C_word szg_fill(C_word to, const void *from)
{
    memcpy(C_data_pointer(to), from, C_header_size(to));
    return to;
}
