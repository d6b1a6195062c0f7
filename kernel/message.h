/* Message parts: making them, and those that handles of the program hold.  Any
 * thread may use a handle. */
#ifndef SZI_MESSAGE_H
#define SZI_MESSAGE_H

#include "error.h"
#include "szmq.h"

#include <zmq.h>

#pragma GCC visibility push(hidden)

/* The largest size of a part: libzmq's own sums of larger sizes overflow. */
#define SZI_PART_MOST (PTRDIFF_MAX / 2)

/* Why a part is not sent that is larger than max-msgsz of its context, or than
 * anything. */
static inline int szi_part_refuse(size_t size)
{
    return size > SZI_PART_MOST ? SZ_ENOMEM : SZ_EPARTSIZE;
}

/* Makes a part of `size` bytes, which the caller closes.  SZ_ENOMEM. */
static inline int szi_part_new(zmq_msg_t *part, size_t size)
{
    if (size > SZI_PART_MOST)
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

/* The part of a handle, or NULL; the second is for a part that is to be sent,
 * and not to be written any more. */
zmq_msg_t *szi_message_get(sz_message message);
zmq_msg_t *szi_message_share(sz_message message);

#pragma GCC visibility pop

#endif
