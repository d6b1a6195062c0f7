/* Finalizers: of the records that own an object of the kernel, and CHICKEN's table of those that
 * are due. */
#ifndef GLUE_FINALIZER_H
#define GLUE_FINALIZER_H

#include "word.h"

/* Keeps the limit of the table within the table. If the table has no room, set-finalizer!
 * (library.scm) raises the limit first and then makes a larger table, which takes a while. A signal
 * handler may leave it in between. Then the next major collection (C_reclaim in runtime.c) wrote
 * past the end of the table into other objects, and update_symbol_tables found no symbols there. */
static struct {
    void (*hook)(int); /* the one that was set before */
    void *symbol;      /* of the table, which is a count and then two slots for each finalizer */
} finalizing;

/* Runs before each collection. The heap may be resized (another mode) within a collection, where
 * the table cannot be read; that makes no finalizer due. */
static void before_collection(int mode)
{
    if (finalizing.hook)
        finalizing.hook(mode);
    if (mode == 0) {
        C_word table = ITEM(CHICKEN_gc_root_ref(finalizing.symbol), 0);
        C_max_pending_finalizers = (int)(C_header_size(table) - 1) / 2;
    }
}

static inline void szg_mend_finalizers(C_word symbol)
{
    finalizing.symbol = CHICKEN_new_gc_root();
    CHICKEN_gc_root_set(finalizing.symbol, symbol);
    finalizing.hook = C_pre_gc_hook;
    C_pre_gc_hook = before_collection;
}

/* Finalizers in C: a signal handler cannot run, and so cannot leave, before they have done their
 * work. They must not wait, so a thread of the kernel terminates a context. */
#define FINALIZER(name, call)                                                                      \
    static void name(C_word c, C_word *av) C_noret;                                                \
    static void name(C_word c, C_word *av)                                                         \
    {                                                                                              \
        C_word handle = ITEM(av[2], HANDLE_FIELD);                                                 \
        (void)c;                                                                                   \
        call;                                                                                      \
        C_kontinue(av[1], C_SCHEME_UNDEFINED);                                                     \
    }

FINALIZER(szg_drop_context, sz_context_drop(CONTEXT(handle)))
FINALIZER(szg_drop_socket, sz_socket_close(SOCKET(handle)))
FINALIZER(szg_drop_message, sz_message_free(MESSAGE(handle)))
FINALIZER(szg_drop_poller, sz_poller_free(POLLER(handle)))
FINALIZER(szg_drop_monitor, sz_monitor_close(MONITOR(handle)))

#endif
