/* Checks of multicast endpoints.  Called before bind and connect, with the
 * socket of libzmq. */
#ifndef SZI_MULTICAST_H
#define SZI_MULTICAST_H

#include "szmq.h"

#pragma GCC visibility push(hidden)

/* Tries what libzmq's own thread would do later, where a failure ends the
 * process: 0 if it works or the endpoint is not multicast. */
int szi_multicast_check(void *zmq, const char *endpoint);

#pragma GCC visibility pop

#endif
