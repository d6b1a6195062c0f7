/* Peers of a STREAM that have gone, and those that are full. */

#include "support.h"

typedef struct {
    sz_socket server, client;
    char name[255]; /* of the client, for the server */
    size_t size;
} connection;

/* Reads the name of the next message's peer. */
static void read_name(connection *c)
{
    const void *name;
    assert_code(receive_soon(c->server), 2);
    assert_code(sz_received(c->server, 0, &name, &c->size), 0);
    memcpy(c->name, name, c->size);
}

static sz_socket make_server(int mark)
{
    sz_socket server = make_socket("stream");
    set(server, "sndhwm", mark);
    assert_code(bind_to(server, anywhere), 0);
    return server;
}

static connection make_connection(int mark)
{
    connection c = {make_server(mark), make_socket("stream"), "", 0};
    assert_code(connect_to(c.client, real_endpoint(c.server)), 0);
    assert_code(receive_soon(c.client), 2);
    read_name(&c);
    return c;
}

static int send_to(const connection *c, const char *text)
{
    sz_part parts[] = {{c->name, c->size, {0}}, text_part(text)};
    return sz_send(c->server, parts, 2);
}

/* From the client, whose name of the server is that of its last message. */
static void send_back(const connection *c, const char *text)
{
    const void *name;
    size_t size;
    assert_code(sz_received(c->client, 0, &name, &size), 0);
    sz_part parts[] = {{name, size, {0}}, text_part(text)};
    assert_code(send_soon(c->client, parts, 2), 0);
}

/* The client leaves, when the server has input of it that is not read. */
static void leave(connection *c)
{
    send_back(c, "unread");
    assert_code(sz_socket_wait(c->server, SZ_IN, DEADLINE), SZ_IN);
    assert_code(sz_socket_close(c->client), 0);
}

/* The first result of sending that is not 0. */
static int send_until_refused(const connection *c)
{
    int64_t end = now() + DEADLINE;
    int code = send_to(c, "x");
    while (code == 0 && now() < end) {
        pause_briefly();
        code = send_to(c, "x");
    }
    return code;
}

TEST(a_peer_that_has_gone_is_unreachable_while_its_input_is_unread)
{
    for (int mark = 0; mark <= 1000; mark += 1000) {
        connection c = make_connection(mark);
        leave(&c);
        assert_code(send_until_refused(&c), SZ_EHOSTUNREACH);
        assert_code(send_to(&c, "x"), SZ_EHOSTUNREACH);
        assert_code(receive_soon(c.server), 2);
        assert_received(c.server, 1, "unread");
        assert_code(send_to(&c, "x"), SZ_EHOSTUNREACH);
    }
}

/* More messages than the mark have passed, so it may be full. */
static connection make_busy(int mark)
{
    connection c = make_connection(mark);
    for (int i = 0; i < 3 * mark; i++) {
        sz_part parts[] = {{c.name, c.size, {0}}, text_part("x")};
        assert_code(send_soon(c.server, parts, 2), 0);
    }
    size_t size = 0, all = 0;
    const void *data;
    while (all < 3 * (size_t)mark) {
        assert_code(receive_soon(c.client), 2);
        assert_code(sz_received(c.client, 1, &data, &size), 0);
        all += size;
    }
    return c;
}

TEST(a_busy_peer_that_has_gone_is_unreachable)
{
    connection c = make_busy(5);
    leave(&c);
    assert_code(send_until_refused(&c), SZ_EHOSTUNREACH);
}

TEST(a_busy_peer_of_a_socket_that_also_connects_is_unreachable)
{
    connection c = make_connection(5);
    sz_socket other = make_server(5);
    assert_code(connect_to(c.server, real_endpoint(other)), 0);
    for (int i = 0; i < 15; i++) {
        sz_part parts[] = {{c.name, c.size, {0}}, text_part("x")};
        assert_code(send_soon(c.server, parts, 2), 0);
    }
    assert_code(receive_soon(c.client), 2);
    leave(&c);
    assert_code(send_until_refused(&c), SZ_EHOSTUNREACH);
}

TEST(every_way_of_sending_tells_it)
{
    connection c = make_connection(1000);
    sz_socket in, out;
    sz_moved moved;
    sz_message name;
    make_pair("pull", &out, "push", &in);
    leave(&c);
    assert_code(send_until_refused(&c), SZ_EHOSTUNREACH);
    assert_code(sz_message_new(c.name, c.size, &name), 0);
    sz_part parts[] = {{.message = name}, text_part("x")};
    assert_code(sz_send(c.server, parts, 2), SZ_EHOSTUNREACH);
    assert_code(sz_send(in, parts, 2), 0);
    assert_code(sz_socket_wait(out, SZ_IN, DEADLINE), SZ_IN);
    assert_code(sz_proxy_move(out, c.server, (sz_socket){0}, &moved), 0);
    assert_int_equal(moved.dropped, 1);
    sz_message_free(name);
}

TEST(a_peer_that_is_full_is_waited_for)
{
    enum {
        LARGE = 1000000
    };
    connection c = {make_server(2), make_socket("stream"), "", 0};
    set(c.client, "rcvhwm", 1);
    assert_code(connect_to(c.client, real_endpoint(c.server)), 0);
    read_name(&c);
    char *large = calloc(1, LARGE);
    sz_part parts[] = {{c.name, c.size, {0}}, {large, LARGE, {0}}};
    int64_t end = now() + DEADLINE;
    int code = 0, sent = 0, refused = 0;
    while (refused < 50 && now() < end) {
        code = sz_send(c.server, parts, 2);
        assert_true(code == 0 || code == SZ_EAGAIN);
        sent += code == 0;
        refused = code == 0 ? 0 : refused + 1;
        pause_briefly();
    }
    assert_code(code, SZ_EAGAIN);
    size_t size, all = 0;
    const void *data;
    while (all < (size_t)sent * LARGE) {
        assert_code(receive_soon(c.client), 2);
        assert_code(sz_received(c.client, 1, &data, &size), 0);
        all += size;
    }
    assert_code(send_soon(c.server, parts, 2), 0);
    free(large);
}

/* Their descriptors have the same numbers. */
TEST(peers_that_came_and_went_are_unreachable)
{
    enum {
        SOME = 200
    };
    connection c = {make_server(3), {0}, "", 0};
    for (int i = 0; i < SOME; i++) {
        c.client = make_socket("stream");
        assert_code(connect_to(c.client, real_endpoint(c.server)), 0);
        assert_code(receive_soon(c.client), 2);
        send_back(&c, "unread");
        assert_code(sz_socket_close(c.client), 0);
    }
    int empty = 0;
    while (empty < SOME) {
        const void *data;
        size_t size;
        read_name(&c);
        assert_code(sz_received(c.server, 1, &data, &size), 0);
        if (size > 0 || c.size != 5)
            continue;
        empty++;
        assert_code(send_until_refused(&c), SZ_EHOSTUNREACH);
    }
}

TEST(a_peer_that_is_connected_to_is_waited_for)
{
    connection c = make_connection(1000);
    const void *name;
    sz_socket client = make_socket("stream");
    set(client, "sndhwm", 5);
    set(client, "reconnect-ivl", 60000);
    assert_code(connect_to(client, real_endpoint(c.server)), 0);
    assert_code(receive_soon(client), 2);
    assert_code(sz_received(client, 0, &name, &c.size), 0);
    memcpy(c.name, name, c.size);
    for (int i = 0; i < 20; i++) {
        sz_part parts[] = {{c.name, c.size, {0}}, text_part("x")};
        assert_code(send_soon(client, parts, 2), 0);
    }
    assert_code(sz_socket_close(c.server), 0);
    c.server = client;
    assert_code(send_until_refused(&c), SZ_EAGAIN);
    for (int i = 0; i < 20; i++) {
        /* The queue of the connection that follows may have room. */
        if (send_to(&c, "x") != 0)
            assert_code(send_to(&c, "x"), SZ_EAGAIN);
        pause_briefly();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_peer_that_has_gone_is_unreachable_while_its_input_is_unread),
        cmocka_unit_test(a_busy_peer_that_has_gone_is_unreachable),
        cmocka_unit_test(
            a_busy_peer_of_a_socket_that_also_connects_is_unreachable),
        cmocka_unit_test(every_way_of_sending_tells_it),
        cmocka_unit_test(a_peer_that_is_full_is_waited_for),
        cmocka_unit_test(peers_that_came_and_went_are_unreachable),
        cmocka_unit_test(a_peer_that_is_connected_to_is_waited_for),
    };
    return run_all("stream peer", tests);
}
