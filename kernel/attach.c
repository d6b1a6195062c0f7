/* Binding and connecting sockets, the reverse, and the endpoints that
 * result. */

#include "curve.h"
#include "descriptor.h"
#include "endpoint.h"
#include "error.h"
#include "inproc.h"
#include "listener.h"
#include "memory.h"
#include "monitor_thread.h"
#include "multicast.h"
#include "pair.h"
#include "peer_name.h"
#include "socket.h"
#include "trace.h"
#include "use.h"
#include "wire.h"

#include <string.h>

/* By what libzmq made of the endpoint, or by what the caller wrote. */
static szi_endpoint *find_endpoint(szi_socket *socket, const char *text,
                                   bool bound)
{
    SZI_EACH (e, &socket->endpoints, szi_endpoint, link)
        if (e->bound == bound &&
            (strcmp(e->real, text) == 0 ||
             (e->given != NULL && strcmp(e->given, text) == 0)))
            return e;
    SZI_EACH (e, &socket->endpoints, szi_endpoint, link)
        if (e->bound == bound && szi_endpoint_same(text, e->real))
            return e;
    return NULL;
}

enum {
    /* What libzmq adds to an endpoint: the numbers of an interface and a port,
     * or the path of an ipc socket in the directory for temporary files. */
    COMPLETION = 256
};

/* A record with room for the endpoint as libzmq will complete it.  It is made
 * before libzmq is called, so that nothing can fail afterwards for want of
 * memory. */
static szi_endpoint *new_endpoint(const char *text, size_t length, bool bound)
{
    szi_endpoint *endpoint =
        szi_new(sizeof *endpoint + length + 1 + COMPLETION);
    if (endpoint == NULL)
        return NULL;
    endpoint->given = szi_copy_text(text, length);
    if (endpoint->given == NULL) {
        szi_free(endpoint);
        return NULL;
    }
    endpoint->bound = bound;
    return endpoint;
}

static void free_endpoint(szi_endpoint *endpoint)
{
    szi_free(endpoint->given);
    szi_free(endpoint);
}

/* Reads how libzmq completed the endpoint, which fails only if the context was
 * shut down meanwhile. */
static int complete(szi_socket *socket, szi_endpoint *endpoint)
{
    size_t length = strlen(endpoint->given);
    size_t size = length + 1 + COMPLETION;
    if (zmq_getsockopt(socket->zmq, ZMQ_LAST_ENDPOINT, endpoint->real,
                       &size) != 0)
        return szi_last_error();
    if (endpoint->real[0] == '\0')
        memcpy(endpoint->real, endpoint->given, length + 1);
    return 0;
}

/* Whether the socket enforces a ZAP domain and has none.  libzmq would abort
 * when a peer connects to such a server of PLAIN or CURVE. */
static bool lacks_domain(szi_socket *socket)
{
    char domain[2];
    size_t size = sizeof domain;
    if (szi_socket_value(socket, SZI_ZAP_ENFORCE_DOMAIN) == 0)
        return false;
    /* A domain that does not fit is there. */
    return zmq_getsockopt(socket->zmq, ZMQ_ZAP_DOMAIN, domain, &size) == 0 &&
           size <= 1;
}

/* The largest frame by which a peer without name and metadata connects.  The
 * READY of NULL names the type of the peer, and has room for the name of some
 * types.  PLAIN calls it INITIATE, and CURVE encrypts it.  What GSSAPI needs
 * is not known. */
static int64_t handshake_size(szi_socket *socket)
{
    int type = socket->type->number;
    bool named = type == ZMQ_REQ || type == ZMQ_REP || type == ZMQ_DEALER ||
                 type == ZMQ_ROUTER;
    int64_t ready = named ? 41 : 26;
    switch (szi_socket_value(socket, ZMQ_MECHANISM)) {
    case ZMQ_NULL:
        return ready;
    case ZMQ_PLAIN:
        return szi_socket_value(socket, ZMQ_PLAIN_SERVER) ? ready + 3 : ready;
    case ZMQ_CURVE:
        return szi_socket_value(socket, ZMQ_CURVE_SERVER) ? ready + 251 : 168;
    default:
        return 0;
    }
}

/* libzmq counts the frames of the handshake as messages. */
static bool bars_peers(szi_socket *socket, const char *endpoint)
{
    int64_t most = -1;
    size_t size = sizeof most;
    if (socket->stream || socket->router_raw ||
        !szi_endpoint_connected(endpoint) ||
        zmq_getsockopt(socket->zmq, ZMQ_MAXMSGSIZE, &most, &size) != 0)
        return false;
    return most >= 0 && most < handshake_size(socket);
}

static int bind_socket(szi_socket *socket, const char *text,
                       uint64_t *listening)
{
    if (szi_endpoint_inproc(text))
        return szi_inproc_bind(socket, text);
    szi_listener listener;
    int code = szi_listener_lend(socket, text, &listener);
    /* libzmq does not touch the path of a listener that it was given. */
    if (code == 0 && listener.given == -1)
        code = szi_ipc_check(text);
    if (code == 0) {
        int done;
        SZI_UNINTERRUPTED(done, zmq_bind(socket->zmq, text));
        code = done == 0 ? 0
                         : szi_monitored_bind_failed(socket, szi_last_error());
    }
    szi_listener_lent(socket, &listener, code == 0);
    *listening = listener.id;
    return code;
}

static int connect_socket(szi_socket *socket, const char *text)
{
    int code = szi_name_check(socket, text);
    if (code != 0)
        return code;
    if (szi_endpoint_inproc(text)) {
        code = szi_inproc_connect(socket, text);
    } else {
        int done;
        SZI_UNINTERRUPTED(done, zmq_connect(socket->zmq, text));
        code = done == 0 ? 0 : szi_last_error();
    }
    if (code != 0)
        szi_name_failed(socket, text);
    return code;
}

static int detach(szi_socket *socket, const char *name, bool bound)
{
    int done;
    if (szi_endpoint_inproc(name))
        return bound ? szi_inproc_unbind(socket, name)
                     : szi_inproc_disconnect(socket, name);
    if (bound)
        SZI_UNINTERRUPTED(done, zmq_unbind(socket->zmq, name));
    else
        SZI_UNINTERRUPTED(done, zmq_disconnect(socket->zmq, name));
    return done == 0 ? 0 : szi_last_error();
}

static void note_endpoint(szi_socket *socket, szi_endpoint *endpoint)
{
    if (strcmp(endpoint->real, endpoint->given) == 0) {
        szi_free(endpoint->given);
        endpoint->given = NULL;
    }
    socket->attached = true;
    socket->conflates |= socket->conflate;
    socket->connects |= !endpoint->bound;
    /* inproc.c reads the endpoints from other threads. */
    pthread_mutex_lock(&socket->context->lock);
    szi_list_append(&socket->endpoints, &endpoint->link);
    pthread_mutex_unlock(&socket->context->lock);
}

/* *listener is the id of the listener that was bound with, or 0. */
static int attach(szi_socket *socket, const char *text, bool bound,
                  uint64_t *listener)
{
    bool inproc = szi_endpoint_inproc(text);
    int code = 0;
    /* libzmq knows no such handshake over WebSocket, and aborts. */
    if (szi_endpoint_websocket(text) &&
        szi_socket_value(socket, ZMQ_MECHANISM) == ZMQ_GSSAPI)
        return SZ_EWSGSSAPI;
    /* libzmq aborts when a stream gets a message of several parts, or a
     * command of another type, over inproc. */
    if (inproc && socket->stream)
        return SZ_ENOCOMPATPROTO;
    if (!inproc && lacks_domain(socket))
        return SZ_EZAPDOMAIN;
    if (bars_peers(socket, text))
        return SZ_EHANDSHAKE;
    if (!inproc)
        code = szi_curve_check(socket);
    if (code == 0 && !inproc && szi_monitors_all())
        code = szi_monitored_keep(socket);
    if (code == 0 && !inproc && szi_tracing())
        szi_monitored_keep(socket);
    if (code == 0 && !inproc)
        code = szi_descriptors_check(4);
    if (code == 0)
        code = szi_multicast_check(socket->zmq, text);
    if (code == 0 && !bound)
        code = szi_pair_check(socket, text);
    if (code != 0)
        return code;
    code = bound ? bind_socket(socket, text, listener)
                 : connect_socket(socket, text);
    return code != 0 ? szi_endpoint_explain(text, code) : 0;
}

static const char *name_of(const szi_endpoint *e)
{
    static const char tipc[] = "tipc://";
    bool given = !e->bound || strncmp(e->real, tipc, sizeof tipc - 1) == 0;
    return given && e->given != NULL ? e->given : e->real;
}

static bool is_alike(const szi_endpoint *e, const szi_endpoint *other)
{
    return e->bound == other->bound && strcmp(e->real, other->real) == 0;
}

/* Whether libzmq has ended the endpoint together with an earlier one. */
static bool is_repeated(szi_socket *socket, const szi_endpoint *endpoint)
{
    SZI_EACH (e, &socket->endpoints, szi_endpoint, link) {
        if (e == endpoint)
            break;
        if (is_alike(e, endpoint) &&
            strcmp(name_of(e), name_of(endpoint)) == 0)
            return true;
    }
    return false;
}

/* Ends all connections to the endpoint, under whatever names. */
static int detach_all(szi_socket *socket, const szi_endpoint *endpoint)
{
    int code = SZ_ENOENT;
    SZI_EACH (e, &socket->endpoints, szi_endpoint, link) {
        if (!is_alike(e, endpoint) || is_repeated(socket, e))
            continue;
        int ended = detach(socket, name_of(e), e->bound);
        if (code != 0)
            code = ended;
    }
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
    szi_endpoint *made = new_endpoint(text, length, bound);
    if (made == NULL)
        return SZ_ENOMEM;
    code = attach(socket, made->given, bound, &made->listener);
    szi_socket_touched(socket);
    if (code == 0) {
        code = complete(socket, made);
        if (code != 0)
            detach(socket, made->given, bound);
        if (!bound)
            szi_name_taken(socket, made->given, code == 0 ? made : NULL);
    }
    if (code != 0) {
        free_endpoint(made);
        return code;
    }
    note_endpoint(socket, made);
    if (real != NULL)
        *real = made->real;
    return 0;
}

/* libzmq ends all connections to an endpoint at once.  `real` may belong to
 * one of the records that are freed. */
static void forget_endpoint(szi_socket *socket, const char *real, bool bound)
{
    szi_list gone = {0};
    szi_endpoint *next, *e = SZI_FIRST(&socket->endpoints, szi_endpoint, link);
    pthread_mutex_lock(&socket->context->lock);
    for (; e != NULL; e = next) {
        next = SZI_NEXT(e, szi_endpoint, link);
        if (e->bound != bound || strcmp(e->real, real) != 0)
            continue;
        szi_name_given_back(socket, e);
        szi_list_remove(&socket->endpoints, &e->link);
        szi_list_append(&gone, &e->link);
    }
    pthread_mutex_unlock(&socket->context->lock);
    szi_endpoints_free(&gone);
}

/* libzmq would look up the name of a host that it does not know. */
static int refuse_unknown(szi_socket *socket)
{
    int events = szi_socket_events(socket);
    return events < 0 ? events : SZ_ENOENT;
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
    szi_endpoint *endpoint = find_endpoint(socket, given, bound);
    const char *real = endpoint != NULL ? endpoint->real : given;
    /* libzmq takes one for the other. */
    bool unknown =
        endpoint == NULL && (szi_endpoint_inproc(given) ||
                             find_endpoint(socket, given, !bound) != NULL);
    int code = unknown ? SZ_ENOENT : 0;
    if (code == 0 && (!bound || find_endpoint(socket, real, false) != NULL))
        code = szi_receive_ahead(socket);
    if (code == 0 && endpoint != NULL)
        code = detach_all(socket, endpoint);
    else if (code == 0 && szi_endpoint_addressed(given))
        code = refuse_unknown(socket);
    else if (code == 0)
        code = detach(socket, given, bound);
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
    szi_endpoint *endpoint = SZI_FIRST(&socket->endpoints, szi_endpoint, link);
    while (endpoint != NULL && index-- > 0)
        endpoint = SZI_NEXT(endpoint, szi_endpoint, link);
    if (endpoint == NULL)
        return NULL;
    *bound = endpoint->bound;
    return endpoint->real;
}
