/* Closed sockets that may still hold messages, kept so that sz_exit can name
 * what was not delivered.  The context owns them, under its lock.  A record is
 * made with its socket, so that closing a socket needs no memory. */
#ifndef SZI_LINGERING_H
#define SZI_LINGERING_H

#include "endpoint.h"
#include "ipc.h"
#include "list.h"

#include <stdatomic.h>

#pragma GCC visibility push(hidden)

typedef struct {
    szi_link link;
    const sz_type *type;
    szi_list endpoints;
    int fd;
    int64_t fd_id; /* of `fd`, or -1 if it could not be read */
    int linger;
    int64_t end; /* of the linger, if `draining`; -1 for none */
    szi_ipc ipc;
    atomic_bool draining; /* linger.c has the socket */
    atomic_bool kept;     /* sz_exit bounds the time instead of the linger */
} szi_closed;

typedef struct {
    szi_list sockets;
    int count, limit;
} szi_lingering;

/* Whether libzmq has not freed the socket yet. */
bool szi_closed_open(const szi_closed *closed);

/* Whether libzmq or the kernel may still hold messages of the socket. */
bool szi_closed_lingers(const szi_closed *closed);
void szi_closed_free(szi_closed *closed);

void szi_lingering_add(szi_lingering *lingering, szi_closed *closed);

/* Frees the records of all sockets that hold no messages, or of all. */
void szi_lingering_forget(szi_lingering *lingering, bool all);

#pragma GCC visibility pop

#endif
