/* The end of a process: everything is closed, and what was sent gets a
 * bounded time to leave. */

#include "internal.h"

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

/* Gives each socket without a limit of its own `linger`, and says how long
 * the longest is. */
static int bound_lingers(szi_context *context, int linger)
{
    int longest = linger;
    pthread_mutex_lock(&context->lock);
    for (szi_socket *s = context->sockets; s != NULL; s = s->next) {
        if (s->linger < 0)
            zmq_setsockopt(s->zmq, ZMQ_LINGER, &linger, sizeof linger);
        else if (s->linger > longest)
            longest = s->linger;
    }
    pthread_mutex_unlock(&context->lock);
    return longest;
}

/* libzmq needs a moment to see that a linger has passed. */
enum {
    GRACE = 100
};

int sz_exit(int linger)
{
    list all = {0};
    szi_context_each(count, &all);
    if (all.room == 0)
        return 0;
    all.ids = szi_new(all.room * sizeof *all.ids);
    if (all.ids == NULL)
        return SZ_ENOMEM;
    szi_context_each(collect, &all);
    int longest = linger, result = 0;
    for (size_t i = 0; i < all.count; i++) {
        int code = 0;
        sz_context handle = {all.ids[i]};
        szi_context *context = szi_context_get(handle, &code);
        if (context == NULL)
            continue;
        int own = bound_lingers(context, linger);
        if (own > longest)
            longest = own;
        sz_context_terminate(handle);
    }
    int64_t deadline = sz_now() + longest + GRACE;
    for (size_t i = 0; i < all.count; i++) {
        sz_context handle = {all.ids[i]};
        int code = sz_context_terminate(handle);
        int64_t left;
        while (code == SZ_EAGAIN && (left = deadline - sz_now()) > 0) {
            sz_wait(sz_context_fd(handle), (int)left);
            code = sz_context_terminate(handle);
        }
        if (code == SZ_EAGAIN)
            result = code;
    }
    szi_free(all.ids);
    return result;
}
