/* The peers of a STREAM: a table by their names.
 *
 * A peer to which fewer messages were sent than the high water mark cannot be
 * full: if libzmq refuses a message, it has gone.  For others the descriptor
 * of the connection tells.  Its number comes with what the peer sends, perhaps
 * when it is the number of something else.  But just after a message was sent
 * the connection exists, so what has the number is the connection, and its
 * inode is recorded.
 *
 * A peer that this socket connected to keeps its place in libzmq when the
 * connection ends, and gets its messages when there is another one.  So its
 * descriptor is not asked. */

#include "stream_peer.h"
#include "memory.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

struct szi_peer {
    szi_peer *next; /* of its bucket */
    uint64_t sent;  /* messages */
    int fd;         /* that it was heard from last, or -1 */
    dev_t device;   /* what has this number, */
    ino_t inode;    /* or 0 */
    bool sure;      /* it is the connection */
    bool accepted;  /* the peer made the connection; only if `sure` */
    size_t size;
    unsigned char name[];
};

struct szi_peers {
    size_t count, room; /* `room` is a power of 2 */
    szi_peer *buckets[];
};

enum {
    FIRST = 64
};

static size_t hash(const unsigned char *name, size_t size)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < size; i++)
        h = (h ^ name[i]) * UINT64_C(1099511628211);
    return (size_t)(h ^ h >> 32);
}

static szi_peer **bucket(szi_peers *peers, const szi_peer *peer)
{
    return &peers->buckets[hash(peer->name, peer->size) & (peers->room - 1)];
}

static void forget(szi_peers *peers, szi_peer *peer)
{
    szi_peer **p = bucket(peers, peer);
    while (*p != peer)
        p = &(*p)->next;
    *p = peer->next;
    peers->count--;
    szi_free(peer);
}

static void record(szi_peer *peer)
{
    struct stat now;
    bool open = peer->fd >= 0 && fstat(peer->fd, &now) == 0;
    peer->inode = open ? now.st_ino : 0;
    peer->device = open ? now.st_dev : 0;
}

/* Whether the number stands for something else now, or for nothing. */
static bool is_stale(const szi_peer *peer)
{
    szi_peer now = *peer;
    record(&now);
    return now.inode == 0 || now.inode != peer->inode ||
           now.device != peer->device;
}

static int port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
        struct sockaddr_storage most;
    } own;
    socklen_t size = sizeof own;
    if (getsockname(fd, &own.any, &size) != 0)
        return -1;
    return own.any.sa_family == AF_INET    ? ntohs(own.four.sin_port)
           : own.any.sa_family == AF_INET6 ? ntohs(own.six.sin6_port)
                                           : -1;
}

/* If this socket has connected too, the connections that it accepted have the
 * port of an endpoint that is bound. */
static bool is_accepted(szi_socket *socket, const szi_peer *peer)
{
    if (!socket->connects)
        return true;
    int port = port_of(peer->fd);
    SZI_EACH (e, &socket->endpoints, szi_endpoint, link) {
        const char *colon = strrchr(e->real, ':');
        if (e->bound && colon != NULL && atoi(colon + 1) == port)
            return true;
    }
    return false;
}

/* Whether its connection has ended, although libzmq may not know yet. */
static bool is_closed(const szi_peer *peer)
{
    char byte;
    struct pollfd p = {.fd = peer->fd};
    return is_stale(peer) ||
           (poll(&p, 1, 0) == 1 &&
            (p.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) ||
           recv(peer->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Whether nothing is known of the peer that could matter. */
static bool is_past(const szi_peer *peer)
{
    return (peer->sent == 0 || (peer->sure && peer->accepted)) &&
           is_stale(peer);
}

static void put(szi_peers *peers, szi_peer *peer)
{
    szi_peer **to = bucket(peers, peer);
    peer->next = *to;
    *to = peer;
    peers->count++;
}

/* Makes a larger table, without those whose connection has ended. */
static szi_peers *grow(szi_peers *old)
{
    size_t room = old == NULL ? FIRST : 2 * old->room;
    szi_peers *peers = szi_new(sizeof *peers + room * sizeof *peers->buckets);
    if (peers == NULL)
        return NULL;
    peers->room = room;
    for (size_t i = 0; old != NULL && i < old->room; i++) {
        szi_peer *next, *peer = old->buckets[i];
        for (; peer != NULL; peer = next) {
            next = peer->next;
            if (is_past(peer))
                szi_free(peer);
            else
                put(peers, peer);
        }
    }
    szi_free(old);
    return peers;
}

static szi_peer *look_up(const szi_peers *peers, const void *name, size_t size)
{
    if (peers == NULL)
        return NULL;
    szi_peer *peer = peers->buckets[hash(name, size) & (peers->room - 1)];
    while (peer != NULL &&
           (peer->size != size || memcmp(peer->name, name, size) != 0))
        peer = peer->next;
    return peer;
}

szi_peer *szi_peer_find(szi_socket *socket, const void *name, size_t size)
{
    szi_peer *peer = look_up(socket->peers, name, size);
    if (peer != NULL)
        return peer;
    if (socket->peers == NULL || socket->peers->count == socket->peers->room) {
        szi_peers *peers = grow(socket->peers);
        if (peers == NULL)
            return NULL;
        socket->peers = peers;
    }
    peer = szi_new(sizeof *peer + size);
    if (peer == NULL)
        return NULL;
    peer->fd = -1;
    peer->size = size;
    memcpy(peer->name, name, size);
    put(socket->peers, peer);
    return peer;
}

/* Without memory the peer stays unknown, and is taken for one that is full. */
void szi_peer_heard(szi_socket *socket, zmq_msg_t *name)
{
    int fd = zmq_msg_get(name, ZMQ_SRCFD);
    szi_peer *peer =
        szi_peer_find(socket, zmq_msg_data(name), zmq_msg_size(name));
    if (peer == NULL || (peer->fd == fd && peer->inode != 0))
        return;
    peer->fd = fd;
    peer->sure = false;
    record(peer);
}

static bool has_gone(szi_socket *socket, const szi_peer *peer)
{
    int mark = 0;
    if (szi_socket_integer(socket, ZMQ_SNDHWM, &mark) != 0)
        return false;
    return mark == 0 || peer->sent < (uint64_t)mark ||
           (peer->sure && peer->accepted && is_closed(peer));
}

int szi_peer_tried(szi_socket *socket, szi_peer *peer, int code)
{
    if (code == 0) {
        peer->sent++;
        if (!peer->sure && peer->fd >= 0) {
            record(peer);
            peer->sure = peer->inode != 0;
            peer->accepted = peer->sure && is_accepted(socket, peer);
        }
    } else if (code == SZ_EAGAIN && has_gone(socket, peer)) {
        code = SZ_EHOSTUNREACH;
    } else if (code == SZ_EHOSTUNREACH) {
        forget(socket->peers, peer);
    }
    return code;
}

void szi_peers_free(szi_socket *socket)
{
    szi_peers *peers = socket->peers;
    for (size_t i = 0; peers != NULL && i < peers->room; i++)
        while (peers->buckets[i] != NULL)
            forget(peers, peers->buckets[i]);
    szi_free(peers);
    socket->peers = NULL;
}
