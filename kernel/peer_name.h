/* The option connect-routing-id: the name under which a ROUTER or STREAM knows
 * the peer that it connects to next.  libzmq aborts if a peer of the socket
 * has the name already, so a connect is preceded by szi_name_check.  The
 * socket owns the names, and its owner calls this. */
#ifndef SZI_PEER_NAME_H
#define SZI_PEER_NAME_H

#include "socket.h"

#pragma GCC visibility push(hidden)

/* Keeps the name for the next connect.  SZ_ERESERVED, SZ_ENOMEM. */
int szi_name_set(szi_socket *socket, const void *data, size_t size);

/* Whether the socket can connect to the endpoint with the name that was set.
 * SZ_ENAMED, SZ_ESOCKETS, SZ_EDESCRIPTORS, SZ_ENOMEM, SZ_ETERM. */
int szi_name_check(szi_socket *socket, const char *endpoint);

/* The connect that was checked has failed. */
void szi_name_failed(szi_socket *socket, const char *endpoint);

/* libzmq has connected to the endpoint `text`.  Its record is NULL if the
 * connect is undone at once. */
void szi_name_taken(szi_socket *socket, const char *text,
                    const szi_endpoint *endpoint);

/* The socket has let go of the endpoint. */
void szi_name_given_back(szi_socket *socket, const szi_endpoint *endpoint);

#pragma GCC visibility pop

#endif
