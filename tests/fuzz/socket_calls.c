#include "calls.h"

#include <string.h>

/* libzmq 4.3.4 aborts when a peer of ZMTP 1 shakes hands with a publisher that
 * is just being closed, and raw bytes may be such a handshake. */
static const sz_type *pick_type(world *w)
{
    const sz_type *type = sz_type_at(pick(w, 14));
    bool publishes = type != NULL && (strcmp(type->name, "pub") == 0 ||
                                      strcmp(type->name, "xpub") == 0);
    if (w->raw && publishes)
        return sz_type_find("push");
    if (!w->raw && type != NULL && strcmp(type->name, "stream") == 0)
        return sz_type_find("dealer");
    return type;
}

static int socket_new(world *w)
{
    slot *s = &w->sockets[pick(w, SOCKETS)];
    if (s->handle.id != 0)
        return 0;
    int context = once_in(w, 3) ? (int)pick(w, CONTEXTS) : 0;
    const sz_type *type = once_in(w, 40) ? NULL : pick_type(w);
    TELL("  %s\n", type ? type->name : "-");
    sz_context in = once_in(w, 40) ? pick_context(w) : w->contexts[context];
    sz_socket made;
    int code = sz_socket_new(in, type, &made);
    if (code != 0)
        return code;
    *s = (slot){.handle = made, .endless = true};
    if (w->parent != NULL || !once_in(w, 8))
        shorten(s);
    TELL("  %llu\n", number(made.id));
    return 0;
}

static int socket_close(world *w)
{
    slot *s = pick_slot(w);
    if (s->handle.id == 0)
        return sz_socket_close((sz_socket){0}) == 0;
    if (!once_in(w, 3))
        return 0;
    TELL("  %llu\n", number(s->handle.id));
    shorten(s);
    note_stale(w, s->handle.id);
    int code = sz_socket_close(s->handle);
    *s = (slot){0};
    return code;
}

static int socket_check(world *w)
{
    sz_socket socket = pick_socket(w);
    sz_socket_type(socket);
    sz_socket_armed(socket);
    sz_socket_polled(socket);
    sz_socket_deaf(socket);
    sz_socket_waited(socket);
    return sz_socket_check(socket);
}

static int opening(world *w, bool bind)
{
    char text[NAME_SIZE];
    const char *real = NULL;
    sz_socket socket = pick_socket(w);
    size_t length = pick_endpoint(w, text, sizeof text);
    TELL("  %llu %.*s\n", number(socket.id), (int)length, text);
    int code = bind ? sz_socket_bind(socket, text, length, &real)
                    : sz_socket_connect(socket, text, length, &real);
    if (code == 0 && strlen(real) < NAME_SIZE)
        strcpy(w->names[pick(w, NAMES)], real);
    return code;
}

static int socket_bind(world *w)
{
    return opening(w, true);
}

static int socket_connect(world *w)
{
    return opening(w, false);
}

static int closing(world *w, bool bound)
{
    char text[NAME_SIZE];
    sz_socket socket = pick_socket(w);
    bool was;
    const char *real = sz_socket_endpoint(socket, pick(w, 3), &was);
    size_t length;
    if (real != NULL && !once_in(w, 6)) {
        length = strlen(real);
        memcpy(text, real, length);
        bound = was;
    } else {
        length = pick_endpoint(w, text, sizeof text);
    }
    TELL("  %llu %.*s\n", number(socket.id), (int)length, text);
    /* The connections that end keep the linger of this moment. */
    shorten_all(w);
    return bound ? sz_socket_unbind(socket, text, length)
                 : sz_socket_disconnect(socket, text, length);
}

static int socket_unbind(world *w)
{
    return closing(w, true);
}

static int socket_disconnect(world *w)
{
    return closing(w, false);
}

static int socket_set_integer(world *w)
{
    const sz_option *option = pick_option(w, SZ_SOCKET_OPTION);
    slot *s = pick_slot(w);
    int64_t value = pick_integer(w, option);
    if (option != NULL && strcmp(option->name, "linger") == 0) {
        if (w->parent != NULL)
            return 0;
        s->endless = true;
    }
    TELL("  %llu %s %lld\n", number(s->handle.id), option ? option->name : "-",
         (long long)value);
    return sz_socket_set_integer(s->handle, option, value);
}

/* A peer that another thread connects may take a name in the very moment in
 * which it is given, for which libzmq aborts. */
static void keep_apart(world *w, const char *option, char *data, size_t size)
{
    if (w->parent != NULL && size > 0 && strncmp(option, "connect-r", 9) == 0)
        data[0] = 'C';
}

static int socket_set_bytes(world *w)
{
    char data[256];
    const sz_option *option = pick_option(w, SZ_SOCKET_OPTION);
    size_t size = pick_bytes(w, option, data, sizeof data);
    sz_socket socket = pick_socket(w);
    if (option != NULL)
        keep_apart(w, option->name, data, size);
    TELL("  %llu %s %zu\n", number(socket.id), option ? option->name : "-",
         size);
    return sz_socket_set_bytes(socket, option, data, size);
}

/* The options on which the type of a socket has most to do. */
static int socket_set_own(world *w)
{
    static const char *const flags[] = {
        "conflate",        "router-mandatory", "router-handover",
        "probe-router",    "req-relaxed",      "req-correlate",
        "xpub-manual",     "xpub-verbose",     "xpub-verboser",
        "xpub-nodrop",     "immediate",        "router-raw",
        "invert-matching", "stream-notify"};
    enum {
        FLAGS = sizeof flags / sizeof *flags
    };
    static const char *const texts[] = {"subscribe", "unsubscribe",
                                        "routing-id", "connect-routing-id",
                                        "xpub-welcome-msg"};
    enum {
        TEXTS = sizeof texts / sizeof *texts
    };
    sz_socket socket = pick_socket(w);
    if (once_in(w, 2)) {
        const char *name = flags[pick(w, FLAGS)];
        int value = !once_in(w, 3);
        if (!w->raw && strcmp(name, "router-raw") == 0)
            value = 0;
        TELL("  %llu %s %d\n", number(socket.id), name, value);
        return sz_socket_set_integer(
            socket, sz_option_find(SZ_SOCKET_OPTION, name), value);
    }
    const char *name = texts[pick(w, TEXTS)];
    char data[] = {(char)('a' + pick(w, 2)), 'b'};
    size_t size = pick(w, 3);
    keep_apart(w, name, data, size);
    TELL("  %llu %s %zu\n", number(socket.id), name, size);
    return sz_socket_set_bytes(socket, sz_option_find(SZ_SOCKET_OPTION, name),
                               data, size);
}

static int socket_set_swap(world *w)
{
    static const int64_t sizes[] = {0, 1, 1000, 100000, 10000000};
    sz_socket socket = pick_socket(w);
    int64_t size = sizes[pick(w, 5)];
    TELL("  %llu swap %lld\n", number(socket.id), (long long)size);
    return sz_socket_set_integer(
        socket, sz_option_find(SZ_SOCKET_OPTION, "swap"), size);
}

static int socket_get(world *w)
{
    const sz_option *option = pick_option(w, SZ_SOCKET_OPTION);
    sz_socket socket = pick_socket(w);
    int64_t value;
    const void *data;
    size_t size;
    TELL("  %llu %s\n", number(socket.id), option ? option->name : "-");
    if (option != NULL ? option->type <= SZ_FLAGS : once_in(w, 2))
        return sz_socket_get_integer(socket, option, &value);
    int code = sz_socket_get_bytes(socket, option, &data, &size);
    volatile char sum = 0;
    for (size_t i = 0; code == 0 && i < size; i++)
        sum = (char)(sum + ((const char *)data)[i]);
    return code;
}

static int socket_events(world *w)
{
    sz_socket socket = pick_socket(w);
    TELL("  %llu\n", number(socket.id));
    return sz_socket_events(socket);
}

static int socket_fd(world *w)
{
    sz_socket socket = pick_socket(w);
    int code = sz_socket_timeout(socket, once_in(w, 2) ? SZ_IN : SZ_OUT);
    return code < -1 ? code : sz_socket_fd(socket);
}

static int socket_wait(world *w)
{
    sz_socket socket = pick_socket(w);
    TELL("  %llu\n", number(socket.id));
    return sz_socket_wait(socket, 1 + (int)pick(w, 3), (int)pick(w, 3));
}

static int socket_pump(world *w)
{
    int64_t time;
    return sz_socket_pump(pick_socket(w), &time);
}

static int socket_statistics(world *w)
{
    sz_statistics found;
    return sz_socket_statistics(pick_socket(w), &found);
}

static int socket_connections(world *w)
{
    sz_connections found;
    return sz_socket_connections(pick_socket(w), &found);
}

static int observe_all(world *w)
{
    sz_observe_all(once_in(w, 3));
    return 0;
}

const call socket_calls[] = {
    CALL(socket_new, 12),       CALL(socket_close, 5),
    CALL(socket_check, 2),      CALL(socket_bind, 10),
    CALL(socket_connect, 14),   CALL(socket_unbind, 2),
    CALL(socket_disconnect, 5), CALL(socket_set_integer, 6),
    CALL(socket_set_bytes, 4),  CALL(socket_set_own, 8),
    CALL(socket_set_swap, 2),   CALL(socket_get, 3),
    CALL(socket_events, 4),     CALL(socket_fd, 2),
    CALL(socket_wait, 3),       CALL(socket_pump, 2),
    CALL(socket_statistics, 2), CALL(socket_connections, 2),
    CALL(observe_all, 2),       {0}};
