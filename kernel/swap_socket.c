/* The swap in front of a socket: what libzmq does not take waits there, and
 * leaves in order.
 *
 * While messages wait, nothing that is sent goes past them; the one at the
 * front stays where it is until libzmq has taken its last part.  libzmq
 * chooses the peer when a message leaves. */

#include "swap_socket.h"

#include <string.h>

enum {
    PIECE = 64 * 1024,  /* read at a time, between looks at the clock */
    OFTEN = 16,         /* messages between such looks */
    LONGEST_PAUSE = 50, /* milliseconds before a publisher tries again */
    PATIENCE = 100,     /* before others do who were not signalled */
    IDLE = 50           /* before an empty swap gives back its space */
};

bool szi_swap_socket_waits(const szi_socket *socket)
{
    return socket->swap != NULL && !szi_swap_socket_empty(socket->swap);
}

/* ------------------------------------------------------------ the front -- */

static void forget_front(szi_swap_socket *o)
{
    for (size_t i = 0; i < o->made; i++)
        zmq_msg_close(&o->parts[i]);
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

/* Reads some of the last part made. */
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

/* Sends what lies in memory as it is, where nothing is made yet; SZ_EINVAL if
 * the message must be made. */
static int send_view(szi_socket *socket)
{
    enum {
        SMALL = 8192 /* larger ones are made in pieces */
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
 * it was not done at `end`, SZ_ENOMEM, or SZ_ECORRUPT. */
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

/* Gives it to libzmq.  Of several parts copies are given, since libzmq may
 * forget those it took when a peer goes away. */
static int send_front(szi_socket *socket)
{
    szi_swap_socket *o = socket->swap;
    size_t count = o->made;
    if (count == 1)
        return szi_send_now(socket, o->parts, 1);
    zmq_msg_t *copies = szi_resize(NULL, count * sizeof *copies);
    if (copies == NULL)
        return SZ_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        zmq_msg_init(&copies[i]);
        zmq_msg_copy(&copies[i], &o->parts[i]);
    }
    int code = szi_send_now(socket, copies, count);
    for (size_t i = 0; i < count; i++)
        zmq_msg_close(&copies[i]);
    szi_free(copies);
    return code;
}

/* -------------------------------------------------------------- pumping -- */

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

/* The same, and tells pollers of the socket that there is more room. */
static int pump_and_tell(szi_socket *socket, int messages, int64_t time)
{
    szi_swap_socket *o = socket->swap;
    uint64_t before = szi_swap_count(o->queue);
    if (before == 0)
        return 0;
    int code = szi_swap_socket_pump(socket, messages, time);
    if (szi_swap_socket_empty(o)) {
        o->idle = sz_now();
        szi_poller_swaps(socket, false);
    }
    if (szi_swap_count(o->queue) != before)
        szi_poller_touch(socket->watches);
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
    szi_poller_touch(socket->watches);
    szi_poller_signal(socket->watches);
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

/* -------------------------------------------------------------- sending -- */

static int append(szi_swap_socket *o, const sz_part *parts, size_t count)
{
    enum {
        FEW = 16
    };
    szi_bytes few[FEW], *bytes = few;
    if (count > FEW) {
        bytes = count <= SIZE_MAX / sizeof *bytes
                    ? szi_resize(NULL, count * sizeof *bytes)
                    : NULL;
        if (bytes == NULL)
            return SZ_ENOMEM;
    }
    int code = 0;
    for (size_t i = 0; i < count && code == 0; i++) {
        bytes[i] = (szi_bytes){parts[i].data, parts[i].size};
        if (parts[i].message.id != 0)
            code = sz_message_data(parts[i].message, &bytes[i].data,
                                   &bytes[i].size);
    }
    if (code == 0)
        code = szi_swap_append(o->queue, bytes, count);
    if (bytes != few)
        szi_free(bytes);
    return code;
}

/* What is to be said of a message that the swap did not take. */
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
        szi_poller_swaps(socket, true);
    return 0;
}

/* Who appends many does not ask libzmq each time whether it takes one. */
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
                   : szi_send_parts(socket, parts, count);
    szi_poller_touch(socket->watches);
    return code == SZ_EAGAIN ? hold(socket, parts, count) : code;
}

int szi_swap_socket_send(szi_socket *socket, const sz_part *parts,
                         size_t count)
{
    const void *data;
    size_t size, all = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].message.id == 0)
            all += parts[i].size;
        else if (sz_message_data(parts[i].message, &data, &size) == 0)
            all += size;
    }
    return szi_count_sent(socket, admit(socket, parts, count), all);
}

void szi_swap_socket_report_again(szi_socket *socket)
{
    socket->swap->unreported = true;
}

int szi_swap_socket_send_made(szi_socket *socket, zmq_msg_t *made,
                              size_t count)
{
    sz_part *parts = szi_new(count * sizeof *parts);
    if (parts == NULL)
        return SZ_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        parts[i].data = zmq_msg_data(&made[i]);
        parts[i].size = zmq_msg_size(&made[i]);
    }
    int code = szi_swap_socket_send(socket, parts, count);
    szi_free(parts);
    return code;
}

/* --------------------------------------------------------------- events -- */

/* A message of this size finds room when SZ_OUT is told. */
static uint64_t promised(const szi_swap_socket *o)
{
    uint64_t most = 64 * 1024;
    return o->size / 8 < most ? o->size / 8 : most;
}

int szi_socket_state(szi_socket *socket)
{
    szi_swap_socket *o = socket->swap;
    if (o != NULL)
        pump_and_tell(socket, OFTEN, SZI_SLICE);
    int events = szi_socket_events(socket);
    if (o == NULL || events < 0)
        return events;
    if (socket->type->number == ZMQ_REQ)
        return szi_swap_socket_empty(o) ? events : events & ~SZ_OUT;
    bool room = !o->disk_full &&
                szi_swap_room(o->queue) >= promised(o) + SZI_SWAP_OVERHEAD;
    if (!szi_publishes(socket) && !szi_swap_socket_empty(o))
        events &= ~SZ_OUT;
    return room ? events | SZ_OUT : events;
}

int szi_socket_await(szi_socket *socket, int events, int timeout)
{
    enum {
        LOOK = 10
    };
    int64_t end = timeout >= 0 ? sz_now() + timeout : INT64_MAX;
    for (;;) {
        int state = szi_socket_state(socket);
        if (state < 0 || (state & events) != 0)
            return state < 0 ? state : state & events;
        int64_t left = end - sz_now();
        if (left <= 0)
            return SZ_EAGAIN;
        int code = sz_wait(socket->fd, left < LOOK ? (int)left : LOOK);
        if (code != 0 && code != SZ_EAGAIN)
            return code;
    }
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
