/* Keeps signals from making CHICKEN's apply fail.
 *
 * C_apply and C_apply_values (runtime.c) ask for a collection if the nursery has no room for the
 * arguments, and raise "stack overflow" if there is none after it. A signal sets the limit of the
 * nursery so that none seems left, until its handler runs. So a signal during that collection made
 * them raise, in whatever called a continuation, handle-exceptions, parameterize or apply. */
#ifndef GLUE_APPLY_H
#define GLUE_APPLY_H

#include <chicken.h>
#include <pthread.h>
#include <signal.h>

static struct {
    void (*hook)(int, C_long); /* the one that was set before */
    C_proc procedure;          /* that asked for the collection */
    C_word count, *arguments;
    C_word *limit;
    sigset_t signals;
} applying;

static void there_was_room(C_word c, C_word *av) C_noret;
static void there_was_room(C_word c, C_word *av)
{
    (void)c, (void)av;
    C_stack_limit = applying.limit;
    pthread_sigmask(SIG_SETMASK, &applying.signals, NULL);
    applying.procedure(applying.count, applying.arguments);
}

/* Applies something else first, while no signal can change the limit. That finds room, so CHICKEN
 * forgets that the first try found none. The second try then runs the handler, if there is one. */
static void apply_again(C_word c, C_word *av) C_noret;
static void apply_again(C_word c, C_word *av)
{
    C_word closure[] = {C_CLOSURE_TYPE | 1, (C_word)there_was_room};
    C_word call[] = {C_SCHEME_UNDEFINED, C_SCHEME_UNDEFINED, (C_word)closure, C_SCHEME_END_OF_LIST};
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &applying.signals);
    applying.limit = C_stack_limit;
    C_stack_limit = C_stack_hard_limit;
    applying.count = c;
    applying.arguments = av;
    C_apply(4, call);
}

/* Runs at the end of each collection, before what asked for it is called again. */
static void after_collection(int mode, C_long milliseconds)
{
    if (applying.hook)
        applying.hook(mode, milliseconds);
    if (C_restart_trampoline == (void *)C_apply || C_restart_trampoline == (void *)C_apply_values) {
        applying.procedure = (C_proc)C_restart_trampoline;
        C_restart_trampoline = (void *)apply_again;
    }
}

static inline void szg_mend_apply(void)
{
    applying.hook = C_post_gc_hook;
    C_post_gc_hook = after_collection;
}

#endif
