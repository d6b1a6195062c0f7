/* Proxies: messages are moved from one socket to another in slices, as libzmq
 * holds them, so that no byte is copied. */

#include "clock.h"
#include "memory.h"
#include "message.h"
#include "transfer.h"
#include "use.h"

#include <string.h>

enum {
    MOST = 256, /* messages of a slice */
    GLANCE = 8, /* messages between two looks at the clock */
    FEW = 16
};

static int has_room(szi_socket *socket)
{
    int events = szi_socket_state(socket);
    szi_socket_settled(socket, events);
    return events < 0 ? events : (events & SZ_OUT) != 0;
}

static uint64_t held_bytes(szi_socket *from)
{
    uint64_t size = 0;
    for (size_t i = 0; i < from->held; i++)
        size += zmq_msg_size(szi_part_at(from, i));
    return size;
}

static void put_back(szi_socket *from)
{
    from->back = true;
    szi_socket_touched(from);
}

/* Sends what `from` holds.  Unless this is the `last` use, it stays there. */
static int send_held(szi_socket *from, szi_socket *to, bool last)
{
    zmq_msg_t few[FEW];
    size_t count = from->held;
    if (last && count == 1)
        return szi_send_made(to, &from->first, 1);
    zmq_msg_t *made = szi_array(few, FEW, count, sizeof *made);
    if (made == NULL)
        return SZ_ENOMEM;
    szi_parts_copy(made, &from->first, 1);
    szi_parts_copy(made + 1, from->rest, count - 1);
    int code = szi_send_made(to, made, count);
    szi_parts_close(made, count);
    szi_array_free(made, few);
    return code;
}

/* Whether the message can be sent later: the peer is full, it is not the turn
 * of a REQ or REP, or the message is too large for the swap and waits for
 * libzmq itself. */
static bool is_early(int code)
{
    return code == SZ_EAGAIN || code == SZ_EFSM || code == SZ_ESWAPSIZE;
}

/* Whether the message can never be sent on. */
static bool is_hopeless(int code)
{
    return code == SZ_EHOSTUNREACH || code == SZ_ESUBSCRIPTION ||
           code == SZ_EPARTSIZE || code == SZ_EZEROPART;
}

/* Sends on what `from` holds: 1, 0 if there is no room for it, or an error. */
static int pass(szi_socket *from, szi_socket *to, szi_socket *capture,
                sz_moved *moved)
{
    uint64_t size = held_bytes(from);
    int code = send_held(from, to, capture == NULL);
    if (is_early(code)) {
        int room = has_room(to);
        moved->wait = room == 1 ? SZ_WAIT_TIME : SZ_WAIT_ROOM;
        return room < 0 ? room : 0;
    }
    if (is_hopeless(code)) {
        from->counts.drops++;
        moved->dropped++;
    } else if (code < 0) {
        return code;
    } else {
        moved->messages++;
        moved->bytes += size;
        if (capture != NULL && send_held(from, capture, true) != 0)
            moved->uncaptured++;
    }
    szi_parts_drop(from);
    return 1;
}

static int move_slice(szi_socket *from, szi_socket *to, szi_socket *capture,
                      sz_moved *moved)
{
    int64_t end = szi_microseconds() + SZI_SLICE;
    for (int i = 1; i <= MOST; i++) {
        int room = i > 1 && capture != NULL ? has_room(capture) : 1;
        if (room <= 0) {
            moved->wait = SZ_WAIT_CAPTURE;
            return room;
        }
        int code = szi_receive(from);
        if (is_early(code)) {
            moved->wait = SZ_WAIT_INPUT;
            return 0;
        }
        if (code > 0) {
            code = pass(from, to, capture, moved);
            if (code <= 0)
                put_back(from);
        }
        if (code <= 0)
            return code;
        if (i % GLANCE == 0 && szi_microseconds() > end)
            return 0;
    }
    return 0;
}

int sz_proxy_move(sz_socket from_handle, sz_socket to_handle,
                  sz_socket capture_handle, sz_moved *moved)
{
    memset(moved, 0, sizeof *moved);
    szi_socket *from = szi_socket_get(from_handle);
    szi_socket *to = szi_socket_get(to_handle);
    szi_socket *capture = NULL;
    if (from == NULL)
        return szi_socket_refuse(from_handle);
    if (to == NULL)
        return szi_socket_refuse(to_handle);
    if (capture_handle.id != 0) {
        capture = szi_socket_get(capture_handle);
        if (capture == NULL)
            return szi_socket_refuse(capture_handle);
    }
    if (!from->type->receives || !to->type->sends ||
        (capture != NULL && !capture->type->sends))
        return SZ_ENOTSUP;
    /* A REP has room for the answer once it has received. */
    bool echo = from == to && from->type->number == ZMQ_REP;
    int room = echo ? 1 : has_room(to);
    if (room <= 0) {
        moved->wait = SZ_WAIT_ROOM;
        return room;
    }
    room = capture != NULL ? has_room(capture) : 1;
    if (room <= 0) {
        moved->wait = SZ_WAIT_CAPTURE;
        return room;
    }
    return move_slice(from, to, capture, moved);
}
