/* Counts of the connections of one socket, from the events that libzmq
 * reports.  The monitored socket owns them, under the lock `monitoring` of its
 * context. */
#ifndef SZI_CONNECTIONS_H
#define SZI_CONNECTIONS_H

#include "list.h"
#include "szmq.h"

#pragma GCC visibility push(hidden)

typedef struct {
    bool raw;       /* a STREAM, whose peers have no handshake */
    szi_list sites; /* endpoints that have peers */
    sz_connections counts;
    int64_t beginning; /* handshakes that are in progress */
    int64_t begun;     /* when the first of them began */
} szi_connections;

void szi_connections_count(szi_connections *c, const sz_event *event);

/* The program has ended all connections to an endpoint. */
void szi_connections_end(szi_connections *c, const char *endpoint);

/* The counts, with `more` peers that libzmq reports no events of. */
sz_connections szi_connections_look(const szi_connections *c, int64_t more);
void szi_connections_free(szi_connections *c);

#pragma GCC visibility pop

#endif
