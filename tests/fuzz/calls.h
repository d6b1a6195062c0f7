/* Calls of the kernel with random arguments, in tables of their own for each
 * kind of object.  A function makes one call and returns its result. */
#ifndef CALLS_H
#define CALLS_H

#include "pick.h"

#include <stdio.h>

typedef struct {
    const char *name;
    uint32_t weight;
    int (*make)(world *w);
} call;

extern const call context_calls[], socket_calls[], transfer_calls[],
    poller_calls[], table_calls[];

#define CALL(name, weight)                                                    \
    {                                                                         \
#name, weight, name                                                   \
    }

/* Says with what the call is made, if it is wanted. */
#define TELL(...)                                                             \
    do {                                                                      \
        if (w->verbose)                                                       \
            fprintf(stderr, __VA_ARGS__);                                     \
    } while (0)

static inline unsigned long long number(uint64_t id)
{
    return (unsigned long long)id;
}

/* Makes the linger of a socket, or of all, finite. */
void shorten(slot *s);
void shorten_all(world *w);

#endif
