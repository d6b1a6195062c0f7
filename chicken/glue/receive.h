/* Receiving what Scheme gets in one call of C. */
#ifndef GLUE_RECEIVE_H
#define GLUE_RECEIVE_H

#include "build.h"

#pragma GCC visibility push(hidden)

/* The procedure receive-message: the fast path for (receive-message socket)
 * and (receive-message socket as: SYMBOL), where no thread waits for the
 * socket and no part is unread.  It builds a message of one part; any other
 * case goes to `general` with the same arguments. */
C_word szg_make_receiver(C_word **room, int arguments, C_word general,
                         C_word socket_tag, C_word message_tag, C_word as,
                         C_word string, C_word message, C_word blob,
                         C_word u8vector);

/* Whether the procedure takes the fast path, as it does at first. */
void szg_receive_fast(C_word receiver, bool fast);

/* Whether the parameter zmq-receive-as was ever set: as long as it was not,
 * the fast path need not ask for it. */
extern bool szg_receive_as_set;

/* (receive-each socket max tag as-blob): builds messages of one part while
 * there are some and the nursery has room.  A list of at most `max` of them,
 * preceded by three numbers: an error, 0 if the nursery is full, or 1 if the
 * next message, which the kernel then holds, is large or has several parts;
 * how many there are; their bytes. */
void szg_receive_each(C_word c, C_word *av) C_noret;

/* Takes the parts of the message that the kernel holds as handles, into the
 * vector. SZ_ENOENT if their number is not `count`. */
int szg_take_parts(C_word socket, C_word handles, int count);

/* The bytes of all parts of the message that the kernel holds. */
int64_t szg_held_bytes(C_word socket);

#pragma GCC visibility pop

#endif
