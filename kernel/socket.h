/* Sockets: the record, its endpoints, the parts that it has received, and what
 * libzmq says about it.  lifetime makes and frees it.  One thread at a time
 * uses a socket. */
#ifndef SZI_SOCKET_H
#define SZI_SOCKET_H

#include "context.h"
#include "handle.h"
#include "szmq.h"

#include <zmq.h>

#pragma GCC visibility push(hidden)

/* Drafts that zmq.h does not show. */
enum {
    SZI_ZAP_ENFORCE_DOMAIN = 93,
    SZI_XPUB_MANUAL_LAST_VALUE = 98,
    SZI_ONLY_FIRST_SUBSCRIBE = 108
};

typedef struct szi_swap_socket szi_swap_socket;
typedef struct szi_monitored szi_monitored;
typedef struct szi_peer szi_peer;
typedef struct szi_peers szi_peers;

/* A name that the program gave to a peer: see peer_name.h. */
typedef struct {
    szi_link link;
    const szi_endpoint *endpoint; /* that it was given for */
    size_t size;
    char data[];
} szi_name;

typedef struct {
    void *zmq;
    szi_context *context;
    const sz_type *type;
    int fd;
    int receive_timeout, send_timeout, linger;
    int armed;             /* see sz_socket_armed */
    bool back;             /* the parts were put back, to be received again */
    bool torn;             /* a message was received only in part */
    size_t held;           /* parts received and not released */
    size_t room;           /* of `rest` */
    zmq_msg_t first;       /* part 0 */
    zmq_msg_t *rest;       /* parts 1 and on */
    szi_list watches;      /* of the pollers that watch it */
    szi_swap_socket *swap; /* NULL if it has no swap */
    szi_monitored *monitored; /* NULL if nothing monitors it */
    sz_statistics counts;
    uint64_t zeros; /* bit n: option number n, of SZI_AS_ZERO, was set to 0 */
    bool conflate;  /* the option */
    bool conflates; /* an endpoint had it: connections keep one part */
    bool welcomes;  /* the option xpub-welcome-msg is not empty */
    bool upstream;  /* an XPUB: its peers send subscriptions */
    size_t subscription_limit; /* the option */
    size_t subscriptions;      /* of a sub, at least so many */
    bool manual;      /* the option xpub-manual, or xpub-manual-last-value */
    size_t part_most; /* bytes of a part that is sent */
    int kept;         /* number of a mark that libzmq has otherwise, or 0 */
    int kept_mark;    /* what the program set it to; see subscription.h */
    bool checked;     /* what is sent must be looked at first */
    szi_peers *peers; /* of a stream, or NULL */
    bool connects;    /* it has had an endpoint that it connected to */
    bool attached;    /* it has had an endpoint */
    bool only_first;  /* the option only-first-subscribe */
    bool stream;      /* of this type */
    bool multicast_loop;
    bool heartbeat_follows; /* heartbeat-timeout was set back to -1 */
    bool nodrop;  /* the option xpub-nodrop, which a swap overrides */
    bool relaxed; /* the option req-relaxed */
    bool router_mandatory, router_handover, router_raw, probe_router;
    bool router_mixed; /* raw, with endpoints from before */
    bool swap_plaintext;
    bool socks_unsafe;    /* the option socks-proxy-unsafe */
    char *swap_directory; /* NULL for the default */
    szi_list endpoints;   /* under the lock of the context */
    szi_list names;       /* of peers that the program named */
    szi_name *next_name;  /* of the peer that is connected next, or NULL */
    szi_closed *closed;   /* what stays when the socket is freed */
    char *scratch;        /* what the last call returned a pointer to */
    uint64_t id;
    szi_link link; /* of the context's sockets */
} szi_socket;

static inline szi_socket *szi_socket_get(sz_socket handle)
{
    return szi_handle_get(handle.id, SZI_SOCKET);
}

/* Why szi_socket_get returned NULL. */
int szi_socket_refuse(sz_socket handle);

/* Frees the record.  libzmq's socket is closed already. */
void szi_socket_free(szi_socket *socket);

/* Reads an option of any length into the socket's scratch storage. */
int szi_socket_read(szi_socket *socket, int number, const void **data,
                    size_t *size);

/* Reads an option that is an int: 0, or an error.  The second is for options
 * that stand at 0 where libzmq lacks them. */
int szi_socket_integer(const szi_socket *socket, int number, int *value);
static inline int szi_socket_value(const szi_socket *socket, int number)
{
    int value = 0;
    return szi_socket_integer(socket, number, &value) == 0 ? value : 0;
}

/* Reads ZMQ_EVENTS of libzmq's socket, or an error.  libzmq then processes all
 * that has arrived, so the next event after this call brings a new edge. */
int szi_zmq_events(void *zmq);

/* The same, for SZ_IN and SZ_OUT of a socket of the kernel. */
int szi_socket_events(szi_socket *socket);

/* A part of the message that was received. */
static inline zmq_msg_t *szi_part_at(szi_socket *socket, size_t index)
{
    return index == 0 ? &socket->first : &socket->rest[index - 1];
}

/* Closes all parts received, also of a torn message. */
void szi_parts_drop(szi_socket *socket);

/* Whether a whole message was put back, to be received again. */
static inline bool szi_put_back(const szi_socket *socket)
{
    return socket->back && socket->held > 0 && !socket->torn;
}

#pragma GCC visibility pop

#endif
