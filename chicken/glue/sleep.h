/* Sleeping in one call, where no other thread can run: beside the descriptor
 * that the caller waits for, it watches the descriptors that the scheduler
 * would watch for the other threads. */
#ifndef GLUE_SLEEP_H
#define GLUE_SLEEP_H

#include "word.h"

#pragma GCC visibility push(hidden)

/* Starts a new set of watched descriptors, and adds one.  False if the set is
 * full. */
void szg_watch_none(void);
bool szg_watch_also(int fd, bool in, bool out);

/* Sleeps until `fd` or one of the set is ready, a signal has come, or
 * `timeout` milliseconds have passed (-1: no limit).  Does not sleep if the
 * waiter was woken, if a signal waits for its handler, or if the socket is no
 * longer armed for `event`; 0 stands for no socket.  The handlers are the
 * vector of CHICKEN's signal handlers. True if another thread can run. */
bool szg_sleep_alone(C_word waiter, C_word socket, int event, int fd,
                     int timeout, C_word handlers);

#pragma GCC visibility pop

#endif
