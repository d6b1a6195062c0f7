/* The CURVE keys of a socket: whether they are complete.  Called before an
 * endpoint is opened, by the thread that uses the socket. */
#ifndef SZI_CURVE_H
#define SZI_CURVE_H

#include "socket.h"

#pragma GCC visibility push(hidden)

/* 0 if the socket does not use CURVE, or has all keys.  Where only the secret
 * key was set, sets the public key.
 *
 * Otherwise SZ_ESECRETKEY, SZ_ESERVERKEY, SZ_EKEYPAIR, or an error of
 * libzmq. */
int szi_curve_check(szi_socket *socket);

#pragma GCC visibility pop

#endif
