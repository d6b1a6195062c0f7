/* Watches, hot and cold.
 *
 * libzmq's descriptors are edge-triggered, the poller is level-triggered.  A
 * watch is hot if its socket may be ready without a new edge: it is new, its
 * edge fired, the last check found it ready, or the socket was used since.  A
 * check reads ZMQ_EVENTS of the hot watches only, and those that are not ready
 * turn cold.  Reading ZMQ_EVENTS makes libzmq process all that has arrived, so
 * the next event after it brings an edge.
 *
 * Invariant: between checks every cold watch is armed, and making a watch hot
 * wakes the thread that waits. */

#include "watch.h"

#include <poll.h>

void szi_watch_heat(szi_watch *watch)
{
    if (watch->hot)
        return;
    watch->hot = true;
    szi_list_append(&watch->poller->hot, &watch->hot_link);
}

void szi_watch_cool(szi_watch *watch)
{
    if (!watch->hot)
        return;
    watch->hot = false;
    szi_list_remove(&watch->poller->hot, &watch->hot_link);
}

void szi_watch_touch(szi_watch *watch)
{
    szi_watch_heat(watch);
    watch->known = 0;
    if (!watch->poller->armed)
        return;
    watch->poller->armed = false;
    szi_events_wake(watch->poller->source);
}

void szi_watch_settle(szi_watch *watch, int events)
{
    if (events < 0 || events & watch->events)
        szi_watch_touch(watch);
    else
        szi_watch_cool(watch);
}

void szi_watch_signal(szi_watch *watch)
{
    if ((watch->events & SZ_SIGNAL) == 0)
        return;
    watch->fired = SZ_SIGNAL;
    szi_watch_touch(watch);
}

/* If the system refuses the descriptor, SZ_SWAP is reported once; the pump
 * then goes on by a timer. */
void szi_watch_listen(szi_watch *watch)
{
    watch->quiet = szi_events_add(watch->poller->source, watch->fd, SZ_IN,
                                  true, watch) != 0;
    watch->fired = SZ_SWAP;
    szi_watch_touch(watch);
}

void szi_watch_silence(szi_watch *watch)
{
    szi_events_remove(watch->poller->source, watch->fd);
    watch->quiet = true;
}

static int look(int fd, int wanted)
{
    struct pollfd p = {.fd = fd,
                       .events = (short)((wanted & SZ_IN ? POLLIN : 0) |
                                         (wanted & SZ_OUT ? POLLOUT : 0))};
    if (poll(&p, 1, 0) != 1)
        return 0;
    return (p.revents & POLLIN ? SZ_IN : 0) |
           (p.revents & POLLOUT ? SZ_OUT : 0) |
           (p.revents & (POLLERR | POLLHUP | POLLNVAL) ? SZ_ERROR : 0);
}

void szi_watch_add_again(szi_watch *watch)
{
    bool is_socket = watch->socket != NULL;
    int code =
        szi_events_add(watch->poller->source, watch->fd,
                       is_socket ? SZ_IN : watch->events, is_socket, watch);
    watch->quiet = code == SZ_ENOMEM || code == SZ_ENOSPC;
    watch->poller->refused |= watch->quiet;
    watch->closed = code != 0 && !watch->quiet;
    if (watch->quiet)
        watch->fired = is_socket ? SZ_SIGNAL : look(watch->fd, watch->events);
    if (is_socket || watch->closed || watch->fired != 0)
        szi_watch_touch(watch);
}

void szi_watches_touched(szi_socket *socket)
{
    SZI_EACH (w, &socket->watches, szi_watch, socket_link)
        if (!szi_watch_signals(w))
            szi_watch_touch(w);
}

void szi_watches_settled(szi_socket *socket, int events)
{
    SZI_EACH (w, &socket->watches, szi_watch, socket_link)
        if (!szi_watch_signals(w))
            szi_watch_settle(w, events);
}

void szi_watches_signal(szi_socket *socket)
{
    SZI_EACH (w, &socket->watches, szi_watch, socket_link)
        szi_watch_signal(w);
}

void szi_watches_swap(szi_socket *socket, bool waiting)
{
    SZI_EACH (w, &socket->watches, szi_watch, socket_link)
        if ((w->events & SZ_SWAP) != 0 && w->quiet == waiting) {
            if (waiting)
                szi_watch_listen(w);
            else
                szi_watch_silence(w);
        }
}

void szi_watches_closed(szi_socket *socket)
{
    SZI_EACH (w, &socket->watches, szi_watch, socket_link) {
        if (!w->quiet)
            szi_events_remove(w->poller->source, w->fd);
        w->socket = NULL;
        w->closed = true;
        szi_watch_touch(w);
    }
    socket->watches = (szi_list){0};
}
