/* Sending and receiving as a program does it: by libzmq or the swap, with
 * watches told and messages counted. */
#ifndef SZI_TRANSFER_H
#define SZI_TRANSFER_H

#include "socket.h"

#pragma GCC visibility push(hidden)

/* sz_send of parts that are made.  Parts that were taken are empty afterwards;
 * the caller closes all. */
int szi_send_made(szi_socket *socket, zmq_msg_t *made, size_t count);

/* sz_receive_held. */
int szi_receive(szi_socket *socket);

#pragma GCC visibility pop

#endif
