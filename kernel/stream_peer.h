/* The peers of a STREAM, as far as needed to tell one that has gone from one
 * that is full.  libzmq refuses messages for both in the same way for as long
 * as input of the first is unread.  transfer tells this unit what was sent and
 * received; lifetime frees what it keeps. */
#ifndef SZI_STREAM_PEER_H
#define SZI_STREAM_PEER_H

#include "socket.h"

#pragma GCC visibility push(hidden)

/* The peer of this name, known from now on; NULL if memory runs out.  The
 * pointer is valid until the next call of this unit. */
szi_peer *szi_peer_find(szi_socket *socket, const void *name, size_t size);

/* After receiving a message: its first part names a peer. */
void szi_peer_heard(szi_socket *socket, zmq_msg_t *name);

/* After an attempt to send to a peer, which ended with `code`: the code to
 * report. */
int szi_peer_tried(szi_socket *socket, szi_peer *peer, int code);

void szi_peers_free(szi_socket *socket);

#pragma GCC visibility pop

#endif
