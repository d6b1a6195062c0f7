/* Choosing the next call, and the end of a sequence. */

#include "calls.h"

#include <stdlib.h>
#include <string.h>

/* What waits without end is left no time. */
void shorten(slot *s)
{
    if (s->handle.id != 0 && s->endless)
        sz_socket_set_integer(s->handle,
                              sz_option_find(SZ_SOCKET_OPTION, "linger"), 0);
    s->endless = false;
}

void shorten_all(world *w)
{
    for (int i = 0; i < SOCKETS; i++)
        shorten(&w->sockets[i]);
}

static const call *const tables[] = {
    context_calls, socket_calls, transfer_calls, poller_calls, table_calls};

enum {
    TABLES = sizeof tables / sizeof *tables
};

static const call *pick_call(world *w)
{
    static _Atomic uint32_t total;
    if (total == 0) {
        uint32_t sum = 0;
        for (int i = 0; i < TABLES; i++)
            for (const call *c = tables[i]; c->make != NULL; c++)
                sum += c->weight;
        total = sum;
    }
    uint32_t at = pick(w, total);
    for (int i = 0; i < TABLES; i++)
        for (const call *c = tables[i]; c->make != NULL; c++) {
            if (at < c->weight)
                return c;
            at -= c->weight;
        }
    abort();
}

void random_call(world *w)
{
    const call *c = pick_call(w);
    atomic_store(&w->progress->call, c->name);
    TELL("%p %s\n", (void *)w, c->name);
    int code = c->make(w);
    atomic_fetch_add(&w->progress->calls, 1);
    TELL("  = %d %s\n", code, code < 0 ? sz_error_symbol(code) : "");
    if (code < 0 && strcmp(sz_error_symbol(code), "unknown") == 0) {
        fprintf(stderr, "%s returns the unknown error %d\n", c->name, code);
        abort();
    }
}

void close_objects(world *w)
{
    atomic_store(&w->progress->call, "closing");
    for (int i = 0; i < MESSAGES; i++)
        sz_message_free(w->messages[i]);
    for (int i = 0; i < POLLERS; i++)
        sz_poller_free(w->pollers[i]);
    shorten_all(w);
    for (int i = 0; i < SOCKETS; i++)
        sz_socket_close(w->sockets[i].handle);
    for (int i = 0; i < MONITORS; i++)
        sz_monitor_close(w->monitors[i]);
    memset(w->sockets, 0, sizeof w->sockets);
}

bool end_world(world *w)
{
    enum {
        PATIENCE = 30000
    };
    /* sz_exit knows of the contexts that were dropped, too. */
    if (once_in(w, 3))
        close_objects(w);
    shorten_all(w);
    atomic_store(&w->progress->call, "ending");
    int64_t end = sz_now() + PATIENCE;
    for (int i = 0; i < CONTEXTS; i++)
        while (sz_context_terminate(w->contexts[i]) == SZ_EAGAIN) {
            if (sz_now() > end)
                return false;
            sz_wait(sz_context_fd(w->contexts[i]), 10);
        }
    sz_exit(PATIENCE, NULL, NULL);
    close_objects(w);
    return true;
}
