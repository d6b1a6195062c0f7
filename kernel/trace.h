/* Lines about connections, for sz_trace_connections.  The monitor thread of a
 * context writes them, under its lock `monitoring`. */
#ifndef SZI_TRACE_H
#define SZI_TRACE_H

#include "socket.h"

#pragma GCC visibility push(hidden)

/* Of one socket: what was written since its last handshake. */
typedef struct {
    uint64_t id;
    const sz_type *type;
    uint64_t written;
} szi_trace;

bool szi_tracing(void);
void szi_trace_event(szi_trace *trace, const sz_event *event);

#pragma GCC visibility pop

#endif
