/* What fuzzers of one parser share.  libFuzzer or replay.c calls
 * LLVMFuzzerTestOneInput with bytes of any kind. */
#ifndef BYTES_H
#define BYTES_H

#include "szmq.h"

#include <stdlib.h>
#include <string.h>

#define HOLDS(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    const uint8_t *at;
    size_t left;
} reader;

/* The next byte; 0 at the end. */
static inline unsigned next_byte(reader *from)
{
    if (from->left == 0)
        return 0;
    from->left--;
    return *from->at++;
}

/* The next bytes, at most `most`, in a block of just that size, so that a
 * read beyond them is found.  The caller frees it. */
static inline char *next_block(reader *from, size_t most, size_t *size)
{
    *size = from->left < most ? from->left : most;
    char *block = malloc(*size);
    HOLDS(block != NULL || *size == 0);
    if (*size > 0)
        memcpy(block, from->at, *size);
    from->at += *size;
    from->left -= *size;
    return block;
}

/* The same with a NUL behind it, and cut at the first one in it. */
static inline char *next_text(reader *from, size_t most)
{
    size_t size;
    char *block = next_block(from, most, &size);
    char *text = block == NULL ? strdup("") : strndup(block, size);
    HOLDS(text != NULL);
    free(block);
    return text;
}

#endif
