/* inproc connects that wait for their bind.  libzmq aborts when it terminates
 * a context that has any and no place left for a socket; these functions
 * prevent that.  They take the lock of the context, except where noted. */
#ifndef SZI_INPROC_H
#define SZI_INPROC_H

#include "socket.h"

#pragma GCC visibility push(hidden)

/* Call before an inproc connect, and after an inproc bind. */
int szi_inproc_connecting(szi_context *context, const char *endpoint);
void szi_inproc_bound(szi_context *context, const char *endpoint);

/* Binds what connects wait for.  The caller holds the lock of the context. */
void szi_inproc_resolve(szi_context *context);

/* Closes the resolver.  Only the thread that terminates the context calls
 * it. */
void szi_inproc_close(szi_context *context);

/* Adds the number of the socket's peers over inproc to *peers.  True if the
 * socket has endpoints and all are inproc. */
bool szi_inproc_peers(szi_socket *socket, int64_t *peers);

#pragma GCC visibility pop

#endif
