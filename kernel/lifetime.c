/* Making and closing sockets. */

#include "lifetime.h"
#include "descriptor.h"
#include "error.h"
#include "inproc.h"
#include "linger.h"
#include "memory.h"
#include "message.h"
#include "monitor_thread.h"
#include "stream_peer.h"
#include "subscription.h"
#include "thread.h"
#include "watch.h"

#include <limits.h>

/* libzmq aborts if it cannot open what the first socket of a context needs:
 * two descriptors for each I/O thread and for the reaper, one for the socket,
 * and two to spare. */
static int64_t descriptors_to_start(szi_context *context)
{
    return 2 * (int64_t)zmq_ctx_get(context->zmq, ZMQ_IO_THREADS) + 2 + 1 + 2;
}

/* The context needs more places than its user asked for: one for the resolver
 * of inproc.c, one for the peer of peer_name.c, one for the ROUTER of
 * monitor_thread.c and a PAIR for each monitored socket. */
static int places(int limit)
{
    enum {
        MOST = 65536
    };
    int64_t all = (int64_t)limit + (limit < MOST ? limit : MOST) + 3;
    return all < INT_MAX ? (int)all : INT_MAX;
}

/* libzmq aborts if the system refuses how its threads are to be scheduled. */
static int try_threads(szi_context *context)
{
    int policy = zmq_ctx_get(context->zmq, ZMQ_THREAD_SCHED_POLICY);
    if (policy == -1 && context->priority == -1)
        return 0;
    return szi_thread_try((szi_schedule){policy, context->priority, -1});
}

/* Makes the context ready for its first socket, and *limit its max-sockets. */
static int prepare(szi_context *context, int *limit)
{
    int code = try_threads(context);
    if (code == 0)
        code = szi_descriptors_check(descriptors_to_start(context));
    if (code != 0)
        return code;
    *limit = zmq_ctx_get(context->zmq, ZMQ_MAX_SOCKETS);
    /* libzmq aborts if it cannot allocate its table of sockets. */
    void *table = szi_resize(NULL, (size_t)places(*limit) * sizeof(void *));
    if (table == NULL)
        return SZ_ENOMEM;
    szi_free(table);
    zmq_ctx_set(context->zmq, ZMQ_MAX_SOCKETS, places(*limit));
    return 0;
}

/* If the first socket of a context fails, the context is prepared again for
 * the next: libzmq may not have started. */
static int open_first(szi_socket *socket)
{
    szi_context *context = socket->context;
    int limit, code = prepare(context, &limit);
    if (code != 0)
        return code;
    socket->zmq = zmq_socket(context->zmq, socket->type->number);
    if (socket->zmq != NULL) {
        context->limit = limit;
        return 0;
    }
    code = szi_socket_missing();
    zmq_ctx_set(context->zmq, ZMQ_MAX_SOCKETS, limit);
    return code;
}

/* If descriptors are left, closed sockets still occupy the places.  libzmq's
 * reaper frees them in a moment. */
static int open_next(szi_socket *socket)
{
    szi_context *context = socket->context;
    if (context->count >= context->limit)
        return SZ_ESOCKETS;
    socket->zmq = zmq_socket(context->zmq, socket->type->number);
    if (socket->zmq != NULL)
        return 0;
    int code = szi_socket_missing();
    return code == SZ_ESOCKETS ? SZ_EAGAIN : code;
}

static int open_socket(szi_socket *socket)
{
    szi_context *context = socket->context;
    int code = context->limit == 0 ? open_first(socket) : open_next(socket);
    if (code != 0)
        return code;
    size_t size = sizeof socket->fd;
    int most = zmq_ctx_get(context->zmq, ZMQ_MAX_MSGSZ);
    if (most >= 0 && most < INT_MAX)
        socket->part_most = (size_t)most;
    if (zmq_getsockopt(socket->zmq, ZMQ_FD, &socket->fd, &size) != 0 ||
        zmq_getsockopt(socket->zmq, ZMQ_LINGER, &socket->linger, &size) != 0)
        code = szi_last_error();
    if (code == 0)
        code = szi_subscription_prepare(socket);
    if (code != 0)
        zmq_close(socket->zmq);
    return code;
}

/* The caller holds the lock of the context. */
static void enlist(szi_socket *socket)
{
    szi_context *context = socket->context;
    szi_list_prepend(&context->sockets, &socket->link);
    context->count++;
    atomic_fetch_add(&context->references, 1);
}

static void delist(szi_socket *socket)
{
    szi_context *context = socket->context;
    pthread_mutex_lock(&context->lock);
    szi_list_remove(&context->sockets, &socket->link);
    context->count--;
    pthread_mutex_unlock(&context->lock);
}

static szi_socket *new_socket(szi_context *context, const sz_type *type)
{
    szi_socket *socket = szi_new(sizeof *socket);
    if (socket == NULL)
        return NULL;
    socket->closed = szi_new(sizeof *socket->closed);
    if (socket->closed == NULL) {
        szi_free(socket);
        return NULL;
    }
    socket->context = context;
    socket->type = type;
    socket->receive_timeout = socket->send_timeout = -1;
    socket->part_most = SZI_PART_MOST;
    socket->stream = type->number == ZMQ_STREAM;
    socket->upstream = type->number == ZMQ_XPUB;
    socket->checked = socket->stream || type->number == ZMQ_XSUB;
    socket->multicast_loop = true;
    zmq_msg_init(&socket->first);
    return socket;
}

static int make(szi_context *context, const sz_type *type, sz_socket *made)
{
    szi_linger_again(context);
    szi_socket *socket = new_socket(context, type);
    if (socket == NULL)
        return SZ_ENOMEM;
    uint64_t id = 0;
    int code = szi_handle_new(SZI_SOCKET, socket, &id);
    if (code == 0) {
        socket->id = id;
        pthread_mutex_lock(&context->lock);
        /* A thread that terminates the context closes all sockets that are in
         * the list when it has set `shut`. */
        code = atomic_load(&context->shut) ? SZ_ETERM : open_socket(socket);
        if (code == 0)
            enlist(socket);
        pthread_mutex_unlock(&context->lock);
        if (code != 0)
            szi_handle_free(id);
    }
    if (code != 0) {
        szi_closed_free(socket->closed);
        szi_socket_free(socket);
        return code;
    }
    made->id = id;
    return 0;
}

int sz_socket_new(sz_context handle, const sz_type *type, sz_socket *made)
{
    int code;
    szi_context *context = szi_context_hold(handle, &code);
    if (context == NULL)
        return code;
    if (type == NULL)
        code = SZ_EVALUE;
    else if (atomic_load(&context->shut))
        code = SZ_ETERM;
    else
        code = type->draft ? SZ_EDRAFT : make(context, type, made);
    szi_context_release(context);
    return code;
}

void szi_socket_close(szi_socket *socket)
{
    szi_context *context = socket->context;
    szi_closed *closed = socket->closed;
    szi_handle_free(socket->id);
    szi_watches_closed(socket);
    szi_parts_drop(socket);
    szi_peers_free(socket);
    delist(socket);
    szi_monitored_closing(socket);
    bool may_linger = socket->counts.sent > 0 && socket->linger != 0;
    closed->type = socket->type;
    closed->endpoints = socket->endpoints;
    closed->fd = socket->fd;
    closed->fd_id = may_linger ? szi_descriptor_id(socket->fd) : -1;
    closed->linger = socket->linger;
    szi_linger_again(context);
    szi_linger(socket, may_linger);
    if (may_linger) {
        pthread_mutex_lock(&context->lock);
        szi_lingering_add(&context->lingering, closed);
        pthread_mutex_unlock(&context->lock);
    } else {
        szi_closed_free(closed);
    }
    szi_context_release(context);
}

int sz_socket_close(sz_socket handle)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket != NULL) {
        szi_socket_close(socket);
        return 0;
    }
    int code = szi_socket_refuse(handle);
    if (code == SZ_EFORKED)
        szi_handle_free(handle.id);
    return code == SZ_EHANDLE ? code : 0;
}
