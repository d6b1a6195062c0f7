/* Sending and receiving whole messages by libzmq, without waiting: all parts
 * or none.  The swap of a socket, its watches and its counts are the callers'
 * business: swap_socket and transfer. */
#ifndef SZI_WIRE_H
#define SZI_WIRE_H

#include "socket.h"

#pragma GCC visibility push(hidden)

/* What is known of the socket's events after an attempt. */
typedef struct {
    int tries;
    int events;   /* only if `settled` */
    bool settled; /* the last thing done was reading ZMQ_EVENTS */
} szi_attempt;

/* Continue after a first try whose result was `code`. */
int szi_retry_bytes(szi_socket *socket, const void *data, size_t size,
                    int code, szi_attempt *attempt);
int szi_retry_receive(szi_socket *socket, int code, szi_attempt *attempt);

/* Mends a part that was just received. */
void szi_part_mend(const szi_socket *socket, zmq_msg_t *part);

/* Receives the parts behind the first: the number of parts, or an error.  An
 * error leaves the message torn; the next call continues with it. */
int szi_receive_rest(szi_socket *socket);

/* Receives what libzmq may have begun to read, to be received again.  Call
 * before a connection is ended that still has messages: libzmq reads the first
 * part of one ahead, and aborts when the others are gone with the connection.
 * SZ_EHELD, SZ_ENOMEM. */
int szi_receive_ahead(szi_socket *socket);

/* Sends bytes, or parts that were made.  Parts that libzmq took are empty
 * afterwards; the caller closes all. */
int szi_send_bytes(szi_socket *socket, const void *data, size_t size);
int szi_send_now(szi_socket *socket, zmq_msg_t *made, size_t count);
int szi_send_attempt(szi_socket *socket, zmq_msg_t *made, size_t count,
                     szi_attempt *attempt);

/* Makes all parts and passes them to `send`: szi_send_now or szi_send_made,
 * for a socket without a swap.  They take all parts if they succeed. */
typedef int szi_sending(szi_socket *socket, zmq_msg_t *made, size_t count);
int szi_send_parts(szi_socket *socket, const sz_part *parts, size_t count,
                   szi_sending *send);

#pragma GCC visibility pop

#endif
