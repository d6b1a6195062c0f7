/* What the units of a socket's swap share: offload.c sends and pumps, drain.c
 * empties the swap of a socket that is closed, offload_option.c has the
 * options. */
#ifndef SZI_SWAP_SOCKET_H
#define SZI_SWAP_SOCKET_H

#include "internal.h"
#include "checksum.h"
#include "disk.h"
#include "swap.h"

#pragma GCC visibility push(hidden)

struct szi_swap_socket {
    szi_swap *queue;
    uint64_t size, dropped;
    int64_t tried; /* when libzmq took nothing last, or 0 since it did */
    int64_t idle;  /* since when it is empty with space to give back, or 0 */
    int pause;     /* of a publisher */
    bool disk_full;
    bool unreported; /* messages were lost */
    /* The message at the front, as far as it is made. */
    zmq_msg_t *parts;
    size_t room, made, filled; /* parts; bytes of the last one */
    bool whole;
};

enum {
    SZI_SLICE_MESSAGES = 256
};

static inline bool szi_swap_socket_empty(const szi_swap_socket *swap)
{
    return szi_swap_count(swap->queue) == 0;
}

/* libzmq tells who publishes that it can send whether it can or not. */
static inline bool szi_publishes(const szi_socket *socket)
{
    return socket->type->number == ZMQ_PUB || socket->type->number == ZMQ_XPUB;
}

/* Moves messages to libzmq: 0 when none is left, SZ_EAGAIN when it takes no
 * more, SZ_EINTR when there was no time for more, or why it cannot. */
int szi_swap_socket_pump(szi_socket *socket, int messages, int64_t time);

/* When to pump again where libzmq took no more. */
int64_t szi_swap_socket_next(szi_socket *socket);

void szi_swap_socket_free(szi_socket *socket);

#pragma GCC visibility pop

#endif
