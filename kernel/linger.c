/* Sending what the swap of a closed socket holds.  Closing must not wait, so a
 * thread takes the socket over and closes it when the swap is empty or the
 * linger over.  That is safe because starting a thread is a full fence, and no
 * other thread uses the socket any more. */

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
    int64_t left, end = socket->linger < 0 ? -1 : sz_now() + socket->linger;
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

static void count_draining(szi_socket *socket, int by)
{
    szi_context *context = socket->context;
    pthread_mutex_lock(&context->lock);
    atomic_store(&socket->closed->draining, by > 0);
    context->draining += by;
    pthread_mutex_unlock(&context->lock);
    atomic_fetch_add(&context->references, by);
}

bool szi_linger(szi_socket *socket)
{
    if (socket->linger != 0 &&
        szi_swap_socket_pump(socket, FEW, SZI_SLICE) != 0) {
        count_draining(socket, 1);
        if (szi_thread_start(drain, socket, NULL) == 0)
            return true;
        count_draining(socket, -1);
    }
    szi_swap_socket_free(socket);
    return false;
}
