/* The counts of messages of a socket.  transfer and swap_socket count; proxy
 * counts what it drops. */
#ifndef SZI_STATISTICS_H
#define SZI_STATISTICS_H

#include "socket.h"

#pragma GCC visibility push(hidden)

/* Counts a message that was sent, or was not: returns `code`. */
int szi_count_sent(szi_socket *socket, int code, size_t size);

/* Counts the message whose parts the socket holds. */
void szi_count_received(szi_socket *socket);

#pragma GCC visibility pop

#endif
