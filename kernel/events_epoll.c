/* Descriptors that fired, from Linux's epoll. */

#include "events.h"

#ifdef SZI_EVENTS_EPOLL

#include "error.h"
#include "memory.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* The eventfd and the timer are in the epoll set with NULL as data. */
struct szi_events {
    int epoll, wake, timer;
};

static int watch(szi_events *events, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    return epoll_ctl(events->epoll, EPOLL_CTL_ADD, fd, &event);
}

int szi_events_new(szi_events **made)
{
    szi_events *events = szi_new(sizeof *events);
    if (events == NULL)
        return SZ_ENOMEM;
    events->timer = -1;
    events->epoll = epoll_create1(EPOLL_CLOEXEC);
    events->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (events->epoll < 0 || events->wake < 0 ||
        watch(events, events->wake) != 0) {
        int code = szi_last_error();
        szi_events_free(events);
        return code;
    }
    *made = events;
    return 0;
}

void szi_events_free(szi_events *events)
{
    if (events->epoll >= 0)
        close(events->epoll);
    if (events->wake >= 0)
        close(events->wake);
    if (events->timer >= 0)
        close(events->timer);
    szi_free(events);
}

int szi_events_fd(const szi_events *events)
{
    return events->epoll;
}

static uint32_t to_epoll(int wanted, bool edge)
{
    return (wanted & SZ_IN ? (uint32_t)EPOLLIN : 0) |
           (wanted & SZ_OUT ? (uint32_t)EPOLLOUT : 0) |
           (edge ? (uint32_t)EPOLLET : 0);
}

static int control(szi_events *events, int how, int fd, uint32_t mask,
                   void *data)
{
    struct epoll_event event = {.events = mask, .data.ptr = data};
    return epoll_ctl(events->epoll, how, fd, &event) == 0 ? 0
                                                          : szi_last_error();
}

int szi_events_add(szi_events *events, int fd, int wanted, bool edge,
                   void *data)
{
    return control(events, EPOLL_CTL_ADD, fd, to_epoll(wanted, edge), data);
}

int szi_events_change(szi_events *events, int fd, int wanted, void *data)
{
    return control(events, EPOLL_CTL_MOD, fd, to_epoll(wanted, false), data);
}

int szi_events_remove(szi_events *events, int fd)
{
    return epoll_ctl(events->epoll, EPOLL_CTL_DEL, fd, NULL) == 0
               ? 0
               : szi_last_error();
}

int szi_events_renew(szi_events *events)
{
    szi_events fresh = *events;
    fresh.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (fresh.epoll < 0)
        return szi_last_error();
    /* The number stays: threads may be about to wait for it. */
    int code = watch(&fresh, fresh.wake) != 0 ||
                       (fresh.timer >= 0 && watch(&fresh, fresh.timer) != 0) ||
                       dup3(fresh.epoll, events->epoll, O_CLOEXEC) < 0
                   ? szi_last_error()
                   : 0;
    close(fresh.epoll);
    return code;
}

static int from_epoll(uint32_t mask)
{
    return (mask & EPOLLIN ? SZ_IN : 0) | (mask & EPOLLOUT ? SZ_OUT : 0) |
           (mask & EPOLLHUP ? SZ_IN | SZ_ERROR : 0) |
           (mask & EPOLLERR ? SZ_ERROR : 0);
}

int szi_events_get(szi_events *events, szi_fired *fired, int max)
{
    enum {
        MANY = 128
    };
    struct epoll_event some[MANY];
    int n = epoll_wait(events->epoll, some, max < MANY ? max : MANY, 0);
    int count = 0;
    for (int i = 0; i < n; i++) {
        if (some[i].data.ptr == NULL) {
            eventfd_t value;
            eventfd_read(events->wake, &value);
            if (events->timer >= 0)
                eventfd_read(events->timer, &value);
            continue;
        }
        fired[count].data = some[i].data.ptr;
        fired[count].events = from_epoll(some[i].events);
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
    eventfd_write(events->wake, 1);
}

static int make_timer(szi_events *events)
{
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (timer < 0)
        return szi_last_error();
    if (watch(events, timer) != 0) {
        int code = szi_last_error();
        close(timer);
        return code;
    }
    events->timer = timer;
    return 0;
}

int szi_events_alarm(szi_events *events, int64_t time)
{
    int code = events->timer < 0 ? make_timer(events) : 0;
    if (code != 0)
        return code;
    struct itimerspec alarm = {0};
    /* An alarm of zero would disarm the timer. */
    int64_t at = time > 0 ? time : time == 0;
    /* time_t can have 32 bits. */
    const int64_t last = (int64_t)INT32_MAX * 1000;
    if (at > last)
        at = last;
    alarm.it_value.tv_sec = (time_t)(at / 1000);
    alarm.it_value.tv_nsec = (long)(at % 1000) * 1000000;
    return timerfd_settime(events->timer, TFD_TIMER_ABSTIME, &alarm, NULL) == 0
               ? 0
               : szi_last_error();
}

#else
typedef int szi_no_epoll;
#endif
