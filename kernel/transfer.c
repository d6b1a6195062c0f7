/* Sending and receiving as a program does it: by libzmq or the swap, with
 * watches told and messages counted. */

#include "transfer.h"
#include "error.h"
#include "message.h"
#include "statistics.h"
#include "stream_peer.h"
#include "subscription.h"
#include "swap_socket.h"
#include "use.h"
#include "wire.h"

#include <limits.h>

/* Tells the watches that the socket was used, and how it ended. */
static void used(szi_socket *socket, szi_attempt made, int code, int direction)
{
    if (made.settled)
        szi_socket_settled(socket, made.events);
    else
        szi_socket_touched(socket);
    if (code == SZ_EAGAIN && socket->swap == NULL &&
        (direction == SZ_IN || made.settled))
        socket->armed = direction;
}

static bool sends_twos(const szi_socket *socket)
{
    return socket->stream || socket->router_raw;
}

/* The first try has failed with `code`, or was not made. */
static int send_bytes_on(szi_socket *socket, const void *data, size_t size,
                         int code)
{
    szi_attempt attempt = {0};
    if (size > socket->part_most)
        return szi_part_refuse(size);
    if (socket->swap != NULL)
        return szi_swap_socket_send(socket, &(sz_part){data, size, {0}}, 1);
    if (socket->checked) {
        code = sends_twos(socket)
                   ? SZ_ETWOPARTS
                   : szi_subscription_check_bytes(socket, data, size);
        if (code != 0)
            return code;
        if (zmq_send(socket->zmq, data, size, ZMQ_DONTWAIT) < 0)
            code = szi_last_error();
    }
    code = szi_retry_bytes(socket, data, size, code, &attempt);
    used(socket, attempt, code, SZ_OUT);
    return szi_count_sent(socket, code, size);
}

/* The fast path: most often the first try succeeds, and this is all that a
 * message costs. */
static inline int send_bytes(szi_socket *socket, const void *data, size_t size)
{
    if (size > socket->part_most || socket->swap != NULL || socket->checked)
        return send_bytes_on(socket, data, size, 0);
    if (zmq_send(socket->zmq, data, size, ZMQ_DONTWAIT) < 0)
        return send_bytes_on(socket, data, size, szi_last_error());
    socket->counts.sent++;
    szi_socket_touched(socket);
    socket->counts.sent_bytes += size;
    return 0;
}

int sz_send_bytes(sz_socket handle, const void *data, size_t size)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL)
        return szi_socket_refuse(handle);
    return send_bytes(socket, data, size);
}

/* libzmq takes the parts of raw connections by twos, whatever message they are
 * of, so that all later ones would be in each other's place. */
static int check_made(szi_socket *socket, zmq_msg_t *made, size_t count)
{
    if (sends_twos(socket))
        return count == 2 ? 0 : SZ_ETWOPARTS;
    return szi_subscription_check_parts(socket, made, made + 1, count);
}

int szi_send_made(szi_socket *socket, zmq_msg_t *made, size_t count)
{
    int code = socket->checked ? check_made(socket, made, count) : 0;
    /* libzmq aborts when a connection has kept only a first part. */
    if (code == 0 && socket->conflates && count != 1)
        code = SZ_EPARTS;
    if (code != 0)
        return code;
    if (socket->swap != NULL)
        return szi_swap_socket_send_made(socket, made, count);
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size_t part = zmq_msg_size(&made[i]);
        if (part > socket->part_most)
            return szi_part_refuse(part);
        size += part;
    }
    szi_attempt attempt = {0};
    szi_peer *peer = NULL;
    if (socket->stream) {
        peer = szi_peer_find(socket, zmq_msg_data(made), zmq_msg_size(made));
        if (peer == NULL)
            return SZ_ENOMEM;
    }
    code = szi_send_attempt(socket, made, count, &attempt);
    if (peer != NULL)
        code = szi_peer_tried(socket, peer, code);
    used(socket, attempt, code, SZ_OUT);
    return szi_count_sent(socket, code, size);
}

int sz_send(sz_socket handle, const sz_part *parts, size_t count)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL)
        return szi_socket_refuse(handle);
    if (count == 0)
        return SZ_EPARTS;
    if (socket->swap != NULL)
        return szi_swap_socket_send(socket, parts, count);
    return szi_send_parts(socket, parts, count, szi_send_made);
}

static int take_first(szi_socket *socket)
{
    return zmq_msg_recv(&socket->first, socket->zmq, ZMQ_DONTWAIT) < 0
               ? szi_last_error()
               : 0;
}

/* Continues from the first try for a message, whose result is `code`, or with
 * a torn message.  Returns the number of parts. */
static int receive_one(szi_socket *socket, int code)
{
    szi_attempt attempt = {0};
    if (code != 0)
        code = szi_retry_receive(socket, code, &attempt);
    if (code != 0) {
        /* For its sender, a request that waits in the swap was sent. */
        if (code == SZ_EFSM && szi_swap_socket_waits(socket))
            code = SZ_EAGAIN;
        used(socket, attempt, code, SZ_IN);
        socket->counts.receive_eagains += code == SZ_EAGAIN;
        return code;
    }
    if (!socket->torn) {
        socket->held = 1;
        szi_part_mend(socket, &socket->first);
    }
    socket->back = false;
    code = zmq_msg_more(&socket->first) ? szi_receive_rest(socket) : 1;
    szi_socket_touched(socket);
    return code;
}

/* Whether a peer of an XPUB sent a subscription that nobody may pass on. */
static bool is_unwanted(szi_socket *socket)
{
    return socket->upstream &&
           szi_subscription_check_parts(socket, &socket->first, socket->rest,
                                        socket->held) != 0;
}

static int receive_on(szi_socket *socket, int code)
{
    code = receive_one(socket, code);
    while (code > 0 && is_unwanted(socket)) {
        szi_parts_drop(socket);
        socket->counts.drops++;
        code = receive_one(socket, take_first(socket));
    }
    if (code > 0) {
        szi_count_received(socket);
        if (socket->stream)
            szi_peer_heard(socket, &socket->first);
    }
    return code;
}

static int receive(szi_socket *socket)
{
    return receive_on(socket, socket->torn ? 0 : take_first(socket));
}

int sz_receive(sz_socket handle)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL)
        return szi_socket_refuse(handle);
    if (szi_put_back(socket)) {
        socket->back = false;
        return (int)socket->held;
    }
    if (!socket->torn)
        szi_parts_drop(socket);
    return receive(socket);
}

int szi_receive(szi_socket *socket)
{
    if (socket->held > 0 && !socket->torn)
        return (int)socket->held;
    return receive(socket);
}

int sz_receive_held(sz_socket handle)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL)
        return szi_socket_refuse(handle);
    return szi_receive(socket);
}

static int limit_receiving(szi_socket *socket, int timeout)
{
    return zmq_setsockopt(socket->zmq, ZMQ_RCVTIMEO, &timeout,
                          sizeof timeout) == 0
               ? 0
               : szi_last_error();
}

/* libzmq uses rcvtimeo here only, so that a failure to set it back, at the end
 * of the context, has no effect. */
static int receive_within(szi_socket *socket, int timeout)
{
    bool other = timeout != socket->receive_timeout;
    int code = other ? limit_receiving(socket, timeout) : 0;
    if (code != 0)
        return code;
    if (zmq_msg_recv(&socket->first, socket->zmq, 0) < 0)
        code = szi_last_error();
    if (other)
        limit_receiving(socket, socket->receive_timeout);
    return code;
}

/* What is there may be dropped, or gone. */
static int await_and_receive(szi_socket *socket, int timeout)
{
    int64_t end = sz_now() + timeout;
    for (;;) {
        int code = szi_socket_await(socket, SZ_IN, timeout);
        if (code >= 0)
            code = receive(socket);
        if (code != SZ_EAGAIN)
            return code;
        int64_t left = end - sz_now();
        if (timeout >= 0 && left <= 0)
            return code;
        timeout = timeout < 0 ? timeout : (int)left;
    }
}

int sz_receive_wait(sz_socket handle, int timeout)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL)
        return szi_socket_refuse(handle);
    if (socket->held > 0)
        return szi_receive(socket);
    if (socket->swap != NULL || socket->upstream)
        return await_and_receive(socket, timeout);
    int code = receive_within(socket, timeout);
    if (code != SZ_EINTR || timeout == 0)
        return receive_on(socket, code);
    szi_socket_touched(socket);
    return code;
}

int sz_socket_armed(sz_socket handle)
{
    szi_socket *socket = szi_socket_get(handle);
    return socket != NULL ? socket->armed : 0;
}

static int receive_part_on(szi_socket *socket, int parts, size_t small,
                           sz_part *part)
{
    if (parts == 1) {
        part->data = zmq_msg_data(&socket->first);
        part->size = zmq_msg_size(&socket->first);
        if (part->size <= small)
            socket->held = 0;
    }
    return parts;
}

/* The fast path of a receive.  True if a message of one part of at most
 * `small` bytes was found: *size is then its size.  Else *parts is the number
 * of parts, or an error.  zmq_msg_recv releases what the first part holds. */
static inline bool receive_small(szi_socket *socket, size_t small,
                                 size_t *size, int *parts)
{
    int got = zmq_msg_recv(&socket->first, socket->zmq, ZMQ_DONTWAIT);
    if (got < 0 || (size_t)got > small || socket->upstream ||
        zmq_msg_more(&socket->first)) {
        *parts = receive_on(socket, got < 0 ? szi_last_error() : 0);
        return false;
    }
    *size = (size_t)got;
    socket->counts.received++;
    socket->counts.received_bytes += (size_t)got;
    szi_socket_touched(socket);
    return true;
}

int sz_receive_part(sz_socket handle, size_t small, sz_part *part)
{
    int parts;
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL)
        return szi_socket_refuse(handle);
    if (socket->held > 0)
        return receive_part_on(socket, szi_receive(socket), small, part);
    if (!receive_small(socket, small, &part->size, &parts))
        return receive_part_on(socket, parts, small, part);
    part->data = zmq_msg_data(&socket->first);
    return 1;
}

int sz_receive_each(sz_socket handle, size_t small, sz_taker *take,
                    void *argument)
{
    int parts = 0;
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL)
        return szi_socket_refuse(handle);
    if (socket->held > 0)
        return szi_receive(socket);
    size_t size;
    while (receive_small(socket, small, &size, &parts) &&
           take(argument, zmq_msg_data(&socket->first), size))
        ;
    return parts;
}

int sz_received(sz_socket handle, size_t index, const void **data,
                size_t *size)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL)
        return szi_socket_refuse(handle);
    if (socket->torn || index >= socket->held)
        return SZ_ENOENT;
    zmq_msg_t *part = szi_part_at(socket, index);
    *data = zmq_msg_data(part);
    *size = zmq_msg_size(part);
    return 0;
}

int sz_take(sz_socket handle, size_t index, sz_message *message)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL)
        return szi_socket_refuse(handle);
    if (socket->torn || index >= socket->held)
        return SZ_ENOENT;
    return szi_message_adopt(szi_part_at(socket, index), message);
}

int sz_take_all(sz_socket handle, sz_message *messages, size_t count)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL)
        return szi_socket_refuse(handle);
    if (socket->torn || count != socket->held)
        return SZ_ENOENT;
    int code = 0;
    size_t taken = 0;
    while (taken < count && code == 0) {
        code = szi_message_adopt(szi_part_at(socket, taken), &messages[taken]);
        if (code == 0)
            taken++;
    }
    if (code == 0) {
        szi_parts_drop(socket);
        return 0;
    }
    while (taken-- > 0)
        szi_message_return(messages[taken], szi_part_at(socket, taken));
    return code;
}

void sz_release(sz_socket handle)
{
    enum {
        SMALL = 4096
    };
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL || socket->torn)
        return;
    /* zmq_msg_recv releases what the first part holds. */
    if (socket->held == 1 && zmq_msg_size(&socket->first) <= SMALL)
        socket->held = 0;
    else
        szi_parts_drop(socket);
}

void sz_put_back(sz_socket handle)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL || socket->torn || socket->held == 0)
        return;
    socket->back = true;
    szi_socket_touched(socket);
}
