/* Binding and connecting over inproc.
 *
 * A connect that precedes its bind is pending.  libzmq then has both ends of
 * the connection, and the socket that connected gets the commands for both,
 * until a bind in whichever thread takes one end over (ctx.cpp,
 * connect_inproc_sockets).  It aborts, or uses what it has freed, if that end
 * has been told meanwhile that the connection ends.  So:
 *
 * - A socket that is closed is left to libzmq only when its pending connects
 *   were bound.
 * - A connect is undone only if the other end can be told so before any bind.
 *   If libzmq would then fail to bind the name, the resolver, a socket of the
 *   context's own, binds it first.
 * - When the context ends, the resolver binds what is left.  libzmq would do
 *   that itself, but aborts if max-sockets leave no place for the socket.
 *
 * The lock of the context is held from the look at what is pending to the end
 * of the call of libzmq. */

#include "inproc.h"
#include "descriptor.h"
#include "error.h"
#include "memory.h"

#include <string.h>

typedef struct {
    szi_link link;
    void *zmq;      /* the socket that is connected */
    bool named;     /* it wants the routing id of its peer */
    bool conflated; /* it keeps one message, which can replace its own id */
    bool given;     /* connect-routing-id named the peer */
    bool doubtful;  /* the socket itself may have ended the connection: a PAIR
                     * that has another, a REQ that is relaxed */
    bool undone;    /* the socket has let go of the connection */
    bool closed;    /* libzmq's socket is to be closed when it was bound */
    char text[];
} pending;

static bool is_for(const pending *p, const char *endpoint)
{
    return strcmp(p->text, endpoint) == 0;
}

/* How many endpoints of the context's sockets these are. */
static int64_t count(szi_context *context, const char *endpoint, bool bound)
{
    int64_t found = 0;
    SZI_EACH (s, &context->sockets, szi_socket, link)
        SZI_EACH (e, &s->endpoints, szi_endpoint, link)
            found += e->bound == bound && !e->gone &&
                     strcmp(e->real, endpoint) == 0;
    return found;
}

static int result(int done)
{
    return done == 0 ? 0 : szi_last_error();
}

static int zbind(void *zmq, const char *endpoint)
{
    int done;
    SZI_UNINTERRUPTED(done, zmq_bind(zmq, endpoint));
    return result(done);
}

static int zunbind(void *zmq, const char *endpoint)
{
    int done;
    SZI_UNINTERRUPTED(done, zmq_unbind(zmq, endpoint));
    return result(done);
}

static int zdisconnect(void *zmq, const char *endpoint)
{
    int done;
    SZI_UNINTERRUPTED(done, zmq_disconnect(zmq, endpoint));
    return result(done);
}

/* ---------------------------------------------------- pending connects -- */

static bool waits(szi_context *context, const void *zmq)
{
    SZI_EACH (p, &context->pending, pending, link)
        if (p->zmq == zmq && !p->undone)
            return true;
    return false;
}

/* Hands a closed socket to libzmq.  Another may get its address. */
static void close_now(szi_context *context, void *zmq)
{
    SZI_EACH (p, &context->pending, pending, link)
        if (p->zmq == zmq)
            p->zmq = NULL;
    zmq_close(zmq);
}

/* The name was bound: nothing waits for it any more. */
static void forget(szi_context *context, const char *endpoint)
{
    szi_list gone = {0};
    pending *next, *p = SZI_FIRST(&context->pending, pending, link);
    for (; p != NULL; p = next) {
        next = SZI_NEXT(p, pending, link);
        if (!is_for(p, endpoint))
            continue;
        szi_list_remove(&context->pending, &p->link);
        szi_list_append(&gone, &p->link);
    }
    while ((p = SZI_FIRST(&gone, pending, link)) != NULL) {
        szi_list_remove(&gone, &p->link);
        void *zmq = p->closed && !p->undone ? p->zmq : NULL;
        SZI_EACH (other, &gone, pending, link)
            if (other->zmq == zmq)
                zmq = NULL;
        if (zmq != NULL && !waits(context, zmq))
            close_now(context, zmq);
        szi_free(p);
    }
}

/* A PUSH drops what comes and never reads it. */
static int make_resolver(szi_context *context)
{
    if (context->resolver == NULL)
        context->resolver = zmq_socket(context->zmq, ZMQ_PUSH);
    return context->resolver != NULL ? 0 : szi_socket_missing();
}

/* Whether a connect to the name would be pending: 1, 0, or an error.  A closed
 * socket whose swap is not empty is still bound. */
static int pends(szi_context *context, const char *endpoint)
{
    if (count(context, endpoint, true) > 0)
        return 0;
    int code = make_resolver(context);
    if (code != 0)
        return code;
    SZI_EACH (p, &context->pending, pending, link)
        if (is_for(p, endpoint))
            return 1;
    code = zbind(context->resolver, endpoint);
    if (code != 0)
        return code == SZ_EADDRINUSE ? 0 : code;
    zunbind(context->resolver, endpoint);
    return 1;
}

static pending *new_pending(szi_socket *socket, const char *endpoint)
{
    size_t length = strlen(endpoint);
    pending *p = szi_new(sizeof *p + length + 1);
    if (p == NULL)
        return NULL;
    int type = socket->type->number;
    memcpy(p->text, endpoint, length);
    p->zmq = socket->zmq;
    p->conflated = socket->conflate;
    p->named = type == ZMQ_ROUTER || type == ZMQ_REP;
    p->given = socket->next_name != NULL;
    p->doubtful = (type == ZMQ_PAIR && socket->attached) || type == ZMQ_REQ;
    return p;
}

static int connect_locked(szi_socket *socket, const char *endpoint)
{
    szi_context *context = socket->context;
    int code = pends(context, endpoint);
    if (code < 0)
        return code;
    if (code == 1 && socket->next_name != NULL && socket->router_handover)
        return SZ_EHANDOVER;
    pending *made = NULL;
    if (code == 1 && (made = new_pending(socket, endpoint)) == NULL)
        return SZ_ENOMEM;
    int done;
    SZI_UNINTERRUPTED(done, zmq_connect(socket->zmq, endpoint));
    code = result(done);
    if (code != 0)
        szi_free(made);
    else if (made != NULL)
        szi_list_append(&context->pending, &made->link);
    if (code == 0 && made != NULL && made->doubtful)
        szi_zmq_events(socket->zmq);
    return code;
}

/* ---------------------------------------------------------------- bind -- */

/* Whether libzmq can bind the socket to what is pending. */
static int check_bind(szi_socket *socket, const char *endpoint)
{
    szi_context *context = socket->context;
    bool pair = socket->type->number == ZMQ_PAIR;
    bool taken = socket->attached, live = false, undone = false;
    bool doubtful = false;
    SZI_EACH (p, &context->pending, pending, link) {
        if (!is_for(p, endpoint))
            continue;
        /* The PAIR rejects all but the first, and then libzmq sends its
         * routing id. */
        if (pair && p->named && taken)
            return SZ_EPAIR;
        taken = true;
        live |= !p->undone;
        undone |= p->undone;
        doubtful |= p->doubtful;
    }
    if (!socket->welcomes || !(undone || doubtful))
        return 0;
    if (live)
        return SZ_EWELCOME;
    int code = zbind(context->resolver, endpoint);
    if (code == 0) {
        forget(context, endpoint);
        zunbind(context->resolver, endpoint);
    }
    return code;
}

static int bind_locked(szi_socket *socket, const char *endpoint)
{
    int code = check_bind(socket, endpoint);
    if (code == 0)
        code = zbind(socket->zmq, endpoint);
    if (code == 0)
        forget(socket->context, endpoint);
    return code;
}

/* ---------------------------------------------------------- disconnect -- */

/* libzmq has one function for both, which unbinds a name that the socket is
 * also bound to. */
static int disconnect_bound(szi_socket *socket, const char *endpoint)
{
    bool also_bound = false;
    SZI_EACH (e, &socket->endpoints, szi_endpoint, link)
        also_bound |= e->bound && strcmp(e->real, endpoint) == 0;
    int code = also_bound ? zunbind(socket->zmq, endpoint) : 0;
    if (code == 0)
        code = zdisconnect(socket->zmq, endpoint);
    int bound = also_bound ? zbind(socket->zmq, endpoint) : 0;
    return code != 0 ? code : bound;
}

/* The other end learns of the end in `process`, and from then on gets no more
 * commands, so that another thread can bind it. */
static int disconnect_pending(szi_socket *socket, const char *endpoint)
{
    int code = zdisconnect(socket->zmq, endpoint);
    if (code != 0)
        return code;
    szi_zmq_events(socket->zmq);
    SZI_EACH (p, &socket->context->pending, pending, link)
        if (p->zmq == socket->zmq && is_for(p, endpoint))
            p->undone = true;
    return 0;
}

static int disconnect_resolved(szi_socket *socket, const char *endpoint)
{
    void *resolver = socket->context->resolver;
    int code = zbind(resolver, endpoint);
    if (code != 0)
        return code;
    forget(socket->context, endpoint);
    code = zdisconnect(socket->zmq, endpoint);
    zunbind(resolver, endpoint);
    /* Each end acknowledges the end to the other. */
    szi_zmq_events(resolver);
    szi_zmq_events(socket->zmq);
    szi_zmq_events(resolver);
    return code;
}

static int disconnect_locked(szi_socket *socket, const char *endpoint)
{
    bool own = false, others = false, fragile = false;
    SZI_EACH (p, &socket->context->pending, pending, link) {
        if (!is_for(p, endpoint))
            continue;
        bool is_own = p->zmq == socket->zmq && !p->undone;
        own |= is_own;
        others |= !is_own;
        fragile |= is_own && (p->named || p->conflated);
    }
    if (!own)
        return disconnect_bound(socket, endpoint);
    /* What was sent stays for whoever binds the name. */
    if (!others && (fragile || socket->counts.sent == 0))
        return disconnect_resolved(socket, endpoint);
    return fragile ? SZ_EPENDING : disconnect_pending(socket, endpoint);
}

/* -------------------------------------------------------------- shared -- */

static int locked(int (*act)(szi_socket *, const char *), szi_socket *socket,
                  const char *endpoint)
{
    pthread_mutex_lock(&socket->context->lock);
    int code = act(socket, endpoint);
    pthread_mutex_unlock(&socket->context->lock);
    return code;
}

static int unbind_locked(szi_socket *socket, const char *endpoint)
{
    int code = zunbind(socket->zmq, endpoint);
    SZI_EACH (e, &socket->endpoints, szi_endpoint, link)
        if (code == 0 && e->bound && strcmp(e->real, endpoint) == 0)
            e->gone = true;
    return code;
}

int szi_inproc_bind(szi_socket *socket, const char *endpoint)
{
    return locked(bind_locked, socket, endpoint);
}

int szi_inproc_connect(szi_socket *socket, const char *endpoint)
{
    return locked(connect_locked, socket, endpoint);
}

int szi_inproc_unbind(szi_socket *socket, const char *endpoint)
{
    return locked(unbind_locked, socket, endpoint);
}

int szi_inproc_disconnect(szi_socket *socket, const char *endpoint)
{
    return locked(disconnect_locked, socket, endpoint);
}

bool szi_inproc_names(szi_socket *socket)
{
    bool found = false;
    pthread_mutex_lock(&socket->context->lock);
    SZI_EACH (p, &socket->context->pending, pending, link)
        found |= p->zmq == socket->zmq && p->given && !p->undone;
    pthread_mutex_unlock(&socket->context->lock);
    return found;
}

/* libzmq's thread that closes sockets unbinds them at some time, and until
 * then a connect would reach the socket that is closed. */
bool szi_inproc_close(szi_socket *socket, const szi_list *endpoints)
{
    szi_context *context = socket->context;
    pthread_mutex_lock(&context->lock);
    SZI_EACH (e, endpoints, szi_endpoint, link)
        if (e->bound && szi_endpoint_inproc(e->real))
            zunbind(socket->zmq, e->real);
    bool now = !waits(context, socket->zmq);
    if (now)
        close_now(context, socket->zmq);
    else
        SZI_EACH (p, &context->pending, pending, link)
            if (p->zmq == socket->zmq)
                p->closed = true;
    pthread_mutex_unlock(&context->lock);
    return now;
}

void szi_inproc_resolve(szi_context *context)
{
    pending *first;
    while ((first = SZI_FIRST(&context->pending, pending, link)) != NULL) {
        zbind(context->resolver, first->text);
        forget(context, first->text);
    }
}

void szi_inproc_end(szi_context *context)
{
    if (context->resolver == NULL)
        return;
    int no_linger = 0;
    zmq_setsockopt(context->resolver, ZMQ_LINGER, &no_linger,
                   sizeof no_linger);
    zmq_close(context->resolver);
}

bool szi_inproc_peers(szi_socket *socket, int64_t *peers)
{
    szi_context *context = socket->context;
    bool all = socket->endpoints.first != NULL;
    pthread_mutex_lock(&context->lock);
    SZI_EACH (e, &socket->endpoints, szi_endpoint, link) {
        if (!szi_endpoint_inproc(e->real))
            all = false;
        else if (e->bound)
            *peers += count(context, e->real, false);
        else
            *peers += count(context, e->real, true) > 0;
    }
    pthread_mutex_unlock(&context->lock);
    return all;
}
