/* The thread of a context that reads the events of its monitored sockets.  It
 * owns szi_monitored, what is known of one socket.  A socket is monitored from
 * the first monitor to the last, or for as long as it is open. */
#ifndef SZI_MONITOR_THREAD_H
#define SZI_MONITOR_THREAD_H

#include "event_queue.h"
#include "socket.h"

#pragma GCC visibility push(hidden)

/* Whether sz_observe_all asks for all sockets to be monitored. */
bool szi_monitors_all(void);

/* Begin to monitor a socket, if it is not monitored, and keep on while it is
 * open.  SZ_EDESCRIPTORS, SZ_ESOCKETS, SZ_ETERM, SZ_ENOMEM. */
int szi_monitored_begin(szi_socket *socket);
int szi_monitored_keep(szi_socket *socket);

/* The socket is about to be closed; one of its endpoints was disconnected. */
void szi_monitored_closing(szi_socket *socket);
void szi_monitored_disconnected(szi_socket *socket, const char *endpoint);

/* zmq_bind failed with `code`: the real one, which only the event may have. */
int szi_monitored_bind_failed(szi_socket *socket, int code);

/* Add and remove a queue.  The caller holds `monitoring` of the context, and
 * does not call _leave for a queue that has ended. */
int szi_monitored_join(szi_monitored *monitored, szi_event_queue *queue);
void szi_monitored_leave(szi_monitored *monitored, szi_event_queue *queue);

#pragma GCC visibility pop

#endif
