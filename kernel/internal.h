/* What the kernel's units share and its users do not see. */
#ifndef SZI_INTERNAL_H
#define SZI_INTERNAL_H

#include "szmq.h"
#include "memory.h"
#include "error.h"
#include "clock.h"
#include "thread.h"
#include "list.h"
#include "handle.h"
#include "descriptor.h"
#include "spelling.h"
#include "option_table.h"
#include "event_table.h"
#include "endpoint.h"
#include "multicast.h"

#include <pthread.h>
#include <stdatomic.h>
#include <zmq.h>

#pragma GCC visibility push(hidden)

/* ------------------------------------------------------------ context -- */

typedef struct szi_name szi_name;
typedef struct szi_socket szi_socket;
typedef struct szi_context szi_context;
typedef struct szi_monitor_thread szi_monitor_thread;
typedef struct szi_monitored szi_monitored;
typedef struct szi_monitor szi_monitor;

struct szi_name {
    szi_name *next;
    char text[];
};

/* `lock` guards the lists of sockets, open and closed, their counts and their
 * endpoints (which the socket's own thread reads without it), limit, emptied,
 * draining, resolver and pending, and is held while libzmq is asked something
 * about the context itself.  `observing` guards what observer.c and monitor.c
 * have.  Where both are needed, `lock` is let go first; the lock of the handle
 * table comes before either.
 *
 * `references` are the handle, each open socket, each monitor, each thread of
 * the kernel that has to do with the context, and whoever holds it during a
 * call. */
struct szi_context {
    void *zmq;
    uint64_t id;
    atomic_int references;
    pthread_mutex_t lock;
    szi_context *next, *previous; /* of all contexts of the process */
    szi_socket *sockets;
    int count;
    int limit;           /* max-sockets, once a first socket was made */
    atomic_bool shut;    /* shutdown or terminate was called */
    atomic_bool closing; /* terminate was called */
    atomic_bool gone;    /* it is terminated */
    atomic_bool dropped; /* nobody will ask whether it is gone */
    atomic_bool forgotten;
    struct szi_socket *closed; /* those that may hold messages still */
    int closed_count, closed_limit;
    bool emptied; /* terminate has closed its sockets */
    int draining; /* closed sockets whose swap a thread empties */
    pthread_cond_t drained;
    int done[2];    /* a pipe: [0] is readable once the context is gone */
    void *resolver; /* see inproc.c */
    szi_name *pending;
    pthread_mutex_t monitoring; /* see observer.c */
    szi_monitor_thread *monitor_thread;
};

/* The context of a handle, to be released, or NULL and why. */
szi_context *szi_context_hold(sz_context handle, int *code);
void szi_context_release(szi_context *context);

/* Calls `visit` for every context of this process. */
void szi_context_each(void (*visit)(szi_context *, void *), void *argument);

/* Makes it impossible that terminating the context aborts in libzmq because
 * an inproc connect still waits for its bind (ctx.cpp, terminate).  To resolve
 * takes the context's lock, which the others take themselves. */
int szi_inproc_connecting(szi_context *context, const char *endpoint);
void szi_inproc_bound(szi_context *context, const char *endpoint);
void szi_inproc_resolve(szi_context *context);
void szi_inproc_close(szi_context *context);

/* How many peers the socket has over inproc; whether all its endpoints, of
 * which there is one at least, are inproc. */
bool szi_inproc_peers(szi_socket *socket, int64_t *peers);

/* ------------------------------------------------------------- socket -- */

/* ZMQ_ZAP_ENFORCE_DOMAIN, a draft that zmq.h does not show. */
enum {
    SZI_ZAP_ENFORCE_DOMAIN = 93
};

typedef struct szi_watch szi_watch;
typedef struct szi_swap_socket szi_swap_socket;

typedef struct szi_endpoint {
    struct szi_endpoint *next;
    bool bound;
    char *given; /* what the caller wrote, if libzmq completed it */
    char real[];
} szi_endpoint;

struct szi_socket {
    void *zmq;
    szi_context *context;
    const sz_type *type;
    int fd;
    int64_t fd_id; /* once it is closed */
    int receive_timeout, send_timeout, linger;
    bool multicast_loop;
    bool back; /* what is held was put back: see proxy.c */
    sz_statistics counts;
    bool nodrop;  /* the option xpub-nodrop, but for the swap's use */
    bool relaxed; /* the option req-relaxed */
    bool swap_plaintext;
    char *swap_directory;     /* NULL for the default */
    szi_swap_socket *swap;    /* NULL while it has no swap */
    atomic_bool draining;     /* closed, and a thread has it until then */
    atomic_bool kept;         /* the process ends, and watches the linger */
    bool torn;                /* a message received so far in part only */
    int armed;                /* see sz_socket_exhausted */
    size_t held;              /* parts received and not released */
    size_t room;              /* of `rest` */
    zmq_msg_t first;          /* part 0 */
    zmq_msg_t *rest;          /* parts 1 and on */
    szi_watch *watches;       /* the pollers that watch it */
    szi_monitored *monitored; /* NULL while nobody observes it */
    szi_endpoint *endpoints;
    char *scratch; /* what the last call returned a pointer to */
    uint64_t id;
    szi_socket *next, *previous; /* of the context */
};

int szi_socket_refuse(sz_socket handle);
void szi_socket_close(szi_socket *socket);

/* Whether libzmq still has a socket that was closed; and forgets those of a
 * context that it has not, or all. */
bool szi_socket_lingers(const szi_socket *socket);
void szi_socket_forget(szi_context *context, bool all);

static inline szi_socket *szi_socket_get(sz_socket handle)
{
    return szi_handle_get(handle.id, SZI_SOCKET);
}

/* Reads an option of any length into the socket's scratch storage. */
int szi_socket_read(szi_socket *socket, int number, const void **data,
                    size_t *size);

/* The parts received, and dropping them, of a torn message too. */
static inline zmq_msg_t *szi_part_at(szi_socket *socket, size_t index)
{
    return index == 0 ? &socket->first : &socket->rest[index - 1];
}
void szi_parts_drop(szi_socket *socket);

/* sz_receive_held. */
int szi_receive(szi_socket *socket);

/* Whether a message that was received was put back, to be received again. */
static inline bool szi_put_back(const szi_socket *socket)
{
    return socket->back && socket->held > 0 && !socket->torn;
}

/* Sends parts that are made, all or none.  The parts libzmq took are empty
 * afterwards; the others are as before, to be closed by the caller. */
int szi_send_made(szi_socket *socket, zmq_msg_t *made, size_t count);

/* Reads ZMQ_EVENTS, which makes libzmq process what has arrived. */
int szi_socket_events(szi_socket *socket);

/* ------------------------------------------------------------ message -- */

/* Makes a part of `size` bytes, to be closed by the caller: SZ_ENOMEM. */
static inline int szi_part_new(zmq_msg_t *part, size_t size)
{
    if (size > PTRDIFF_MAX / 2)
        return SZ_ENOMEM;
    return zmq_msg_init_size(part, size) == 0 ? 0 : szi_last_error();
}

int szi_message_adopt(zmq_msg_t *part, sz_message *message);
zmq_msg_t *szi_message_get(sz_message message);

/* Moves what a handle holds to `part`, and frees the handle. */
void szi_message_return(sz_message message, zmq_msg_t *part);

/* ------------------------------------------------------------- poller -- */

/* One of both is to be called after anything that may have taken the
 * socket's signal: settled where the last thing done was to read the events,
 * which may be an error. */
void szi_poller_touch(szi_watch *watches);
void szi_poller_settled(szi_watch *watches, int events);
void szi_swap_socket_nudge(szi_socket *socket);
void szi_socket_tell(szi_socket *socket);
static inline void szi_socket_touched(szi_socket *socket)
{
    socket->armed = 0;
    if (socket->watches != NULL || socket->swap != NULL)
        szi_socket_tell(socket);
}
static inline void szi_socket_settled(szi_socket *socket, int events)
{
    if (socket->swap != NULL)
        szi_socket_touched(socket);
    else if (socket->watches != NULL)
        szi_poller_settled(socket->watches, events);
}

/* Tells who watches for SZ_SIGNAL that it was taken, and who watches for
 * SZ_SWAP that messages begin to wait, or that none waits any more. */
void szi_poller_signal(szi_watch *watches);
void szi_poller_swaps(szi_socket *socket, bool waiting);
void szi_poller_closed(szi_socket *socket);

/* ------------------------------------------------------------ transfer -- */

/* Send bytes, or parts, to libzmq, or send parts that are made, all or
 * none, whether there is a swap or not; neither tells pollers nor counts. */
int szi_send_bytes(szi_socket *socket, const void *data, size_t size);
int szi_send_parts(szi_socket *socket, const sz_part *parts, size_t count);
int szi_send_now(szi_socket *socket, zmq_msg_t *made, size_t count);

/* Counts a message that was sent, or was not; answers the code. */
int szi_count_sent(szi_socket *socket, int code, size_t size);

/* ------------------------------------------------------------- offload -- */

/* sz_send and szi_send_made of a socket that has a swap. */
int szi_swap_socket_send(szi_socket *socket, const sz_part *parts,
                         size_t count);
int szi_swap_socket_send_made(szi_socket *socket, zmq_msg_t *made,
                              size_t count);

/* Has the next sending answer SZ_ECORRUPT, which nobody was told yet. */
void szi_swap_socket_report_again(szi_socket *socket);

/* Whether messages wait in the socket's swap, if it has one. */
bool szi_swap_socket_waits(const szi_socket *socket);

/* The events of a socket as its user sees them, which moves some of what
 * waits; and sz_socket_wait where there is a swap. */
int szi_socket_state(szi_socket *socket);
int szi_socket_await(szi_socket *socket, int events, int timeout);

/* The socket is closed: true if a thread has taken it over, to close it when
 * the swap is empty or its linger over.  Else the swap is gone. */
bool szi_linger(szi_socket *socket);

/* The rows of the rule SZI_SWAP.  _allows tells whether an option may be set
 * to a value where there is a swap. */
int szi_swap_option_allows(const szi_socket *socket, const sz_option *option,
                           int64_t value);
int szi_swap_option_set(szi_socket *socket, const sz_option *option,
                        int64_t value);
int64_t szi_swap_option_get(const szi_socket *socket, const sz_option *option);
int szi_swap_option_set_directory(szi_socket *socket, const char *text,
                                  size_t length);
const char *szi_swap_option_text(const szi_socket *socket,
                                 const sz_option *option);

/* ------------------------------------------------------------- monitor -- */

/* All with `observing` of the context held. */
void szi_monitor_tell(szi_monitor *monitor, const sz_event *event);
void szi_monitor_end(szi_monitor *monitor);
szi_monitor **szi_monitor_next(szi_monitor *monitor);

/* ------------------------------------------------------------ observer -- */

bool szi_monitors_all(void);

/* Observes the socket, if nobody does; and for as long as it is open. */
int szi_monitored_begin(szi_socket *socket);
int szi_monitored_keep(szi_socket *socket);

/* The socket is about to be closed; one of its endpoints was disconnected. */
void szi_monitored_closing(szi_socket *socket);
void szi_monitored_disconnected(szi_socket *socket, const char *endpoint);

/* With `observing` of the context held. */
int szi_monitored_join(szi_monitored *observed, szi_monitor *monitor);
void szi_monitored_leave(szi_monitored *observed, szi_monitor *monitor);

#pragma GCC visibility pop

#endif
