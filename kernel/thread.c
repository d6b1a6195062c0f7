/* Threads that block all signals. */

#include "thread.h"

#include <signal.h>

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
    return -code;
}
