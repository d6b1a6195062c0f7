/* What libzmq tells about the connections of sockets, read by one thread for
 * each context.
 *
 * libzmq sends the events of a socket through a PAIR that it binds, and waits
 * where nobody takes them: a full queue stops its I/O thread, and so does a
 * missing reader, for ever.  So there is always a reader, its queue has no
 * limit, and it is closed only by the thread that has seen the context end.
 * It is a ROUTER, which all the PAIRs of a context share: each is connected
 * under a routing id that holds the address of its szi_monitored.
 *
 * The lock `observing` of the context guards the ROUTER, what is observed and
 * all monitors.  Whoever uses the ROUTER reads it empty before it unlocks, so
 * that the next event signals the thread. */

#include "internal.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

/* The connections of one endpoint. */
typedef struct site {
    struct site *next;
    int64_t peers;
    bool failing; /* its next end is that of a handshake that failed */
    char endpoint[];
} site;

/* An observed socket.  Freed when it is both `over` (libzmq will tell no more
 * about it) and let go by its socket. */
struct szi_monitored {
    szi_monitored *next, *previous;
    szi_socket *socket; /* NULL once that has let go */
    bool over;
    bool kept; /* also without monitors */
    bool raw;  /* a STREAM, whose peers have no handshake */
    szi_monitor *monitors;
    site *sites;
    sz_connections counts;
    int64_t beginning; /* handshakes that go on */
    int64_t begun;     /* when the first of them began */
};

struct szi_monitor_thread {
    szi_context *context;
    void *router; /* NULL once the context has ended */
    int fd;
    uint64_t serial;
    szi_monitored *monitored;
};

static atomic_bool all;

void sz_observe_all(bool wanted)
{
    atomic_store(&all, wanted);
}

bool szi_monitors_all(void)
{
    return atomic_load(&all);
}

/* -------------------------------------------------------------- counts -- */

static site **find_site(szi_monitored *o, const char *endpoint)
{
    site **at = &o->sites;
    while (*at != NULL && strcmp((*at)->endpoint, endpoint) != 0)
        at = &(*at)->next;
    if (*at == NULL) {
        size_t length = strlen(endpoint);
        *at = szi_new(sizeof **at + length + 1);
        if (*at != NULL)
            memcpy((*at)->endpoint, endpoint, length);
    }
    return at;
}

/* A handshake is over.  Which of those that began is not told, so the first is
 * assumed, which makes it seem longer than it was. */
static int64_t handshake_time(szi_monitored *o, int64_t time)
{
    if (o->beginning > 0)
        o->beginning--;
    return time - o->begun;
}

static void settle_later(szi_monitored *o, int64_t handshake, int64_t time)
{
    enum {
        LEAST = 100,
        MOST = 1000
    };
    int64_t wait = 3 * handshake;
    wait = wait < LEAST ? LEAST : wait > MOST ? MOST : wait;
    if (time + wait > o->counts.settled)
        o->counts.settled = time + wait;
}

static void count(szi_monitored *o, const sz_event *event)
{
    site **place = find_site(o, event->endpoint);
    site *at = *place;
    if (at == NULL)
        return;
    bool failing = at->failing;
    at->failing = false;
    switch (event->type->bit) {
    case SZ_EVENT_CONNECTED:
    case SZ_EVENT_ACCEPTED:
        if (o->raw) {
            o->counts.accepted++;
            at->peers++;
        } else if (o->beginning++ == 0) {
            o->begun = event->time;
        }
        break;
    case SZ_EVENT_HANDSHAKE_SUCCEEDED:
        o->counts.accepted++;
        at->peers++;
        settle_later(o, handshake_time(o, event->time), event->time);
        break;
    case SZ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
    case SZ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
    case SZ_EVENT_HANDSHAKE_FAILED_AUTH:
        if (o->raw)
            break; /* how a STREAM's connections end */
        o->counts.failed++;
        at->failing = true;
        handshake_time(o, event->time);
        break;
    case SZ_EVENT_DISCONNECTED:
        if (!failing && at->peers > 0) {
            at->peers--;
            o->counts.lost++;
        }
        break;
    case SZ_EVENT_CONNECT_RETRIED:
        o->counts.retried++;
        break;
    default:
        break;
    }
    if (at->peers == 0 && !at->failing) {
        *place = at->next;
        szi_free(at);
    }
}

/* ---------------------------------------------------------- what is told --
 */

static void free_monitored(szi_monitored *o)
{
    while (o->sites != NULL) {
        site *gone = o->sites;
        o->sites = gone->next;
        szi_free(gone);
    }
    szi_free(o);
}

/* libzmq has told the last about it. */
static void end(szi_monitor_thread *thread, szi_monitored *o)
{
    while (o->monitors != NULL) {
        szi_monitor *m = o->monitors;
        o->monitors = *szi_monitor_next(m);
        szi_monitor_end(m);
    }
    if (o->previous != NULL)
        o->previous->next = o->next;
    else
        thread->monitored = o->next;
    if (o->next != NULL)
        o->next->previous = o->previous;
    o->over = true;
    if (o->socket == NULL)
        free_monitored(o);
}

static void tell(szi_monitor_thread *thread, szi_monitored *o, int bit,
                 uint32_t value, const char *endpoint)
{
    const sz_event_type *type = szi_event_of(bit);
    if (type == NULL)
        return;
    sz_event event = {type, value, 0, sz_now(), endpoint};
    count(o, &event);
    for (szi_monitor *m = o->monitors; m != NULL; m = *szi_monitor_next(m))
        szi_monitor_tell(m, &event);
    if (bit == SZ_EVENT_MONITOR_STOPPED)
        end(thread, o);
}

enum {
    ID_SIZE = 1 + sizeof(szi_monitored *) + sizeof(uint64_t),
    MOST_ENDPOINT = 512
};

/* A routing id must not begin with a zero byte, nor be one that a PAIR had
 * whose end the ROUTER has not noticed yet: libzmq would abort. */
static void make_id(char id[ID_SIZE], szi_monitored *o, uint64_t serial)
{
    id[0] = 'o';
    memcpy(id + 1, &o, sizeof o);
    memcpy(id + 1 + sizeof o, &serial, sizeof serial);
}

/* The next part, whose bytes go to `data`; their number, or an error. */
static int receive_part(szi_monitor_thread *thread, char *data, size_t room)
{
    zmq_msg_t part;
    zmq_msg_init(&part);
    int code;
    do
        code = zmq_msg_recv(&part, thread->router, ZMQ_DONTWAIT) >= 0
                   ? 0
                   : szi_last_error();
    while (code == SZ_EINTR);
    if (code == 0) {
        size_t size = zmq_msg_size(&part);
        size = size < room ? size : room;
        memcpy(data, zmq_msg_data(&part), size);
        code = (int)size;
    }
    zmq_msg_close(&part);
    return code;
}

static int receive(szi_monitor_thread *thread)
{
    char id[ID_SIZE], what[6], endpoint[MOST_ENDPOINT + 1];
    int size = receive_part(thread, id, sizeof id);
    if (size < 0)
        return size;
    int what_size = receive_part(thread, what, sizeof what);
    int length = receive_part(thread, endpoint, MOST_ENDPOINT);
    if (size != sizeof id || what_size != sizeof what || length < 0)
        return 0;
    endpoint[length] = '\0';
    szi_monitored *o;
    uint16_t bit;
    uint32_t value;
    memcpy(&o, id + 1, sizeof o);
    memcpy(&bit, what, sizeof bit);
    memcpy(&value, what + sizeof bit, sizeof value);
    tell(thread, o, bit, value, endpoint);
    return 0;
}

/* Reads all that is there.  When the context ends, the last event may not
 * come any more. */
static void drain(szi_monitor_thread *thread)
{
    while (thread->router != NULL) {
        int code = receive(thread);
        if (code == SZ_EAGAIN)
            return;
        if (code == 0)
            continue;
        while (thread->monitored != NULL)
            tell(thread, thread->monitored, SZ_EVENT_MONITOR_STOPPED, 0, "");
        zmq_close(thread->router);
        thread->router = NULL;
    }
}

static void *run(void *argument)
{
    szi_monitor_thread *thread = argument;
    szi_context *context = thread->context;
    struct pollfd watched = {.fd = thread->fd, .events = POLLIN};
    for (;;) {
        pthread_mutex_lock(&context->monitoring);
        drain(thread);
        bool over = thread->router == NULL;
        pthread_mutex_unlock(&context->monitoring);
        if (over)
            break;
        poll(&watched, 1, -1);
    }
    szi_context_release(context);
    return NULL;
}

/* ------------------------------------------------------------ observing -- */

static int open_router(szi_monitor_thread *thread)
{
    const int none = 0;
    size_t size = sizeof thread->fd;
    void *router = zmq_socket(thread->context->zmq, ZMQ_ROUTER);
    if (router == NULL)
        return szi_last_error();
    if (zmq_setsockopt(router, ZMQ_RCVHWM, &none, sizeof none) != 0 ||
        zmq_setsockopt(router, ZMQ_LINGER, &none, sizeof none) != 0 ||
        zmq_getsockopt(router, ZMQ_FD, &thread->fd, &size) != 0) {
        int code = szi_last_error();
        zmq_close(router);
        return code;
    }
    thread->router = router;
    return 0;
}

/* The observer of a context; made by whoever is first.  The lock of the
 * context is held. */
static int make_thread(szi_context *context)
{
    if (context->monitor_thread != NULL)
        return 0;
    szi_monitor_thread *thread = szi_new(sizeof *thread);
    if (thread == NULL)
        return SZ_ENOMEM;
    thread->context = context;
    int code = open_router(thread);
    if (code == 0) {
        atomic_fetch_add(&context->references, 1);
        code = szi_thread_start(run, thread, NULL);
        if (code != 0) {
            atomic_fetch_sub(&context->references, 1);
            zmq_close(thread->router);
        }
    }
    if (code != 0) {
        szi_free(thread);
        return code;
    }
    context->monitor_thread = thread;
    return 0;
}

/* The PAIR is connected before anybody can wait for its reader. */
static int begin(szi_monitor_thread *thread, szi_socket *socket,
                 szi_monitored *o)
{
    char id[ID_SIZE], name[64];
    make_id(id, o, ++thread->serial);
    snprintf(name, sizeof name, "inproc://szmq.monitor.%llu",
             (unsigned long long)thread->serial);
    if (zmq_socket_monitor(socket->zmq, name, SZ_EVENT_ALL) != 0 ||
        zmq_setsockopt(thread->router, ZMQ_CONNECT_ROUTING_ID, id,
                       sizeof id) != 0 ||
        zmq_connect(thread->router, name) != 0)
        return szi_last_error();
    o->next = thread->monitored;
    if (o->next != NULL)
        o->next->previous = o;
    thread->monitored = o;
    o->socket = socket;
    o->raw = socket->type->number == ZMQ_STREAM;
    socket->monitored = o;
    drain(thread);
    return 0;
}

int szi_monitored_begin(szi_socket *socket)
{
    if (socket->monitored != NULL)
        return 0;
    szi_context *context = socket->context;
    if (!szi_descriptors_free(3))
        return SZ_EDESCRIPTORS;
    pthread_mutex_lock(&context->lock);
    int code = make_thread(context);
    pthread_mutex_unlock(&context->lock);
    szi_monitored *o = code == 0 ? szi_new(sizeof *o) : NULL;
    if (code == 0 && o == NULL)
        code = SZ_ENOMEM;
    if (code == 0) {
        pthread_mutex_lock(&context->monitoring);
        code = context->monitor_thread->router != NULL
                   ? begin(context->monitor_thread, socket, o)
                   : SZ_ETERM;
        pthread_mutex_unlock(&context->monitoring);
        if (code != 0)
            szi_free(o);
    }
    return code == SZ_EMFILE ? SZ_ESOCKETS : code;
}

int szi_monitored_keep(szi_socket *socket)
{
    int code = szi_monitored_begin(socket);
    if (code != 0)
        return code;
    pthread_mutex_lock(&socket->context->monitoring);
    socket->monitored->kept = true;
    pthread_mutex_unlock(&socket->context->monitoring);
    return 0;
}

/* The socket lets go. */
static void let_go(szi_monitored *o)
{
    o->socket->monitored = NULL;
    o->socket = NULL;
    if (o->over)
        free_monitored(o);
}

/* What happens while the socket lingers is still told. */
void szi_monitored_closing(szi_socket *socket)
{
    if (socket->monitored == NULL)
        return;
    pthread_mutex_lock(&socket->context->monitoring);
    let_go(socket->monitored);
    pthread_mutex_unlock(&socket->context->monitoring);
}

int szi_monitored_join(szi_monitored *o, szi_monitor *m)
{
    if (o->over)
        return SZ_ETERM;
    *szi_monitor_next(m) = o->monitors;
    o->monitors = m;
    return 0;
}

void szi_monitored_leave(szi_monitored *o, szi_monitor *m)
{
    szi_monitor **at = &o->monitors;
    while (*at != NULL && *at != m)
        at = szi_monitor_next(*at);
    if (*at != NULL)
        *at = *szi_monitor_next(m);
    if (o->monitors == NULL && !o->kept && o->socket != NULL) {
        zmq_socket_monitor(o->socket->zmq, NULL, 0);
        let_go(o);
    }
}

/* libzmq does not tell of the connections that the program itself ends. */
void szi_monitored_disconnected(szi_socket *socket, const char *endpoint)
{
    szi_monitored *o = socket->monitored;
    if (o == NULL)
        return;
    pthread_mutex_lock(&socket->context->monitoring);
    if (socket->context->monitor_thread->router != NULL)
        drain(socket->context->monitor_thread);
    for (site *at = o->sites; at != NULL; at = at->next)
        if (strcmp(at->endpoint, endpoint) == 0)
            at->peers = 0;
    o->beginning = 0;
    pthread_mutex_unlock(&socket->context->monitoring);
}

int sz_socket_connections(sz_socket handle, sz_connections *found)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL)
        return szi_socket_refuse(handle);
    int64_t inproc = 0;
    bool only_inproc = szi_inproc_peers(socket, &inproc);
    if (socket->monitored == NULL && !only_inproc)
        return SZ_ENOENT;
    *found = (sz_connections){.peers = inproc};
    if (socket->monitored == NULL)
        return 0;
    pthread_mutex_lock(&socket->context->monitoring);
    *found = socket->monitored->counts;
    found->peers = inproc;
    for (site *at = socket->monitored->sites; at != NULL; at = at->next)
        found->peers += at->peers;
    pthread_mutex_unlock(&socket->context->monitoring);
    return 0;
}
