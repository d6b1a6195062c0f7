/* Monitors: the events of an observed socket, kept until they are read.
 *
 * The observer's thread puts events in, the program's takes them out; the
 * lock `observing` of the context guards all of a monitor. */

#include "internal.h"

#include <string.h>
#include <unistd.h>

enum {
    MOST_EVENTS = 1024
};

typedef struct entry {
    struct entry *next;
    sz_event event;
    char endpoint[];
} entry;

/* `fds` is a pipe that holds one byte while there are events, and one more
 * once nothing will come any more. */
struct szi_monitor {
    uint64_t id;
    szi_context *context;
    szi_monitored *monitored; /* NULL once it is over */
    szi_monitor *next;        /* of the same socket */
    int events;
    bool stopped;
    int fds[2];
    size_t count;
    entry *first, **last;
    entry *current;  /* what the last call returned */
    uint64_t missed; /* since the last event put in */
};

/* --------------------------------------------------------------- queue -- */

static entry *take(szi_monitor *m)
{
    entry *taken = m->first;
    m->first = taken->next;
    if (m->first == NULL)
        m->last = &m->first;
    m->count--;
    return taken;
}

static void clear(szi_monitor *m)
{
    while (m->first != NULL)
        szi_free(take(m));
    szi_free(m->current);
    m->current = NULL;
}

void szi_monitor_tell(szi_monitor *m, const sz_event *event)
{
    if ((m->events & event->type->bit) == 0)
        return;
    size_t length = strlen(event->endpoint);
    entry *made = szi_new(sizeof *made + length + 1);
    if (made == NULL) {
        m->missed++;
        return;
    }
    memcpy(made->endpoint, event->endpoint, length);
    made->event = *event;
    made->event.endpoint = made->endpoint;
    made->event.missed = m->missed;
    m->missed = 0;
    if (m->count == MOST_EVENTS) {
        entry *oldest = take(m);
        m->first->event.missed += oldest->event.missed + 1;
        szi_free(oldest);
    }
    *m->last = made;
    m->last = &made->next;
    if (m->count++ == 0 && write(m->fds[1], "", 1) < 0)
        clear(m);
}

void szi_monitor_end(szi_monitor *m)
{
    m->monitored = NULL;
    if (m->fds[1] >= 0)
        szi_pipe_end(&m->fds[1]);
}

szi_monitor **szi_monitor_next(szi_monitor *m)
{
    return &m->next;
}

/* -------------------------------------------------------------- making -- */

static int make(szi_socket *socket, int events, szi_monitor **made)
{
    szi_monitor *m = szi_new(sizeof *m);
    if (m == NULL)
        return SZ_ENOMEM;
    m->context = socket->context;
    m->events = events;
    m->last = &m->first;
    int code = szi_pipe(m->fds);
    if (code == 0) {
        code = szi_handle_new(SZI_MONITOR, m, &m->id);
        if (code != 0) {
            close(m->fds[0]);
            close(m->fds[1]);
        }
    }
    if (code != 0) {
        szi_free(m);
        return code;
    }
    atomic_fetch_add(&m->context->references, 1);
    *made = m;
    return 0;
}

static void destroy(szi_monitor *m)
{
    szi_handle_free(m->id);
    clear(m);
    close(m->fds[0]);
    szi_context_release(m->context);
    szi_free(m);
}

static void stop(szi_monitor *m)
{
    pthread_mutex_lock(&m->context->monitoring);
    m->stopped = true;
    clear(m);
    szi_monitored *observed = m->monitored;
    szi_monitor_end(m);
    if (observed != NULL)
        szi_monitored_leave(observed, m);
    pthread_mutex_unlock(&m->context->monitoring);
}

int sz_monitor_new(sz_socket handle, int events, sz_monitor *monitor)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL)
        return szi_socket_refuse(handle);
    if ((events & ~SZ_EVENT_ALL) != 0)
        return SZ_ERANGE;
    szi_monitor *m;
    int code = make(socket, events, &m);
    if (code != 0)
        return code;
    code = szi_monitored_begin(socket);
    if (code == 0) {
        pthread_mutex_lock(&m->context->monitoring);
        code = szi_monitored_join(socket->monitored, m);
        if (code == 0)
            m->monitored = socket->monitored;
        pthread_mutex_unlock(&m->context->monitoring);
    }
    if (code != 0) {
        stop(m);
        destroy(m);
        return code;
    }
    monitor->id = m->id;
    return 0;
}

/* ------------------------------------------------------------- reading -- */

static szi_monitor *get(sz_monitor handle)
{
    return szi_handle_get(handle.id, SZI_MONITOR);
}

static int refuse(sz_monitor handle)
{
    return szi_handle_refuse(handle.id, SZI_MONITOR);
}

static int receive(szi_monitor *m, sz_event *event)
{
    szi_free(m->current);
    m->current = NULL;
    if (m->first == NULL)
        return m->stopped || m->monitored == NULL ? SZ_ECLOSED : SZ_EAGAIN;
    m->current = take(m);
    *event = m->current->event;
    char byte;
    if (m->count == 0 && read(m->fds[0], &byte, 1) < 0)
        return szi_last_error();
    return 0;
}

int sz_monitor_receive(sz_monitor handle, sz_event *event)
{
    szi_monitor *m = get(handle);
    if (m == NULL)
        return refuse(handle);
    pthread_mutex_lock(&m->context->monitoring);
    int code = receive(m, event);
    pthread_mutex_unlock(&m->context->monitoring);
    return code;
}

int sz_monitor_fd(sz_monitor handle)
{
    szi_monitor *m = get(handle);
    return m != NULL ? m->fds[0] : refuse(handle);
}

int sz_monitor_stop(sz_monitor handle)
{
    szi_monitor *m = get(handle);
    if (m != NULL) {
        stop(m);
        return 0;
    }
    int code = refuse(handle);
    return code == SZ_EHANDLE ? code : 0;
}

int sz_monitor_close(sz_monitor handle)
{
    szi_monitor *m = get(handle);
    if (m != NULL) {
        stop(m);
        destroy(m);
        return 0;
    }
    int code = refuse(handle);
    if (code == SZ_EFORKED)
        szi_handle_free(handle.id);
    return code == SZ_EHANDLE ? code : 0;
}
