/* The option use-fd: descriptors that the program listens on, lent to one
 * bind.  libzmq closes what it binds with and aborts if that was not open, so
 * it gets a duplicate, and the program closes its own whenever it likes. */
#ifndef SZI_LISTENER_H
#define SZI_LISTENER_H

#include "socket.h"

#pragma GCC visibility push(hidden)

typedef struct {
    int given, lent; /* the program's and libzmq's descriptor, or -1 */
    uint64_t id;     /* of the system's socket; 0 for none */
} szi_listener;

/* Prepares a bind to `endpoint`.  Without use-fd all of *listener is unset.
 * SZ_ELISTENER, SZ_EMFILE. */
int szi_listener_lend(szi_socket *socket, const char *endpoint,
                      szi_listener *listener);

/* After the bind: the option is forgotten if it succeeded, else it is as it
 * was. */
void szi_listener_lent(szi_socket *socket, const szi_listener *listener,
                       bool bound);

#pragma GCC visibility pop

#endif
