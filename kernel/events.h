/* Descriptors that fired, from epoll on Linux, or from poll elsewhere and with
 * SZ_POLL defined: of events_epoll.c and events_poll.c one is not empty.  A
 * poller owns one szi_events; one thread at a time uses it. */
#ifndef SZI_EVENTS_H
#define SZI_EVENTS_H

#include "szmq.h"

#if defined __linux__ && !defined SZ_POLL
#define SZI_EVENTS_EPOLL
#else
#define SZI_EVENTS_POLL
#endif

#pragma GCC visibility push(hidden)

typedef struct szi_events szi_events;

/* SZ_IN, SZ_OUT and SZ_ERROR of the descriptor that was added with `data`. */
typedef struct {
    void *data;
    int events;
} szi_fired;

int szi_events_new(szi_events **events);
void szi_events_free(szi_events *events);

/* A descriptor that is readable when something has fired since
 * szi_events_arm, when the alarm is due, or after szi_events_wake. */
int szi_events_fd(const szi_events *events);

/* Watches a descriptor for SZ_IN and SZ_OUT.  With `edge` it may be reported
 * once per edge: the caller drains it before it waits again.  SZ_EPERM for a
 * descriptor that cannot be waited for, such as a file. */
int szi_events_add(szi_events *events, int fd, int wanted, bool edge,
                   void *data);
int szi_events_change(szi_events *events, int fd, int wanted, void *data);

/* Fails if the descriptor was closed before while a copy of it is open in this
 * process or another.  It then fires until szi_events_renew. */
int szi_events_remove(szi_events *events, int fd);

/* Drops everything that was added.  SZ_ENOTSUP where szi_events_remove cannot
 * fail. */
int szi_events_renew(szi_events *events);

/* Stores what has fired, at most `max`: their number.  Does not wait. */
int szi_events_get(szi_events *events, szi_fired *fired, int max);

/* Call before waiting for the descriptor of szi_events_fd. */
void szi_events_arm(szi_events *events);
void szi_events_wake(szi_events *events);

/* Sets the one alarm to a time of sz_now; negative for none. */
int szi_events_alarm(szi_events *events, int64_t time);

#pragma GCC visibility pop

#endif
