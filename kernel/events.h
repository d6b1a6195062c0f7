/* What the system tells about descriptors, behind one interface: epoll where
 * there is one, kqueue on the BSDs and macOS, poll elsewhere or where SZ_POLL
 * is defined.  One of events_epoll.c, events_kqueue.c and events_poll.c is
 * not empty. */
#ifndef SZI_EVENTS_H
#define SZI_EVENTS_H

#include "internal.h"

#if defined SZ_POLL
#define SZI_EVENTS_POLL
#elif defined __linux__
#define SZI_EVENTS_EPOLL
#elif defined __FreeBSD__ || defined __NetBSD__ || defined __OpenBSD__ ||     \
    defined __APPLE__ || defined SZ_KQUEUE
#define SZI_EVENTS_KQUEUE
#else
#define SZI_EVENTS_POLL
#endif

#pragma GCC visibility push(hidden)

typedef struct szi_events szi_events;

/* SZ_IN, SZ_OUT and SZ_ERROR of what `data` was added for. */
typedef struct {
    void *data;
    int events;
} szi_fired;

int szi_events_new(szi_events **events);
void szi_events_free(szi_events *events);

/* Readable when something has fired since szi_events_arm, when the alarm's
 * time has come, or after szi_events_wake. */
int szi_events_fd(const szi_events *events);

/* Watches for SZ_IN and SZ_OUT.  With `edge`, who is told of the descriptor
 * empties it before it waits again, so it need not be told twice.  SZ_EPERM
 * for what cannot be waited for, as files. */
int szi_events_add(szi_events *events, int fd, int wanted, bool edge,
                   void *data);
int szi_events_change(szi_events *events, int fd, int wanted, void *data);

/* Fails where the descriptor was closed before, while a copy of it lives in
 * this process or another: then it goes on firing until szi_events_renew. */
int szi_events_remove(szi_events *events, int fd);

/* Forgets everything that was added, where szi_events_remove can fail. */
int szi_events_renew(szi_events *events);

/* What has fired by now, without waiting. */
int szi_events_get(szi_events *events, szi_fired *fired, int max);

/* To be called before somebody waits. */
void szi_events_arm(szi_events *events);
void szi_events_wake(szi_events *events);
int szi_events_alarm(szi_events *events, int64_t time);

#pragma GCC visibility pop

#endif
