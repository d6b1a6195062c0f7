/* Sleeping in one call, where no other thread can run: beside the descriptor that the caller
 * waits for, it watches the descriptors that the scheduler would watch for the other threads. */
#ifndef GLUE_SLEEP_H
#define GLUE_SLEEP_H

#include "word.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

enum {
    MOST_WATCHED = 16
};
static struct pollfd watched[MOST_WATCHED]; /* [0] is the caller's */
static nfds_t watched_count;

/* Starts a new set of watched descriptors, and adds one. False if the set is full. */
static inline void szg_watch_none(void)
{
    watched_count = 1;
}

static inline bool szg_watch_also(int fd, bool in, bool out)
{
    if (watched_count == MOST_WATCHED)
        return false;
    watched[watched_count++] =
        (struct pollfd){.fd = fd, .events = (short)((in ? POLLIN : 0) | (out ? POLLOUT : 0))};
    return true;
}

static inline bool handles_signals(C_word handlers)
{
    C_word some = 0;
    for (int i = 1; i < NSIG; i++)
        some |= ITEM(handlers, i) ^ C_SCHEME_FALSE;
    return some != 0;
}

/* CHICKEN has noted a signal whose handler it has not run yet. */
static inline bool interrupted(void)
{
    return C_stack_limit != C_stack_hard_limit;
}

/* A handler that ran since the last attempt may have used the socket, and so have taken the
 * signal of its descriptor. */
static inline bool must_try_again(C_word waiter, C_word socket, int event)
{
    return C_truep(ITEM(waiter, WAITER_WOKEN)) ||
           (socket != C_fix(0) && sz_socket_armed(SOCKET(socket)) != event);
}

/* Sleeps until `fd` or one of the set is ready, a signal has come, or `timeout` milliseconds
 * have passed (-1: no limit). Does not sleep if the waiter was woken, if a signal waits for its
 * handler, or if the socket is no longer armed for `event`; 0 stands for no socket. The handlers
 * are the vector of CHICKEN's signal handlers. True if another thread can run. */
static inline bool szg_sleep_alone(C_word waiter, C_word socket, int event, int fd, int timeout,
                                   C_word handlers)
{
    struct timespec time = {timeout / 1000, timeout % 1000 * 1000000L};
    sigset_t all, before;
    int ready = 0;
    bool masked = handles_signals(handlers);
    watched[0] = (struct pollfd){.fd = fd, .events = POLLIN};
    if (masked) {
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
    }
    bool awake = interrupted() || must_try_again(waiter, socket, event);
    if (!awake)
        ready = ppoll(watched, watched_count, timeout < 0 ? NULL : &time, masked ? &before : NULL);
    if (masked)
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ready > 0 && (ready > 1 || watched[0].revents == 0);
}

#endif
