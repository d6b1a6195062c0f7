/* Several parts in one run of bytes, of which a peer decides. */

#include "bytes.h"

enum {
    MOST = 64
};

static size_t decode(const void *encoded, size_t size, sz_part parts[MOST],
                     int *end)
{
    size_t offset = 0, count = 0;
    const char *start = encoded;
    while (count < MOST) {
        size_t before = offset;
        const void *data = NULL;
        size_t part_size = 0;
        *end = sz_parts_decode(encoded, size, &offset, &data, &part_size);
        if (*end != 1) {
            HOLDS(*end == 0 || *end == SZ_EMALFORMED);
            HOLDS(offset == before);
            HOLDS((*end == 0) == (offset == size));
            break;
        }
        HOLDS(offset > before && offset <= size);
        HOLDS((const char *)data + part_size == start + offset);
        HOLDS((const char *)data > start + before);
        parts[count++] = (sz_part){.data = data, .size = part_size};
    }
    return count;
}

/* What was decoded is encoded to bytes that are decoded to the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sz_part parts[MOST], again[MOST];
    int end = 0, end_again = 0;
    size_t count = decode(data, size, parts, &end);
    sz_message message;
    HOLDS(sz_parts_encode(parts, count, &message) == 0);
    const void *encoded;
    size_t encoded_size;
    HOLDS(sz_message_data(message, &encoded, &encoded_size) == 0);
    HOLDS(encoded_size <= size);
    HOLDS(decode(encoded, encoded_size, again, &end_again) == count);
    HOLDS(count == MOST || end_again == 0);
    for (size_t i = 0; i < count; i++) {
        HOLDS(parts[i].size == again[i].size);
        HOLDS(parts[i].size == 0 ||
              memcmp(parts[i].data, again[i].data, parts[i].size) == 0);
    }
    sz_message_free(message);
    return 0;
}
