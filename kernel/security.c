/* Keys: Z85, CURVE key pairs, and handling secrets. */

#include "error.h"

#include <string.h>

static const char digits[] =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    ".-:+=^!/*?&<>()[]{}@%$#";

enum {
    BASE = 85,
    GROUP = 5 /* characters for WORD bytes */,
    WORD = 4
};

/* The value of a character, or -1.  It always looks at every digit, so that
 * its time does not depend on the character. */
static int digit_value(char c)
{
    int value = -1;
    for (int i = 0; i < BASE; i++)
        value = digits[i] == c ? i : value;
    return c == '\0' ? -1 : value;
}

int sz_z85_encode(const void *data, size_t size, char *text)
{
    const unsigned char *bytes = data;
    if (size % WORD != 0)
        return SZ_EZ85SIZE;
    for (size_t i = 0; i < size; i += WORD, text += GROUP) {
        uint32_t word = 0;
        for (size_t j = 0; j < WORD; j++)
            word = word << 8 | bytes[i + j];
        for (int j = GROUP - 1; j >= 0; j--, word /= BASE)
            text[j] = digits[word % BASE];
    }
    return 0;
}

/* The word of a group.  On an error *place is the index of the character that
 * is wrong. */
static int decode_group(const char *text, uint32_t *word, size_t *place)
{
    uint64_t value = 0;
    for (size_t i = 0; i < GROUP; i++) {
        int digit = digit_value(text[i]);
        if (digit < 0) {
            *place += i;
            return SZ_EZ85DIGIT;
        }
        value = value * BASE + (uint64_t)digit;
    }
    if (value > UINT32_MAX)
        return SZ_EZ85RANGE;
    *word = (uint32_t)value;
    return 0;
}

int sz_z85_decode(const char *text, size_t length, void *data, size_t *place)
{
    unsigned char *bytes = data;
    *place = length;
    if (length % GROUP != 0)
        return SZ_EZ85LENGTH;
    for (size_t i = 0; i < length; i += GROUP, bytes += WORD) {
        uint32_t word = 0;
        *place = i;
        int code = decode_group(text + i, &word, place);
        if (code != 0)
            return code;
        for (int j = WORD - 1; j >= 0; j--, word >>= 8)
            bytes[j] = (unsigned char)word;
    }
    return 0;
}

int sz_key_text(const void *key, size_t size, char text[SZ_KEY_TEXT + 1],
                size_t *place)
{
    unsigned char bytes[SZ_KEY_SIZE];
    int code = 0;
    *place = 0;
    if (size == SZ_KEY_SIZE) {
        code = sz_z85_encode(key, size, text);
    } else if (size == SZ_KEY_TEXT) {
        code = sz_z85_decode(key, size, bytes, place);
        sz_wipe(bytes, sizeof bytes);
        if (code == 0)
            memcpy(text, key, size);
    } else {
        code = SZ_EKEY;
    }
    text[code == 0 ? SZ_KEY_TEXT : 0] = '\0';
    return code;
}

int sz_curve_keypair(char public_key[SZ_KEY_TEXT + 1],
                     char secret_key[SZ_KEY_TEXT + 1])
{
    if (!sz_has("curve"))
        return SZ_EUNSUPPORTED;
    return zmq_curve_keypair(public_key, secret_key) == 0 ? 0
                                                          : szi_last_error();
}

int sz_curve_public(const void *secret_key, size_t size,
                    char public_key[SZ_KEY_TEXT + 1], size_t *place)
{
    char text[SZ_KEY_TEXT + 1];
    if (!sz_has("curve"))
        return SZ_EUNSUPPORTED;
    int code = sz_key_text(secret_key, size, text, place);
    if (code == 0 && zmq_curve_public(public_key, text) != 0)
        code = szi_last_error();
    sz_wipe(text, sizeof text);
    return code;
}

bool sz_equal(const void *a, const void *b, size_t size)
{
    const volatile unsigned char *left = a, *right = b;
    unsigned char different = 0;
    for (size_t i = 0; i < size; i++)
        different = (unsigned char)(different | (left[i] ^ right[i]));
    return different == 0;
}

void sz_wipe(void *data, size_t size)
{
    volatile unsigned char *byte = data;
    while (size-- > 0)
        *byte++ = 0;
}
