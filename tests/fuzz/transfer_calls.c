#include "calls.h"

#include <string.h>

static sz_message *empty_message(world *w)
{
    sz_message *place = &w->messages[pick(w, MESSAGES)];
    if (place->id != 0) {
        note_stale(w, place->id);
        sz_message_free(*place);
        place->id = 0;
    }
    return place;
}

static int message_new(world *w)
{
    sz_part part = pick_part(w);
    sz_message *place = empty_message(w);
    int code = sz_message_new(part.data, part.size, place);
    TELL("  %llu, %zu bytes\n", number(place->id), part.size);
    return code;
}

static int message_copy(world *w)
{
    sz_message *place = empty_message(w);
    int code = sz_message_copy(pick_message(w), place);
    if (code != 0)
        place->id = 0;
    return code;
}

static int message_data(world *w)
{
    const void *data;
    const char *value;
    size_t size;
    sz_message message = pick_message(w);
    sz_message_property(message, once_in(w, 2) ? "Peer-Address" : "", &value);
    sz_message_held();
    int code = sz_message_data(message, &data, &size);
    volatile char last = 0;
    if (code == 0 && size > 0)
        last = ((const char *)data)[size - 1];
    (void)last;
    return code;
}

static int message_fill(world *w)
{
    void *data;
    size_t size;
    int code = sz_message_fill(pick_message(w), &data, &size);
    if (code == 0 && size > 1)
        ((char *)data)[size - 1] = 'z';
    return code;
}

static int message_free(world *w)
{
    empty_message(w);
    return 0;
}

static size_t pick_parts(world *w, sz_part *parts)
{
    size_t count = once_in(w, 40) ? 0 : 1 + pick(w, once_in(w, 2) ? 2 : 5);
    for (size_t i = 0; i < count; i++) {
        parts[i] = pick_part(w);
        /* libzmq may abort if a connection fails while it closes with linger 0
         * and has sent only the first, large part of a message. */
        if (count > 1 && parts[i].size > 255)
            parts[i].size = 255;
        if (once_in(w, 4))
            parts[i].message = pick_message(w);
        TELL("  part: message %llu, %zu bytes\n", number(parts[i].message.id),
             parts[i].size);
    }
    return count;
}

static int send_(world *w)
{
    sz_part parts[6];
    size_t count = pick_parts(w, parts);
    sz_socket socket = pick_socket(w);
    TELL("  %llu %zu parts\n", number(socket.id), count);
    return sz_send(socket, parts, count);
}

static int send_bytes(world *w)
{
    sz_part part = pick_part(w);
    sz_socket socket = pick_socket(w);
    TELL("  %llu\n", number(socket.id));
    return sz_send_bytes(socket, part.data, part.size);
}

/* Answers the peer whose message the socket holds, if it is a router. */
static int send_back(world *w)
{
    sz_socket socket = pick_socket(w);
    const void *name;
    size_t size;
    int code = sz_received(socket, 0, &name, &size);
    if (code != 0)
        return code;
    sz_part parts[] = {{name, size, {0}}, {"x", pick(w, 2), {0}}};
    TELL("  %llu\n", number(socket.id));
    return sz_send(socket, parts, 2);
}

static bool on_message(void *argument, const void *data, size_t size)
{
    (void)data;
    (void)size;
    return --*(int *)argument > 0;
}

static int receive(world *w)
{
    sz_socket socket = pick_socket(w);
    sz_part part;
    int times = 4;
    TELL("  %llu\n", number(socket.id));
    switch (pick(w, 5)) {
    case 0:
        return sz_receive(socket);
    case 1:
        return sz_receive_wait(socket, (int)pick(w, 3));
    case 2:
        return sz_receive_part(socket, pick(w, 100), &part);
    case 3:
        return sz_receive_each(socket, 100, on_message, &times);
    default:
        return sz_receive_held(socket);
    }
}

static int take(world *w)
{
    sz_socket socket = pick_socket(w);
    sz_message *place = empty_message(w);
    int code = sz_take(socket, pick(w, 3), place);
    if (code != 0)
        place->id = 0;
    return code;
}

static int take_all(world *w)
{
    sz_message taken[8];
    size_t count = 1 + pick(w, 3);
    int code = sz_take_all(pick_socket(w), taken, count);
    for (size_t i = 0; code == 0 && i < count; i++)
        *empty_message(w) = taken[i];
    return code;
}

static int release(world *w)
{
    if (once_in(w, 2))
        sz_put_back(pick_socket(w));
    else
        sz_release(pick_socket(w));
    return 0;
}

static int proxy_move(world *w)
{
    sz_moved moved;
    sz_socket from = pick_socket(w), to = pick_socket(w), capture = {0};
    if (once_in(w, 4))
        capture = pick_socket(w);
    TELL("  %llu %llu %llu\n", number(from.id), number(to.id),
         number(capture.id));
    return sz_proxy_move(from, to, capture, &moved);
}

static int parts_encode(world *w)
{
    sz_part parts[6];
    size_t count = pick_parts(w, parts);
    sz_message *place = empty_message(w);
    int code = sz_parts_encode(parts, count, place);
    if (code != 0) {
        place->id = 0;
        return code;
    }
    const void *data, *part;
    size_t size, part_size, offset = 0;
    sz_message_data(*place, &data, &size);
    while ((code = sz_parts_decode(data, size, &offset, &part, &part_size)) ==
           1)
        continue;
    /* It would be a long subscription. */
    if (size > 200 && *(const unsigned char *)data <= 1) {
        sz_message_free(*place);
        place->id = 0;
    }
    return code;
}

const call transfer_calls[] = {
    CALL(message_new, 2),  CALL(message_copy, 2), CALL(message_data, 2),
    CALL(message_fill, 2), CALL(message_free, 2), CALL(send_, 12),
    CALL(send_bytes, 8),   CALL(send_back, 5),    CALL(receive, 22),
    CALL(take, 3),         CALL(take_all, 2),     CALL(release, 2),
    CALL(proxy_move, 5),   CALL(parts_encode, 2), {0}};
