/* The rows of event.def: the events that monitors report.  Read-only
 * tables. */
#ifndef SZI_EVENT_TABLE_H
#define SZI_EVENT_TABLE_H

#include "szmq.h"

#pragma GCC visibility push(hidden)

/* The row of an event, or NULL for a bit that the table does not have. */
const sz_event_type *szi_event_of(int bit);

#pragma GCC visibility pop

#endif
