/* Descriptors that fired, from kqueue, whose own descriptor can be polled. */

#include "events.h"

#ifdef SZI_EVENTS_KQUEUE

#include "error.h"
#include "memory.h"

#include <fcntl.h>
#include <sys/types.h>

#include <sys/event.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    WAKE = 1, /* identifiers of our own filters */
    ALARM = 2
};

struct szi_events {
    int queue;
};

static int control(szi_events *events, uintptr_t number, int filter, int how,
                   unsigned int notes, intptr_t value, void *data)
{
    struct kevent change;
    EV_SET(&change, number, (short)filter, (unsigned short)how, notes, value,
           data);
    return kevent(events->queue, &change, 1, NULL, 0, NULL) < 0
               ? szi_last_error()
               : 0;
}

int szi_events_new(szi_events **made)
{
    szi_events *events = szi_new(sizeof *events);
    if (events == NULL)
        return SZ_ENOMEM;
    events->queue = kqueue();
    int code = events->queue < 0 ? szi_last_error()
                                 : control(events, WAKE, EVFILT_USER,
                                           EV_ADD | EV_CLEAR, 0, 0, NULL);
    if (code != 0) {
        szi_events_free(events);
        return code;
    }
    fcntl(events->queue, F_SETFD, FD_CLOEXEC);
    *made = events;
    return 0;
}

void szi_events_free(szi_events *events)
{
    if (events->queue >= 0)
        close(events->queue);
    szi_free(events);
}

int szi_events_fd(const szi_events *events)
{
    return events->queue;
}

static int set(szi_events *events, int fd, int filter, bool wanted, bool edge,
               void *data)
{
    int how = wanted ? EV_ADD | (edge ? EV_CLEAR : 0) : EV_DELETE;
    int code = control(events, (uintptr_t)fd, filter, how, 0, 0, data);
    return wanted ? code : 0;
}

int szi_events_add(szi_events *events, int fd, int wanted, bool edge,
                   void *data)
{
    int code = fcntl(fd, F_GETFD) < 0 ? szi_last_error() : 0;
    if (code == 0 && wanted & SZ_IN)
        code = set(events, fd, EVFILT_READ, true, edge, data);
    if (code == 0 && wanted & SZ_OUT)
        code = set(events, fd, EVFILT_WRITE, true, edge, data);
    if (code != 0)
        szi_events_remove(events, fd);
    return code == SZ_EINVAL ? SZ_EPERM : code;
}

int szi_events_change(szi_events *events, int fd, int wanted, void *data)
{
    int code = set(events, fd, EVFILT_READ, wanted & SZ_IN, false, data);
    return code != 0
               ? code
               : set(events, fd, EVFILT_WRITE, wanted & SZ_OUT, false, data);
}

/* A kqueue drops a descriptor by itself when it is closed. */
int szi_events_remove(szi_events *events, int fd)
{
    set(events, fd, EVFILT_READ, false, false, NULL);
    set(events, fd, EVFILT_WRITE, false, false, NULL);
    return 0;
}

int szi_events_renew(szi_events *events)
{
    (void)events;
    return SZ_ENOTSUP;
}

int szi_events_get(szi_events *events, szi_fired *fired, int max)
{
    enum {
        MANY = 128
    };
    struct kevent some[MANY];
    const struct timespec none = {0, 0};
    int n =
        kevent(events->queue, NULL, 0, some, max < MANY ? max : MANY, &none);
    int count = 0;
    for (int i = 0; i < n; i++) {
        if (some[i].filter == EVFILT_USER || some[i].filter == EVFILT_TIMER)
            continue;
        int event = some[i].filter == EVFILT_READ ? SZ_IN : SZ_OUT;
        if (some[i].flags & EV_EOF)
            event |= SZ_ERROR;
        fired[count].data = some[i].udata;
        fired[count].events = event;
        count++;
    }
    return count;
}

void szi_events_arm(szi_events *events)
{
    (void)events;
}

void szi_events_wake(szi_events *events)
{
    control(events, WAKE, EVFILT_USER, 0, NOTE_TRIGGER, 0, NULL);
}

int szi_events_alarm(szi_events *events, int64_t time)
{
    if (time < 0) {
        control(events, ALARM, EVFILT_TIMER, EV_DELETE, 0, 0, NULL);
        return 0;
    }
    int64_t left = time - sz_now();
    return control(events, ALARM, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0,
                   (intptr_t)(left > 0 ? left : 1), NULL);
}

#else
typedef int szi_no_kqueue;
#endif
