/* Monitors: the handles by which a program reads the events of a socket. */

#include "event_queue.h"
#include "handle.h"
#include "memory.h"
#include "monitor_thread.h"

/* The lock `monitoring` of the context guards all but id and context. */
typedef struct {
    uint64_t id;
    szi_context *context;
    szi_monitored *monitored; /* freed some time after the queue has ended */
    szi_event_queue queue;
} szi_monitor;

static int make(szi_socket *socket, int events, szi_monitor **made)
{
    szi_monitor *m = szi_new(sizeof *m);
    if (m == NULL)
        return SZ_ENOMEM;
    m->context = socket->context;
    int code = szi_event_queue_open(&m->queue, events);
    if (code == 0) {
        code = szi_handle_new(SZI_MONITOR, m, &m->id);
        if (code != 0)
            szi_event_queue_close(&m->queue);
    }
    if (code != 0) {
        szi_free(m);
        return code;
    }
    atomic_fetch_add(&m->context->references, 1);
    *made = m;
    return 0;
}

static void stop(szi_monitor *m)
{
    pthread_mutex_lock(&m->context->monitoring);
    if (m->monitored != NULL && !m->queue.ended)
        szi_monitored_leave(m->monitored, &m->queue);
    szi_event_queue_clear(&m->queue);
    szi_event_queue_end(&m->queue);
    pthread_mutex_unlock(&m->context->monitoring);
}

/* The monitor is stopped. */
static void destroy(szi_monitor *m)
{
    szi_handle_free(m->id);
    szi_event_queue_close(&m->queue);
    szi_context_release(m->context);
    szi_free(m);
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
        code = szi_monitored_join(socket->monitored, &m->queue);
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

static szi_monitor *get(sz_monitor handle)
{
    return szi_handle_get(handle.id, SZI_MONITOR);
}

static int refuse(sz_monitor handle)
{
    return szi_handle_refuse(handle.id, SZI_MONITOR);
}

int sz_monitor_receive(sz_monitor handle, sz_event *event)
{
    szi_monitor *m = get(handle);
    if (m == NULL)
        return refuse(handle);
    pthread_mutex_lock(&m->context->monitoring);
    int code = szi_event_queue_take(&m->queue, event);
    pthread_mutex_unlock(&m->context->monitoring);
    return code;
}

int sz_monitor_fd(sz_monitor handle)
{
    szi_monitor *m = get(handle);
    return m != NULL ? m->queue.fds[0] : refuse(handle);
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
