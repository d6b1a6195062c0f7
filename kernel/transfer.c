/* Transfer of whole messages: all parts or none, without waiting.
 *
 * libzmq decides about a message at its first part: once that is taken, the
 * others are taken too, and once the first part was received, the others can
 * be.  Both hold across EAGAIN only, so the first part is where we look. */

#include "internal.h"

#include <limits.h>
#include <string.h>

/* What is known of the socket's events after an attempt. */
typedef struct {
    int tries;
    int events; /* only with `settled` */
    bool settled;
} attempt;

/* Sending may be refused from a state that is up to a millisecond old; reading
 * the events brings it up to date.  Bounded, because EAGAIN can stand beside
 * an event that says otherwise.  Receiving without waiting always looks anew
 * (socket_base.cpp, recv), so only pollers that watch want the events then. */
static bool again(szi_socket *socket, int *code, int direction, attempt *made)
{
    made->settled = false;
    if (*code == SZ_EINTR)
        return true;
    if (*code != SZ_EAGAIN || made->tries++ > 3 ||
        (direction == SZ_IN && socket->watches == NULL))
        return false;
    made->events = szi_socket_events(socket);
    if (made->events < 0)
        *code = made->events;
    made->settled = made->events < 0 || (made->events & direction) == 0;
    return !made->settled;
}

/* Tells the pollers that the socket was used, and how it ended. */
static void used(szi_socket *socket, attempt made, int code, int direction)
{
    if (made.settled)
        szi_socket_settled(socket, made.events);
    else
        szi_socket_touched(socket);
    if (code == SZ_EAGAIN && socket->swap == NULL &&
        (direction == SZ_IN || made.settled))
        socket->armed = direction;
}

/* ---------------------------------------------------------------- send -- */

int szi_count_sent(szi_socket *socket, int code, size_t size)
{
    if (code == 0) {
        socket->counts.sent++;
        socket->counts.sent_bytes += size;
    } else if (code == SZ_EAGAIN) {
        socket->counts.send_eagains++;
    }
    return code;
}

static int send_once(szi_socket *socket, zmq_msg_t *part, bool more)
{
    int flags = more ? ZMQ_DONTWAIT | ZMQ_SNDMORE : ZMQ_DONTWAIT;
    return zmq_msg_send(part, socket->zmq, flags) >= 0 ? 0 : szi_last_error();
}

static int send_first(szi_socket *socket, zmq_msg_t *part, bool more,
                      attempt *made)
{
    int code = send_once(socket, part, more);
    while (code != 0 && again(socket, &code, SZ_OUT, made))
        code = send_once(socket, part, more);
    return code;
}

static int make_bytes(zmq_msg_t *part, const void *data, size_t size)
{
    int code = szi_part_new(part, size);
    if (code == 0)
        memcpy(zmq_msg_data(part), data, size);
    return code;
}

static int make_part(zmq_msg_t *made, const sz_part *part)
{
    if (part->message.id == 0)
        return make_bytes(made, part->data != NULL ? part->data : "",
                          part->size);
    zmq_msg_t *shared = szi_message_get(part->message);
    if (shared == NULL)
        return szi_handle_refuse(part->message.id, SZI_MESSAGE);
    zmq_msg_init(made);
    return zmq_msg_copy(made, shared) == 0 ? 0 : szi_last_error();
}

static int send_bytes_once(szi_socket *socket, const void *data, size_t size)
{
    return zmq_send(socket->zmq, data, size, ZMQ_DONTWAIT) >= 0
               ? 0
               : szi_last_error();
}

int szi_send_bytes(szi_socket *socket, const void *data, size_t size)
{
    attempt made = {0};
    if (size > PTRDIFF_MAX / 2)
        return SZ_ENOMEM;
    int code = send_bytes_once(socket, data, size);
    while (code != 0 && again(socket, &code, SZ_OUT, &made))
        code = send_bytes_once(socket, data, size);
    return code;
}

/* The first try has failed, with `code`, or was not made. */
static int send_bytes_on(szi_socket *socket, const void *data, size_t size,
                         int code)
{
    attempt made = {0};
    if (size > PTRDIFF_MAX / 2)
        return SZ_ENOMEM;
    if (socket->swap != NULL)
        return szi_swap_socket_send(socket, &(sz_part){data, size, {0}}, 1);
    while (code != 0 && again(socket, &code, SZ_OUT, &made))
        code = send_bytes_once(socket, data, size);
    used(socket, made, code, SZ_OUT);
    return szi_count_sent(socket, code, size);
}

/* Most often the first try does it, and this is all that a message costs. */
static inline int send_bytes(szi_socket *socket, const void *data, size_t size)
{
    if (size > PTRDIFF_MAX / 2 || socket->swap != NULL)
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

/* The parts behind the first.  EAGAIN here means that the peer went away in
 * the middle: libzmq forgets the parts it took, and swallows those up to the
 * end of the message, which it must be given lest it swallow another's. */
static int send_rest(szi_socket *socket, zmq_msg_t *made, size_t count,
                     size_t *sent)
{
    int outcome = 0;
    while (*sent < count) {
        bool more = *sent + 1 < count;
        int code = send_once(socket, &made[*sent], more);
        if (code == SZ_EINTR)
            continue;
        if (code == SZ_EAGAIN && outcome == 0) {
            outcome = code;
            if (!more)
                break;
            continue;
        }
        if (code != 0)
            return code;
        ++*sent;
    }
    return outcome;
}

static int send_made(szi_socket *socket, zmq_msg_t *made, size_t count,
                     attempt *first)
{
    size_t sent = 1;
    int code = send_first(socket, &made[0], count > 1, first);
    if (code != 0)
        return code;
    first->settled = false;
    return send_rest(socket, made, count, &sent);
}

int szi_send_now(szi_socket *socket, zmq_msg_t *made, size_t count)
{
    attempt first = {0};
    return send_made(socket, made, count, &first);
}

int szi_send_made(szi_socket *socket, zmq_msg_t *made, size_t count)
{
    if (socket->swap != NULL)
        return szi_swap_socket_send_made(socket, made, count);
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += zmq_msg_size(&made[i]);
    attempt first = {0};
    int code = send_made(socket, made, count, &first);
    used(socket, first, code, SZ_OUT);
    return szi_count_sent(socket, code, size);
}

typedef int sending(szi_socket *socket, zmq_msg_t *made, size_t count);

/* All parts are made before the first is sent, so that want of memory cannot
 * tear the message. */
static int send_parts(szi_socket *socket, zmq_msg_t *made,
                      const sz_part *parts, size_t count, sending *send)
{
    size_t ready = 0;
    int code = 0;
    while (ready < count && code == 0) {
        code = make_part(&made[ready], &parts[ready]);
        if (code == 0)
            ready++;
    }
    if (code == 0)
        code = send(socket, made, count);
    for (size_t i = 0; i < ready; i++)
        zmq_msg_close(&made[i]);
    return code;
}

static int send_message(szi_socket *socket, const sz_part *parts, size_t count,
                        sending *send)
{
    enum {
        FEW = 16
    };
    zmq_msg_t few[FEW];
    zmq_msg_t *made = few;
    if (count > FEW) {
        made = count <= SIZE_MAX / sizeof *made
                   ? szi_resize(NULL, count * sizeof *made)
                   : NULL;
        if (made == NULL)
            return SZ_ENOMEM;
    }
    int code = send_parts(socket, made, parts, count, send);
    if (made != few)
        szi_free(made);
    return code;
}

int szi_send_parts(szi_socket *socket, const sz_part *parts, size_t count)
{
    return send_message(socket, parts, count, szi_send_now);
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
    return send_message(socket, parts, count, szi_send_made);
}

int sz_send_each(sz_socket handle, const sz_part *messages, size_t count)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL)
        return szi_socket_refuse(handle);
    int sent = 0;
    while ((size_t)sent < count && sent < INT_MAX) {
        const sz_part *next = &messages[sent];
        int code = next->message.id == 0 && next->data != NULL
                       ? send_bytes(socket, next->data, next->size)
                       : send_message(socket, next, 1, szi_send_made);
        if (code != 0 && sent == 0)
            return code;
        if (code != 0) {
            if (code == SZ_ECORRUPT)
                szi_swap_socket_report_again(socket);
            break;
        }
        sent++;
    }
    return sent;
}

/* ------------------------------------------------------------- receive -- */

void szi_parts_drop(szi_socket *socket)
{
    if (socket->held == 0)
        return;
    zmq_msg_close(&socket->first);
    zmq_msg_init(&socket->first);
    for (size_t i = 1; i < socket->held; i++)
        zmq_msg_close(&socket->rest[i - 1]);
    socket->held = 0;
    socket->torn = false;
}

static int receive_once(szi_socket *socket, zmq_msg_t *part)
{
    return zmq_msg_recv(part, socket->zmq, ZMQ_DONTWAIT) >= 0
               ? 0
               : szi_last_error();
}

static int receive_part(szi_socket *socket, zmq_msg_t *part, attempt *made)
{
    int code = receive_once(socket, part);
    while (code != 0 && again(socket, &code, SZ_IN, made))
        code = receive_once(socket, part);
    return code;
}

static int make_room(szi_socket *socket)
{
    if (socket->held - 1 < socket->room)
        return 0;
    size_t room = socket->room > 0 ? socket->room * 2 : 4;
    zmq_msg_t *larger = szi_resize(NULL, room * sizeof *larger);
    if (larger == NULL)
        return SZ_ENOMEM;
    for (size_t i = 0; i + 1 < socket->held; i++) {
        zmq_msg_init(&larger[i]);
        zmq_msg_move(&larger[i], &socket->rest[i]);
    }
    szi_free(socket->rest);
    socket->rest = larger;
    socket->room = room;
    return 0;
}

/* The parts behind the first.  What fails leaves the message torn, and the
 * next call goes on with it. */
static int receive_rest(szi_socket *socket)
{
    socket->torn = true;
    while (zmq_msg_more(szi_part_at(socket, socket->held - 1))) {
        int code = make_room(socket);
        if (code != 0)
            return code;
        zmq_msg_t *part = szi_part_at(socket, socket->held);
        zmq_msg_init(part);
        attempt made = {0};
        code = receive_part(socket, part, &made);
        if (code != 0)
            return code;
        socket->held++;
    }
    socket->torn = false;
    return (int)socket->held;
}

static void count_received(szi_socket *socket)
{
    socket->counts.received++;
    for (size_t i = 0; i < socket->held; i++)
        socket->counts.received_bytes += zmq_msg_size(szi_part_at(socket, i));
}

/* Goes on from the first try for a message, whose outcome is `code`, or with
 * a torn one: how many parts it has. */
static int receive_on(szi_socket *socket, int code)
{
    attempt first = {0};
    while (code != 0 && again(socket, &code, SZ_IN, &first))
        code = receive_once(socket, &socket->first);
    if (code != 0) {
        /* A request that waits in the swap was sent, for its user. */
        if (code == SZ_EFSM && szi_swap_socket_waits(socket))
            code = SZ_EAGAIN;
        used(socket, first, code, SZ_IN);
        socket->counts.receive_eagains += code == SZ_EAGAIN;
        return code;
    }
    if (!socket->torn)
        socket->held = 1;
    socket->back = false;
    code = zmq_msg_more(&socket->first) ? receive_rest(socket) : 1;
    szi_socket_touched(socket);
    if (code > 0)
        count_received(socket);
    return code;
}

static int receive(szi_socket *socket)
{
    return receive_on(socket,
                      socket->torn ? 0 : receive_once(socket, &socket->first));
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

static void limit_receiving(szi_socket *socket, int timeout)
{
    zmq_setsockopt(socket->zmq, ZMQ_RCVTIMEO, &timeout, sizeof timeout);
}

static int receive_within(szi_socket *socket, int timeout)
{
    bool other = timeout != socket->receive_timeout;
    if (other)
        limit_receiving(socket, timeout);
    int code = zmq_msg_recv(&socket->first, socket->zmq, 0) >= 0
                   ? 0
                   : szi_last_error();
    if (other)
        limit_receiving(socket, socket->receive_timeout);
    return code;
}

int sz_receive_wait(sz_socket handle, int timeout)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL)
        return szi_socket_refuse(handle);
    if (socket->held > 0)
        return szi_receive(socket);
    if (socket->swap != NULL) {
        int found = szi_socket_await(socket, SZ_IN, timeout);
        return found < 0 ? found : receive(socket);
    }
    int code = receive_within(socket, timeout);
    if (code != SZ_EINTR)
        return receive_on(socket, code);
    szi_socket_touched(socket);
    return code;
}

int sz_socket_exhausted(sz_socket handle)
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

/* As with sz_send_bytes, the first try is all that a small message costs:
 * whether it has found one, of how many bytes, or what `*parts` is then.
 * libzmq lets go of what is in the first part when it receives. */
static inline bool receive_small(szi_socket *socket, size_t small,
                                 size_t *size, int *parts)
{
    int got = zmq_msg_recv(&socket->first, socket->zmq, ZMQ_DONTWAIT);
    if (got < 0 || (size_t)got > small || zmq_msg_more(&socket->first)) {
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
    /* libzmq lets go of what is in the first part when it receives. */
    if (socket->held == 1 && zmq_msg_size(&socket->first) <= SMALL)
        socket->held = 0;
    else
        szi_parts_drop(socket);
}
