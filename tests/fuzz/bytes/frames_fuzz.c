/* Messages of any frames from a peer that is plain libzmq, to sockets of the
 * kernel: whole, in order, and none invented.  What subscribes passes a proxy
 * of the kernel first. */

#include "bytes.h"
#include "socket.h"

enum {
    MOST_PARTS = 4,
    MOST_MESSAGES = 16,
    LIMIT = 60 /* bytes of a subscription */
};

typedef struct {
    size_t count;
    sz_part parts[MOST_PARTS];
} message;

static const struct {
    const char *type;
    int peer;
    size_t named; /* parts that libzmq puts before the message */
} kinds[] = {
    {"pull", ZMQ_PUSH, 0},  {"pair", ZMQ_PAIR, 0}, {"router", ZMQ_DEALER, 1},
    {"rep", ZMQ_DEALER, 0}, {"xpub", ZMQ_XSUB, 0},
};

enum {
    KINDS = sizeof kinds / sizeof *kinds
};

static sz_socket ours[KINDS], upstream;
static void *peers[KINDS], *publisher;

static sz_socket make(sz_context context, const char *type)
{
    sz_socket made;
    HOLDS(sz_socket_new(context, sz_type_find(type), &made) == 0);
    static const char *const none[] = {"sndhwm", "rcvhwm", "linger"};
    for (int i = 0; i < 3; i++)
        HOLDS(sz_socket_set_integer(
                  made, sz_option_find(SZ_SOCKET_OPTION, none[i]), 0) == 0);
    return made;
}

static void *make_peer(sz_context context, int type, const char *name)
{
    int code, zero = 0;
    szi_context *held = szi_context_hold(context, &code);
    void *made = zmq_socket(held->zmq, type);
    szi_context_release(held);
    HOLDS(made != NULL);
    HOLDS(zmq_setsockopt(made, ZMQ_SNDHWM, &zero, sizeof zero) == 0);
    HOLDS(zmq_setsockopt(made, ZMQ_RCVHWM, &zero, sizeof zero) == 0);
    HOLDS(zmq_setsockopt(made, ZMQ_LINGER, &zero, sizeof zero) == 0);
    HOLDS(zmq_connect(made, name) == 0);
    return made;
}

static void prepare(void)
{
    static const char up[] = "inproc://upstream";
    sz_context context;
    const char *real;
    HOLDS(sz_context_new(&context) == 0);
    for (int i = 0; i < KINDS; i++) {
        char name[] = "inproc://0";
        name[sizeof name - 2] = (char)('0' + i);
        ours[i] = make(context, kinds[i].type);
        HOLDS(sz_socket_bind(ours[i], name, strlen(name), &real) == 0);
        peers[i] = make_peer(context, kinds[i].peer, name);
        const sz_option *limit =
            sz_option_find(SZ_SOCKET_OPTION, "subscription-limit");
        if (peers[i] != NULL && strcmp(kinds[i].type, "xpub") == 0)
            HOLDS(sz_socket_set_integer(ours[i], limit, LIMIT) == 0);
    }
    upstream = make(context, "xsub");
    HOLDS(sz_socket_bind(upstream, up, strlen(up), &real) == 0);
    publisher = make_peer(context, ZMQ_XPUB, up);
}

static void send_all(void *to, const message *m)
{
    for (size_t i = 0; i < m->count; i++)
        HOLDS(zmq_send(to, m->parts[i].data, m->parts[i].size,
                       ZMQ_DONTWAIT | (i + 1 < m->count ? ZMQ_SNDMORE : 0)) >=
              0);
}

/* Whether the parts of the socket from the number on are those of the
 * message. */
static bool is_same(sz_socket socket, size_t from, const message *m, size_t n)
{
    if (n != m->count + from)
        return false;
    for (size_t i = 0; i < m->count; i++) {
        const void *data;
        size_t size;
        HOLDS(sz_received(socket, from + i, &data, &size) == 0);
        if (size != m->parts[i].size ||
            (size > 0 && memcmp(data, m->parts[i].data, size) != 0))
            return false;
    }
    return true;
}

static void receive_all(int kind, const message *messages, size_t count)
{
    sz_socket socket = ours[kind];
    for (size_t i = 0; i < count; i++) {
        int parts = sz_receive(socket);
        HOLDS(parts > 0);
        HOLDS(is_same(socket, kinds[kind].named, &messages[i], (size_t)parts));
        sz_release(socket);
    }
    HOLDS(sz_receive(socket) == SZ_EAGAIN);
}

/* libzmq drops a request without an empty part, and answers each other. */
static void answer_all(sz_socket socket, void *peer)
{
    char part[8];
    int code;
    while ((code = sz_receive(socket)) > 0) {
        sz_release(socket);
        HOLDS(sz_send_bytes(socket, "answer", 6) == 0);
    }
    HOLDS(code == SZ_EAGAIN);
    while (zmq_recv(peer, part, sizeof part, ZMQ_DONTWAIT) >= 0)
        ;
}

static void move_all(sz_socket from)
{
    sz_moved moved;
    do {
        int code = sz_proxy_move(from, upstream, (sz_socket){0}, &moved);
        HOLDS(code == 0 || code == SZ_EAGAIN);
    } while (moved.messages + moved.dropped > 0);
}

/* No subscription that is too long has passed. */
static void check_publisher(void)
{
    char part[4096];
    int size;
    while ((size = zmq_recv(publisher, part, sizeof part, ZMQ_DONTWAIT)) >= 0)
        HOLDS(size <= LIMIT + 1 || (size > 0 && (part[0] & ~1) != 0));
}

/* Takes back what was subscribed, so that nothing of one input is left. */
static void cancel_all(void *peer, const message *messages, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < messages[i].count; j++) {
            const sz_part *part = &messages[i].parts[j];
            char cancel[256];
            if (part->size == 0 || *(const char *)part->data != 1)
                continue;
            memcpy(cancel, part->data, part->size);
            cancel[0] = 0;
            HOLDS(zmq_send(peer, cancel, part->size, ZMQ_DONTWAIT) >= 0);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader from = {data, size};
    message messages[MOST_MESSAGES];
    size_t count = 0;
    if (peers[0] == NULL)
        prepare();
    int kind = (int)(next_byte(&from) % KINDS);
    while (from.left > 0 && count < MOST_MESSAGES) {
        message *m = &messages[count++];
        /* libzmq's XPUB leaks a part of a message of which another one
         * subscribes. */
        size_t parts = 1 + next_byte(&from) % MOST_PARTS;
        m->count = kinds[kind].peer == ZMQ_XSUB ? 1 : parts;
        for (size_t i = 0; i < m->count; i++)
            m->parts[i].data =
                next_block(&from, next_byte(&from) % 200, &m->parts[i].size);
        send_all(peers[kind], m);
    }
    if (kinds[kind].peer == ZMQ_XSUB) {
        move_all(ours[kind]);
        check_publisher();
        cancel_all(peers[kind], messages, count);
        move_all(ours[kind]);
        check_publisher();
    } else if (strcmp(kinds[kind].type, "rep") == 0) {
        answer_all(ours[kind], peers[kind]);
    } else {
        receive_all(kind, messages, count);
    }
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < messages[i].count; j++)
            free((void *)(uintptr_t)messages[i].parts[j].data);
    return 0;
}
