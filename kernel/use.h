/* Using a socket: everything that must follow a call that may consume the edge
 * of the socket's descriptor.  It sits above watch, wire and swap_socket,
 * whose users call it. */
#ifndef SZI_USE_H
#define SZI_USE_H

#include "socket.h"
#include "watch.h"

#pragma GCC visibility push(hidden)

/* Tells the watches and the swap of a socket; szi_socket_touched is its inline
 * front. */
void szi_socket_tell(szi_socket *socket);

/* After any call that may consume the edge call szi_socket_touched(); if the
 * last thing done was reading ZMQ_EVENTS, call szi_socket_settled(events),
 * where `events` may be an error. */
static inline void szi_socket_touched(szi_socket *socket)
{
    socket->armed = 0;
    if (socket->watches.first != NULL || socket->swap != NULL)
        szi_socket_tell(socket);
}

static inline void szi_socket_settled(szi_socket *socket, int events)
{
    if (socket->swap != NULL)
        szi_socket_touched(socket);
    else if (socket->watches.first != NULL)
        szi_watches_settled(socket, events);
}

/* The events of a socket as its user sees them.  If it has a swap, some of
 * what waits there is moved to libzmq. */
int szi_socket_state(szi_socket *socket);

/* sz_socket_wait of a socket that has a swap. */
int szi_socket_await(szi_socket *socket, int events, int timeout);

#pragma GCC visibility pop

#endif
