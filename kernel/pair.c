/* The one peer of a PAIR.  libzmq rejects what connects to a PAIR beside its
 * peer, without an error: nothing flows, and the other side takes its place
 * for occupied. */

#include "pair.h"
#include "descriptor.h"
#include "error.h"

#include <stdio.h>

/* With the option immediate there is no peer before it is there.  A PAIR that
 * has only been bound is not tried: a peer might come at this moment, and be
 * rejected. */
static bool takes_one(szi_socket *socket, const char *endpoint)
{
    return socket->type->number == ZMQ_PAIR && socket->connects &&
           (szi_endpoint_inproc(endpoint) ||
            szi_socket_value(socket, ZMQ_IMMEDIATE) == 0);
}

static bool has_peer(szi_socket *socket)
{
    int events = szi_zmq_events(socket->zmq);
    return events > 0 && (events & ZMQ_POLLOUT) != 0;
}

/* Connects to a peer of our own, which is accepted, with room to send, if
 * there is no other. */
static int try_peer(szi_socket *socket, void *peer, const char *endpoint)
{
    int done, ended;
    SZI_UNINTERRUPTED(done, zmq_bind(peer, endpoint));
    if (done == 0)
        SZI_UNINTERRUPTED(done, zmq_connect(socket->zmq, endpoint));
    if (done != 0)
        return szi_last_error();
    bool accepted = has_peer(socket);
    SZI_UNINTERRUPTED(ended, zmq_disconnect(socket->zmq, endpoint));
    /* Each side of the connection acknowledges its end to the other. */
    for (int i = 0; i < 2; i++) {
        szi_zmq_events(peer);
        szi_zmq_events(socket->zmq);
    }
    if (accepted)
        return 0;
    return socket->endpoints.first != NULL ? SZ_EPAIRED : SZ_EAGAIN;
}

int szi_pair_check(szi_socket *socket, const char *endpoint)
{
    char own[64];
    int unbound, no_linger = 0;
    if (!takes_one(socket, endpoint))
        return 0;
    if (has_peer(socket))
        return SZ_EPAIRED;
    snprintf(own, sizeof own, "inproc://szmq.pair.%llu",
             (unsigned long long)socket->id);
    void *peer = zmq_socket(socket->context->zmq, ZMQ_PAIR);
    if (peer == NULL)
        return szi_socket_missing();
    zmq_setsockopt(peer, ZMQ_LINGER, &no_linger, sizeof no_linger);
    int code = try_peer(socket, peer, own);
    /* The next trial binds the endpoint again. */
    SZI_UNINTERRUPTED(unbound, zmq_unbind(peer, own));
    zmq_close(peer);
    return code;
}
