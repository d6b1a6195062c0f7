/* Checks of endpoints that libzmq does not make itself.  No socket is needed.
 */
#ifndef SZI_ENDPOINT_H
#define SZI_ENDPOINT_H

#include "szmq.h"

#pragma GCC visibility push(hidden)

/* Checks the form of an endpoint: SZ_EENDPOINT, SZ_EPORT, SZ_ENUL, SZ_EPATH.
 */
int szi_endpoint_check(const char *endpoint, size_t length, bool bound);
bool szi_endpoint_inproc(const char *endpoint);

/* The error of a bind or connect that failed with `code`.  If the socket is
 * monitored, libzmq replaces the errno of an address that it cannot parse by
 * EAGAIN. */
int szi_endpoint_explain(const char *endpoint, int code);

/* SZ_EADDRINUSE if binding the ipc endpoint would remove a file, or the socket
 * of a process that still accepts; else 0. */
int szi_ipc_check(const char *endpoint);

#pragma GCC visibility pop

#endif
