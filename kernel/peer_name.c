/* The option connect-routing-id. */

#include "peer_name.h"
#include "descriptor.h"
#include "error.h"
#include "memory.h"

#include <stdio.h>
#include <string.h>

int szi_name_set(szi_socket *socket, const void *data, size_t size)
{
    enum {
        OWN_SIZE = 5 /* of names that libzmq makes: a zero byte and a number */
    };
    if (size == OWN_SIZE && *(const char *)data == '\0')
        return SZ_ERESERVED;
    szi_name *name = szi_new(sizeof *name + size);
    if (name == NULL)
        return SZ_ENOMEM;
    name->size = size;
    memcpy(name->data, data, size);
    szi_free(socket->next_name);
    socket->next_name = name;
    return 0;
}

/* With the option immediate, libzmq leaves the name to a later connect. */
static bool takes_name(szi_socket *socket, const char *endpoint)
{
    return socket->next_name != NULL &&
           (szi_socket_value(socket, ZMQ_IMMEDIATE) == 0 ||
            szi_endpoint_inproc(endpoint));
}

static bool was_given(szi_socket *socket, const szi_name *wanted)
{
    SZI_EACH (name, &socket->names, szi_name, link)
        if (name->size == wanted->size &&
            memcmp(name->data, wanted->data, wanted->size) == 0)
            return true;
    return false;
}

/* Sends an empty message to the peer that has the name: 0 or why not. */
static int greet(szi_socket *socket, const szi_name *name)
{
    int sent;
    SZI_UNINTERRUPTED(sent, zmq_send(socket->zmq, name->data, name->size,
                                     ZMQ_DONTWAIT | ZMQ_SNDMORE));
    if (sent < 0)
        return szi_last_error();
    SZI_UNINTERRUPTED(sent, zmq_send(socket->zmq, "", 0, ZMQ_DONTWAIT));
    return sent < 0 ? szi_last_error() : 0;
}

static void set_flag(szi_socket *socket, int number, int value)
{
    zmq_setsockopt(socket->zmq, number, &value, sizeof value);
}

/* Connects the socket to the peer, which has the wanted name, and greets the
 * name.  If the greeting arrives at this peer, no other had the name.  The
 * socket is the one that connects, because it can then end the connection
 * whether it has messages to read or not. */
static int try_peer(szi_socket *socket, const szi_name *name, void *peer,
                    const char *endpoint)
{
    int done, code, no_linger = 0;
    char byte;
    if (zmq_setsockopt(peer, ZMQ_ROUTING_ID, name->data, name->size) != 0 ||
        zmq_setsockopt(peer, ZMQ_LINGER, &no_linger, sizeof no_linger) != 0)
        return szi_last_error();
    SZI_UNINTERRUPTED(done, zmq_bind(peer, endpoint));
    if (done == 0)
        SZI_UNINTERRUPTED(done, zmq_connect(socket->zmq, endpoint));
    if (done < 0)
        return szi_last_error();
    code = greet(socket, name);
    if (code == 0)
        SZI_UNINTERRUPTED(done, zmq_recv(peer, &byte, 1, ZMQ_DONTWAIT));
    if (code == 0 && done < 0)
        code = szi_last_error();
    /* Each side of the connection acknowledges its end to the other. */
    int ended;
    SZI_UNINTERRUPTED(ended, zmq_disconnect(socket->zmq, endpoint));
    szi_zmq_events(peer);
    szi_zmq_events(socket->zmq);
    szi_zmq_events(peer);
    return code == SZ_EAGAIN || code == SZ_EHOSTUNREACH ? SZ_ENAMED : code;
}

/* Peers of a ROUTER choose their names, and one that has left keeps its name
 * while messages of it are unread.  libzmq tells neither, so the name is tried
 * with a peer of our own. */
static int try_name(szi_socket *socket, const szi_name *name)
{
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "inproc://szmq.name.%llu",
             (unsigned long long)socket->id);
    void *peer = zmq_socket(socket->context->zmq, ZMQ_DEALER);
    if (peer == NULL)
        return szi_socket_missing();
    set_flag(socket, ZMQ_ROUTER_MANDATORY, 1);
    set_flag(socket, ZMQ_ROUTER_HANDOVER, 0);
    set_flag(socket, ZMQ_PROBE_ROUTER, 0);
    int code = try_peer(socket, name, peer, endpoint);
    set_flag(socket, ZMQ_ROUTER_MANDATORY, socket->router_mandatory);
    set_flag(socket, ZMQ_ROUTER_HANDOVER, socket->router_handover);
    set_flag(socket, ZMQ_PROBE_ROUTER, socket->probe_router);
    /* The next trial binds the endpoint again. */
    int unbound;
    SZI_UNINTERRUPTED(unbound, zmq_unbind(peer, endpoint));
    zmq_close(peer);
    return unbound < 0 && code == 0 ? szi_last_error() : code;
}

/* Peers of a stream do not choose their names, so only one that the program
 * gave can be in use.  It was given back, so no message can be sent to it. */
static int try_stream(szi_socket *socket, const szi_name *name)
{
    szi_zmq_events(socket->zmq);
    return greet(socket, name) == SZ_EHOSTUNREACH ? 0 : SZ_ENAMED;
}

static int check(szi_socket *socket, const szi_name *name)
{
    if (was_given(socket, name) || socket->router_mixed)
        return SZ_ENAMED;
    if (socket->stream)
        return try_stream(socket, name);
    return socket->router_raw ? 0 : try_name(socket, name);
}

/* libzmq learns the name when the connect takes it at once: it would give it
 * to the peer that the name is tried with. */
int szi_name_check(szi_socket *socket, const char *endpoint)
{
    const szi_name *name = socket->next_name;
    if (!takes_name(socket, endpoint))
        return 0;
    int code = check(socket, name);
    if (code != 0 || zmq_setsockopt(socket->zmq, ZMQ_CONNECT_ROUTING_ID,
                                    name->data, name->size) == 0)
        return code;
    return szi_last_error();
}

/* libzmq cannot be made to forget the name, but a peer can take it. */
void szi_name_failed(szi_socket *socket, const char *endpoint)
{
    if (takes_name(socket, endpoint) && !socket->stream && !socket->router_raw)
        try_name(socket, socket->next_name);
}

void szi_name_taken(szi_socket *socket, const char *text,
                    const szi_endpoint *endpoint)
{
    szi_name *name = socket->next_name;
    if (!takes_name(socket, text))
        return;
    socket->next_name = NULL;
    if (endpoint == NULL) {
        szi_free(name);
        return;
    }
    name->endpoint = endpoint;
    szi_list_append(&socket->names, &name->link);
}

void szi_name_given_back(szi_socket *socket, const szi_endpoint *endpoint)
{
    szi_name *next, *name = SZI_FIRST(&socket->names, szi_name, link);
    for (; name != NULL; name = next) {
        next = SZI_NEXT(name, szi_name, link);
        /* libzmq does not tell when a raw ROUTER has let go of a name. */
        if (name->endpoint != endpoint || socket->router_raw)
            continue;
        szi_list_remove(&socket->names, &name->link);
        szi_free(name);
    }
}
