/* The clock of all deadlines, and waiting for one descriptor.  sz_now, in
 * milliseconds, and sz_wait are in szmq.h. */
#ifndef SZI_CLOCK_H
#define SZI_CLOCK_H

#include "szmq.h"

#pragma GCC visibility push(hidden)

enum {
    SZI_SLICE =
        200 /* microseconds that one call may spend on moving messages */
};

/* The monotonic clock in microseconds. */
int64_t szi_microseconds(void);

#pragma GCC visibility pop

#endif
