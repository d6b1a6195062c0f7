/* Connections over ipc that libzmq closes before their peer has read all.
 *
 * Where the peer has stopped reading at its high water mark, it drops what it
 * has not read yet when the connection is closed (libzmq issue 4660).  So a
 * duplicate of each descriptor stays open until everything is read. */
#ifndef SZI_IPC_H
#define SZI_IPC_H

#include "list.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

typedef struct {
    int *held; /* pairs of a descriptor of libzmq and its duplicate */
    int count, room;
} szi_ipc;

/* Whether any of the endpoints is of ipc. */
bool szi_ipc_any(const szi_list *endpoints);

/* Whether endpoints are connected over ipc, none is bound, and fewer
 * connections are held than there are such endpoints. */
bool szi_ipc_connecting(const szi_ipc *ipc, const szi_list *endpoints);

/* Duplicates the descriptors of the connections of these endpoints that are
 * not held yet, as far as there are descriptors and memory. */
void szi_ipc_hold(szi_ipc *ipc, const szi_list *endpoints);

/* Closes the duplicates that are no longer needed, and returns how many are
 * left.  If `gone`, libzmq has freed the socket, and a connection that is
 * still open is another socket's. */
int szi_ipc_unread(szi_ipc *ipc, bool gone);

/* Closes all duplicates. */
void szi_ipc_free(szi_ipc *ipc);

#pragma GCC visibility pop

#endif
