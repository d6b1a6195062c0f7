#include "pick.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LONGEST = 1 << 18 /* bytes of the largest message */
};

static uint64_t next(world *w)
{
    uint64_t z = w->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint32_t pick(world *w, uint32_t bound)
{
    return (uint32_t)(next(w) >> 32) % bound;
}

void note_stale(world *w, uint64_t id)
{
    w->stale[pick(w, STALE)] = id;
}

/* One that is closed, of another kind, or never was. */
static uint64_t wild(world *w)
{
    switch (pick(w, 4)) {
    case 0:
        return 0;
    case 1:
        return next(w) >> pick(w, 8);
    case 2:
        return w->messages[pick(w, MESSAGES)].id;
    default:
        return w->stale[pick(w, STALE)];
    }
}

slot *pick_slot(world *w)
{
    for (int i = 0; i < 4; i++) {
        slot *found = &w->sockets[pick(w, SOCKETS)];
        if (found->handle.id != 0)
            return found;
    }
    return &w->sockets[pick(w, SOCKETS)];
}

sz_socket pick_socket(world *w)
{
    return once_in(w, 30) ? (sz_socket){wild(w)} : pick_slot(w)->handle;
}

sz_context pick_context(world *w)
{
    return once_in(w, 30) ? (sz_context){wild(w)}
                          : w->contexts[pick(w, CONTEXTS)];
}

sz_poller pick_poller(world *w)
{
    return once_in(w, 30) ? (sz_poller){wild(w)}
                          : w->pollers[pick(w, POLLERS)];
}

sz_monitor pick_monitor(world *w)
{
    return once_in(w, 30) ? (sz_monitor){wild(w)}
                          : w->monitors[pick(w, MONITORS)];
}

sz_message pick_message(world *w)
{
    if (!once_in(w, 30))
        return w->messages[pick(w, MESSAGES)];
    uint64_t id = once_in(w, 2) ? w->stale[pick(w, STALE)] : next(w) >> 1;
    return (sz_message){id};
}

static const char *const odd_endpoints[] = {
    "",
    "inproc://",
    "tcp://",
    "tcp://127.0.0.1",
    "tcp://127.0.0.1:0",
    "tcp://127.0.0.1:99999",
    "tcp://*:*",
    "tcp://lo:*",
    "tcp://[::1]:*",
    "tcp://127.0.0.1:1",
    "tcp://127.0.0.1:*;127.0.0.1:1",
    "ipc://",
    "ipc:///nowhere/x",
    "ipc:///tmp",
    "ipc://*",
    "ipc://@",
    "udp://127.0.0.1:5555",
    "vmci://1:1",
    "nothing://x",
    "no colon",
    "inproc://a\nb",
    "tipc://{5560,0,0}",
    "ws://127.0.0.1:*",
    "ws://127.0.0.1:1/x",
};

size_t pick_endpoint(world *w, char *text, size_t room)
{
    enum {
        ODD = sizeof odd_endpoints / sizeof *odd_endpoints,
        SCHEME = sizeof "tcp:" - 1
    };
    int length = 0;
    switch (pick(w, 20)) {
    default:
        length = snprintf(text, room, "inproc://%c", 'a' + (int)pick(w, 3));
        break;
    case 0:
    case 1:
    case 2:
        length = snprintf(text, room, "tcp://127.0.0.1:*");
        break;
    case 3:
        length = snprintf(text, room, "ipc://%s/%c", w->directory,
                          'a' + (int)pick(w, 2));
        break;
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
        length = snprintf(text, room, "%s", w->names[pick(w, NAMES)]);
        break;
    case 9:
        length = snprintf(text, room, "%s", odd_endpoints[pick(w, ODD)]);
        /* Not in the address: no other machine must be reached. */
        if (once_in(w, 4) && length > 0)
            text[pick(w, length < SCHEME ? (uint32_t)length : SCHEME)] =
                (char)next(w);
    }
    return (size_t)length;
}

/* libzmq leaks at each handshake of GSSAPI.  The others have faults that are
 * being mended elsewhere, or may take the machine's processors. */
static bool is_excluded(const sz_option *option)
{
    static const char *const names[] = {"socks-proxy", "socks-username",
                                        "socks-password",
                                        "thread-sched-policy"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(option->name, names[i]) == 0)
            return true;
    return strncmp(option->name, "gssapi", 6) == 0;
}

const sz_option *pick_option(world *w, sz_scope scope)
{
    static size_t count;
    if (once_in(w, 50))
        return NULL;
    if (count == 0) {
        size_t n = 0;
        while (sz_option_at(n) != NULL)
            n++;
        count = n;
    }
    for (int i = 0; i < 200; i++) {
        const sz_option *option = sz_option_at(pick(w, (uint32_t)count));
        if (is_excluded(option) ||
            (!w->raw && strcmp(option->name, "router-raw") == 0))
            continue;
        if (option->scope == scope || once_in(w, 100))
            return option;
    }
    return NULL;
}

int64_t pick_integer(world *w, const sz_option *option)
{
    if (option == NULL)
        return 0;
    bool threads = strcmp(option->name, "io-threads") == 0;
    bool sockets = strcmp(option->name, "max-sockets") == 0;
    switch (pick(w, 10)) {
    case 0:
        return option->min - (option->min > INT64_MIN);
    case 1:
        return option->max + (option->max < INT64_MAX);
    case 2:
        return option->min;
    case 3:
        return threads || sockets ? 2 : option->max;
    case 4:
        return option->initial;
    case 5:
        return (int64_t)next(w);
    default:
        return threads ? pick(w, 3) : pick(w, sockets ? 40 : 12);
    }
}

size_t pick_bytes(world *w, const sz_option *option, char *data, size_t room)
{
    static const char *const texts[] = {"",          "a",        "b",
                                        "lo",        "X-a:b",    "global",
                                        "127.0.0.1", "/nowhere", "/tmp"};
    enum {
        TEXTS = sizeof texts / sizeof *texts
    };
    if (option != NULL && option->type == SZ_KEY && !once_in(w, 4)) {
        char secret[SZ_KEY_TEXT + 1], public[SZ_KEY_TEXT + 1];
        sz_curve_keypair(public, secret);
        bool own = once_in(w, 2);
        memcpy(data, own ? secret : public, SZ_KEY_TEXT);
        return SZ_KEY_TEXT;
    }
    if (!once_in(w, 3))
        return (size_t)snprintf(data, room, "%s", texts[pick(w, TEXTS)]);
    size_t size = pick(w, once_in(w, 2) ? 8 : (uint32_t)room);
    for (size_t i = 0; i < size; i++)
        data[i] = (char)pick(w, once_in(w, 4) ? 256 : 3);
    return size;
}

/* Short messages may be subscriptions, long ones may not. */
sz_part pick_part(world *w)
{
    static const char high[LONGEST] = {'b', 'c'};
    static const char add[256] = {1, 'a'};
    static const char end[256] = {0, 'a'};
    if (once_in(w, 5))
        return (sz_part){.data = NULL, .size = 0};
    if (once_in(w, 20))
        return (sz_part){.data = high, .size = pick(w, LONGEST)};
    const char *data[] = {high, high, add, end};
    size_t size = once_in(w, 6) ? pick(w, 256) : 1 + pick(w, 3);
    return (sz_part){.data = data[pick(w, 4)], .size = size};
}
