/* The events of the sockets of a context, read by one thread.
 *
 * libzmq sends the events of a socket through a PAIR that it binds, and waits
 * if nobody reads them: a full queue or a missing reader stops its I/O thread
 * for ever.  So there is always a reader, its queue has no limit, and only the
 * thread that has seen the context end closes it.  The reader is a ROUTER,
 * which all PAIRs of a context share.  Each PAIR is connected under a routing
 * id that holds the address of its szi_monitored.
 *
 * The lock `monitoring` of the context guards the ROUTER, all szi_monitored
 * and all monitors.  A thread that uses the ROUTER reads it empty before it
 * unlocks, so that the next event wakes the monitor thread. */

#include "monitor_thread.h"
#include "clock.h"
#include "connections.h"
#include "descriptor.h"
#include "error.h"
#include "event_table.h"
#include "inproc.h"
#include "memory.h"
#include "thread.h"
#include "trace.h"

#include <stdio.h>
#include <string.h>

/* A monitored socket.  Freed when libzmq will report no more events (`over`)
 * and the socket has let go. */
struct szi_monitored {
    szi_link link;      /* of the thread's */
    szi_socket *socket; /* NULL when the socket has let go */
    bool over;
    bool kept;            /* monitored without monitors too */
    uint32_t bind_failed; /* the errno of the last bind that failed */
    szi_list queues;
    szi_connections connections;
    szi_trace trace;
};

struct szi_monitor_thread {
    szi_context *context;
    void *router; /* NULL when the context has ended */
    int fd;
    uint64_t serial;
    szi_list monitored;
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

static void free_monitored(szi_monitored *o)
{
    szi_connections_free(&o->connections);
    szi_free(o);
}

/* libzmq has reported the last event of the socket. */
static void end(szi_monitor_thread *thread, szi_monitored *o)
{
    szi_event_queue *queue;
    while ((queue = SZI_FIRST(&o->queues, szi_event_queue, link)) != NULL) {
        szi_list_remove(&o->queues, &queue->link);
        szi_event_queue_end(queue);
    }
    szi_list_remove(&thread->monitored, &o->link);
    o->over = true;
    if (o->socket == NULL)
        free_monitored(o);
}

static void report(szi_monitor_thread *thread, szi_monitored *o, int bit,
                   uint32_t value, const char *endpoint)
{
    const sz_event_type *type = szi_event_of(bit);
    if (type == NULL)
        return;
    sz_event event = {type, value, 0, sz_now(), endpoint};
    szi_connections_count(&o->connections, &event);
    szi_trace_event(&o->trace, &event);
    if (bit == SZ_EVENT_BIND_FAILED)
        o->bind_failed = value;
    SZI_EACH (queue, &o->queues, szi_event_queue, link)
        szi_event_queue_put(queue, &event);
    if (bit == SZ_EVENT_MONITOR_STOPPED)
        end(thread, o);
}

enum {
    ID_SIZE = 1 + sizeof(szi_monitored *) + sizeof(uint64_t),
    MOST_ENDPOINT = 512
};

/* A routing id that libzmq accepts does not begin with a zero byte.  It must
 * not repeat either: libzmq would abort if the ROUTER had not noticed yet that
 * the PAIR with the same id was gone. */
static void make_id(char id[ID_SIZE], szi_monitored *o, uint64_t serial)
{
    id[0] = 'o';
    memcpy(id + 1, &o, sizeof o);
    memcpy(id + 1 + sizeof o, &serial, sizeof serial);
}

/* Copies the next part to `data`: its size, or an error. */
static int receive_part(szi_monitor_thread *thread, char *data, size_t room)
{
    zmq_msg_t part;
    zmq_msg_init(&part);
    int done;
    SZI_UNINTERRUPTED(done, zmq_msg_recv(&part, thread->router, ZMQ_DONTWAIT));
    if (done < 0)
        done = szi_last_error();
    if (done > 0) {
        done = (int)((size_t)done < room ? (size_t)done : room);
        memcpy(data, zmq_msg_data(&part), (size_t)done);
    }
    zmq_msg_close(&part);
    return done;
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
    report(thread, o, bit, value, endpoint);
    return 0;
}

/* Reads all that is there.  When the context ends, the last event of a socket
 * may be lost. */
static void drain(szi_monitor_thread *thread)
{
    while (thread->router != NULL) {
        int code = receive(thread);
        if (code == SZ_EAGAIN)
            return;
        if (code == 0)
            continue;
        szi_monitored *first;
        while ((first = SZI_FIRST(&thread->monitored, szi_monitored, link)) !=
               NULL)
            report(thread, first, SZ_EVENT_MONITOR_STOPPED, 0, "");
        zmq_close(thread->router);
        thread->router = NULL;
    }
}

/* Whether all monitors have been told of their events. */
static bool tell_monitors(szi_monitor_thread *thread)
{
    bool told = true;
    SZI_EACH (o, &thread->monitored, szi_monitored, link)
        SZI_EACH (queue, &o->queues, szi_event_queue, link)
            told = szi_event_queue_tell(queue) && told;
    return told;
}

static void *run(void *argument)
{
    enum {
        SOON = 10 /* milliseconds */
    };
    szi_monitor_thread *thread = argument;
    szi_context *context = thread->context;
    for (;;) {
        pthread_mutex_lock(&context->monitoring);
        drain(thread);
        bool over = thread->router == NULL;
        bool told = tell_monitors(thread);
        pthread_mutex_unlock(&context->monitoring);
        if (over)
            break;
        sz_wait(thread->fd, told ? -1 : SOON);
    }
    szi_context_release(context);
    return NULL;
}

static int open_router(szi_monitor_thread *thread)
{
    const int none = 0;
    size_t size = sizeof thread->fd;
    void *router = zmq_socket(thread->context->zmq, ZMQ_ROUTER);
    if (router == NULL)
        return szi_socket_missing();
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

/* The monitor thread of a context, made with the first monitored socket.  The
 * caller holds the lock of the context. */
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

/* Stops the events, the last of which libzmq sends: it would wait for ever if
 * there was no reader.  A connect over inproc fails only if the context was
 * shut down, and then libzmq does not wait. */
static void undo_begin(szi_socket *socket, const char *name)
{
    enum {
        TRIES = 10
    };
    int done = -1, no_linger = 0;
    void *reader = NULL;
    for (int i = 0; i < TRIES && reader == NULL; i++)
        reader = zmq_socket(socket->context->zmq, ZMQ_PAIR);
    if (reader == NULL)
        return;
    zmq_setsockopt(reader, ZMQ_LINGER, &no_linger, sizeof no_linger);
    for (int i = 0; i < TRIES && done != 0; i++)
        done = zmq_connect(reader, name);
    if (done == 0)
        zmq_socket_monitor(socket->zmq, NULL, 0);
    zmq_close(reader);
}

/* Makes the router read the events that libzmq sends to `name`. */
static int read_from(szi_monitor_thread *thread, const char id[ID_SIZE],
                     const char *name)
{
    int done =
        zmq_setsockopt(thread->router, ZMQ_CONNECT_ROUTING_ID, id, ID_SIZE);
    if (done == 0)
        SZI_UNINTERRUPTED(done, zmq_connect(thread->router, name));
    return done == 0 ? 0 : szi_last_error();
}

/* The PAIR is connected before any thread can wait for its reader. */
static int begin(szi_monitor_thread *thread, szi_socket *socket,
                 szi_monitored *o)
{
    char id[ID_SIZE], name[64];
    make_id(id, o, ++thread->serial);
    snprintf(name, sizeof name, "inproc://szmq.monitor.%llu",
             (unsigned long long)thread->serial);
    int done;
    SZI_UNINTERRUPTED(done,
                      zmq_socket_monitor(socket->zmq, name, SZ_EVENT_ALL));
    if (done != 0)
        return szi_socket_missing();
    int code = read_from(thread, id, name);
    if (code != 0) {
        undo_begin(socket, name);
        return code;
    }
    szi_list_append(&thread->monitored, &o->link);
    o->socket = socket;
    o->connections.raw = socket->type->number == ZMQ_STREAM;
    o->trace = (szi_trace){.id = socket->id, .type = socket->type};
    socket->monitored = o;
    drain(thread);
    return 0;
}

int szi_monitored_begin(szi_socket *socket)
{
    if (socket->monitored != NULL)
        return 0;
    szi_context *context = socket->context;
    int code = szi_descriptors_check(3);
    if (code != 0)
        return code;
    pthread_mutex_lock(&context->lock);
    code = make_thread(context);
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
    return code;
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

static void let_go(szi_monitored *o)
{
    o->socket->monitored = NULL;
    o->socket = NULL;
    if (o->over)
        free_monitored(o);
}

/* What happens while the socket lingers is still reported. */
void szi_monitored_closing(szi_socket *socket)
{
    if (socket->monitored == NULL)
        return;
    pthread_mutex_lock(&socket->context->monitoring);
    let_go(socket->monitored);
    pthread_mutex_unlock(&socket->context->monitoring);
}

int szi_monitored_join(szi_monitored *o, szi_event_queue *queue)
{
    if (o->over)
        return SZ_ETERM;
    szi_list_prepend(&o->queues, &queue->link);
    return 0;
}

void szi_monitored_leave(szi_monitored *o, szi_event_queue *queue)
{
    szi_list_remove(&o->queues, &queue->link);
    if (o->queues.first == NULL && !o->kept && o->socket != NULL) {
        zmq_socket_monitor(o->socket->zmq, NULL, 0);
        let_go(o);
    }
}

/* While libzmq reports the failure, it may change errno. */
int szi_monitored_bind_failed(szi_socket *socket, int code)
{
    szi_monitored *o = socket->monitored;
    if (o == NULL)
        return code;
    pthread_mutex_lock(&socket->context->monitoring);
    if (socket->context->monitor_thread->router != NULL)
        drain(socket->context->monitor_thread);
    if (o->bind_failed != 0)
        code = -(int)o->bind_failed;
    o->bind_failed = 0;
    pthread_mutex_unlock(&socket->context->monitoring);
    return code;
}

/* libzmq reports no event for connections that the program itself ends. */
void szi_monitored_disconnected(szi_socket *socket, const char *endpoint)
{
    szi_monitored *o = socket->monitored;
    if (o == NULL)
        return;
    pthread_mutex_lock(&socket->context->monitoring);
    if (socket->context->monitor_thread->router != NULL)
        drain(socket->context->monitor_thread);
    szi_connections_end(&o->connections, endpoint);
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
    *found = szi_connections_look(&socket->monitored->connections, inproc);
    pthread_mutex_unlock(&socket->context->monitoring);
    return 0;
}
