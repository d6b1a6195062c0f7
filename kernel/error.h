/* Error codes: the tables of error.def, and what errno means in them.  Ground:
 * it knows no other unit. */
#ifndef SZI_ERROR_H
#define SZI_ERROR_H

#include "szmq.h"

#include <zmq.h>

#pragma GCC visibility push(hidden)

/* The code of errno.  Call it right after the call that failed. */
int szi_last_error(void);

/* Makes a call of libzmq or of the system, again while a signal interrupts it.
 * `result` is what the call returns, negative if it failed. */
#define SZI_UNINTERRUPTED(result, call)                                       \
    do                                                                        \
        (result) = (call);                                                    \
    while ((result) < 0 && zmq_errno() == EINTR)

#pragma GCC visibility pop

#endif
