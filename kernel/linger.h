/* The linger of a socket whose swap holds messages: a thread sends them after
 * the socket was closed. */
#ifndef SZI_LINGER_H
#define SZI_LINGER_H

#include "socket.h"

#pragma GCC visibility push(hidden)

/* The socket, which has a swap, is being closed.  If the result is true, the
 * socket is taken over, and freed when the swap is empty or the linger over.
 * Else the swap is gone. */
bool szi_linger(szi_socket *socket);

/* Starts threads for the sockets for which none could be started. */
void szi_linger_again(szi_context *context);

/* Does in this thread what one of those threads would do. */
void szi_linger_here(szi_context *context);

#pragma GCC visibility pop

#endif
