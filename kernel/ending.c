/* The end of contexts.  zmq_ctx_term waits for every linger, so a thread of
 * its own calls it. */

#include "context.h"
#include "descriptor.h"
#include "error.h"
#include "handle.h"
#include "inproc.h"
#include "lifetime.h"
#include "linger.h"
#include "thread.h"

#include <errno.h>

int sz_context_shutdown(sz_context handle)
{
    int code;
    szi_context *context = szi_context_hold(handle, &code);
    if (context == NULL)
        return code;
    pthread_mutex_lock(&context->lock);
    /* A context that is closing is shut already, and libzmq may have freed it.
     */
    if (!atomic_load(&context->closing)) {
        atomic_store(&context->shut, true);
        /* After zmq_ctx_shutdown the resolver could not bind. */
        szi_inproc_resolve(context);
        if (zmq_ctx_shutdown(context->zmq) != 0)
            code = szi_last_error();
    }
    pthread_mutex_unlock(&context->lock);
    szi_context_release(context);
    return code;
}

/* Frees the handle of a context that is gone, once. */
static void forget(szi_context *context)
{
    if (atomic_exchange(&context->forgotten, true))
        return;
    szi_handle_free(context->id);
    szi_context_release(context);
}

/* Waits until the swaps of closed sockets are empty: zmq_ctx_term would make
 * libzmq refuse their messages. */
static void await_swaps(szi_context *context)
{
    pthread_mutex_lock(&context->lock);
    while (!context->emptied || context->draining > 0) {
        if (context->orphans.first == NULL) {
            pthread_cond_wait(&context->drained, &context->lock);
            continue;
        }
        pthread_mutex_unlock(&context->lock);
        szi_linger_here(context);
        pthread_mutex_lock(&context->lock);
    }
    szi_inproc_resolve(context);
    pthread_mutex_unlock(&context->lock);
}

static void *terminate(void *argument)
{
    szi_context *context = argument;
    await_swaps(context);
    szi_inproc_end(context);
    int code;
    SZI_UNINTERRUPTED(code, zmq_ctx_term(context->zmq));
    atomic_store(&context->gone, true);
    szi_pipe_end(&context->done[1]);
    if (atomic_load(&context->dropped))
        forget(context);
    szi_context_release(context);
    return NULL;
}

static int start_termination(szi_context *context)
{
    atomic_fetch_add(&context->references, 1);
    int code = szi_thread_start(terminate, context, NULL);
    if (code != 0)
        atomic_fetch_sub(&context->references, 1);
    return code;
}

static szi_socket *first_socket(szi_context *context)
{
    pthread_mutex_lock(&context->lock);
    szi_socket *first = SZI_FIRST(&context->sockets, szi_socket, link);
    pthread_mutex_unlock(&context->lock);
    return first;
}

/* Once `shut` was seen under the lock, no thread makes another socket. */
static void close_sockets(szi_context *context)
{
    szi_socket *socket;
    while ((socket = first_socket(context)) != NULL)
        szi_socket_close(socket);
    pthread_mutex_lock(&context->lock);
    context->emptied = true;
    pthread_cond_broadcast(&context->drained);
    pthread_mutex_unlock(&context->lock);
}

/* Starts the termination unless another caller did.  0 if it is done, else
 * SZ_EAGAIN. */
static int go_on_terminating(szi_context *context)
{
    if (!atomic_exchange(&context->closing, true)) {
        int code = start_termination(context);
        if (code != 0) {
            atomic_store(&context->closing, false);
            return code;
        }
        atomic_store(&context->shut, true);
        close_sockets(context);
    }
    if (!atomic_load(&context->gone))
        return SZ_EAGAIN;
    forget(context);
    return 0;
}

int sz_context_terminate(sz_context handle)
{
    int code;
    szi_context *context = szi_context_hold(handle, &code);
    if (context == NULL) {
        if (code == SZ_EFORKED)
            szi_handle_free(handle.id);
        return code == SZ_EHANDLE ? code : 0;
    }
    code = go_on_terminating(context);
    szi_context_release(context);
    return code;
}

int sz_context_fd(sz_context handle)
{
    int result;
    szi_context *context = szi_context_hold(handle, &result);
    if (context == NULL)
        return result;
    result = context->done[0];
    szi_context_release(context);
    return result;
}

static void find_waiting(szi_context *context, void *argument)
{
    if (atomic_load(&context->dropped) && !atomic_load(&context->closing))
        *(uint64_t *)argument = context->id;
}

/* Terminates a context that was dropped when no thread could be started. */
static void resume(void)
{
    uint64_t id = 0;
    szi_context_each(find_waiting, &id);
    if (id != 0)
        sz_context_terminate((sz_context){id});
}

/* The handle stays until the context is gone, so that sz_exit finds it. */
void sz_context_drop(sz_context handle)
{
    resume();
    int code = sz_context_terminate(handle);
    if (code != SZ_EAGAIN && code != SZ_ETHREAD)
        return;
    szi_context *context = szi_context_hold(handle, &code);
    if (context == NULL)
        return;
    atomic_store(&context->dropped, true);
    /* `closing` keeps other callers from closing the sockets too. */
    if (!atomic_exchange(&context->closing, true)) {
        atomic_store(&context->shut, true);
        close_sockets(context);
        atomic_store(&context->closing, false);
    }
    if (atomic_load(&context->gone))
        forget(context);
    szi_context_release(context);
}
