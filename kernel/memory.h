/* Memory of the kernel, behind the two functions that sz_set_allocator
 * replaces.  Any unit may call this from any thread; nothing here is
 * locked. */
#ifndef SZI_MEMORY_H
#define SZI_MEMORY_H

#include "szmq.h"

#pragma GCC visibility push(hidden)

/* realloc and free.  szi_new returns zeroed memory.  All return NULL when
 * memory runs out. */
void *szi_resize(void *old, size_t size);
void *szi_new(size_t size);
void szi_free(void *block);

/* A copy of `length` bytes with a NUL behind them. */
char *szi_copy_text(const char *text, size_t length);

/* An array of `count` items of `size` bytes: `few`, an array of the caller
 * with room for `room` of them, if they fit, else a new block, or NULL.
 * szi_array_free takes both back. */
static inline void *szi_array(void *few, size_t room, size_t count,
                              size_t size)
{
    if (count <= room)
        return few;
    return count <= SIZE_MAX / size ? szi_resize(NULL, count * size) : NULL;
}

static inline void szi_array_free(void *array, void *few)
{
    if (array != few)
        szi_free(array);
}

#pragma GCC visibility pop

#endif
