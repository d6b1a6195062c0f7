/* Threads of the kernel.  They block all signals, so that the program's
 * handlers run in the program's threads. */
#ifndef SZI_THREAD_H
#define SZI_THREAD_H

#include <pthread.h>

#pragma GCC visibility push(hidden)

/* Runs a function in a new thread.  The thread is detached if `joined` is
 * NULL, else the caller has to join it.  SZ_ETHREAD. */
int szi_thread_start(void *(*run)(void *), void *argument, pthread_t *joined);

/* How libzmq schedules its threads.  -1 is for what was not set. */
typedef struct {
    int policy, priority, cpu;
} szi_schedule;

/* Applies a schedule to a thread that then ends, in libzmq's way: 0 or
 * SZ_ESCHEDULE, SZ_ECPU, SZ_ETHREAD.  libzmq would abort. */
int szi_thread_try(szi_schedule schedule);

#pragma GCC visibility pop

#endif
