/* Threads that block all signals, and what the system lets threads be. */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* for pthread_setaffinity_np */
#endif

#include "thread.h"
#include "szmq.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

/* A new thread inherits the mask of the thread that creates it. */
int szi_thread_start(void *(*run)(void *), void *argument, pthread_t *joined)
{
    sigset_t all, before;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&thread, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code == 0 && joined != NULL)
        *joined = thread;
    else if (code == 0)
        pthread_detach(thread);
    return code == 0 ? 0 : SZ_ETHREAD;
}

/* Only these policies have priorities.  For others, libzmq asks for the best
 * nice value. */
static bool has_priorities(int policy)
{
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

static int apply_priority(const szi_schedule *wanted)
{
    int policy;
    struct sched_param param;
    if (pthread_getschedparam(pthread_self(), &policy, &param) != 0)
        return SZ_ESCHEDULE;
    if (wanted->policy != -1)
        policy = wanted->policy;
    if (!has_priorities(policy))
        param.sched_priority = 0;
    else if (wanted->priority != -1)
        param.sched_priority = wanted->priority;
    if (pthread_setschedparam(pthread_self(), policy, &param) != 0)
        return SZ_ESCHEDULE;
    bool nicer = !has_priorities(policy) && wanted->priority != -1;
    return nicer && nice(-20) == -1 ? SZ_ESCHEDULE : 0;
}

#ifdef __linux__
static int apply_cpu(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    return pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0
               ? 0
               : SZ_ECPU;
}
#else
static int apply_cpu(int cpu)
{
    (void)cpu;
    return 0;
}
#endif

typedef struct {
    szi_schedule schedule;
    int code;
} trial;

static void *apply(void *argument)
{
    trial *t = argument;
    t->code = apply_priority(&t->schedule);
    if (t->code == 0 && t->schedule.cpu != -1)
        t->code = apply_cpu(t->schedule.cpu);
    return NULL;
}

int szi_thread_try(szi_schedule schedule)
{
    trial t = {schedule, 0};
    pthread_t thread;
    int code = szi_thread_start(apply, &t, &thread);
    if (code != 0)
        return code;
    pthread_join(thread, NULL);
    return t.code;
}
