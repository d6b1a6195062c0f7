/* inproc connects that wait for their bind.
 *
 * When a context is terminated, libzmq binds a new socket for every such
 * connect, and aborts the process if none can be made because max-sockets is
 * reached.  So a socket is set aside when the first one connects, and binds
 * what is left before libzmq looks. */

#include "internal.h"

#include <string.h>

static szi_name **find(szi_context *context, const char *endpoint)
{
    szi_name **at = &context->pending;
    while (*at != NULL && strcmp((*at)->text, endpoint) != 0)
        at = &(*at)->next;
    return at;
}

static bool is_bound(szi_context *context, const char *endpoint)
{
    for (szi_socket *s = context->sockets; s != NULL; s = s->next)
        for (szi_endpoint *e = s->endpoints; e != NULL; e = e->next)
            if (e->bound && strcmp(e->real, endpoint) == 0)
                return true;
    return false;
}

static int note_pending(szi_context *context, const char *endpoint)
{
    if (is_bound(context, endpoint) || *find(context, endpoint) != NULL)
        return 0;
    if (context->resolver == NULL)
        context->resolver = zmq_socket(context->zmq, ZMQ_PAIR);
    if (context->resolver == NULL)
        return zmq_errno() == EMFILE ? SZ_ESOCKETS : szi_last_error();
    size_t length = strlen(endpoint);
    szi_name *name = szi_new(sizeof *name + length + 1);
    if (name == NULL)
        return SZ_ENOMEM;
    memcpy(name->text, endpoint, length);
    name->next = context->pending;
    context->pending = name;
    return 0;
}

int szi_inproc_connecting(szi_context *context, const char *endpoint)
{
    pthread_mutex_lock(&context->lock);
    int code = note_pending(context, endpoint);
    pthread_mutex_unlock(&context->lock);
    return code;
}

void szi_inproc_bound(szi_context *context, const char *endpoint)
{
    pthread_mutex_lock(&context->lock);
    szi_name **at = find(context, endpoint);
    if (*at != NULL) {
        szi_name *name = *at;
        *at = name->next;
        szi_free(name);
    }
    pthread_mutex_unlock(&context->lock);
}

void szi_inproc_resolve(szi_context *context)
{
    while (context->pending != NULL) {
        szi_name *name = context->pending;
        context->pending = name->next;
        zmq_bind(context->resolver, name->text);
        szi_free(name);
    }
}

void szi_inproc_close(szi_context *context)
{
    if (context->resolver == NULL)
        return;
    int no_linger = 0;
    zmq_setsockopt(context->resolver, ZMQ_LINGER, &no_linger,
                   sizeof no_linger);
    zmq_close(context->resolver);
}

static int64_t connected_to(szi_context *context, const char *endpoint)
{
    int64_t count = 0;
    for (szi_socket *s = context->sockets; s != NULL; s = s->next)
        for (szi_endpoint *e = s->endpoints; e != NULL; e = e->next)
            count += !e->bound && strcmp(e->real, endpoint) == 0;
    return count;
}

bool szi_inproc_peers(szi_socket *socket, int64_t *peers)
{
    szi_context *context = socket->context;
    bool all = socket->endpoints != NULL;
    pthread_mutex_lock(&context->lock);
    for (szi_endpoint *e = socket->endpoints; e != NULL; e = e->next)
        if (!szi_endpoint_inproc(e->real))
            all = false;
        else if (e->bound)
            *peers += connected_to(context, e->real);
        else
            *peers += is_bound(context, e->real);
    pthread_mutex_unlock(&context->lock);
    return all;
}
