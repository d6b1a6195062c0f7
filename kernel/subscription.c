/* Which messages subscribe, and which of these are too long. */

#include "subscription.h"
#include "error.h"

#include <string.h>

enum {
    ROOM = 100000 /* subscriptions that wait for a publisher that is idle */
};

/* A SUB or XSUB sends subscriptions, and libzmq drops without a word what is
 * beyond the mark for sending, also when it repeats them to a publisher that
 * has come back.  So these sockets send without a mark.  A PUB or XPUB reads
 * subscriptions whenever it is used.  If more than its mark for receiving have
 * come before, it publishes without knowing the others.  So that mark is
 * large. */
int szi_subscription_mark(int number, int value)
{
    if (number == ZMQ_SNDHWM)
        return 0;
    return value > 0 && value < ROOM ? ROOM : value;
}

int szi_subscription_prepare(szi_socket *socket)
{
    int type = socket->type->number;
    socket->subscription_limit = SZ_SUBSCRIPTION;
    if (type == ZMQ_SUB || type == ZMQ_XSUB)
        socket->kept = ZMQ_SNDHWM;
    else if (type == ZMQ_PUB || type == ZMQ_XPUB)
        socket->kept = ZMQ_RCVHWM;
    else
        return 0;
    int code = szi_socket_integer(socket, socket->kept, &socket->kept_mark);
    if (code != 0)
        return code;
    int mark = szi_subscription_mark(socket->kept, socket->kept_mark);
    return zmq_setsockopt(socket->zmq, socket->kept, &mark, sizeof mark) == 0
               ? 0
               : szi_last_error();
}

int szi_subscription_check(const szi_socket *socket, size_t size)
{
    return size > socket->subscription_limit ? SZ_ESUBSCRIPTION : 0;
}

/* libzmq conflates the subscriptions of a SUB too, also when it repeats them
 * to a publisher that has come back. */
int szi_subscription_count(const szi_socket *socket, bool conflate,
                           size_t more)
{
    return socket->type->number == ZMQ_SUB && conflate &&
                   socket->subscriptions + more > 1
               ? SZ_ESUBCONFLATE
               : 0;
}

bool sz_socket_deaf(sz_socket handle)
{
    const szi_socket *socket = szi_socket_get(handle);
    return socket != NULL && socket->type->number == ZMQ_SUB &&
           socket->subscriptions == 0;
}

/* How many bytes a part has before the prefix that it subscribes to, or takes
 * back; 0 if it does neither.  What begins with the name of a command of ZMTP
 * 3.1 may be that command, which libzmq marks in a way that it does not
 * show. */
static size_t opening(const void *data, size_t size)
{
    static const char subscribe[] = "\x9SUBSCRIBE", cancel[] = "\x6"
                                                               "CANCEL";
    if (size > 0 && *(const unsigned char *)data <= 1)
        return 1;
    if (size >= sizeof subscribe - 1 &&
        memcmp(data, subscribe, sizeof subscribe - 1) == 0)
        return sizeof subscribe - 1;
    if (size >= sizeof cancel - 1 &&
        memcmp(data, cancel, sizeof cancel - 1) == 0)
        return sizeof cancel - 1;
    return 0;
}

int szi_subscription_check_bytes(const szi_socket *socket, const void *data,
                                 size_t size)
{
    size_t before = opening(data, size);
    return before > 0 ? szi_subscription_check(socket, size - before) : 0;
}

/* libzmq looks at every part; with only-first-subscribe, at the others only if
 * the first one subscribes. */
int szi_subscription_check_parts(const szi_socket *socket, zmq_msg_t *first,
                                 zmq_msg_t *rest, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        zmq_msg_t *part = i == 0 ? first : &rest[i - 1];
        const void *data = zmq_msg_data(part);
        size_t size = zmq_msg_size(part);
        int code = szi_subscription_check_bytes(socket, data, size);
        if (code != 0)
            return code;
        if (i == 0 && socket->only_first && opening(data, size) == 0)
            break;
    }
    return 0;
}
