#include "calls.h"

static int poller_new(world *w)
{
    sz_poller *made = &w->pollers[pick(w, POLLERS)];
    return made->id == 0 ? sz_poller_new(made) : 0;
}

static int poller_free(world *w)
{
    sz_poller *gone = &w->pollers[pick(w, POLLERS)];
    if (!once_in(w, 6))
        return 0;
    note_stale(w, gone->id);
    sz_poller_free(*gone);
    gone->id = 0;
    return 0;
}

static int poller_socket(world *w)
{
    static const int events[] = {0, SZ_IN, SZ_OUT, 3, SZ_SIGNAL, SZ_SWAP};
    sz_poller poller = pick_poller(w);
    sz_socket socket = pick_socket(w);
    int wanted = events[pick(w, 6)];
    TELL("  %llu %llu %d\n", number(poller.id), number(socket.id), wanted);
    switch (pick(w, 4)) {
    case 0:
        return sz_poller_modify_socket(poller, socket, wanted & 3, 1);
    case 1:
        return sz_poller_remove_socket(poller, socket);
    default:
        return sz_poller_add_socket(poller, socket, wanted, socket.id);
    }
}

static int poller_fd(world *w)
{
    sz_poller poller = pick_poller(w);
    int fd = w->pipe[pick(w, 2)];
    if (once_in(w, 10))
        fd = (int)pick(w, 3) - 2;
    switch (pick(w, 5)) {
    case 0:
        return sz_poller_modify_fd(poller, fd, (int)pick(w, 4), 2);
    case 1:
        return sz_poller_remove_fd(poller, fd);
    case 2:
        return sz_poller_fd(poller);
    default:
        return sz_poller_add_fd(poller, fd, (int)pick(w, 4), 3);
    }
}

static int poller_timer(world *w)
{
    sz_poller poller = pick_poller(w);
    if (once_in(w, 3))
        return sz_poller_remove_timer(poller, w->timer);
    if (once_in(w, 4))
        return sz_poller_wake(poller);
    return sz_poller_add_timer(poller, sz_now() + (int64_t)pick(w, 4) - 1,
                               &w->timer);
}

static int poller_check(world *w)
{
    sz_ready ready[4];
    sz_poller poller = pick_poller(w);
    TELL("  %llu\n", number(poller.id));
    return sz_poller_check(poller, ready, 1 + pick(w, 4));
}

static int wait_(world *w)
{
    return sz_wait(once_in(w, 8) ? -1 : w->pipe[pick(w, 2)], (int)pick(w, 2));
}

static int monitor_new(world *w)
{
    sz_monitor *made = &w->monitors[pick(w, MONITORS)];
    sz_socket socket = pick_socket(w);
    if (made->id != 0)
        return 0;
    TELL("  %llu\n", number(socket.id));
    int code = sz_monitor_new(
        socket, once_in(w, 10) ? -1 : SZ_EVENT_ALL & (int)pick(w, 1 << 16),
        made);
    if (code != 0)
        made->id = 0;
    return code;
}

static int monitor_receive(world *w)
{
    sz_event event;
    sz_monitor monitor = pick_monitor(w);
    int code = sz_monitor_receive(monitor, &event);
    if (code == 0) {
        sz_event_symbol(event.type, event.value);
        sz_event_text(event.type, event.value);
    }
    return once_in(w, 4) ? sz_monitor_fd(monitor) : code;
}

static int monitor_close(world *w)
{
    sz_monitor *gone = &w->monitors[pick(w, MONITORS)];
    if (gone->id == 0 || !once_in(w, 4))
        return 0;
    if (once_in(w, 3))
        return sz_monitor_stop(*gone);
    note_stale(w, gone->id);
    int code = sz_monitor_close(*gone);
    gone->id = 0;
    return code;
}

const call poller_calls[] = {CALL(poller_new, 2),
                             CALL(poller_free, 2),
                             CALL(poller_socket, 6),
                             CALL(poller_fd, 2),
                             CALL(poller_timer, 2),
                             CALL(poller_check, 8),
                             CALL(wait_, 2),
                             CALL(monitor_new, 2),
                             CALL(monitor_receive, 2),
                             CALL(monitor_close, 2),
                             {0}};
