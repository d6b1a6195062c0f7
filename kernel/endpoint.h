/* Endpoints: the record of one that a socket is bound or connected to, which
 * the socket owns, and checks that libzmq does not make itself. */
#ifndef SZI_ENDPOINT_H
#define SZI_ENDPOINT_H

#include "list.h"
#include "szmq.h"

#pragma GCC visibility push(hidden)

typedef struct {
    szi_link link; /* of the socket's endpoints, oldest first */
    bool bound;
    bool gone;         /* unbound over inproc, and about to be forgotten */
    uint64_t listener; /* see listener.h; 0 for none */
    char *given;       /* what the caller wrote, if libzmq completed it */
    char real[];
} szi_endpoint;

void szi_endpoints_free(szi_list *endpoints);

/* Checks the form of an endpoint: SZ_EENDPOINT, SZ_EPORT, SZ_ENUL,
 * SZ_EPATH. */
int szi_endpoint_check(const char *endpoint, size_t length, bool bound);
bool szi_endpoint_inproc(const char *endpoint);
bool szi_endpoint_websocket(const char *endpoint);

/* Whether it is a host and a port. */
bool szi_endpoint_addressed(const char *endpoint);

/* Whether its peers connect by a handshake. */
bool szi_endpoint_connected(const char *endpoint);

/* Whether two texts name one endpoint, which may be written in several ways if
 * its address is of numbers. */
bool szi_endpoint_same(const char *a, const char *b);

/* The error of a bind or connect that failed with `code`.  If the socket is
 * monitored, libzmq replaces the errno of an address that it cannot parse by
 * EAGAIN.  For one of tipc it always does. */
int szi_endpoint_explain(const char *endpoint, int code);

/* SZ_EADDRINUSE if binding the ipc endpoint would remove a file, or the socket
 * of a process that still accepts; else 0. */
int szi_ipc_check(const char *endpoint);

#pragma GCC visibility pop

#endif
