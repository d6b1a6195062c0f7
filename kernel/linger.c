/* Closing must not wait, so a thread takes over a socket that lingers.  That
 * is safe because starting a thread is a full fence, and no other thread uses
 * the socket any more. */

#include "linger.h"
#include "clock.h"
#include "inproc.h"
#include "swap_socket.h"
#include "thread.h"

enum {
    FEW = 16
};

/* The time left of the linger in milliseconds, or -1 for no end. */
static int64_t left_of(const szi_socket *socket, int64_t end)
{
    if (end < 0 || atomic_load(&socket->closed->kept))
        return -1;
    int64_t left = end - sz_now();
    return left > 0 ? left : 0;
}

enum {
    LOOK = 50 /* milliseconds, the longest sleep */
};

/* Sends for the time of linger what the swap holds. */
static void empty_swap(szi_socket *socket, int64_t end)
{
    int64_t left;
    for (;;) {
        int code = szi_swap_socket_pump(socket, SZI_SLICE_MESSAGES, SZI_SLICE);
        left = left_of(socket, end);
        if ((code != SZ_EAGAIN && code != SZ_EINTR && code != SZ_ENOMEM) ||
            left == 0)
            break;
        if (code == SZ_EINTR)
            continue;
        int64_t time = szi_swap_socket_next(socket) - sz_now();
        time = time < LOOK ? time : LOOK;
        sz_wait(socket->fd, (int)(left > 0 && left < time ? left : time));
    }
    int linger = (int)left;
    zmq_setsockopt(socket->zmq, ZMQ_LINGER, &linger, sizeof linger);
    szi_swap_socket_free(socket);
}

/* libzmq would send, and close the connection, as soon as it is made. */
static void await_connections(szi_socket *socket, int64_t end)
{
    enum {
        MOST = 100 /* milliseconds: a peer that is there answers sooner */
    };
    szi_closed *closed = socket->closed;
    int64_t begun = sz_now();
    while (left_of(socket, end) != 0 && sz_now() < begun + MOST) {
        szi_ipc_hold(&closed->ipc, &closed->endpoints);
        if (!szi_ipc_connecting(&closed->ipc, &closed->endpoints))
            break;
        sz_wait(-1, 1);
    }
}

/* Connections may come and go until libzmq has freed the socket. */
static void await_readers(szi_socket *socket, int64_t end)
{
    szi_closed *closed = socket->closed;
    for (int pause = 1;; pause = pause < LOOK / 2 ? 2 * pause : LOOK) {
        bool gone = !szi_closed_open(closed);
        szi_ipc_hold(&closed->ipc, &closed->endpoints);
        int unread = szi_ipc_unread(&closed->ipc, gone);
        int64_t left = left_of(socket, end);
        if ((gone && unread == 0) || left == 0)
            break;
        sz_wait(-1, left > 0 && left < pause ? (int)left : pause);
    }
}

/* True if the peers have to be waited for. */
static bool close_socket(szi_socket *socket, bool may_linger)
{
    szi_list *endpoints = &socket->closed->endpoints;
    bool ipc = may_linger && szi_ipc_any(endpoints);
    if (ipc)
        szi_ipc_hold(&socket->closed->ipc, endpoints);
    bool closed = szi_inproc_close(socket, endpoints);
    socket->zmq = NULL;
    return closed && ipc;
}

static void *linger(void *argument)
{
    szi_socket *socket = argument;
    szi_context *context = socket->context;
    szi_closed *closed = socket->closed;
    bool reads = socket->zmq == NULL;
    if (socket->swap != NULL)
        empty_swap(socket, closed->end);
    if (!reads) {
        await_connections(socket, closed->end);
        reads = close_socket(socket, true);
    }
    if (reads)
        await_readers(socket, closed->end);
    szi_ipc_free(&closed->ipc);
    pthread_mutex_lock(&context->lock);
    atomic_store(&closed->draining, false);
    context->draining--;
    pthread_cond_broadcast(&context->drained);
    pthread_mutex_unlock(&context->lock);
    szi_socket_free(socket);
    szi_context_release(context);
    return NULL;
}

/* An orphan of the context, which is none any more, or NULL. */
static szi_socket *adopt(szi_context *context)
{
    pthread_mutex_lock(&context->lock);
    szi_socket *orphan = SZI_FIRST(&context->orphans, szi_socket, link);
    if (orphan != NULL)
        szi_list_remove(&context->orphans, &orphan->link);
    pthread_mutex_unlock(&context->lock);
    return orphan;
}

static bool start(szi_socket *socket)
{
    szi_context *context = socket->context;
    if (szi_thread_start(linger, socket, NULL) == 0)
        return true;
    pthread_mutex_lock(&context->lock);
    szi_list_append(&context->orphans, &socket->link);
    /* The thread that terminates the context may wait already. */
    pthread_cond_broadcast(&context->drained);
    pthread_mutex_unlock(&context->lock);
    return false;
}

static void take_over(szi_socket *socket)
{
    szi_context *context = socket->context;
    socket->closed->end = socket->linger < 0 ? -1 : sz_now() + socket->linger;
    pthread_mutex_lock(&context->lock);
    atomic_store(&socket->closed->draining, true);
    context->draining++;
    pthread_mutex_unlock(&context->lock);
    atomic_fetch_add(&context->references, 1);
    start(socket);
}

void szi_linger_again(szi_context *context)
{
    szi_socket *orphan;
    while ((orphan = adopt(context)) != NULL && start(orphan))
        ;
}

void szi_linger_here(szi_context *context)
{
    szi_socket *orphan = adopt(context);
    if (orphan != NULL)
        linger(orphan);
}

/* Whether messages wait in the swap. */
static bool swap_waits(szi_socket *socket)
{
    return socket->swap != NULL && socket->linger != 0 &&
           szi_swap_socket_pump(socket, FEW, SZI_SLICE) != 0;
}

void szi_linger(szi_socket *socket, bool may_linger)
{
    szi_closed *closed = socket->closed;
    bool waits = swap_waits(socket);
    if (!waits && socket->swap != NULL)
        szi_swap_socket_free(socket);
    if (may_linger && szi_ipc_any(&closed->endpoints)) {
        szi_ipc_hold(&closed->ipc, &closed->endpoints);
        waits |= szi_ipc_connecting(&closed->ipc, &closed->endpoints);
    }
    if (waits || close_socket(socket, may_linger)) {
        take_over(socket);
    } else {
        szi_ipc_free(&closed->ipc);
        szi_socket_free(socket);
    }
}
