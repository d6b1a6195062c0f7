/* Whether a PAIR has a peer already.  attach asks before it connects one. */
#ifndef SZI_PAIR_H
#define SZI_PAIR_H

#include "socket.h"

#pragma GCC visibility push(hidden)

/* 0 if libzmq would accept what the socket connects to; else SZ_EPAIRED,
 * SZ_EAGAIN if the peer is just leaving, or why that cannot be found out. */
int szi_pair_check(szi_socket *socket, const char *endpoint);

#pragma GCC visibility pop

#endif
