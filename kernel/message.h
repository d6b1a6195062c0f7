/* Message parts: making them, and those that handles of the program hold.  Any
 * thread may use a handle. */
#ifndef SZI_MESSAGE_H
#define SZI_MESSAGE_H

#include "error.h"
#include "szmq.h"

#include <zmq.h>

#pragma GCC visibility push(hidden)

/* Makes a part of `size` bytes, which the caller closes.  SZ_ENOMEM.  libzmq
 * would overflow on sizes above the bound. */
static inline int szi_part_new(zmq_msg_t *part, size_t size)
{
    if (size > PTRDIFF_MAX / 2)
        return SZ_ENOMEM;
    return zmq_msg_init_size(part, size) == 0 ? 0 : szi_last_error();
}

/* Copy parts, which shares their bytes, and close parts. */
void szi_parts_copy(zmq_msg_t *copies, zmq_msg_t *parts, size_t count);
void szi_parts_close(zmq_msg_t *parts, size_t count);

/* Moves a part to a new handle.  A failure leaves it in `part`. */
int szi_message_adopt(zmq_msg_t *part, sz_message *message);

/* Undoes szi_message_adopt. */
void szi_message_return(sz_message message, zmq_msg_t *part);

/* The part of a handle, or NULL. */
zmq_msg_t *szi_message_get(sz_message message);

#pragma GCC visibility pop

#endif
