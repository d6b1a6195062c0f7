/* The kernel's allocator: see memory.h. */

#include "memory.h"

#include <stdlib.h>
#include <string.h>

static void *(*resize_block)(void *, size_t) = realloc;
static void (*release_block)(void *) = free;

void sz_set_allocator(void *(*resize)(void *, size_t), void (*release)(void *))
{
    bool given = resize != NULL && release != NULL;
    resize_block = given ? resize : realloc;
    release_block = given ? release : free;
}

void *szi_resize(void *old, size_t size)
{
    return resize_block(old, size);
}

void *szi_new(size_t size)
{
    void *block = resize_block(NULL, size);
    if (block != NULL)
        memset(block, 0, size);
    return block;
}

void szi_free(void *block)
{
    if (block != NULL)
        release_block(block);
}

char *szi_copy_text(const char *text, size_t length)
{
    char *copy = resize_block(NULL, length + 1);
    if (copy != NULL) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}
