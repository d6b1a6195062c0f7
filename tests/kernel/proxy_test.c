/* Moving messages between sockets in slices. */

#include "support.h"

static const sz_socket none;

/* A pair on each side of what moves: in -> from ... to -> out. */
typedef struct {
    sz_socket in, from, to, out;
} line;

static line make_line(const char *in, const char *from, const char *to,
                      const char *out)
{
    line made;
    make_pair(from, &made.from, in, &made.in);
    make_pair(to, &made.to, out, &made.out);
    return made;
}

static line make_streamer(void)
{
    return make_line("push", "pull", "push", "pull");
}

static sz_moved move_some(sz_socket from, sz_socket to, sz_socket capture)
{
    sz_moved moved;
    assert_code(sz_proxy_move(from, to, capture, &moved), 0);
    return moved;
}

TEST(messages_are_moved_in_order)
{
    line l = make_streamer();
    char text[20];
    uint64_t bytes = 0, messages = 0;
    for (int i = 0; i < 300; i++) {
        bytes += (uint64_t)snprintf(text, sizeof text, "message %d", i);
        assert_code(send_text(l.in, text), 0);
    }
    sz_moved moved = {0};
    while (messages < 300) {
        moved = move_some(l.from, l.to, none);
        assert_true(moved.messages > 0 || moved.wait != 0);
        assert_true(moved.messages <= 256);
        messages += moved.messages;
        bytes -= moved.bytes;
    }
    assert_int_equal(bytes, 0);
    moved = move_some(l.from, l.to, none);
    assert_int_equal(moved.messages, 0);
    assert_int_equal(moved.wait, SZ_WAIT_INPUT);
    for (int i = 0; i < 300; i++) {
        snprintf(text, sizeof text, "message %d", i);
        assert_next(l.out, text);
    }
}

TEST(parts_stay_together)
{
    enum {
        MANY = 40
    };
    line l = make_streamer();
    sz_part parts[MANY];
    for (size_t i = 0; i < MANY; i++)
        parts[i] = text_part(i % 2 ? "odd" : "");
    assert_code(send_soon(l.in, parts, MANY), 0);
    assert_code(send_soon(l.in, parts, 2), 0);
    sz_moved moved = move_some(l.from, l.to, none);
    assert_int_equal(moved.messages, 2);
    assert_int_equal(moved.bytes, 3 * (MANY / 2 + 1));
    assert_code(receive_soon(l.out), MANY);
    assert_received(l.out, 0, "");
    assert_received(l.out, MANY - 1, "odd");
    assert_code(receive_soon(l.out), 2);
    assert_received(l.out, 1, "odd");
}

TEST(bytes_are_not_touched)
{
    line l = make_streamer();
    sz_message message = {0}, passed = {0};
    const void *here, *there;
    size_t size;
    assert_code(sz_message_new(NULL, 1000000, &message), 0);
    sz_part part = {.message = message};
    assert_code(send_soon(l.in, &part, 1), 0);
    assert_int_equal(move_some(l.from, l.to, none).bytes, 1000000);
    assert_code(receive_soon(l.out), 1);
    assert_code(sz_take(l.out, 0, &passed), 0);
    assert_code(sz_message_data(message, &here, &size), 0);
    assert_code(sz_message_data(passed, &there, &size), 0);
    assert_ptr_equal(here, there);
    sz_message_free(message);
    sz_message_free(passed);
}

/* Sets the marks before anything is connected. */
static line make_narrow_line(void)
{
    line l;
    l.in = make_socket("push");
    l.from = make_socket("pull");
    l.to = make_socket("push");
    l.out = make_socket("pull");
    set(l.to, "sndhwm", 1);
    set(l.out, "rcvhwm", 1);
    assert_code(bind_to(l.from, "inproc://narrow-in"), 0);
    assert_code(connect_to(l.in, "inproc://narrow-in"), 0);
    assert_code(bind_to(l.to, "inproc://narrow-out"), 0);
    assert_code(connect_to(l.out, "inproc://narrow-out"), 0);
    return l;
}

TEST(what_cannot_be_passed_on_stays)
{
    line l = make_narrow_line();
    char text[20];
    for (int i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "%d", i);
        assert_code(send_text(l.in, text), 0);
    }
    uint64_t messages = 0;
    sz_moved moved;
    do {
        moved = move_some(l.from, l.to, none);
        messages += moved.messages;
    } while (moved.wait == 0 || moved.messages > 0);
    assert_int_equal(moved.wait, SZ_WAIT_ROOM);
    assert_true(messages > 0 && messages < 20);
    /* It is there for whoever receives next, and polls say so. */
    assert_true(sz_socket_events(l.from) & SZ_IN);
    assert_int_equal(get(l.from, "events"), SZ_IN);
    assert_code(sz_socket_wait(l.from, SZ_IN, 0), SZ_IN);
    snprintf(text, sizeof text, "%d", (int)messages);
    assert_next(l.from, text);
    sz_release(l.from);
    for (uint64_t i = 0; i < messages; i++) {
        snprintf(text, sizeof text, "%d", (int)i);
        assert_next(l.out, text);
    }
    /* The others follow. */
    uint64_t next = messages + 1;
    while (next < 20) {
        move_some(l.from, l.to, none);
        while (sz_receive(l.out) == 1) {
            snprintf(text, sizeof text, "%d", (int)next++);
            assert_received(l.out, 0, text);
        }
    }
}

TEST(a_message_put_back_is_received_by_every_call)
{
    for (int how = 0; how < 3; how++) {
        line l = make_narrow_line();
        for (int i = 0; i < 10; i++)
            assert_code(send_text(l.in, "same"), 0);
        uint64_t messages = 0;
        sz_moved moved;
        do {
            moved = move_some(l.from, l.to, none);
            messages += moved.messages;
        } while (moved.wait == 0 || moved.messages > 0);
        uint64_t left = 0;
        int code = 1;
        while (code == 1) {
            sz_part part;
            if (how == 0)
                code = sz_receive(l.from);
            else if (how == 1)
                code = sz_receive_held(l.from);
            else
                code = sz_receive_part(l.from, 100, &part);
            left += code == 1;
            sz_release(l.from);
        }
        assert_int_equal(messages + left, 10);
        assert_int_equal(sz_socket_events(l.from) & SZ_IN, 0);
        renew_context();
    }
}

TEST(a_message_put_back_is_seen_by_pollers)
{
    line l = make_narrow_line();
    sz_poller poller = {0};
    sz_ready ready;
    assert_code(sz_poller_new(&poller), 0);
    assert_code(sz_poller_add_socket(poller, l.from, SZ_IN, 7), 0);
    uint64_t messages = 0;
    for (int i = 0; i < 10; i++)
        assert_code(send_text(l.in, "x"), 0);
    for (int round = 0; round < 100; round++) {
        messages += move_some(l.from, l.to, none).messages;
        sz_poller_check(poller, &ready, 1);
    }
    /* All that is left is the one that was put back. */
    for (uint64_t i = messages + 1; i < 10; i++) {
        assert_next(l.from, "x");
        sz_release(l.from);
    }
    messages += move_some(l.from, l.to, none).messages;
    assert_code(sz_poller_check(poller, &ready, 1), 1);
    assert_int_equal(ready.tag, 7);
    assert_next(l.from, "x");
    sz_release(l.from);
    assert_code(sz_poller_check(poller, &ready, 1), 0);
    sz_poller_free(poller);
}

TEST(what_is_captured_is_the_same)
{
    line l = make_streamer();
    sz_socket capture, seen;
    make_pair("push", &capture, "pull", &seen);
    sz_part parts[] = {text_part("a"), text_part("b")};
    assert_code(send_text(l.in, "one"), 0);
    assert_code(send_soon(l.in, parts, 2), 0);
    sz_moved moved = move_some(l.from, l.to, capture);
    assert_int_equal(moved.messages, 2);
    assert_int_equal(moved.uncaptured, 0);
    sz_socket both[] = {l.out, seen};
    for (int i = 0; i < 2; i++) {
        assert_next(both[i], "one");
        assert_code(receive_soon(both[i]), 2);
        assert_received(both[i], 0, "a");
        assert_received(both[i], 1, "b");
    }
}

TEST(a_full_capture_holds_messages_back)
{
    line l = make_streamer();
    sz_socket capture = make_socket("push");
    sz_socket seen = make_socket("pull");
    set(capture, "sndhwm", 2);
    set(seen, "rcvhwm", 2);
    assert_code(bind_to(capture, "inproc://capture"), 0);
    assert_code(connect_to(seen, "inproc://capture"), 0);
    for (int i = 0; i < 50; i++)
        assert_code(send_text(l.in, "x"), 0);
    uint64_t messages = 0, captured = 0;
    int64_t end = now() + DEADLINE;
    while (captured < 50 && now() < end) {
        sz_moved moved = move_some(l.from, l.to, capture);
        messages += moved.messages;
        assert_int_equal(moved.uncaptured, 0);
        assert_true(messages - captured <= 5);
        while (sz_receive(seen) == 1)
            captured++;
    }
    assert_int_equal(captured, 50);
    assert_int_equal(messages, 50);
}

TEST(one_socket_can_be_both)
{
    sz_socket router, dealer;
    make_pair("router", &router, "dealer", &dealer);
    assert_code(send_text(dealer, "echo"), 0);
    assert_int_equal(move_some(router, router, none).messages, 1);
    assert_next(dealer, "echo");
}

TEST(requests_and_replies_take_turns)
{
    line l = make_line("req", "rep", "req", "rep");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(move_some(l.from, l.to, none).messages, 0);
        assert_code(send_text(l.in, "question"), 0);
        assert_int_equal(move_some(l.from, l.to, none).messages, 1);
        assert_int_equal(move_some(l.to, l.from, none).messages, 0);
        assert_next(l.out, "question");
        assert_code(send_text(l.out, "answer"), 0);
        assert_int_equal(move_some(l.to, l.from, none).messages, 1);
        assert_next(l.in, "answer");
    }
}

TEST(what_names_nobody_is_dropped_and_counted)
{
    line l = make_line("push", "pull", "router", "dealer");
    set(l.to, "router-mandatory", 1);
    sz_part parts[] = {text_part("nobody"), text_part("x")};
    assert_code(send_soon(l.in, parts, 2), 0);
    sz_moved moved = move_some(l.from, l.to, none);
    assert_int_equal(moved.messages, 0);
    assert_int_equal(moved.dropped, 1);
    sz_statistics counts;
    assert_code(sz_socket_statistics(l.from, &counts), 0);
    assert_int_equal(counts.drops, 1);
    assert_int_equal(move_some(l.from, l.to, none).wait, SZ_WAIT_INPUT);
}

/* A ROUTER says that it has room while any of its peers has. */
TEST(a_full_peer_of_a_router_is_waited_for_by_time)
{
    sz_socket in, from, router = make_socket("router");
    sz_socket dealer = make_socket("dealer");
    sz_socket idle = make_socket("dealer");
    make_pair("pull", &from, "push", &in);
    set(router, "router-mandatory", 1);
    set(router, "sndhwm", 1);
    set(dealer, "rcvhwm", 1);
    assert_code(sz_socket_set_bytes(dealer, option("identity"), "d", 1), 0);
    assert_code(bind_to(router, "inproc://full"), 0);
    assert_code(connect_to(dealer, "inproc://full"), 0);
    assert_code(connect_to(idle, "inproc://full"), 0);
    sz_part parts[] = {text_part("d"), text_part("x")};
    for (int i = 0; i < 20; i++)
        assert_code(send_soon(in, parts, 2), 0);
    uint64_t messages = 0, dropped = 0;
    sz_moved moved;
    do {
        moved = move_some(from, router, none);
        messages += moved.messages;
        dropped += moved.dropped;
    } while (moved.wait == 0);
    assert_int_equal(moved.wait, SZ_WAIT_TIME);
    assert_int_equal(dropped, 0);
    uint64_t received = 0;
    int64_t end = now() + DEADLINE;
    while (received < 20 && now() < end) {
        while (sz_receive(dealer) > 0)
            received++;
        move_some(from, router, none);
    }
    assert_int_equal(received, 20);
}

TEST(what_cannot_move_is_refused)
{
    line l = make_streamer();
    sz_moved moved;
    assert_code(sz_proxy_move(l.in, l.to, none, &moved), SZ_ENOTSUP);
    assert_code(sz_proxy_move(l.from, l.out, none, &moved), SZ_ENOTSUP);
    assert_code(sz_proxy_move(l.from, l.to, l.out, &moved), SZ_ENOTSUP);
    assert_code(sz_proxy_move(none, l.to, none, &moved), SZ_EHANDLE);
    assert_code(sz_proxy_move(l.from, none, none, &moved), SZ_EHANDLE);
    sz_socket closed = make_socket("push");
    assert_code(sz_socket_close(closed), 0);
    assert_code(sz_proxy_move(l.from, closed, none, &moved), SZ_ECLOSED);
    assert_code(sz_proxy_move(l.from, l.to, closed, &moved), SZ_ECLOSED);
    assert_code(sz_context_shutdown(context), 0);
    assert_code(sz_proxy_move(l.from, l.to, none, &moved), SZ_ETERM);
}

/* The peer goes between the check for room and the message. */
TEST(nothing_is_lost_when_the_only_peer_goes)
{
    line l = make_line("push", "pull", "push", "pull");
    for (int i = 0; i < 10; i++)
        assert_code(send_text(l.in, "x"), 0);
    assert_code(sz_socket_close(l.out), 0);
    uint64_t messages = 0;
    sz_moved moved;
    do {
        moved = move_some(l.from, l.to, none);
        messages += moved.messages;
    } while (moved.wait == 0);
    sz_socket other = make_socket("pull");
    assert_code(bind_to(other, "inproc://other"), 0);
    assert_code(connect_to(l.to, "inproc://other"), 0);
    uint64_t received = 0;
    int64_t end = now() + DEADLINE;
    while (received + messages < 10 && now() < end) {
        move_some(l.from, l.to, none);
        while (sz_receive(other) == 1)
            received++;
    }
    assert_int_equal(received + messages, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_moved_in_order),
        cmocka_unit_test(parts_stay_together),
        cmocka_unit_test(bytes_are_not_touched),
        cmocka_unit_test(what_cannot_be_passed_on_stays),
        cmocka_unit_test(a_message_put_back_is_received_by_every_call),
        cmocka_unit_test(a_message_put_back_is_seen_by_pollers),
        cmocka_unit_test(what_is_captured_is_the_same),
        cmocka_unit_test(a_full_capture_holds_messages_back),
        cmocka_unit_test(one_socket_can_be_both),
        cmocka_unit_test(requests_and_replies_take_turns),
        cmocka_unit_test(what_names_nobody_is_dropped_and_counted),
        cmocka_unit_test(a_full_peer_of_a_router_is_waited_for_by_time),
        cmocka_unit_test(what_cannot_move_is_refused),
        cmocka_unit_test(nothing_is_lost_when_the_only_peer_goes),
    };
    return run_all("proxy", tests);
}
