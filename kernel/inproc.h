/* Binding and connecting over inproc.  libzmq keeps a connect that precedes
 * its bind, and mishandles one that is undone, closed or terminated meanwhile;
 * these functions order its calls so that it never sees one.  They take the
 * lock of the context, except where noted. */
#ifndef SZI_INPROC_H
#define SZI_INPROC_H

#include "socket.h"

#pragma GCC visibility push(hidden)

/* The socket is to be bound, connected, unbound or disconnected.  Its owner
 * calls these. */
int szi_inproc_bind(szi_socket *socket, const char *endpoint);
int szi_inproc_connect(szi_socket *socket, const char *endpoint);
int szi_inproc_unbind(szi_socket *socket, const char *endpoint);
int szi_inproc_disconnect(szi_socket *socket, const char *endpoint);

/* Whether a connect with connect-routing-id is pending.  A ROUTER that hands
 * names over, or is raw, could end its connection. */
bool szi_inproc_names(szi_socket *socket);

/* Closes libzmq's socket, whose endpoints are `endpoints`, over whatever
 * transport: at once, and then true, or when its pending connects were
 * bound. */
bool szi_inproc_close(szi_socket *socket, const szi_list *endpoints);

/* Binds what connects wait for.  The caller holds the lock of the context. */
void szi_inproc_resolve(szi_context *context);

/* Closes the resolver.  Only the thread that terminates the context calls
 * it. */
void szi_inproc_end(szi_context *context);

/* Adds the number of the socket's peers over inproc to *peers.  True if the
 * socket has endpoints and all are inproc. */
bool szi_inproc_peers(szi_socket *socket, int64_t *peers);

#pragma GCC visibility pop

#endif
