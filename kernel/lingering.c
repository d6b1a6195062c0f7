/* Closed sockets that may still hold messages. */

#include "lingering.h"
#include "descriptor.h"
#include "memory.h"

#include <fcntl.h>

/* libzmq closes the descriptor when the last message has left.  The number may
 * then be in use for another file; if its id is unknown, or was, it counts as
 * that of the socket. */
bool szi_closed_open(const szi_closed *closed)
{
    int64_t id = szi_descriptor_id(closed->fd);
    if (closed->fd_id < 0 || id == SZI_UNKNOWN)
        return fcntl(closed->fd, F_GETFD) != -1;
    return id == closed->fd_id;
}

bool szi_closed_lingers(const szi_closed *closed)
{
    return atomic_load(&closed->draining) || szi_closed_open(closed);
}

void szi_closed_free(szi_closed *closed)
{
    szi_endpoints_free(&closed->endpoints);
    szi_free(closed);
}

void szi_lingering_forget(szi_lingering *lingering, bool all)
{
    szi_closed *next,
        *closed = SZI_FIRST(&lingering->sockets, szi_closed, link);
    for (; closed != NULL; closed = next) {
        next = SZI_NEXT(closed, szi_closed, link);
        if (!all && szi_closed_lingers(closed))
            continue;
        szi_list_remove(&lingering->sockets, &closed->link);
        lingering->count--;
        szi_closed_free(closed);
    }
}

/* The list is searched only when it has doubled, so that closing a socket
 * takes constant time on average. */
void szi_lingering_add(szi_lingering *lingering, szi_closed *closed)
{
    enum {
        LEAST = 32
    };
    if (lingering->count >= lingering->limit) {
        szi_lingering_forget(lingering, false);
        lingering->limit = 2 * lingering->count + LEAST;
    }
    szi_list_prepend(&lingering->sockets, &closed->link);
    lingering->count++;
}
