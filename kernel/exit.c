/* The end of a process: everything is closed, and what was sent gets a bounded
 * time to leave. */

#include "clock.h"
#include "context.h"
#include "memory.h"
#include "socket.h"

typedef struct {
    uint64_t *ids;
    size_t count, room;
} list;

static void count(szi_context *context, void *argument)
{
    (void)context;
    ++((list *)argument)->room;
}

static void collect(szi_context *context, void *argument)
{
    list *all = argument;
    if (all->count < all->room)
        all->ids[all->count++] = context->id;
}

/* The longest time that a socket may delay the exit, in milliseconds. */
static int bound_of(const szi_closed *closed, int linger)
{
    return closed->linger >= 0 ? closed->linger : linger;
}

/* In milliseconds. */
enum {
    GRACE = 100, /* libzmq closes a socket some time after its last message */
    LOOK = 10    /* between two looks at which sockets are left */
};

/* Makes libzmq keep what was sent for ever.  sz_exit watches the time instead,
 * so that it knows what was not delivered. */
static void keep_messages(szi_context *context, void *argument)
{
    (void)argument;
    int for_ever = -1;
    pthread_mutex_lock(&context->lock);
    SZI_EACH (s, &context->sockets, szi_socket, link)
        if (s->linger > 0) {
            atomic_store(&s->closed->kept, true);
            zmq_setsockopt(s->zmq, ZMQ_LINGER, &for_ever, sizeof for_ever);
        }
    SZI_EACH (c, &context->lingering.sockets, szi_closed, link)
        atomic_store(&c->kept, true);
    pthread_mutex_unlock(&context->lock);
}

/* Whether a socket is left that may hold messages, and the longest time that
 * one may take. */
static bool any_left(szi_context *context, int linger, int *longest)
{
    bool any = false;
    *longest = GRACE;
    pthread_mutex_lock(&context->lock);
    SZI_EACH (c, &context->lingering.sockets, szi_closed, link)
        if (szi_closed_lingers(c)) {
            any = true;
            if (bound_of(c, linger) > *longest)
                *longest = bound_of(c, linger);
        }
    pthread_mutex_unlock(&context->lock);
    return any;
}

static szi_list exchange(szi_context *context, szi_list closed)
{
    pthread_mutex_lock(&context->lock);
    szi_list before = context->lingering.sockets;
    context->lingering.sockets = closed;
    pthread_mutex_unlock(&context->lock);
    return before;
}

/* No lock is held while the program is called.  No other thread adds to the
 * list meanwhile, as no socket is left. */
static void report_closed(szi_context *context, sz_undelivered *report,
                          void *argument)
{
    szi_list closed = exchange(context, (szi_list){0});
    SZI_EACH (c, &closed, szi_closed, link) {
        if (!szi_closed_lingers(c))
            continue;
        if (c->endpoints.first == NULL)
            report(c->type->name, NULL, argument);
        SZI_EACH (e, &c->endpoints, szi_endpoint, link)
            report(c->type->name, e->real, argument);
    }
    exchange(context, closed);
}

/* Waits until the context is gone or the time of its sockets is over.  A
 * context without such sockets has delivered everything, whether it is gone or
 * not. */
static int await_end(sz_context handle, int linger, int64_t begun)
{
    int code;
    while ((code = sz_context_terminate(handle)) < 0) {
        int failed = code;
        bool begun_to_end = code == SZ_EAGAIN;
        szi_context *context = szi_context_hold(handle, &code);
        if (context == NULL)
            return 0;
        int longest;
        bool any = any_left(context, linger, &longest);
        int64_t left = begun + longest - sz_now();
        if (left > 0)
            sz_wait(context->done[0], left < LOOK ? (int)left : LOOK);
        szi_context_release(context);
        if (left <= 0 && !begun_to_end)
            return failed;
        if (left <= 0)
            return any ? SZ_EAGAIN : 0;
    }
    return code;
}

int sz_exit(int linger, sz_undelivered *report, void *argument)
{
    list all = {0};
    szi_context_each(count, &all);
    if (all.room == 0)
        return 0;
    all.ids = szi_new(all.room * sizeof *all.ids);
    if (all.ids == NULL)
        return SZ_ENOMEM;
    szi_context_each(collect, &all);
    szi_context_each(keep_messages, NULL);
    int64_t begun = sz_now();
    for (size_t i = 0; i < all.count; i++)
        sz_context_terminate((sz_context){all.ids[i]});
    int result = 0, code = 0;
    for (size_t i = 0; i < all.count; i++) {
        sz_context handle = {all.ids[i]};
        code = await_end(handle, linger, begun);
        if (code == 0)
            continue;
        result = code;
        szi_context *context = szi_context_hold(handle, &code);
        if (context == NULL)
            continue;
        if (report != NULL)
            report_closed(context, report, argument);
        szi_context_release(context);
    }
    szi_free(all.ids);
    return result;
}
