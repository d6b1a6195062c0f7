/* Contexts: the record, its references and its options.  lifetime adds and
 * removes the sockets; ending shuts contexts down and terminates them.  Any
 * thread may use a context. */
#ifndef SZI_CONTEXT_H
#define SZI_CONTEXT_H

#include "lingering.h"
#include "list.h"
#include "szmq.h"

#include <pthread.h>
#include <stdatomic.h>

#pragma GCC visibility push(hidden)

typedef struct szi_monitor_thread szi_monitor_thread;

/* `lock` guards sockets and their endpoints (which the thread of a socket
 * reads without it), count, limit, lingering, emptied, draining, orphans,
 * resolver and pending.  It is held while libzmq is asked about the context
 * itself. `monitoring` guards what monitor_thread.c and monitor.c use.  No
 * thread holds both.  The lock of the handle table is taken before either.
 *
 * `references` counts the handle, each open socket, each monitor, each thread
 * of the kernel that uses the context, and each call that holds it. */
typedef struct {
    void *zmq;
    uint64_t id;
    atomic_int references;
    pthread_mutex_t lock;
    szi_link link;    /* of all contexts of the process */
    szi_list sockets; /* the open ones */
    int count;
    int limit;           /* max-sockets, from the first socket on; else 0 */
    int priority;        /* the option thread-priority, or -1 */
    atomic_bool shut;    /* shutdown or terminate was called */
    atomic_bool closing; /* terminate was called */
    atomic_bool gone;    /* libzmq has terminated it */
    atomic_bool dropped; /* sz_context_drop: nobody asks whether it is gone */
    atomic_bool forgotten; /* the handle is free */
    szi_lingering lingering;
    bool emptied;     /* terminate has closed the sockets */
    int draining;     /* closed sockets that linger.c has */
    szi_list orphans; /* of them, those that wait for a thread */
    pthread_cond_t drained;
    int done[2];      /* a pipe: [0] is readable once the context is gone */
    void *resolver;   /* see inproc.c */
    szi_list pending; /* see inproc.c */
    pthread_mutex_t monitoring;
    szi_monitor_thread *monitor_thread; /* NULL until a socket is monitored */
} szi_context;

/* The context of a handle, to be released, or NULL and why. */
szi_context *szi_context_hold(sz_context handle, int *code);
void szi_context_release(szi_context *context);

/* Calls `visit` for every context of this process, under the lock of the
 * handle table. */
void szi_context_each(void (*visit)(szi_context *, void *), void *argument);

#pragma GCC visibility pop

#endif
