/* Keys in Z85 or as bytes. */

#include "bytes.h"

static void check_encoded(const char *block, size_t size)
{
    size_t place;
    char *text = malloc(size / 4 * 5 + 1), *back = malloc(size + 1);
    HOLDS(text != NULL && back != NULL);
    int code = sz_z85_encode(block, size, text);
    HOLDS(code == (size % 4 == 0 ? 0 : SZ_EZ85SIZE));
    if (code == 0) {
        HOLDS(sz_z85_decode(text, size / 4 * 5, back, &place) == 0);
        HOLDS(size == 0 || memcmp(block, back, size) == 0);
    }
    free(text);
    free(back);
}

static void check_decoded(const char *text, size_t length)
{
    size_t place = SIZE_MAX, size = length / 5 * 4;
    char *decoded = malloc(size + 1), *back = malloc(length + 1);
    HOLDS(decoded != NULL && back != NULL);
    int code = sz_z85_decode(text, length, decoded, &place);
    switch (code) {
    case 0:
        HOLDS(sz_z85_encode(decoded, size, back) == 0);
        HOLDS(length == 0 || memcmp(text, back, length) == 0);
        break;
    case SZ_EZ85LENGTH:
        HOLDS(length % 5 != 0 && place == length);
        break;
    case SZ_EZ85DIGIT:
        HOLDS(place < length);
        break;
    default:
        HOLDS(code == SZ_EZ85RANGE && place < length && place % 5 == 0);
    }
    free(decoded);
    free(back);
}

static void check_key(const char *key, size_t size)
{
    char text[SZ_KEY_TEXT + 1], again[SZ_KEY_TEXT + 1];
    size_t place;
    int code = sz_key_text(key, size, text, &place);
    HOLDS(strlen(text) == (code == 0 ? SZ_KEY_TEXT : 0));
    if (code == 0) {
        HOLDS(sz_key_text(text, SZ_KEY_TEXT, again, &place) == 0);
        HOLDS(strcmp(text, again) == 0);
    } else {
        HOLDS(size == SZ_KEY_TEXT
                  ? code == SZ_EZ85DIGIT || code == SZ_EZ85RANGE
                  : code == SZ_EKEY && size != SZ_KEY_SIZE);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader from = {data, size};
    size_t length;
    char *block = next_block(&from, 64, &length);
    check_encoded(block, length);
    check_decoded(block, length);
    check_key(block, length);
    free(block);
    return 0;
}
