/* The state of one random sequence: its source of random numbers, the objects
 * that it has made, and what it tells the process that watches it.  A sequence
 * depends on its seed alone, except on what other threads do meanwhile. */
#ifndef WORLD_H
#define WORLD_H

#include "szmq.h"

#include <stdatomic.h>

enum {
    CONTEXTS = 3,
    SOCKETS = 12,
    POLLERS = 3,
    MESSAGES = 8,
    MONITORS = 3,
    STALE = 8,
    NAMES = 6,
    NAME_SIZE = 120
};

/* In memory that the watching process shares. */
typedef struct {
    atomic_ullong seed;
    atomic_ulong calls;     /* of all sequences */
    atomic_ulong sequences; /* that have ended */
    _Atomic(const char *) call;
} progress;

typedef struct {
    sz_socket handle;
    bool endless; /* its linger may be long */
} slot;

typedef struct world {
    uint64_t random;
    progress *progress;
    struct world *parent; /* of a thread: whose contexts it shares */
    bool verbose;
    bool raw; /* it has sockets that send raw bytes, and no publishers */
    const char *directory;
    sz_context contexts[CONTEXTS];
    slot sockets[SOCKETS];
    sz_poller pollers[POLLERS];
    sz_message messages[MESSAGES];
    sz_monitor monitors[MONITORS];
    uint64_t stale[STALE];
    char names[NAMES][NAME_SIZE]; /* real endpoints that were bound */
    uint64_t timer;
    int pipe[2];
} world;

/* A number below `bound`. */
uint32_t pick(world *w, uint32_t bound);

/* True once in `times`. */
static inline bool once_in(world *w, uint32_t times)
{
    return pick(w, times) == 0;
}

/* One random call. */
void random_call(world *w);

/* Closes everything; false if a context did not end. */
bool end_world(world *w);

/* Closes the objects of a thread, which leaves the contexts. */
void close_objects(world *w);

#endif
