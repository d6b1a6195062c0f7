/* Watches: what a poller waits for, one for each socket or descriptor.  The
 * poller owns its watches; a socket lists the watches of all pollers.  Every
 * call that uses a socket tells its watches here. */
#ifndef SZI_WATCH_H
#define SZI_WATCH_H

#include "events.h"
#include "list.h"
#include "socket.h"
#include "timer.h"

#pragma GCC visibility push(hidden)

typedef struct {
    szi_events *source;
    bool armed; /* the last check found nothing: a thread may be waiting */
    szi_list watches;
    szi_list hot; /* see watch.c */
    szi_list stale_watches;
    szi_timers timers;
    int64_t alarm; /* when the source becomes readable, or INT64_MAX */
    bool refused;  /* the system has refused watches */
    uint64_t id;
} szi_poller;

typedef struct {
    szi_poller *poller;
    szi_socket *socket; /* NULL for a descriptor, and when it is closed */
    int fd;
    int events;
    uint64_t tag;
    uint64_t socket_id;
    bool hot, closed;
    bool always; /* a file, which is always ready: not in `source` */
    bool stale;  /* removed, but the system may still report it */
    bool quiet;  /* not in `source`: for SZ_SWAP while no message waits; or
                  * the system refused it, and is asked again */
    int fired;   /* what a descriptor or SZ_SIGNAL watch has to report */
    int known;   /* SZ_IN if it was found and the socket not used since */
    szi_link hot_link;
    szi_link link; /* of the poller's watches or stale watches */
    szi_link socket_link;
} szi_watch;

/* SZ_SIGNAL and SZ_SWAP watches are not notified of sends and receives, only
 * when a poller has consumed the edge, and when the swap begins or ends to
 * hold messages. */
static inline bool szi_watch_signals(const szi_watch *watch)
{
    return (watch->events & (SZ_SIGNAL | SZ_SWAP)) != 0;
}

/* Make a watch hot or cold.  _touch also wakes the thread that waits for the
 * poller.  _settle does what `events`, which may be an error, require. */
void szi_watch_heat(szi_watch *watch);
void szi_watch_cool(szi_watch *watch);
void szi_watch_touch(szi_watch *watch);
void szi_watch_settle(szi_watch *watch, int events);

/* A poller has consumed the socket's edge. */
void szi_watch_signal(szi_watch *watch);

/* Whether the system has refused the watch. */
static inline bool szi_watch_refused(const szi_watch *watch)
{
    return watch->quiet && (watch->events & SZ_SWAP) == 0;
}

/* Adds a watch to the source again.  If the system lacks memory, or has
 * reached the limit of epoll(7), it is asked again at each check.  Until then
 * what the watch waits for is looked at. */
void szi_watch_add_again(szi_watch *watch);

/* Adds a SZ_SWAP watch to the source: messages wait in the swap. */
void szi_watch_listen(szi_watch *watch);

/* Takes one out of the source. */
void szi_watch_silence(szi_watch *watch);

/* The same for all watches of a socket.  After a call that may consume the
 * socket's edge, call _settled if the last thing done was reading ZMQ_EVENTS,
 * else _touched. */
void szi_watches_touched(szi_socket *socket);
void szi_watches_settled(szi_socket *socket, int events);
void szi_watches_signal(szi_socket *socket);
void szi_watches_closed(szi_socket *socket);

/* Messages begin to wait in the swap, or none waits any more. */
void szi_watches_swap(szi_socket *socket, bool waiting);

#pragma GCC visibility pop

#endif
