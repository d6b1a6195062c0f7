/* Using a socket: telling its watches, its events, and waiting for them. */

#include "use.h"
#include "clock.h"
#include "error.h"
#include "swap_socket.h"

#include <errno.h>

void szi_socket_tell(szi_socket *socket)
{
    szi_watches_touched(socket);
    if (socket->swap != NULL)
        szi_swap_socket_nudge(socket);
}

int szi_socket_state(szi_socket *socket)
{
    if (socket->swap != NULL)
        szi_swap_socket_nudge(socket);
    int events = szi_socket_events(socket);
    return socket->swap == NULL || events < 0
               ? events
               : szi_swap_socket_events(socket, events);
}

int sz_socket_events(sz_socket handle)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL)
        return szi_socket_refuse(handle);
    int events = szi_socket_state(socket);
    szi_socket_settled(socket, events);
    return events;
}

/* A swap of a socket may have to be pumped without an edge, so the events are
 * read every few milliseconds. */
int szi_socket_await(szi_socket *socket, int events, int timeout)
{
    enum {
        LOOK = 10
    };
    int64_t end = timeout >= 0 ? sz_now() + timeout : INT64_MAX;
    for (;;) {
        int state = szi_socket_state(socket);
        if (state < 0 || (state & events) != 0)
            return state < 0 ? state : state & events;
        int64_t left = end - sz_now();
        if (left <= 0)
            return SZ_EAGAIN;
        int code = sz_wait(socket->fd, left < LOOK ? (int)left : LOOK);
        if (code != 0 && code != SZ_EAGAIN)
            return code;
    }
}

int sz_socket_wait(sz_socket handle, int events, int timeout)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL)
        return szi_socket_refuse(handle);
    if (events & SZ_IN && szi_put_back(socket))
        return SZ_IN;
    if (socket->swap != NULL)
        return szi_socket_await(socket, events, timeout);
    zmq_pollitem_t item = {.socket = socket->zmq, .events = (short)events};
    int n;
    do
        n = zmq_poll(&item, 1, timeout);
    while (n < 0 && zmq_errno() == EINTR && timeout == 0);
    int code = n < 0 ? szi_last_error() : n == 0 ? SZ_EAGAIN : item.revents;
    szi_socket_touched(socket);
    return code;
}
