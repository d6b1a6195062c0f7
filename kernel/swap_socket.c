/* The swap in front of a socket: messages that libzmq does not take wait there
 * and leave in order.
 *
 * While messages wait, no message overtakes them.  The one at the front stays
 * in the swap until libzmq has taken its last part.  libzmq chooses the peer
 * when a message leaves the swap. */

#include "swap_socket.h"
#include "clock.h"
#include "error.h"
#include "memory.h"
#include "statistics.h"
#include "watch.h"
#include "wire.h"

#include <string.h>

enum {
    FEW = 16,
    PIECE = 64 * 1024,  /* bytes read between two looks at the clock */
    OFTEN = 16,         /* messages between two looks at the clock */
    LONGEST_PAUSE = 50, /* milliseconds before a publisher tries again */
    PATIENCE = 100, /* milliseconds before other sockets do without an edge */
    IDLE = 50       /* milliseconds before an empty swap returns its space */
};

static void forget_front(szi_swap_socket *o)
{
    szi_parts_close(o->parts, o->made);
    o->made = o->filled = 0;
    o->whole = false;
}

static int make_room(szi_swap_socket *o, size_t count)
{
    if (count <= o->room)
        return 0;
    zmq_msg_t *larger = szi_resize(NULL, count * sizeof *larger);
    if (larger == NULL)
        return SZ_ENOMEM;
    szi_free(o->parts);
    o->parts = larger;
    o->room = count;
    return 0;
}

/* Reads the next bytes of the last part that was made. */
static int read_piece(szi_swap_socket *o, size_t size)
{
    size_t left = size - o->filled;
    if (left > PIECE)
        left = PIECE;
    unsigned char *to = zmq_msg_data(&o->parts[o->made - 1]);
    int code = szi_swap_read(o->queue, to + o->filled, left);
    o->filled += left;
    return code;
}

/* Sends a small message directly from the buffer of the swap.  SZ_EINVAL if
 * the message must be made instead. */
static int send_view(szi_socket *socket)
{
    enum {
        SMALL = 8192 /* larger messages are made in pieces */
    };
    szi_swap_socket *o = socket->swap;
    size_t count;
    const uint64_t *sizes;
    if (o->made > 0)
        return SZ_EINVAL;
    int code = szi_swap_front(o->queue, &count, &sizes);
    if (code != 0 || count != 1 || sizes[0] > SMALL)
        return code != 0 ? code : SZ_EINVAL;
    const void *bytes = szi_swap_view(o->queue);
    return bytes != NULL ? szi_send_bytes(socket, bytes, (size_t)sizes[0])
                         : SZ_EINVAL;
}

/* Makes the message at the front: 0, SZ_EAGAIN if there is none, SZ_EINTR if
 * it was not done at time `end`, SZ_ENOMEM, or SZ_ECORRUPT. */
static int make_front(szi_swap_socket *o, int64_t end)
{
    size_t count;
    const uint64_t *sizes;
    if (o->whole)
        return 0;
    int code = szi_swap_front(o->queue, &count, &sizes);
    if (code == 0 && o->made == 0)
        code = make_room(o, count);
    while (code == 0) {
        if (o->made > 0 && o->filled < sizes[o->made - 1]) {
            if (o->filled > 0 && szi_microseconds() > end)
                return SZ_EINTR;
            code = read_piece(o, (size_t)sizes[o->made - 1]);
        } else if (o->made < count) {
            code = szi_part_new(&o->parts[o->made], (size_t)sizes[o->made]);
            if (code != 0)
                return code;
            o->made++;
            o->filled = 0;
        } else {
            break;
        }
    }
    if (code == 0)
        code = szi_swap_check(o->queue);
    if (code == SZ_ECORRUPT)
        forget_front(o);
    o->whole = code == 0;
    return code;
}

/* Passes the message to libzmq.  libzmq may forget parts that it took when a
 * peer goes away, so of several parts it gets copies. */
static int send_front(szi_socket *socket)
{
    szi_swap_socket *o = socket->swap;
    size_t count = o->made;
    if (count == 1)
        return szi_send_now(socket, o->parts, 1);
    zmq_msg_t few[FEW];
    zmq_msg_t *copies = szi_array(few, FEW, count, sizeof *copies);
    if (copies == NULL)
        return SZ_ENOMEM;
    szi_parts_copy(copies, o->parts, count);
    int code = szi_send_now(socket, copies, count);
    szi_parts_close(copies, count);
    szi_array_free(copies, few);
    return code;
}

static void drop_front(szi_swap_socket *o)
{
    forget_front(o);
    szi_swap_drop(o->queue);
    o->tried = 0;
    o->pause = 0;
    o->disk_full = false;
}

int szi_swap_socket_pump(szi_socket *socket, int messages, int64_t time)
{
    szi_swap_socket *o = socket->swap;
    int64_t end = szi_microseconds() + time;
    for (int n = 0; !szi_swap_socket_empty(o); n++) {
        if (n == messages ||
            (n % OFTEN == OFTEN - 1 && szi_microseconds() > end))
            return SZ_EINTR;
        int code = send_view(socket);
        if (code == SZ_EINVAL) {
            code = make_front(o, end);
            if (code == 0)
                code = send_front(socket);
        }
        if (code == SZ_ECORRUPT) {
            o->unreported = true;
            continue;
        }
        if (code != 0) {
            if (code == SZ_EAGAIN)
                o->tried = sz_now();
            return code;
        }
        drop_front(o);
    }
    return 0;
}

/* Pumps, and tells the watches if messages left. */
static int pump_and_tell(szi_socket *socket, int messages, int64_t time)
{
    szi_swap_socket *o = socket->swap;
    uint64_t before = szi_swap_count(o->queue);
    if (before == 0)
        return 0;
    int code = szi_swap_socket_pump(socket, messages, time);
    if (szi_swap_socket_empty(o)) {
        o->idle = sz_now();
        szi_watches_swap(socket, false);
    }
    if (szi_swap_count(o->queue) != before)
        szi_watches_touched(socket);
    return code;
}

void szi_swap_socket_nudge(szi_socket *socket)
{
    pump_and_tell(socket, OFTEN, SZI_SLICE);
}

int64_t szi_swap_socket_next(szi_socket *socket)
{
    szi_swap_socket *o = socket->swap;
    if (!szi_publishes(socket))
        return sz_now() + PATIENCE;
    o->pause = o->pause == 0 ? 1 : 2 * o->pause;
    if (o->pause > LONGEST_PAUSE)
        o->pause = LONGEST_PAUSE;
    return sz_now() + o->pause;
}

static int64_t give_space_back(szi_swap_socket *o)
{
    if (o->idle == 0)
        return -1;
    if (sz_now() < o->idle + IDLE)
        return o->idle + IDLE;
    if (szi_swap_trim(o->queue))
        return sz_now() + 1;
    o->idle = 0;
    return -1;
}

int sz_socket_pump(sz_socket handle, int64_t *next)
{
    szi_socket *socket = szi_socket_get(handle);
    *next = -1;
    if (socket == NULL)
        return szi_socket_refuse(handle);
    if (socket->swap == NULL)
        return 0;
    int code = pump_and_tell(socket, SZI_SLICE_MESSAGES, SZI_SLICE);
    szi_watches_touched(socket);
    szi_watches_signal(socket);
    if (code == 0)
        *next = give_space_back(socket->swap);
    else if (code == SZ_EINTR)
        *next = 0;
    else if (code == SZ_EAGAIN || code == SZ_ENOMEM)
        *next = szi_swap_socket_next(socket);
    else
        return code;
    return 0;
}

static int append(szi_swap_socket *o, const sz_part *parts, size_t count)
{
    szi_bytes few[FEW];
    szi_bytes *bytes = szi_array(few, FEW, count, sizeof *bytes);
    if (bytes == NULL)
        return SZ_ENOMEM;
    int code = 0;
    for (size_t i = 0; i < count && code == 0; i++) {
        bytes[i] = (szi_bytes){parts[i].data, parts[i].size};
        if (parts[i].message.id != 0)
            code = sz_message_data(parts[i].message, &bytes[i].data,
                                   &bytes[i].size);
    }
    if (code == 0)
        code = szi_swap_append(o->queue, bytes, count);
    szi_array_free(bytes, few);
    return code;
}

/* The result of a send whose message the swap did not take.  A publisher drops
 * the message. */
static int refuse(szi_socket *socket, int code)
{
    szi_swap_socket *o = socket->swap;
    if (code == SZ_ENOSPC) {
        o->disk_full = true;
        code = SZ_EAGAIN;
    }
    if (szi_publishes(socket) && (code == SZ_EAGAIN || code == SZ_EMSGSIZE)) {
        o->dropped++;
        socket->counts.drops++;
        return 0;
    }
    return code == SZ_EMSGSIZE ? SZ_ESWAPSIZE : code;
}

static int hold(szi_socket *socket, const sz_part *parts, size_t count)
{
    szi_swap_socket *o = socket->swap;
    bool first = szi_swap_socket_empty(o);
    if (socket->type->number == ZMQ_REQ && !first)
        return socket->relaxed ? SZ_EAGAIN : SZ_EFSM;
    int code = append(o, parts, count);
    if (code != 0)
        return refuse(socket, code);
    o->idle = 0;
    if (first)
        szi_watches_swap(socket, true);
    return 0;
}

/* After libzmq has refused a message it is not asked again in the same
 * millisecond, which makes appending many messages cheap. */
static bool worth_trying(const szi_swap_socket *o)
{
    return o->tried == 0 || sz_now() != o->tried;
}

static int admit(szi_socket *socket, const sz_part *parts, size_t count)
{
    szi_swap_socket *o = socket->swap;
    if (atomic_load(&socket->context->shut))
        return SZ_ETERM;
    if (!szi_swap_socket_empty(o) && worth_trying(o))
        pump_and_tell(socket, OFTEN, SZI_SLICE);
    if (o->unreported) {
        o->unreported = false;
        return SZ_ECORRUPT;
    }
    int code = SZ_EAGAIN;
    if (szi_swap_socket_empty(o))
        code = count == 1 && parts->message.id == 0
                   ? szi_send_bytes(socket, parts->data, parts->size)
                   : szi_send_parts(socket, parts, count, szi_send_now);
    szi_watches_touched(socket);
    return code == SZ_EAGAIN ? hold(socket, parts, count) : code;
}

int szi_swap_socket_send(szi_socket *socket, const sz_part *parts,
                         size_t count)
{
    const void *data;
    size_t size, all = 0;
    for (size_t i = 0; i < count; i++) {
        size = parts[i].size;
        if (parts[i].message.id != 0 &&
            sz_message_data(parts[i].message, &data, &size) != 0)
            size = 0;
        if (size > socket->part_most)
            return szi_part_refuse(size);
        all += size;
    }
    uint64_t drops = socket->counts.drops;
    int code = admit(socket, parts, count);
    return socket->counts.drops == drops ? szi_count_sent(socket, code, all)
                                         : code;
}

int szi_swap_socket_send_made(szi_socket *socket, zmq_msg_t *made,
                              size_t count)
{
    sz_part few[FEW] = {{0}};
    sz_part *parts = szi_array(few, FEW, count, sizeof *parts);
    if (parts == NULL)
        return SZ_ENOMEM;
    for (size_t i = 0; i < count; i++)
        parts[i] =
            (sz_part){zmq_msg_data(&made[i]), zmq_msg_size(&made[i]), {0}};
    int code = szi_swap_socket_send(socket, parts, count);
    szi_array_free(parts, few);
    return code;
}

/* SZ_OUT promises room for a message of this size. */
static uint64_t promised(const szi_swap_socket *o)
{
    uint64_t most = 64 * 1024;
    return o->size / 8 < most ? o->size / 8 : most;
}

int szi_swap_socket_events(szi_socket *socket, int events)
{
    szi_swap_socket *o = socket->swap;
    if (socket->type->number == ZMQ_REQ)
        return szi_swap_socket_empty(o) ? events : events & ~SZ_OUT;
    bool room = !o->disk_full &&
                szi_swap_room(o->queue) >= promised(o) + SZI_SWAP_OVERHEAD;
    if (!szi_publishes(socket) && !szi_swap_socket_empty(o))
        events &= ~SZ_OUT;
    return room ? events | SZ_OUT : events;
}

void szi_swap_socket_free(szi_socket *socket)
{
    szi_swap_socket *o = socket->swap;
    forget_front(o);
    szi_free(o->parts);
    szi_swap_free(o->queue);
    szi_free(o);
    socket->swap = NULL;
}
