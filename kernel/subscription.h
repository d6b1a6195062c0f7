/* The bound of subscriptions.  libzmq takes a subscription back by a recursion
 * of one level for each byte, of 80 bytes of stack, in the thread that uses
 * the socket, and frees those that are left in a thread of its own.  It has no
 * bound itself, so a longer subscription would end the process. */
#ifndef SZI_SUBSCRIPTION_H
#define SZI_SUBSCRIPTION_H

#include "socket.h"

#pragma GCC visibility push(hidden)

/* Settles what a new socket needs for its subscriptions. */
int szi_subscription_prepare(szi_socket *socket);

/* The high water mark that libzmq gets, for the option szi_socket.kept and the
 * value that the program set. */
int szi_subscription_mark(int number, int value);

/* 0, or SZ_ESUBSCRIPTION if a prefix of `size` bytes is too long. */
int szi_subscription_check(const szi_socket *socket, size_t size);

/* 0, or SZ_ESUBCONFLATE if the socket, with this value of conflate, cannot
 * have so many more subscriptions. */
int szi_subscription_count(const szi_socket *socket, bool conflate,
                           size_t more);

/* As szi_subscription_check for a message that an XSUB sends or an XPUB
 * receives, of which any part may be a subscription.  `rest` has the parts
 * behind the first. */
int szi_subscription_check_bytes(const szi_socket *socket, const void *data,
                                 size_t size);
int szi_subscription_check_parts(const szi_socket *socket, zmq_msg_t *first,
                                 zmq_msg_t *rest, size_t count);

#pragma GCC visibility pop

#endif
