/* Contexts: the record, its references and its options. */

#include "context.h"
#include "descriptor.h"
#include "error.h"
#include "handle.h"
#include "memory.h"
#include "option_table.h"
#include "thread.h"

#include <errno.h>
#include <sched.h>
#include <unistd.h>

/* After a fork, `all` lists contexts of the parent, which the child must not
 * touch, until the child makes a context. */
static szi_list all;
static uint32_t all_process; /* szi_process when `all` was last changed */

static void enlist(szi_context *context)
{
    szi_lock();
    if (all_process != szi_process)
        all = (szi_list){0};
    all_process = szi_process;
    szi_list_prepend(&all, &context->link);
    szi_unlock();
}

static void delist(szi_context *context)
{
    szi_lock();
    szi_list_remove(&all, &context->link);
    szi_unlock();
}

void szi_context_each(void (*visit)(szi_context *, void *), void *argument)
{
    szi_lock();
    if (all_process == szi_process)
        SZI_EACH (context, &all, szi_context, link)
            visit(context, argument);
    szi_unlock();
}

static int make_locks(szi_context *context)
{
    if (pthread_mutex_init(&context->lock, NULL) != 0)
        return SZ_ENOMEM;
    if (pthread_mutex_init(&context->monitoring, NULL) == 0) {
        if (pthread_cond_init(&context->drained, NULL) == 0)
            return 0;
        pthread_mutex_destroy(&context->monitoring);
    }
    pthread_mutex_destroy(&context->lock);
    return SZ_ENOMEM;
}

static void free_locks(szi_context *context)
{
    pthread_mutex_destroy(&context->lock);
    pthread_mutex_destroy(&context->monitoring);
    pthread_cond_destroy(&context->drained);
}

void szi_context_release(szi_context *context)
{
    if (atomic_fetch_sub(&context->references, 1) > 1)
        return;
    delist(context);
    szi_lingering_forget(&context->lingering, true);
    close(context->done[0]);
    if (context->done[1] >= 0)
        close(context->done[1]);
    free_locks(context);
    szi_free(context->monitor_thread);
    szi_free(context);
}

int sz_context_new(sz_context *handle)
{
    szi_context *context = szi_new(sizeof *context);
    if (context == NULL)
        return SZ_ENOMEM;
    int code = make_locks(context);
    if (code != 0)
        goto no_locks;
    code = szi_pipe(context->done);
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
    context->priority = -1;
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
    free_locks(context);
no_locks:
    szi_free(context);
    return code;
}

/* The lock keeps another thread from releasing the last reference between the
 * lookup and the increment. */
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

/* After our own checks, EINVAL means that this libzmq does not have the
 * option. */
static int explain(const sz_option *option, char access, int code)
{
    bool wrong = access == 'w' && szi_option_partial(option);
    return code == SZ_EINVAL && !wrong ? SZ_EUNSUPPORTED : code;
}

/* A policy is tried with its least priority: its own may be set later. */
static int try_schedule(const sz_option *option, int value)
{
    int least = sched_get_priority_min(value);
    switch (option->number) {
    case ZMQ_THREAD_AFFINITY_CPU_ADD:
        return szi_thread_try((szi_schedule){-1, -1, value});
    case ZMQ_THREAD_SCHED_POLICY:
        return szi_thread_try(
            (szi_schedule){value, least > 0 ? least : -1, -1});
    default:
        return 0;
    }
}

/* The lock of the context keeps another thread from terminating it during the
 * call of libzmq. */
static int set(szi_context *context, const sz_option *option, int64_t value)
{
    if (atomic_load(&context->closing))
        return SZ_ETERM;
    if (context->limit != 0 && option->types == SZI_EARLY)
        return SZ_ELATE;
    int code = try_schedule(option, (int)value);
    if (code != 0)
        return code;
    if (zmq_ctx_set(context->zmq, option->number, (int)value) != 0)
        return explain(option, 'w', szi_last_error());
    if (option->number == ZMQ_THREAD_PRIORITY)
        context->priority = (int)value;
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
    /* -1 may also be the value, so only errno tells. */
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
