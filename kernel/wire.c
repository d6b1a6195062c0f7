/* Sending and receiving whole messages by libzmq.
 *
 * libzmq decides about a message at its first part.  If it takes the first
 * part it takes the others, and if the first part was received the others can
 * be.  Both hold only with respect to EAGAIN, so only the first part is tried
 * again after EAGAIN. */

#include "wire.h"
#include "error.h"
#include "memory.h"
#include "message.h"
#include "statistics.h"

#include <errno.h>
#include <string.h>

/* One call of libzmq: receives or sends a part, or sends bytes. */
typedef struct {
    int direction;
    zmq_msg_t *part; /* NULL for bytes */
    const void *data;
    size_t size;
    int flags;
} call;

static int receive_part(szi_socket *socket, zmq_msg_t *part)
{
    int done;
    SZI_UNINTERRUPTED(done, zmq_msg_recv(part, socket->zmq, ZMQ_DONTWAIT));
    return done >= 0 ? 0 : szi_last_error();
}

static int send_part(szi_socket *socket, zmq_msg_t *part, int flags)
{
    int done;
    SZI_UNINTERRUPTED(done, zmq_msg_send(part, socket->zmq, flags));
    return done >= 0 ? 0 : szi_last_error();
}

static int perform(szi_socket *socket, const call *c)
{
    if (c->direction == SZ_IN)
        return receive_part(socket, c->part);
    if (c->part != NULL)
        return send_part(socket, c->part, c->flags);
    int done;
    SZI_UNINTERRUPTED(done, zmq_send(socket->zmq, c->data, c->size, c->flags));
    return done >= 0 ? 0 : szi_last_error();
}

/* Whether a call that returned EAGAIN is worth another try.  libzmq may refuse
 * a send by a state that is up to a millisecond old; reading ZMQ_EVENTS
 * updates it.  The number of tries is bounded, as EAGAIN and an event that
 * contradicts it can go on together.  A receive that does not wait always
 * updates the state (socket_base.cpp, recv), so its events are read only for
 * pollers. */
static bool again(szi_socket *socket, int *code, int direction,
                  szi_attempt *attempt)
{
    attempt->settled = false;
    if (attempt->tries++ > 3 ||
        (direction == SZ_IN && socket->watches.first == NULL))
        return false;
    attempt->events = szi_socket_events(socket);
    if (attempt->events < 0)
        *code = attempt->events;
    attempt->settled =
        attempt->events < 0 || (attempt->events & direction) == 0;
    return !attempt->settled;
}

/* Repeats a call, whose first result was `code`, while that is worth it.  The
 * first may have been made elsewhere, and interrupted. */
static int retry(szi_socket *socket, const call *c, int code,
                 szi_attempt *attempt)
{
    if (code == SZ_EINTR)
        code = perform(socket, c);
    while (code == SZ_EAGAIN && again(socket, &code, c->direction, attempt))
        code = perform(socket, c);
    return code;
}

int szi_retry_bytes(szi_socket *socket, const void *data, size_t size,
                    int code, szi_attempt *attempt)
{
    call c = {SZ_OUT, NULL, data, size, ZMQ_DONTWAIT};
    return retry(socket, &c, code, attempt);
}

int szi_send_bytes(szi_socket *socket, const void *data, size_t size)
{
    szi_attempt attempt = {0};
    call c = {SZ_OUT, NULL, data, size, ZMQ_DONTWAIT};
    if (size > SZI_PART_MOST)
        return SZ_ENOMEM;
    return retry(socket, &c, perform(socket, &c), &attempt);
}

static int flags_of(bool more)
{
    return more ? ZMQ_DONTWAIT | ZMQ_SNDMORE : ZMQ_DONTWAIT;
}

static int send_first(szi_socket *socket, zmq_msg_t *part, bool more,
                      szi_attempt *attempt)
{
    call c = {SZ_OUT, part, NULL, 0, flags_of(more)};
    int code = send_part(socket, part, c.flags);
    return code == 0 ? 0 : retry(socket, &c, code, attempt);
}

/* The parts behind the first.  EAGAIN here means that the peer went away in
 * the middle of the message.  libzmq then forgets the parts that it took and
 * discards those up to the end of the message.  So it must be given them all,
 * or it would discard parts of the next message. */
static int send_rest(szi_socket *socket, zmq_msg_t *made, size_t count,
                     size_t *sent)
{
    int outcome = 0;
    while (*sent < count) {
        bool more = *sent + 1 < count;
        int code = send_part(socket, &made[*sent], flags_of(more));
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

/* What a part begins with that an XSUB does not take for data. */
static bool begins_with(zmq_msg_t *part, char byte)
{
    return zmq_msg_size(part) > 0 && *(char *)zmq_msg_data(part) == byte;
}

/* An XSUB takes a part that begins with a zero byte for the end of a
 * subscription, and drops it if there was none.  It sends the others, so that
 * the message has no beginning or no end. */
static bool would_tear(szi_socket *socket, zmq_msg_t *made, size_t count)
{
    if (socket->type->number != ZMQ_XSUB || count < 2)
        return false;
    if (begins_with(&made[0], 0))
        return true;
    if (socket->only_first && !begins_with(&made[0], 1))
        return false;
    for (size_t i = 1; i < count; i++)
        if (begins_with(&made[i], 0))
            return true;
    return false;
}

int szi_send_attempt(szi_socket *socket, zmq_msg_t *made, size_t count,
                     szi_attempt *attempt)
{
    size_t sent = 1;
    if (would_tear(socket, made, count))
        return SZ_EZEROPART;
    int code = send_first(socket, &made[0], count > 1, attempt);
    if (code != 0)
        return code;
    attempt->settled = false;
    return send_rest(socket, made, count, &sent);
}

int szi_send_now(szi_socket *socket, zmq_msg_t *made, size_t count)
{
    szi_attempt attempt = {0};
    return szi_send_attempt(socket, made, count, &attempt);
}

static int make_bytes(zmq_msg_t *part, const void *data, size_t size)
{
    if (data == NULL && size > 0)
        return SZ_EVALUE;
    int code = szi_part_new(part, size);
    if (code == 0 && size > 0)
        memcpy(zmq_msg_data(part), data, size);
    return code;
}

static int make_part(zmq_msg_t *made, const sz_part *part)
{
    if (part->message.id == 0)
        return make_bytes(made, part->data, part->size);
    zmq_msg_t *shared = szi_message_share(part->message);
    if (shared == NULL)
        return szi_handle_refuse(part->message.id, SZI_MESSAGE);
    zmq_msg_init(made);
    return zmq_msg_copy(made, shared) == 0 ? 0 : szi_last_error();
}

/* All parts are made before the first is sent, so that a lack of memory cannot
 * tear the message. */
static int make_and_send(szi_socket *socket, zmq_msg_t *made,
                         const sz_part *parts, size_t count, szi_sending *send)
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
    if (code != 0)
        szi_parts_close(made, ready);
    return code;
}

int szi_send_parts(szi_socket *socket, const sz_part *parts, size_t count,
                   szi_sending *send)
{
    enum {
        FEW = 16
    };
    zmq_msg_t few[FEW];
    zmq_msg_t *made = szi_array(few, FEW, count, sizeof *made);
    if (made == NULL)
        return SZ_ENOMEM;
    int code = make_and_send(socket, made, parts, count, send);
    szi_array_free(made, few);
    return code;
}

int szi_retry_receive(szi_socket *socket, int code, szi_attempt *attempt)
{
    call c = {SZ_IN, &socket->first, NULL, 0, ZMQ_DONTWAIT};
    return retry(socket, &c, code, attempt);
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

/* libzmq gives an XPUB a message of its own with the flags of the sender's, so
 * it may be marked as shared, with a count of no references.  The copy, which
 * is never closed, counts as the one that it is. */
void szi_part_mend(const szi_socket *socket, zmq_msg_t *part)
{
    if (!socket->upstream || zmq_msg_get(part, ZMQ_SHARED) != 1)
        return;
    zmq_msg_t counted;
    zmq_msg_init(&counted);
    zmq_msg_copy(&counted, part);
}

int szi_receive_rest(szi_socket *socket)
{
    socket->torn = true;
    while (zmq_msg_more(szi_part_at(socket, socket->held - 1))) {
        /* libzmq aborts if it is asked for a part that was replaced. */
        if (socket->conflates)
            return SZ_ECONFLATE;
        int code = make_room(socket);
        if (code != 0)
            return code;
        zmq_msg_t *part = szi_part_at(socket, socket->held);
        zmq_msg_init(part);
        code = receive_part(socket, part);
        if (code != 0) {
            call c = {SZ_IN, part, NULL, 0, ZMQ_DONTWAIT};
            szi_attempt attempt = {0};
            code = retry(socket, &c, code, &attempt);
        }
        if (code != 0)
            return code;
        szi_part_mend(socket, part);
        socket->held++;
    }
    socket->torn = false;
    return (int)socket->held;
}

static bool is_ready(szi_socket *socket)
{
    int events = szi_zmq_events(socket->zmq);
    return events > 0 && (events & ZMQ_POLLIN) != 0;
}

int szi_receive_ahead(szi_socket *socket)
{
    if (!socket->type->receives)
        return 0;
    if (socket->held > 0 && !socket->torn)
        return is_ready(socket) ? SZ_EHELD : 0;
    if (!socket->torn) {
        if (receive_part(socket, &socket->first) != 0)
            return 0;
        socket->held = 1;
        szi_part_mend(socket, &socket->first);
    }
    int code = szi_receive_rest(socket);
    if (code > 0) {
        socket->back = true;
        szi_count_received(socket);
    }
    return code > 0 || code == SZ_ECONFLATE ? 0 : code;
}
