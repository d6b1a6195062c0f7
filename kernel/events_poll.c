/* Descriptors that fired, from poll.
 *
 * poll has no descriptor that others could wait for.  So a thread polls in
 * place of those that wait, and makes a pipe readable.  It sleeps unless the
 * events are armed.  The time of a round is proportional to the number of
 * watched descriptors. */

#include "events.h"

#ifdef SZI_EVENTS_POLL

#include "descriptor.h"
#include "error.h"
#include "memory.h"
#include "thread.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

/* `lock` guards all fields.  fds[0] is the reading end of `nudge`, which makes
 * the thread poll again.  `version` grows with every change; what the thread
 * found in an older version is not reported. */
struct szi_events {
    pthread_mutex_t lock;
    pthread_cond_t work;
    pthread_t thread;
    bool started, stop, armed, told;
    bool woken; /* by szi_events_wake, which nobody was told of yet */
    unsigned version;
    int tell[2], nudge[2];
    int64_t alarm; /* -1 for none */
    struct pollfd *fds;
    void **data;
    size_t count, room; /* including fds[0] */
    size_t turn;        /* the descriptor that the next round begins with */
};

/* If the pipe is full, its other end is readable already. */
static bool put(int fd)
{
    char byte = 0;
    ssize_t done;
    SZI_UNINTERRUPTED(done, write(fd, &byte, 1));
    return done == 1 || errno == EAGAIN;
}

static void drain(int fd)
{
    char bytes[64];
    while (read(fd, bytes, sizeof bytes) > 0)
        ;
}

/* If it fails, the events stay armed, and the thread tells again. */
static void tell(szi_events *events)
{
    events->told = events->told || put(events->tell[1]);
    events->armed = events->armed && !events->told;
    events->woken = events->woken && !events->told;
}

/* The thread polls a copy, as the set may change meanwhile. */
static struct pollfd *copy_fds(const szi_events *events)
{
    struct pollfd *copy = szi_resize(NULL, events->count * sizeof *copy);
    for (size_t i = 0; copy != NULL && i < events->count; i++)
        copy[i] = events->fds[i];
    return copy;
}

/* The time of a round is bounded: the system may have refused a nudge. */
static void watch_once(szi_events *events)
{
    enum {
        LOOK = 1000,
        SOON = 10
    };
    struct pollfd *copy = copy_fds(events);
    size_t count = events->count;
    unsigned version = events->version;
    int timeout = LOOK;
    if (events->alarm >= 0) {
        int64_t left = events->alarm - sz_now();
        timeout = left < 0 ? 0 : left < LOOK ? (int)left : LOOK;
    }
    if (events->woken && timeout > SOON)
        timeout = SOON;
    pthread_mutex_unlock(&events->lock);
    int n = copy != NULL ? poll(copy, (nfds_t)count, timeout) : 1;
    bool nudged = copy != NULL && n > 0 && copy[0].revents != 0;
    szi_free(copy);
    pthread_mutex_lock(&events->lock);
    if (nudged) {
        drain(events->nudge[0]);
        n--;
    }
    bool due =
        events->woken || (events->alarm >= 0 && events->alarm <= sz_now());
    bool found = n > 0 && events->version == version;
    if (events->armed && (found || due))
        tell(events);
}

static void *watch(void *argument)
{
    szi_events *events = argument;
    pthread_mutex_lock(&events->lock);
    while (!events->stop)
        if (events->armed)
            watch_once(events);
        else
            pthread_cond_wait(&events->work, &events->lock);
    pthread_mutex_unlock(&events->lock);
    return NULL;
}

static int start(szi_events *events)
{
    int code = szi_thread_start(watch, events, &events->thread);
    events->started = code == 0;
    return code;
}

static int make_room(szi_events *events)
{
    if (events->count < events->room)
        return 0;
    size_t room = events->room > 0 ? events->room * 2 : 16;
    struct pollfd *fds = szi_resize(events->fds, room * sizeof *fds);
    if (fds == NULL)
        return SZ_ENOMEM;
    events->fds = fds;
    void **data = szi_resize(events->data, room * sizeof *data);
    if (data == NULL)
        return SZ_ENOMEM;
    events->data = data;
    events->room = room;
    return 0;
}

static int open_pipes(szi_events *events)
{
    int code = szi_pipe(events->tell);
    if (code != 0)
        return code;
    code = szi_pipe(events->nudge);
    if (code != 0) {
        close(events->tell[0]);
        close(events->tell[1]);
        return code;
    }
    for (int i = 0; i < 2; i++) {
        fcntl(events->tell[i], F_SETFL, O_NONBLOCK);
        fcntl(events->nudge[i], F_SETFL, O_NONBLOCK);
    }
    return 0;
}

static int make_locks(szi_events *events)
{
    if (pthread_mutex_init(&events->lock, NULL) != 0)
        return SZ_ENOMEM;
    if (pthread_cond_init(&events->work, NULL) == 0)
        return 0;
    pthread_mutex_destroy(&events->lock);
    return SZ_ENOMEM;
}

static void free_locks(szi_events *events)
{
    pthread_cond_destroy(&events->work);
    pthread_mutex_destroy(&events->lock);
}

int szi_events_new(szi_events **made)
{
    szi_events *events = szi_new(sizeof *events);
    if (events == NULL)
        return SZ_ENOMEM;
    int code = make_locks(events);
    if (code == 0) {
        code = make_room(events);
        if (code == 0)
            code = open_pipes(events);
        if (code != 0)
            free_locks(events);
    }
    if (code != 0) {
        szi_free(events->fds);
        szi_free(events->data);
        szi_free(events);
        return code;
    }
    events->alarm = -1;
    events->fds[0] = (struct pollfd){.fd = events->nudge[0], .events = POLLIN};
    events->count = 1;
    *made = events;
    return 0;
}

void szi_events_free(szi_events *events)
{
    if (events->started) {
        pthread_mutex_lock(&events->lock);
        events->stop = true;
        put(events->nudge[1]);
        pthread_cond_signal(&events->work);
        pthread_mutex_unlock(&events->lock);
        pthread_join(events->thread, NULL);
    }
    for (int i = 0; i < 2; i++) {
        close(events->tell[i]);
        close(events->nudge[i]);
    }
    free_locks(events);
    szi_free(events->fds);
    szi_free(events->data);
    szi_free(events);
}

int szi_events_fd(const szi_events *events)
{
    return events->tell[0];
}

static short to_poll(int wanted)
{
    return (short)((wanted & SZ_IN ? POLLIN : 0) |
                   (wanted & SZ_OUT ? POLLOUT : 0));
}

/* The index of a descriptor, or 0. */
static size_t find(const szi_events *events, int fd)
{
    for (size_t i = 1; i < events->count; i++)
        if (events->fds[i].fd == fd)
            return i;
    return 0;
}

static void changed(szi_events *events)
{
    events->version++;
    if (events->armed)
        put(events->nudge[1]);
    pthread_mutex_unlock(&events->lock);
}

int szi_events_add(szi_events *events, int fd, int wanted, bool edge,
                   void *data)
{
    (void)edge;
    if (fcntl(fd, F_GETFD) < 0)
        return szi_last_error();
    pthread_mutex_lock(&events->lock);
    int code = make_room(events);
    if (code == 0) {
        events->fds[events->count] =
            (struct pollfd){.fd = fd, .events = to_poll(wanted)};
        events->data[events->count++] = data;
    }
    changed(events);
    return code;
}

int szi_events_change(szi_events *events, int fd, int wanted, void *data)
{
    pthread_mutex_lock(&events->lock);
    size_t i = find(events, fd);
    if (i > 0) {
        events->fds[i].events = to_poll(wanted);
        events->data[i] = data;
    }
    changed(events);
    return i > 0 ? 0 : SZ_ENOENT;
}

int szi_events_renew(szi_events *events)
{
    (void)events;
    return SZ_ENOTSUP;
}

int szi_events_remove(szi_events *events, int fd)
{
    pthread_mutex_lock(&events->lock);
    size_t i = find(events, fd);
    if (i > 0) {
        events->count--;
        events->fds[i] = events->fds[events->count];
        events->data[i] = events->data[events->count];
    }
    changed(events);
    return 0;
}

static int from_poll(short mask)
{
    return (mask & POLLIN ? SZ_IN : 0) | (mask & POLLOUT ? SZ_OUT : 0) |
           (mask & POLLHUP ? SZ_IN | SZ_ERROR : 0) |
           (mask & (POLLERR | POLLNVAL) ? SZ_ERROR : 0);
}

int szi_events_get(szi_events *events, szi_fired *fired, int max)
{
    pthread_mutex_lock(&events->lock);
    drain(events->tell[0]);
    events->told = events->woken = false;
    if (events->alarm >= 0 && events->alarm <= sz_now())
        events->alarm = -1;
    int count = 0;
    int n = poll(events->fds + 1, (nfds_t)(events->count - 1), 0);
    /* Begin where the last round ended, so that a small `max` serves all. */
    size_t others = events->count - 1, turn = events->turn;
    for (size_t k = 0; n > 0 && k < others && count < max; k++) {
        size_t i = 1 + (turn + k) % others;
        if (events->fds[i].revents != 0) {
            fired[count].data = events->data[i];
            fired[count].events = from_poll(events->fds[i].revents);
            count++;
            events->turn = i % others;
        }
    }
    events->armed = false;
    pthread_mutex_unlock(&events->lock);
    return count;
}

/* Without a thread the caller must look again at once. */
static void arm(szi_events *events)
{
    events->armed = true;
    if (!events->started && start(events) != 0)
        tell(events);
    pthread_cond_signal(&events->work);
    changed(events);
}

void szi_events_arm(szi_events *events)
{
    pthread_mutex_lock(&events->lock);
    arm(events);
}

/* If the system refuses, the thread tells later. */
void szi_events_wake(szi_events *events)
{
    pthread_mutex_lock(&events->lock);
    events->woken = true;
    tell(events);
    if (events->woken)
        arm(events);
    else
        pthread_mutex_unlock(&events->lock);
}

int szi_events_alarm(szi_events *events, int64_t time)
{
    pthread_mutex_lock(&events->lock);
    events->alarm = time;
    changed(events);
    return 0;
}

#else
typedef int szi_no_poll;
#endif
