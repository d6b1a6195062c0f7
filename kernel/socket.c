/* Sockets: making, closing, endpoints, events. */

#include "internal.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

/* What libzmq opens with the first socket of a context, which aborts the
 * process if it cannot: two descriptors for each I/O thread and for the
 * reaper, one for the socket; and a few for whoever is next. */
static int64_t descriptors_to_start(szi_context *context)
{
    return 2 * (int64_t)zmq_ctx_get(context->zmq, ZMQ_IO_THREADS) + 2 + 1 + 2;
}

/* The context gets more places than its user asked for: one that inproc.c
 * keeps, and for what observer.c needs. */
static int places(int limit)
{
    enum {
        MOST = 65536
    };
    int64_t all = (int64_t)limit + (limit < MOST ? limit : MOST) + 2;
    return all < INT_MAX ? (int)all : INT_MAX;
}

static int start(szi_context *context)
{
    if (!szi_descriptors_free(descriptors_to_start(context)))
        return SZ_EDESCRIPTORS;
    int limit = zmq_ctx_get(context->zmq, ZMQ_MAX_SOCKETS);
    /* libzmq reserves its table of sockets at once. */
    void *table = szi_resize(NULL, (size_t)places(limit) * sizeof(void *));
    if (table == NULL)
        return SZ_ENOMEM;
    szi_free(table);
    zmq_ctx_set(context->zmq, ZMQ_MAX_SOCKETS, places(limit));
    context->limit = limit;
    return 0;
}

static int open_socket(szi_socket *socket)
{
    szi_context *context = socket->context;
    if (context->limit == 0) {
        int code = start(context);
        if (code != 0)
            return code;
    }
    if (context->count >= context->limit)
        return SZ_ESOCKETS;
    socket->zmq = zmq_socket(context->zmq, socket->type->number);
    if (socket->zmq == NULL) {
        int code = szi_last_error();
        if (code != SZ_EMFILE)
            return code;
        /* Without want of descriptors, closed sockets still have the places
         * until libzmq's reaper has seen to them. */
        return szi_descriptors_free(1) ? SZ_EAGAIN : SZ_EDESCRIPTORS;
    }
    size_t size = sizeof socket->fd;
    if (zmq_getsockopt(socket->zmq, ZMQ_FD, &socket->fd, &size) != 0 ||
        zmq_getsockopt(socket->zmq, ZMQ_LINGER, &socket->linger, &size) != 0) {
        int code = szi_last_error();
        zmq_close(socket->zmq);
        return code;
    }
    return 0;
}

static void enlist(szi_socket *socket)
{
    szi_context *context = socket->context;
    socket->next = context->sockets;
    if (socket->next != NULL)
        socket->next->previous = socket;
    context->sockets = socket;
    context->count++;
    atomic_fetch_add(&context->references, 1);
}

static void delist(szi_socket *socket)
{
    szi_context *context = socket->context;
    pthread_mutex_lock(&context->lock);
    if (socket->previous != NULL)
        socket->previous->next = socket->next;
    else
        context->sockets = socket->next;
    if (socket->next != NULL)
        socket->next->previous = socket->previous;
    context->count--;
    pthread_mutex_unlock(&context->lock);
}

static int make(szi_context *context, const sz_type *type, sz_socket *made)
{
    szi_socket *socket = szi_new(sizeof *socket);
    if (socket == NULL)
        return SZ_ENOMEM;
    socket->context = context;
    socket->type = type;
    socket->receive_timeout = socket->send_timeout = -1;
    socket->multicast_loop = true;
    zmq_msg_init(&socket->first);
    int code = szi_handle_new(SZI_SOCKET, socket, &socket->id);
    if (code != 0) {
        szi_free(socket);
        return code;
    }
    uint64_t id = socket->id;
    pthread_mutex_lock(&context->lock);
    /* Whoever terminates the context closes what is in the list by then. */
    code = atomic_load(&context->shut) ? SZ_ETERM : open_socket(socket);
    if (code == 0)
        enlist(socket);
    pthread_mutex_unlock(&context->lock);
    if (code != 0) {
        szi_handle_free(id);
        szi_free(socket);
        return code;
    }
    made->id = id;
    return 0;
}

int sz_socket_new(sz_context handle, const sz_type *type, sz_socket *made)
{
    int code;
    szi_context *context = szi_context_hold(handle, &code);
    if (context == NULL)
        return code;
    if (atomic_load(&context->shut))
        code = SZ_ETERM;
    else
        code = type->draft ? SZ_EDRAFT : make(context, type, made);
    szi_context_release(context);
    return code;
}

static void free_socket(szi_socket *socket)
{
    szi_free(socket->swap_directory);
    while (socket->endpoints != NULL) {
        szi_endpoint *endpoint = socket->endpoints;
        socket->endpoints = endpoint->next;
        szi_free(endpoint->given);
        szi_free(endpoint);
    }
    szi_free(socket);
}

/* libzmq closes the descriptor when the last message has left. */
bool szi_socket_lingers(const szi_socket *socket)
{
    if (atomic_load(&socket->draining))
        return true;
    return socket->fd_id >= 0 &&
           szi_descriptor_id(socket->fd) == socket->fd_id;
}

void szi_socket_forget(szi_context *context, bool all)
{
    szi_socket **at = &context->closed;
    while (*at != NULL) {
        szi_socket *socket = *at;
        if (!all && szi_socket_lingers(socket)) {
            at = &socket->next;
            continue;
        }
        *at = socket->next;
        context->closed_count--;
        free_socket(socket);
    }
}

/* Keeps what is needed to name the socket at exit.  The list is gone through
 * when it has doubled. */
static void remember_closed(szi_socket *socket)
{
    enum {
        FEW = 32
    };
    szi_context *context = socket->context;
    pthread_mutex_lock(&context->lock);
    if (context->closed_count >= context->closed_limit) {
        szi_socket_forget(context, false);
        context->closed_limit = 2 * context->closed_count + FEW;
    }
    socket->next = context->closed;
    context->closed = socket;
    context->closed_count++;
    pthread_mutex_unlock(&context->lock);
}

void szi_socket_close(szi_socket *socket)
{
    szi_context *context = socket->context;
    szi_handle_free(socket->id);
    szi_poller_closed(socket);
    szi_parts_drop(socket);
    szi_free(socket->rest);
    zmq_msg_close(&socket->first);
    szi_free(socket->scratch);
    delist(socket);
    szi_monitored_closing(socket);
    bool may_linger = socket->counts.sent > 0 && socket->linger != 0;
    if (may_linger)
        socket->fd_id = szi_descriptor_id(socket->fd);
    bool drained = socket->swap != NULL && szi_linger(socket);
    if (!drained)
        zmq_close(socket->zmq);
    if (may_linger)
        remember_closed(socket);
    else
        free_socket(socket);
    szi_context_release(context);
}

int szi_socket_refuse(sz_socket handle)
{
    return szi_handle_refuse(handle.id, SZI_SOCKET);
}

int sz_socket_check(sz_socket handle)
{
    return szi_socket_get(handle) != NULL ? 0 : szi_socket_refuse(handle);
}

int sz_socket_close(sz_socket handle)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket != NULL) {
        szi_socket_close(socket);
        return 0;
    }
    int code = szi_socket_refuse(handle);
    if (code == SZ_EFORKED)
        szi_handle_free(handle.id);
    return code == SZ_EHANDLE ? code : 0;
}

const sz_type *sz_socket_type(sz_socket handle)
{
    szi_socket *socket = szi_socket_get(handle);
    return socket != NULL ? socket->type : NULL;
}

/* ---------------------------------------------------------- endpoints -- */

static szi_endpoint **find_endpoint(szi_socket *socket, const char *text,
                                    bool bound)
{
    szi_endpoint **at = &socket->endpoints;
    while (*at != NULL &&
           ((*at)->bound != bound ||
            (strcmp((*at)->real, text) != 0 &&
             ((*at)->given == NULL || strcmp((*at)->given, text) != 0))))
        at = &(*at)->next;
    return at;
}

/* What libzmq made of the endpoint given last. */
static const char *last_endpoint(szi_socket *socket)
{
    const void *text;
    size_t size;
    int code = szi_socket_read(socket, ZMQ_LAST_ENDPOINT, &text, &size);
    return code == 0 ? text : NULL;
}

static szi_endpoint *note_endpoint(szi_socket *socket, char *given, bool bound)
{
    const char *real = last_endpoint(socket);
    if (real == NULL || *real == '\0')
        real = given;
    size_t length = strlen(real);
    szi_endpoint *endpoint = szi_new(sizeof *endpoint + length + 1);
    if (endpoint == NULL)
        return NULL;
    memcpy(endpoint->real, real, length);
    endpoint->bound = bound;
    if (strcmp(real, given) != 0)
        endpoint->given = given;
    else
        szi_free(given);
    /* Other threads look for inproc endpoints here. */
    pthread_mutex_lock(&socket->context->lock);
    szi_endpoint **at = &socket->endpoints;
    while (*at != NULL)
        at = &(*at)->next;
    *at = endpoint;
    pthread_mutex_unlock(&socket->context->lock);
    return endpoint;
}

/* libzmq aborts when a peer connects to a server of PLAIN or CURVE that
 * enforces a domain and has none. */
static bool lacks_domain(szi_socket *socket)
{
    const void *domain;
    size_t size = sizeof(int);
    int enforced = 0;
    if (zmq_getsockopt(socket->zmq, SZI_ZAP_ENFORCE_DOMAIN, &enforced,
                       &size) != 0 ||
        enforced == 0)
        return false;
    return szi_socket_read(socket, ZMQ_ZAP_DOMAIN, &domain, &size) != 0 ||
           size <= 1;
}

/* Of a socket that listens already, whose path is left as it is. */
static bool given_descriptor(szi_socket *socket)
{
    int fd = -1;
    size_t size = sizeof fd;
    return zmq_getsockopt(socket->zmq, ZMQ_USE_FD, &fd, &size) == 0 &&
           fd != -1;
}

static int attach(szi_socket *socket, const char *text, bool bound)
{
    szi_context *context = socket->context;
    bool inproc = szi_endpoint_inproc(text);
    int code = 0;
    if (!inproc && lacks_domain(socket))
        return SZ_EZAPDOMAIN;
    if (!inproc && szi_monitors_all())
        code = szi_monitored_keep(socket);
    if (code == 0 && !inproc && !szi_descriptors_free(4))
        code = SZ_EDESCRIPTORS;
    if (code == 0)
        code = inproc && !bound ? szi_inproc_connecting(context, text)
                                : szi_multicast_check(socket->zmq, text);
    if (code == 0 && bound && !given_descriptor(socket))
        code = szi_ipc_check(text);
    if (code != 0)
        return code;
    int done =
        bound ? zmq_bind(socket->zmq, text) : zmq_connect(socket->zmq, text);
    code = done == 0 ? 0 : szi_endpoint_explain(text, szi_last_error());
    if (code == 0 && inproc && bound)
        szi_inproc_bound(context, text);
    return code;
}

static int open_endpoint(sz_socket handle, const char *text, size_t length,
                         bool bound, const char **real)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL)
        return szi_socket_refuse(handle);
    int code = szi_endpoint_check(text, length, bound);
    if (code != 0)
        return code;
    char *given = szi_copy_text(text, length);
    if (given == NULL)
        return SZ_ENOMEM;
    code = attach(socket, given, bound);
    szi_socket_touched(socket);
    if (code != 0) {
        szi_free(given);
        return code;
    }
    szi_endpoint *endpoint = note_endpoint(socket, given, bound);
    if (endpoint == NULL) {
        if (bound)
            zmq_unbind(socket->zmq, given);
        else
            zmq_disconnect(socket->zmq, given);
        szi_free(given);
        return SZ_ENOMEM;
    }
    if (real != NULL)
        *real = endpoint->real;
    return 0;
}

/* libzmq ends all connections to an endpoint at once.  `real` may belong to
 * one of those that are freed. */
static void forget_endpoint(szi_socket *socket, const char *real, bool bound)
{
    szi_endpoint *gone = NULL, **at = &socket->endpoints;
    pthread_mutex_lock(&socket->context->lock);
    while (*at != NULL) {
        szi_endpoint *endpoint = *at;
        if (endpoint->bound == bound && strcmp(endpoint->real, real) == 0) {
            *at = endpoint->next;
            endpoint->next = gone;
            gone = endpoint;
        } else {
            at = &endpoint->next;
        }
    }
    pthread_mutex_unlock(&socket->context->lock);
    while (gone != NULL) {
        szi_endpoint *next = gone->next;
        szi_free(gone->given);
        szi_free(gone);
        gone = next;
    }
}

static int close_endpoint(sz_socket handle, const char *text, size_t length,
                          bool bound)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL)
        return szi_socket_refuse(handle);
    if (memchr(text, '\0', length) != NULL)
        return SZ_ENUL;
    char *given = szi_copy_text(text, length);
    if (given == NULL)
        return SZ_ENOMEM;
    szi_endpoint **at = find_endpoint(socket, given, bound);
    const char *real = *at != NULL ? (*at)->real : given;
    int done = bound ? zmq_unbind(socket->zmq, real)
                     : zmq_disconnect(socket->zmq, real);
    int code = done == 0 ? 0 : szi_last_error();
    szi_socket_touched(socket);
    if (code == 0 && !bound)
        szi_monitored_disconnected(socket, real);
    if (code == 0)
        forget_endpoint(socket, real, bound);
    szi_free(given);
    return code;
}

int sz_socket_bind(sz_socket handle, const char *endpoint, size_t length,
                   const char **real)
{
    return open_endpoint(handle, endpoint, length, true, real);
}

int sz_socket_connect(sz_socket handle, const char *endpoint, size_t length,
                      const char **real)
{
    return open_endpoint(handle, endpoint, length, false, real);
}

int sz_socket_unbind(sz_socket handle, const char *endpoint, size_t length)
{
    return close_endpoint(handle, endpoint, length, true);
}

int sz_socket_disconnect(sz_socket handle, const char *endpoint, size_t length)
{
    return close_endpoint(handle, endpoint, length, false);
}

const char *sz_socket_endpoint(sz_socket handle, size_t index, bool *bound)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL)
        return NULL;
    szi_endpoint *endpoint = socket->endpoints;
    while (endpoint != NULL && index-- > 0)
        endpoint = endpoint->next;
    if (endpoint == NULL)
        return NULL;
    *bound = endpoint->bound;
    return endpoint->real;
}

/* ------------------------------------------------------------- events -- */

int szi_socket_events(szi_socket *socket)
{
    int events = 0;
    size_t size = sizeof events;
    socket->armed = 0;
    int failed = zmq_getsockopt(socket->zmq, ZMQ_EVENTS, &events, &size);
    if (failed)
        return szi_last_error();
    return (events & (SZ_IN | SZ_OUT)) | (szi_put_back(socket) ? SZ_IN : 0);
}

void szi_socket_tell(szi_socket *socket)
{
    if (socket->watches != NULL)
        szi_poller_touch(socket->watches);
    if (socket->swap != NULL)
        szi_swap_socket_nudge(socket);
}

int sz_socket_events(sz_socket handle)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL)
        return szi_socket_refuse(handle);
    int events = szi_socket_state(socket);
    szi_socket_settled(socket, events);
    return events;
}

int sz_socket_fd(sz_socket handle)
{
    szi_socket *socket = szi_socket_get(handle);
    return socket != NULL ? socket->fd : szi_socket_refuse(handle);
}

int sz_socket_timeout(sz_socket handle, int direction)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL)
        return szi_socket_refuse(handle);
    return direction == SZ_IN ? socket->receive_timeout : socket->send_timeout;
}
