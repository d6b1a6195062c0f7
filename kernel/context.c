/* Contexts: made at once, terminated by a thread of their own, because
 * zmq_ctx_term waits for every linger. */

#include "internal.h"

#include <unistd.h>

static szi_context *all;
static uint32_t all_process; /* whose contexts `all` lists */

static void enlist(szi_context *context)
{
    szi_lock();
    if (all_process != szi_process) {
        all = NULL; /* those of the parent stay the parent's */
        all_process = szi_process;
    }
    context->previous = NULL;
    context->next = all;
    if (all != NULL)
        all->previous = context;
    all = context;
    szi_unlock();
}

static void delist(szi_context *context)
{
    szi_lock();
    if (context->previous != NULL)
        context->previous->next = context->next;
    else if (all == context)
        all = context->next;
    if (context->next != NULL)
        context->next->previous = context->previous;
    szi_unlock();
}

void szi_context_each(void (*visit)(szi_context *, void *), void *argument)
{
    szi_lock();
    for (szi_context *c = all_process == szi_process ? all : NULL; c != NULL;
         c = c->next)
        visit(c, argument);
    szi_unlock();
}

/* Frees the context once its handle, its sockets and its thread let go. */
void szi_context_release(szi_context *context)
{
    if (atomic_fetch_sub(&context->references, 1) > 1)
        return;
    delist(context);
    szi_socket_forget(context, true);
    close(context->done[0]);
    if (context->done[1] >= 0)
        close(context->done[1]);
    pthread_mutex_destroy(&context->lock);
    pthread_cond_destroy(&context->drained);
    pthread_mutex_destroy(&context->monitoring);
    szi_free(context->monitor_thread);
    szi_free(context);
}

int sz_context_new(sz_context *handle)
{
    szi_context *context = szi_new(sizeof *context);
    if (context == NULL)
        return SZ_ENOMEM;
    int code = szi_pipe(context->done);
    if (code != 0)
        goto no_pipe;
    code = szi_handle_new(SZI_CONTEXT, context, &context->id);
    if (code != 0)
        goto no_handle;
    context->zmq = zmq_ctx_new();
    if (context->zmq == NULL) {
        code = szi_last_error();
        goto no_context;
    }
    pthread_mutex_init(&context->lock, NULL);
    pthread_cond_init(&context->drained, NULL);
    pthread_mutex_init(&context->monitoring, NULL);
    atomic_init(&context->references, 1);
    atomic_init(&context->closing, false);
    atomic_init(&context->gone, false);
    enlist(context);
    handle->id = context->id;
    return 0;
no_context:
    szi_handle_free(context->id);
no_handle:
    close(context->done[0]);
    close(context->done[1]);
no_pipe:
    szi_free(context);
    return code;
}

/* Looked up and kept in one, since another thread may let go meanwhile. */
szi_context *szi_context_hold(sz_context handle, int *code)
{
    szi_lock();
    szi_context *context = szi_handle_get(handle.id, SZI_CONTEXT);
    if (context != NULL)
        atomic_fetch_add(&context->references, 1);
    szi_unlock();
    *code = context != NULL ? 0 : szi_handle_refuse(handle.id, SZI_CONTEXT);
    return context;
}

int sz_context_check(sz_context handle)
{
    int code;
    szi_context *context = szi_context_hold(handle, &code);
    if (context == NULL)
        return code;
    code = atomic_load(&context->shut) ? SZ_ETERM : 0;
    szi_context_release(context);
    return code;
}

/* EINVAL after our own checks says that this libzmq lacks the option. */
static int explain(const sz_option *option, char access, int code)
{
    bool wrong = access == 'w' && szi_option_partial(option);
    return code == SZ_EINVAL && !wrong ? SZ_EUNSUPPORTED : code;
}

/* What is asked of libzmq is asked with the context's lock, without which
 * another thread might terminate it meanwhile. */
static int set(szi_context *context, const sz_option *option, int64_t value)
{
    if (atomic_load(&context->closing))
        return SZ_ETERM;
    if (context->limit != 0 && option->types == SZI_EARLY)
        return SZ_ELATE;
    if (zmq_ctx_set(context->zmq, option->number, (int)value) != 0)
        return explain(option, 'w', szi_last_error());
    return 0;
}

int sz_context_set(sz_context handle, const sz_option *option, int64_t value)
{
    int code;
    szi_context *context = szi_context_hold(handle, &code);
    if (context == NULL)
        return code;
    code = szi_option_check(option, SZ_CONTEXT_OPTION, 'w', true);
    if (code == 0)
        code = szi_option_check_integer(option, value);
    if (code == 0) {
        pthread_mutex_lock(&context->lock);
        code = set(context, option, value);
        pthread_mutex_unlock(&context->lock);
    }
    szi_context_release(context);
    return code;
}

static int get(szi_context *context, const sz_option *option, int64_t *value)
{
    if (atomic_load(&context->closing))
        return SZ_ETERM;
    /* -1 is a value too, so only errno tells. */
    errno = 0;
    int got = zmq_ctx_get(context->zmq, option->number);
    if (got == -1 && zmq_errno() != 0)
        return explain(option, 'r', szi_last_error());
    *value = got;
    if (option->number == ZMQ_MAX_SOCKETS && context->limit != 0)
        *value = context->limit;
    return 0;
}

int sz_context_get(sz_context handle, const sz_option *option, int64_t *value)
{
    int code;
    szi_context *context = szi_context_hold(handle, &code);
    if (context == NULL)
        return code;
    code = szi_option_check(option, SZ_CONTEXT_OPTION, 'r', true);
    if (code == 0) {
        pthread_mutex_lock(&context->lock);
        code = get(context, option, value);
        pthread_mutex_unlock(&context->lock);
    }
    szi_context_release(context);
    return code;
}

int sz_context_sockets(sz_context handle)
{
    int result;
    szi_context *context = szi_context_hold(handle, &result);
    if (context == NULL)
        return result;
    pthread_mutex_lock(&context->lock);
    result = context->count;
    pthread_mutex_unlock(&context->lock);
    szi_context_release(context);
    return result;
}

int sz_context_shutdown(sz_context handle)
{
    int code;
    szi_context *context = szi_context_hold(handle, &code);
    if (context == NULL)
        return code;
    pthread_mutex_lock(&context->lock);
    /* One that is terminating is shut down already, and may be gone. */
    if (!atomic_load(&context->closing)) {
        atomic_store(&context->shut, true);
        /* Afterwards the resolver could not bind any more. */
        szi_inproc_resolve(context);
        if (zmq_ctx_shutdown(context->zmq) != 0)
            code = szi_last_error();
    }
    pthread_mutex_unlock(&context->lock);
    szi_context_release(context);
    return code;
}

/* Lets go of the handle of a context that is gone, once. */
static void forget(szi_context *context)
{
    if (atomic_exchange(&context->forgotten, true))
        return;
    szi_handle_free(context->id);
    szi_context_release(context);
}

/* Terminating makes libzmq refuse what swaps still have. */
static void await_swaps(szi_context *context)
{
    pthread_mutex_lock(&context->lock);
    while (!context->emptied || context->draining > 0)
        pthread_cond_wait(&context->drained, &context->lock);
    szi_inproc_resolve(context);
    pthread_mutex_unlock(&context->lock);
}

static void *terminate(void *argument)
{
    szi_context *context = argument;
    await_swaps(context);
    szi_inproc_close(context);
    while (zmq_ctx_term(context->zmq) != 0 && zmq_errno() == EINTR)
        ;
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
    szi_socket *first = context->sockets;
    pthread_mutex_unlock(&context->lock);
    return first;
}

/* None is made any more once `shut` was seen with the lock. */
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

/* Begins if nobody has; whether it is done. */
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

/* The handle stays until the context is gone, for sz_exit to find. */
void sz_context_drop(sz_context handle)
{
    int code = sz_context_terminate(handle);
    if (code != SZ_EAGAIN)
        return;
    szi_context *context = szi_context_hold(handle, &code);
    if (context == NULL)
        return;
    atomic_store(&context->dropped, true);
    if (atomic_load(&context->gone))
        forget(context);
    szi_context_release(context);
}
