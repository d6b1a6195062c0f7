/* The linger of a closed socket whose swap holds messages, or whose messages
 * over ipc are not read yet. */
#ifndef SZI_LINGER_H
#define SZI_LINGER_H

#include "socket.h"

#pragma GCC visibility push(hidden)

/* Closes libzmq's socket and frees the record, now or in a thread.  The thread
 * first sends what the swap holds, and ends when the peers have read all or
 * the linger is over.  `may_linger`: it has sent, and its linger is not 0. */
void szi_linger(szi_socket *socket, bool may_linger);

/* Starts threads for the sockets for which none could be started. */
void szi_linger_again(szi_context *context);

/* Does in this thread what one of those threads would do. */
void szi_linger_here(szi_context *context);

#pragma GCC visibility pop

#endif
