/* Sending what the swap of a closed socket holds.  Closing must not wait, so a
 * thread takes the socket over and closes it when the swap is empty or the
 * linger over.  That is safe because starting a thread is a full fence, and no
 * other thread uses the socket any more.
 *
 * If no thread can be started, the socket is an orphan of its context.  The
 * next call that makes or closes a socket tries again, and at last the thread
 * that terminates the context empties the swap. */

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

/* Sends for the time of linger what the swap holds. */
static void *drain(void *argument)
{
    enum {
        LOOK = 50
    };
    szi_socket *socket = argument;
    szi_context *context = socket->context;
    szi_closed *closed = socket->closed;
    int64_t left, end = closed->end;
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
    szi_inproc_close(socket, &closed->endpoints);
    pthread_mutex_lock(&context->lock);
    atomic_store(&closed->draining, false);
    context->draining--;
    pthread_cond_broadcast(&context->drained);
    pthread_mutex_unlock(&context->lock);
    szi_socket_free(socket);
    szi_context_release(context);
    return NULL;
}

static void count_draining(szi_socket *socket)
{
    szi_context *context = socket->context;
    pthread_mutex_lock(&context->lock);
    atomic_store(&socket->closed->draining, true);
    context->draining++;
    pthread_mutex_unlock(&context->lock);
    atomic_fetch_add(&context->references, 1);
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
    if (szi_thread_start(drain, socket, NULL) == 0)
        return true;
    pthread_mutex_lock(&context->lock);
    szi_list_append(&context->orphans, &socket->link);
    /* The thread that terminates the context may wait already. */
    pthread_cond_broadcast(&context->drained);
    pthread_mutex_unlock(&context->lock);
    return false;
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
        drain(orphan);
}

bool szi_linger(szi_socket *socket)
{
    if (socket->linger != 0 &&
        szi_swap_socket_pump(socket, FEW, SZI_SLICE) != 0) {
        socket->closed->end =
            socket->linger < 0 ? -1 : sz_now() + socket->linger;
        count_draining(socket);
        start(socket);
        return true;
    }
    szi_swap_socket_free(socket);
    return false;
}
