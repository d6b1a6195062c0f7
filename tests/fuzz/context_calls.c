#include "calls.h"

#include <string.h>

static int context_new(world *w)
{
    sz_context *made = &w->contexts[pick(w, CONTEXTS)];
    if (w->parent != NULL || made->id != 0)
        return 0;
    return sz_context_new(made);
}

static int context_check(world *w)
{
    return sz_context_check(pick_context(w));
}

static int context_set(world *w)
{
    const sz_option *option = pick_option(w, SZ_CONTEXT_OPTION);
    int64_t value = pick_integer(w, option);
    TELL("  %s %lld\n", option ? option->name : "-", (long long)value);
    return sz_context_set(pick_context(w), option, value);
}

static int context_get(world *w)
{
    int64_t value;
    return sz_context_get(pick_context(w), pick_option(w, SZ_CONTEXT_OPTION),
                          &value);
}

static int context_sockets(world *w)
{
    return sz_context_sockets(pick_context(w));
}

static int context_fd(world *w)
{
    return sz_context_fd(pick_context(w));
}

static int context_shutdown(world *w)
{
    if (!once_in(w, 12))
        return 0;
    /* Afterwards the linger cannot be changed. */
    shorten_all(w);
    return sz_context_shutdown(pick_context(w));
}

/* Other threads may not use a socket of a context that is terminated. */
static int context_terminate(world *w)
{
    int i = (int)pick(w, CONTEXTS);
    if (w->parent != NULL || !once_in(w, 6))
        return 0;
    shorten_all(w);
    note_stale(w, w->contexts[i].id);
    int code = sz_context_terminate(w->contexts[i]);
    if (code == 0)
        w->contexts[i].id = 0;
    return code;
}

static int context_drop(world *w)
{
    int i = (int)pick(w, CONTEXTS);
    if (w->parent != NULL || !once_in(w, 6))
        return 0;
    shorten_all(w);
    note_stale(w, w->contexts[i].id);
    sz_context_drop(w->contexts[i]);
    w->contexts[i].id = 0;
    return 0;
}

static void on_undelivered(const char *type, const char *endpoint,
                           void *argument)
{
    (void)type;
    (void)endpoint;
    ++*(int *)argument;
}

static int exit_(world *w)
{
    int reports = 0;
    if (w->parent != NULL || !once_in(w, 10))
        return 0;
    shorten_all(w);
    return sz_exit((int)pick(w, 3), once_in(w, 4) ? NULL : on_undelivered,
                   &reports);
}

const call context_calls[] = {CALL(context_new, 3),
                              CALL(context_check, 2),
                              CALL(context_set, 2),
                              CALL(context_get, 2),
                              CALL(context_sockets, 2),
                              CALL(context_fd, 2),
                              CALL(context_shutdown, 2),
                              CALL(context_terminate, 2),
                              CALL(context_drop, 2),
                              CALL(exit_, 2),
                              {0}};
