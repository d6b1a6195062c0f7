/* The linger of a socket whose swap holds messages: a thread sends them after
 * the socket was closed. */
#ifndef SZI_LINGER_H
#define SZI_LINGER_H

#include "socket.h"

#pragma GCC visibility push(hidden)

/* The socket, which has a swap, is being closed.  True if a thread has taken
 * it over: it frees the socket when the swap is empty or the linger over. Else
 * the swap is gone. */
bool szi_linger(szi_socket *socket);

#pragma GCC visibility pop

#endif
