/* Making and closing sockets. */
#ifndef SZI_LIFETIME_H
#define SZI_LIFETIME_H

#include "socket.h"

#pragma GCC visibility push(hidden)

/* Closes a socket from the thread that uses it; what was sent stays on its way
 * for the time of linger. */
void szi_socket_close(szi_socket *socket);

#pragma GCC visibility pop

#endif
