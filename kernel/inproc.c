/* inproc connects that wait for their bind.
 *
 * When a context is terminated, libzmq binds a new socket for every such
 * connect, and aborts the process if it can make none because max-sockets is
 * reached (ctx.cpp, terminate).  So the first such connect reserves a socket,
 * the resolver, which binds all that is left before libzmq looks. */

#include "inproc.h"
#include "error.h"
#include "memory.h"

#include <errno.h>
#include <string.h>

/* An endpoint that a connect waits for. */
typedef struct {
    szi_link link;
    char text[];
} pending;

static pending *find(szi_context *context, const char *endpoint)
{
    SZI_EACH (p, &context->pending, pending, link)
        if (strcmp(p->text, endpoint) == 0)
            return p;
    return NULL;
}

/* How many endpoints of the context's sockets these are. */
static int64_t count(szi_context *context, const char *endpoint, bool bound)
{
    int64_t found = 0;
    SZI_EACH (s, &context->sockets, szi_socket, link)
        SZI_EACH (e, &s->endpoints, szi_endpoint, link)
            found += e->bound == bound && strcmp(e->real, endpoint) == 0;
    return found;
}

static int note_pending(szi_context *context, const char *endpoint)
{
    if (count(context, endpoint, true) > 0 || find(context, endpoint) != NULL)
        return 0;
    if (context->resolver == NULL)
        context->resolver = zmq_socket(context->zmq, ZMQ_PAIR);
    if (context->resolver == NULL)
        return zmq_errno() == EMFILE ? SZ_ESOCKETS : szi_last_error();
    size_t length = strlen(endpoint);
    pending *made = szi_new(sizeof *made + length + 1);
    if (made == NULL)
        return SZ_ENOMEM;
    memcpy(made->text, endpoint, length);
    szi_list_prepend(&context->pending, &made->link);
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
    pending *found = find(context, endpoint);
    if (found != NULL) {
        szi_list_remove(&context->pending, &found->link);
        szi_free(found);
    }
    pthread_mutex_unlock(&context->lock);
}

void szi_inproc_resolve(szi_context *context)
{
    pending *first;
    while ((first = SZI_FIRST(&context->pending, pending, link)) != NULL) {
        szi_list_remove(&context->pending, &first->link);
        int done;
        SZI_UNINTERRUPTED(done, zmq_bind(context->resolver, first->text));
        szi_free(first);
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
