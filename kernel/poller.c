/* Pollers: adding and removing watches, and the check that reports what is
 * ready.  watch.c explains hot and cold. */

#include "watch.h"
#include "handle.h"
#include "memory.h"
#include "swap_socket.h"
#include "use.h"
#include "clock.h"

static szi_poller *get(sz_poller handle, int *code)
{
    szi_poller *poller = szi_handle_get(handle.id, SZI_POLLER);
    if (poller == NULL)
        *code = szi_handle_refuse(handle.id, SZI_POLLER);
    return poller;
}

int sz_poller_new(sz_poller *handle)
{
    szi_poller *poller = szi_new(sizeof *poller);
    if (poller == NULL)
        return SZ_ENOMEM;
    poller->alarm = INT64_MAX;
    int code = szi_events_new(&poller->source);
    if (code == 0) {
        code = szi_handle_new(SZI_POLLER, poller, &poller->id);
        if (code != 0)
            szi_events_free(poller->source);
    }
    if (code != 0) {
        szi_free(poller);
        return code;
    }
    handle->id = poller->id;
    return 0;
}

static void remove_watch(szi_watch *watch)
{
    szi_poller *poller = watch->poller;
    szi_watch_cool(watch);
    if (watch->socket != NULL)
        szi_list_remove(&watch->socket->watches, &watch->socket_link);
    if (!watch->closed && !watch->always && !watch->quiet)
        watch->stale = szi_events_remove(poller->source, watch->fd) != 0;
    szi_list_remove(&poller->watches, &watch->link);
    if (watch->stale)
        szi_list_prepend(&poller->stale_watches, &watch->link);
    else
        szi_free(watch);
}

static void free_stale(szi_poller *poller)
{
    szi_watch *stale;
    while ((stale = SZI_FIRST(&poller->stale_watches, szi_watch, link)) !=
           NULL) {
        szi_list_remove(&poller->stale_watches, &stale->link);
        szi_free(stale);
    }
}

/* Makes the source anew without the stale watches.  If that fails they stay,
 * and what they report is ignored. */
static void renew_source(szi_poller *poller)
{
    if (szi_events_renew(poller->source) != 0)
        return;
    free_stale(poller);
    SZI_EACH (w, &poller->watches, szi_watch, link)
        if (!w->closed && !w->always && !w->quiet)
            szi_watch_add_again(w);
}

static void add_refused(szi_poller *poller)
{
    poller->refused = false;
    SZI_EACH (w, &poller->watches, szi_watch, link)
        if (szi_watch_refused(w) && !w->closed)
            szi_watch_add_again(w);
}

void sz_poller_free(sz_poller handle)
{
    int code = 0;
    szi_poller *poller = get(handle, &code);
    if (code != SZ_EHANDLE)
        szi_handle_free(handle.id);
    if (poller == NULL)
        return;
    szi_watch *first;
    while ((first = SZI_FIRST(&poller->watches, szi_watch, link)) != NULL)
        remove_watch(first);
    free_stale(poller);
    szi_timers_free(&poller->timers);
    szi_events_free(poller->source);
    szi_free(poller);
}

/* The watch of a socket, open or closed. */
static szi_watch *find_socket(szi_poller *poller, uint64_t id)
{
    szi_socket *socket = szi_socket_get((sz_socket){id});
    if (socket != NULL) {
        SZI_EACH (w, &socket->watches, szi_watch, socket_link)
            if (w->poller == poller)
                return w;
        return NULL;
    }
    SZI_EACH (w, &poller->watches, szi_watch, link)
        if (id != 0 && w->socket_id == id)
            return w;
    return NULL;
}

static szi_watch *find_fd(szi_poller *poller, int fd)
{
    SZI_EACH (w, &poller->watches, szi_watch, link)
        if (w->socket_id == 0 && w->fd == fd)
            return w;
    return NULL;
}

static int enlist(szi_poller *poller, szi_watch *watch, int wanted)
{
    int code = 0;
    if ((watch->events & SZ_SWAP) == 0)
        code = szi_events_add(poller->source, watch->fd, wanted,
                              watch->socket != NULL, watch);
    else
        watch->quiet = true;
    if (code == SZ_EPERM && watch->socket == NULL)
        watch->always = true;
    else if (code != 0)
        return code;
    szi_list_prepend(&poller->watches, &watch->link);
    if (watch->socket != NULL)
        szi_list_prepend(&watch->socket->watches, &watch->socket_link);
    if ((watch->socket != NULL && !szi_watch_signals(watch)) || watch->always)
        szi_watch_touch(watch);
    if (watch->quiet && szi_swap_socket_waits(watch->socket))
        szi_watch_listen(watch);
    return 0;
}

static int add(szi_poller *poller, szi_watch with, int wanted)
{
    szi_watch *watch = szi_new(sizeof *watch);
    if (watch == NULL)
        return SZ_ENOMEM;
    *watch = with;
    watch->poller = poller;
    int code = enlist(poller, watch, wanted);
    if (code != 0)
        szi_free(watch);
    return code;
}

int sz_poller_add_socket(sz_poller handle, sz_socket socket_handle, int events,
                         uint64_t tag)
{
    int code = 0;
    szi_poller *poller = get(handle, &code);
    if (poller == NULL)
        return code;
    szi_socket *socket = szi_socket_get(socket_handle);
    if (socket == NULL)
        return szi_socket_refuse(socket_handle);
    if (find_socket(poller, socket_handle.id) != NULL)
        return SZ_EEXIST;
    szi_watch watch = {.socket = socket,
                       .socket_id = socket_handle.id,
                       .fd = socket->fd,
                       .events = events,
                       .tag = tag};
    return add(poller, watch, SZ_IN);
}

int sz_poller_add_fd(sz_poller handle, int fd, int events, uint64_t tag)
{
    int code = 0;
    szi_poller *poller = get(handle, &code);
    if (poller == NULL)
        return code;
    if (find_fd(poller, fd) != NULL)
        return SZ_EEXIST;
    szi_watch watch = {.fd = fd, .events = events, .tag = tag};
    return add(poller, watch, events);
}

/* A watch for SZ_SWAP is in the source only while messages wait. */
static int change_swap(szi_watch *watch, int events)
{
    bool swaps = (events & SZ_SWAP) != 0;
    int code = 0;
    if (swaps == ((watch->events & SZ_SWAP) != 0))
        return 0;
    watch->fired = 0;
    if (swaps && szi_swap_socket_waits(watch->socket))
        watch->fired = SZ_SWAP;
    else if (swaps && !watch->quiet)
        szi_watch_silence(watch);
    else if (watch->quiet)
        code = szi_events_add(watch->poller->source, watch->fd, SZ_IN, true,
                              watch);
    watch->quiet = watch->quiet && (swaps || code != 0);
    return code;
}

static int modify(szi_watch *watch, int events, uint64_t tag)
{
    if (watch == NULL)
        return SZ_ENOENT;
    if (watch->socket != NULL) {
        int code = change_swap(watch, events);
        if (code != 0)
            return code;
    }
    if (watch->socket == NULL && !watch->always && !watch->closed &&
        !watch->quiet) {
        int code =
            szi_events_change(watch->poller->source, watch->fd, events, watch);
        if (code != 0)
            return code;
    }
    watch->events = events;
    watch->tag = tag;
    if (watch->socket != NULL || watch->always)
        szi_watch_touch(watch);
    return 0;
}

int sz_poller_modify_socket(sz_poller handle, sz_socket socket, int events,
                            uint64_t tag)
{
    int code = 0;
    szi_poller *poller = get(handle, &code);
    return poller != NULL ? modify(find_socket(poller, socket.id), events, tag)
                          : code;
}

int sz_poller_modify_fd(sz_poller handle, int fd, int events, uint64_t tag)
{
    int code = 0;
    szi_poller *poller = get(handle, &code);
    return poller != NULL ? modify(find_fd(poller, fd), events, tag) : code;
}

int sz_poller_remove_socket(sz_poller handle, sz_socket socket)
{
    int code = 0;
    szi_poller *poller = get(handle, &code);
    if (poller == NULL)
        return code;
    szi_watch *watch = find_socket(poller, socket.id);
    if (watch == NULL)
        return SZ_ENOENT;
    remove_watch(watch);
    return 0;
}

int sz_poller_remove_fd(sz_poller handle, int fd)
{
    int code = 0;
    szi_poller *poller = get(handle, &code);
    if (poller == NULL)
        return code;
    szi_watch *watch = find_fd(poller, fd);
    if (watch == NULL)
        return SZ_ENOENT;
    remove_watch(watch);
    return 0;
}

bool sz_socket_polled(sz_socket handle)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL)
        return false;
    SZI_EACH (w, &socket->watches, szi_watch, socket_link)
        if (w->events != SZ_SIGNAL)
            return true;
    return false;
}

/* --------------------------------------------------------------- timers -- */

/* The alarm is never later than the first timer; it may be earlier, for a
 * timer that was removed, and then a check finds nothing. */
static int set_alarm(szi_poller *poller)
{
    int64_t next = szi_timers_next(&poller->timers);
    if (next >= poller->alarm)
        return 0;
    int code = szi_events_alarm(poller->source, next);
    if (code == 0)
        poller->alarm = next;
    return code;
}

int sz_poller_add_timer(sz_poller handle, int64_t time, uint64_t *id)
{
    int code = 0;
    szi_poller *poller = get(handle, &code);
    if (poller == NULL)
        return code;
    code = szi_timers_add(&poller->timers, time, id);
    if (code != 0)
        return code;
    code = set_alarm(poller);
    if (code != 0)
        szi_timers_remove(&poller->timers, *id);
    return code;
}

int sz_poller_remove_timer(sz_poller handle, uint64_t id)
{
    int code = 0;
    szi_poller *poller = get(handle, &code);
    if (poller == NULL)
        return code;
    return szi_timers_remove(&poller->timers, id) ? 0 : SZ_ENOENT;
}

int sz_poller_wake(sz_poller handle)
{
    int code = 0;
    szi_poller *poller = get(handle, &code);
    if (poller != NULL)
        szi_events_wake(poller->source);
    return code;
}

static size_t take_timers(szi_poller *poller, sz_ready *ready, size_t max)
{
    size_t found = 0;
    if (poller->alarm == INT64_MAX)
        return 0;
    int64_t now = sz_now();
    while (found < max &&
           szi_timers_take(&poller->timers, now, &ready[found].tag))
        ready[found++].events = SZ_TIMER;
    if (poller->alarm <= now)
        poller->alarm = INT64_MAX;
    if (set_alarm(poller) != 0)
        szi_events_wake(poller->source);
    return found;
}

/* Makes the next check come soon. */
static void look_soon(szi_poller *poller)
{
    enum {
        SOON = 10 /* milliseconds */
    };
    int64_t soon = sz_now() + SOON;
    if (soon >= poller->alarm)
        return;
    if (szi_events_alarm(poller->source, soon) == 0)
        poller->alarm = soon;
    else
        szi_events_wake(poller->source);
}

/* A reader finds the error of a descriptor by reading, so SZ_ERROR is not
 * reported beside SZ_IN. */
static int of_descriptor(int fired, int wanted)
{
    if (fired & SZ_ERROR && fired & SZ_IN && wanted & SZ_IN)
        fired &= ~SZ_ERROR;
    return fired & (wanted | SZ_ERROR);
}

/* Makes hot what has fired.  Descriptors that stay ready fire again and again,
 * so the first round without anything new is the last. */
static void collect(szi_poller *poller)
{
    enum {
        MANY = 128
    };
    szi_fired fired[MANY];
    bool fresh, found_stale = false;
    int n;
    do {
        fresh = false;
        n = szi_events_get(poller->source, fired, MANY);
        for (int i = 0; i < n; i++) {
            szi_watch *watch = fired[i].data;
            if (watch->stale) {
                found_stale = true;
                continue;
            }
            fresh = fresh || !watch->hot;
            watch->fired = watch->socket != NULL
                               ? SZ_SIGNAL
                               : of_descriptor(fired[i].events, watch->events);
            szi_watch_heat(watch);
        }
    } while (n == MANY && fresh);
    if (found_stale)
        renew_source(poller);
}

/* What a hot watch has to report. */
static int inspect(szi_watch *watch)
{
    if (watch->closed)
        return SZ_ERROR;
    if (watch->always)
        return watch->events & (SZ_IN | SZ_OUT);
    int fired = watch->fired;
    watch->fired = 0;
    if (watch->socket == NULL || szi_watch_signals(watch))
        return fired;
    /* What can be received stays until the socket is used, and reading
     * ZMQ_EVENTS takes a system call. */
    if (fired == 0 && watch->known != 0 && (watch->events & SZ_OUT) == 0)
        return watch->known;
    int events = szi_socket_state(watch->socket);
    SZI_EACH (w, &watch->socket->watches, szi_watch, socket_link) {
        if (szi_watch_signals(w))
            szi_watch_signal(w);
        else if (w != watch)
            szi_watch_settle(w, events);
    }
    if (events < 0)
        return SZ_ERROR;
    watch->known = events & watch->events & SZ_IN;
    return events & watch->events;
}

int sz_poller_check(sz_poller handle, sz_ready *ready, size_t max)
{
    int code = 0;
    szi_poller *poller = get(handle, &code);
    if (poller == NULL)
        return code;
    if (poller->refused)
        add_refused(poller);
    collect(poller);
    if (poller->refused)
        look_soon(poller);
    size_t found = take_timers(poller, ready, max);
    szi_link *last = poller->hot.last;
    szi_watch *next, *w = SZI_FIRST(&poller->hot, szi_watch, hot_link);
    for (; w != NULL && found < max; w = next) {
        next = &w->hot_link != last ? SZI_NEXT(w, szi_watch, hot_link) : NULL;
        int events = inspect(w);
        szi_watch_cool(w);
        if (events != 0) {
            ready[found].tag = w->tag;
            ready[found].events = events;
            found++;
            /* Goes to the end of the list, so that a small `max` serves all in
             * turn.  A descriptor that stays ready fires again. */
            if ((w->socket != NULL && !szi_watch_signals(w)) || w->always ||
                w->closed)
                szi_watch_heat(w);
        }
    }
    poller->armed = found == 0;
    if (poller->armed)
        szi_events_arm(poller->source);
    return (int)found;
}

int sz_poller_fd(sz_poller handle)
{
    int code = 0;
    szi_poller *poller = get(handle, &code);
    return poller != NULL ? szi_events_fd(poller->source) : code;
}
