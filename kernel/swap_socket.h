/* The swap in front of a socket.  Messages that libzmq does not take wait
 * there and leave in order.  The socket owns it and its thread calls these
 * functions.  The linger unit empties the swap of a closed socket; swap_option
 * sets it up. */
#ifndef SZI_SWAP_SOCKET_H
#define SZI_SWAP_SOCKET_H

#include "message.h"
#include "socket.h"
#include "swap.h"

#pragma GCC visibility push(hidden)

struct szi_swap_socket {
    szi_swap *queue;
    uint64_t size, dropped;
    int64_t tried; /* when libzmq refused a message; 0 if it took one since */
    int64_t idle;  /* since when it is empty with space to return, or 0 */
    int pause;     /* milliseconds: of a publisher, see szi_swap_socket_next */
    bool disk_full;
    bool unreported; /* messages were lost and no send has returned it */
    /* The message at the front, as far as it is made. */
    zmq_msg_t *parts;
    size_t room, made, filled; /* parts, parts, bytes of the last part made */
    bool whole;
};

enum {
    SZI_SLICE_MESSAGES = 256 /* that one pump moves at most */
};

static inline bool szi_swap_socket_empty(const szi_swap_socket *swap)
{
    return szi_swap_count(swap->queue) == 0;
}

/* Whether messages wait in the socket's swap, if it has one. */
static inline bool szi_swap_socket_waits(const szi_socket *socket)
{
    return socket->swap != NULL && !szi_swap_socket_empty(socket->swap);
}

/* A publisher's SZ_OUT is always set and says nothing about its peers. */
static inline bool szi_publishes(const szi_socket *socket)
{
    return socket->type->number == ZMQ_PUB || socket->type->number == ZMQ_XPUB;
}

/* sz_send and szi_send_made of a socket that has a swap. */
int szi_swap_socket_send(szi_socket *socket, const sz_part *parts,
                         size_t count);
int szi_swap_socket_send_made(szi_socket *socket, zmq_msg_t *made,
                              size_t count);

/* Moves messages to libzmq for at most `time` microseconds: 0 if none is left,
 * SZ_EAGAIN if libzmq takes no more, SZ_EINTR if the time or number is used
 * up, or an error. */
int szi_swap_socket_pump(szi_socket *socket, int messages, int64_t time);

/* Moves a few messages and tells the watches. */
void szi_swap_socket_nudge(szi_socket *socket);

/* When to pump again after SZ_EAGAIN. */
int64_t szi_swap_socket_next(szi_socket *socket);

/* The events that the user of a socket sees; `events` are those of libzmq. */
int szi_swap_socket_events(szi_socket *socket, int events);

void szi_swap_socket_free(szi_socket *socket);

#pragma GCC visibility pop

#endif
