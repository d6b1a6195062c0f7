/* Monitors: what is told, counts, and ends in every order. */

#include "support.h"

static sz_monitor watch(sz_socket socket, int events)
{
    sz_monitor monitor = {0};
    assert_code(sz_monitor_new(socket, events, &monitor), 0);
    return monitor;
}

/* The next event; waits for it. */
static int event_soon(sz_monitor monitor, sz_event *event)
{
    int64_t end = now() + DEADLINE;
    int code = sz_monitor_receive(monitor, event);
    while (code == SZ_EAGAIN && now() < end) {
        sz_wait(sz_monitor_fd(monitor), 100);
        code = sz_monitor_receive(monitor, event);
    }
    return code;
}

static sz_event check_event(sz_monitor monitor, const char *name,
                            const char *file, int line)
{
    sz_event event = {0};
    check_code(event_soon(monitor, &event), 0, "sz_monitor_receive", file,
               line);
    if (strcmp(event.type->name, name) != 0) {
        print_error("the event is %s, not %s\n", event.type->name, name);
        _fail(file, line);
    }
    return event;
}

#define assert_event(monitor, name)                                           \
    check_event(monitor, name, __FILE__, __LINE__)

static const char *bind_tcp(sz_socket socket, char endpoint[64])
{
    const char *real = NULL;
    assert_code(sz_socket_bind(socket, "tcp://127.0.0.1:*", 17, &real), 0);
    snprintf(endpoint, 64, "%s", real);
    return endpoint;
}

static sz_connections connections(sz_socket socket)
{
    sz_connections found;
    assert_code(sz_socket_connections(socket, &found), 0);
    return found;
}

static void until_peers(sz_socket socket, int64_t wanted)
{
    int64_t end = now() + DEADLINE;
    while (connections(socket).peers != wanted && now() < end)
        pause_briefly();
    assert_int_equal(connections(socket).peers, wanted);
}

/* ------------------------------------------------------------- telling -- */

TEST(a_connection_is_told_in_order_on_both_sides)
{
    char endpoint[64];
    sz_socket server = make_socket("pull");
    sz_socket client = make_socket("push");
    sz_monitor of_server = watch(server, SZ_EVENT_ALL);
    sz_monitor of_client = watch(client, SZ_EVENT_ALL);
    bind_tcp(server, endpoint);
    assert_code(connect_to(client, endpoint), 0);

    sz_event event = assert_event(of_server, "listening");
    assert_string_equal(event.endpoint, endpoint);
    assert_int_equal(event.type->value, SZ_DESCRIPTOR);
    assert_true(event.value > 2);
    assert_true(event.time <= sz_now());
    assert_event(of_server, "accepted");
    assert_event(of_server, "handshake-succeeded");
    assert_event(of_client, "connect-delayed");
    event = assert_event(of_client, "connected");
    assert_string_equal(event.endpoint, endpoint);
    assert_event(of_client, "handshake-succeeded");

    assert_code(sz_socket_close(client), 0);
    assert_event(of_server, "disconnected");
    assert_event(of_client, "monitor-stopped");
    assert_code(sz_monitor_receive(of_client, &event), SZ_ECLOSED);
    assert_code(sz_wait(sz_monitor_fd(of_client), 0), 0);
    assert_code(sz_monitor_close(of_client), 0);
    assert_code(sz_monitor_close(of_server), 0);
}

TEST(only_what_was_asked_for_is_told)
{
    char endpoint[64];
    sz_socket server = make_socket("pull");
    sz_socket client = make_socket("push");
    sz_monitor some = watch(server, SZ_EVENT_HANDSHAKE_SUCCEEDED);
    sz_monitor none = watch(server, 0);
    assert_code(connect_to(client, bind_tcp(server, endpoint)), 0);
    assert_event(some, "handshake-succeeded");
    sz_event event;
    assert_code(sz_monitor_receive(none, &event), SZ_EAGAIN);
    assert_code(sz_monitor_receive(some, &event), SZ_EAGAIN);
    assert_code(sz_wait(sz_monitor_fd(some), 0), SZ_EAGAIN);
    sz_monitor wrong;
    assert_code(sz_monitor_new(server, 0x10000, &wrong), SZ_ERANGE);
    finish(context);
    assert_code(sz_monitor_close(some), 0);
    assert_code(sz_monitor_close(none), 0);
}

TEST(each_monitor_of_a_socket_is_told_everything)
{
    char endpoint[64];
    sz_socket server = make_socket("pull");
    sz_monitor first = watch(server, SZ_EVENT_ALL);
    sz_monitor second = watch(server, SZ_EVENT_ALL);
    bind_tcp(server, endpoint);
    assert_event(first, "listening");
    assert_code(sz_monitor_close(first), 0);
    assert_code(sz_socket_unbind(server, endpoint, strlen(endpoint)), 0);
    assert_event(second, "listening");
    assert_event(second, "closed");
    finish(context);
    assert_event(second, "monitor-stopped");
    assert_code(sz_monitor_close(second), 0);
}

/* Case 64. */
TEST(a_connection_that_is_lost_is_told_and_made_again)
{
    char endpoint[64];
    make_endpoint(endpoint);
    sz_socket server = make_socket("pull");
    sz_socket client = make_socket("push");
    set(client, "reconnect-ivl", 20);
    assert_code(bind_to(server, endpoint), 0);
    sz_monitor monitor = watch(
        client, SZ_EVENT_CONNECTED | SZ_EVENT_DISCONNECTED |
                    SZ_EVENT_CONNECT_RETRIED | SZ_EVENT_HANDSHAKE_SUCCEEDED);
    assert_code(connect_to(client, endpoint), 0);
    assert_event(monitor, "connected");
    assert_event(monitor, "handshake-succeeded");
    assert_code(sz_socket_close(server), 0);
    assert_event(monitor, "disconnected");
    sz_event event = assert_event(monitor, "connect-retried");
    assert_int_equal(event.type->value, SZ_MILLISECONDS);
    assert_in_range(event.value, 1, 100);
    server = make_socket("pull");
    int64_t end = now() + DEADLINE;
    while (bind_to(server, endpoint) != 0 && now() < end)
        pause_briefly();
    do
        assert_code(event_soon(monitor, &event), 0);
    while (event.type->bit != SZ_EVENT_HANDSHAKE_SUCCEEDED);
    sz_connections counts = connections(client);
    assert_int_equal(counts.peers, 1);
    assert_int_equal(counts.accepted, 2);
    assert_int_equal(counts.lost, 1);
    assert_true(counts.retried >= 1);
    assert_code(sz_monitor_close(monitor), 0);
}

/* Case 76. */
TEST(a_handshake_that_fails_is_told_on_both_sides)
{
    char endpoint[64];
    sz_socket server = make_socket("pull");
    sz_socket client = make_socket("push");
    assert_code(sz_socket_set_bytes(client, option("plain-username"), "x", 1),
                0);
    assert_code(sz_socket_set_bytes(client, option("plain-password"), "x", 1),
                0);
    sz_monitor of_server = watch(server, SZ_EVENT_HANDSHAKE_FAILED_PROTOCOL);
    sz_monitor of_client = watch(client, SZ_EVENT_HANDSHAKE_FAILED_PROTOCOL);
    assert_code(connect_to(client, bind_tcp(server, endpoint)), 0);
    sz_event event = assert_event(of_server, "handshake-failed-protocol");
    assert_string_equal(sz_event_symbol(event.type, event.value),
                        "zmtp-mechanism-mismatch");
    event = assert_event(of_client, "handshake-failed-protocol");
    assert_string_equal(sz_event_symbol(event.type, event.value),
                        "zmtp-mechanism-mismatch");
    assert_int_equal(connections(server).peers, 0);
    assert_true(connections(server).failed >= 1);
    finish(context);
    assert_code(sz_monitor_close(of_server), 0);
    assert_code(sz_monitor_close(of_client), 0);
}

/* Case 75. */
TEST(a_monitor_that_nobody_reads_holds_up_nothing)
{
    char endpoint[64];
    sz_socket server = make_socket("pull");
    sz_monitor last = watch(server, SZ_EVENT_MONITOR_STOPPED);
    sz_monitor monitor = watch(server, SZ_EVENT_ALL);
    bind_tcp(server, endpoint);
    assert_code(sz_socket_unbind(server, endpoint, strlen(endpoint)), 0);
    /* libzmq's own queue holds 2000 by default. */
    uint64_t rounds = loops(5000);
    for (uint64_t i = 1; i < rounds; i++) {
        bind_tcp(server, endpoint);
        assert_code(sz_socket_unbind(server, endpoint, strlen(endpoint)), 0);
    }
    assert_code(sz_socket_close(server), 0);
    assert_event(last, "monitor-stopped");
    assert_code(sz_monitor_close(last), 0);
    sz_event event;
    uint64_t told = 0, missed = 0;
    int code = event_soon(monitor, &event);
    while (code == 0) {
        told++;
        missed += event.missed;
        code = event_soon(monitor, &event);
    }
    assert_code(code, SZ_ECLOSED);
    assert_int_equal(told, 1024);
    assert_true(told + missed >= 2 * rounds + 1);
    assert_int_equal(event.type->bit, SZ_EVENT_MONITOR_STOPPED);
    assert_code(sz_monitor_close(monitor), 0);
}

/* -------------------------------------------------------------- counts -- */

TEST(peers_are_counted_as_they_come_and_go)
{
    char endpoint[64];
    sz_socket server = make_socket("pub");
    sz_connections found;
    int64_t begun = sz_now();
    bind_tcp(server, endpoint);
    assert_code(sz_socket_connections(server, &found), SZ_ENOENT);
    sz_monitor keeper = watch(server, 0);
    sz_socket clients[3];
    for (int i = 0; i < 3; i++) {
        clients[i] = make_socket("sub");
        assert_code(connect_to(clients[i], endpoint), 0);
    }
    until_peers(server, 3);
    found = connections(server);
    assert_true(found.settled >= begun + 100);
    assert_true(found.settled <= sz_now() + 1000);
    assert_code(sz_socket_close(clients[0]), 0);
    until_peers(server, 2);
    /* What the program ends itself is told by nobody. */
    sz_monitor of_client = watch(clients[1], 0);
    assert_code(sz_socket_disconnect(clients[1], endpoint, strlen(endpoint)),
                0);
    assert_int_equal(connections(clients[1]).peers, 0);
    int64_t end = now() + DEADLINE;
    while (connections(server).peers > 1 && now() < end) {
        sz_socket_events(clients[1]); /* lets libzmq go on with it */
        pause_briefly();
    }
    assert_int_equal(connections(server).peers, 1);
    assert_int_equal(connections(server).accepted, 3);
    assert_int_equal(connections(server).lost, 2);
    assert_code(sz_monitor_close(of_client), 0);
    assert_code(sz_monitor_close(keeper), 0);
    assert_code(sz_socket_connections(server, &found), SZ_ENOENT);
}

TEST(peers_over_inproc_are_counted_without_a_monitor)
{
    sz_socket a = make_socket("push");
    sz_socket b = make_socket("pull");
    assert_code(connect_to(a, "inproc://counted"), 0);
    assert_int_equal(connections(a).peers, 0);
    assert_code(bind_to(b, "inproc://counted"), 0);
    assert_int_equal(connections(a).peers, 1);
    assert_int_equal(connections(b).peers, 1);
    assert_code(sz_socket_close(a), 0);
    assert_int_equal(connections(b).peers, 0);
}

TEST(the_peers_of_a_stream_are_its_connections)
{
    char endpoint[64];
    sz_socket server = make_socket("stream");
    sz_socket client = make_socket("stream");
    sz_monitor of_server = watch(server, 0);
    sz_monitor of_client = watch(client, 0);
    assert_code(connect_to(client, bind_tcp(server, endpoint)), 0);
    until_peers(server, 1);
    until_peers(client, 1);
    assert_code(sz_socket_close(client), 0);
    until_peers(server, 0);
    assert_code(sz_monitor_close(of_client), 0);
    assert_code(sz_monitor_close(of_server), 0);
}

/* libzmq's errno can be that of the report. */
TEST(a_bind_that_fails_says_why_though_it_is_monitored)
{
    char endpoint[64];
    sz_socket first = make_socket("pull");
    bind_tcp(first, endpoint);
    for (size_t i = 0; i < loops(300); i++) {
        sz_socket second = make_socket("pull");
        sz_monitor monitor = watch(second, SZ_EVENT_BIND_FAILED);
        assert_code(bind_to(second, endpoint), SZ_EADDRINUSE);
        assert_code(bind_to(second, endpoint), SZ_EADDRINUSE);
        assert_event(monitor, "bind-failed");
        assert_code(sz_monitor_close(monitor), 0);
        assert_code(sz_socket_close(second), 0);
    }
}

static int observe_from_the_beginning(void *argument)
{
    (void)argument;
    char endpoint[64];
    sz_observe_all(true);
    context = make_context();
    sz_socket server = make_socket("pull");
    sz_socket client = make_socket("push");
    assert_code(connect_to(client, bind_tcp(server, endpoint)), 0);
    assert_code(send_text(client, "x"), 0);
    assert_next(server, "x");
    until_peers(server, 1);
    until_peers(client, 1);
    sz_monitor monitor = watch(client, SZ_EVENT_ALL);
    assert_code(sz_monitor_close(monitor), 0);
    assert_int_equal(connections(client).accepted, 1);
    finish(context);
    return 0;
}

TEST(all_sockets_can_be_observed_from_the_beginning)
{
    assert_child(observe_from_the_beginning, NULL);
}

static size_t allocation, failing;

static void *resize_failing_once(void *old, size_t size)
{
    return ++allocation == failing ? NULL : realloc(old, size);
}

static int observe_without_memory(void *argument)
{
    (void)argument;
    size_t refused = 0;
    sz_observe_all(true);
    for (size_t n = 1; n <= 12; n++) {
        context = make_context();
        sz_socket socket = make_socket("pull");
        sz_connections found;
        allocation = 0;
        failing = n;
        sz_set_allocator(resize_failing_once, free);
        int code = bind_to(socket, "tcp://127.0.0.1:*");
        sz_set_allocator(NULL, NULL);
        refused += code != 0;
        if (code == 0)
            assert_code(sz_socket_connections(socket, &found), 0);
        finish(context);
    }
    assert_true(refused > 3);
    assert_true(refused < 12);
    return 0;
}

TEST(what_cannot_be_observed_as_asked_is_not_bound)
{
    assert_child(observe_without_memory, NULL);
}

/* ---------------------------------------------------------------- ends -- */

enum {
    MONITOR,
    SOCKET,
    CONTEXT,
    SHUTDOWN,
    ENDS
};

static void end_in_order(const int order[ENDS])
{
    char endpoint[64];
    sz_socket server = make_socket("pull");
    sz_socket client = make_socket("push");
    sz_monitor monitor = watch(server, SZ_EVENT_ALL);
    assert_code(connect_to(client, bind_tcp(server, endpoint)), 0);
    assert_event(monitor, "listening");
    for (int i = 0; i < ENDS; i++)
        switch (order[i]) {
        case MONITOR:
            assert_code(sz_monitor_stop(monitor), 0);
            assert_code(sz_monitor_close(monitor), 0);
            break;
        case SOCKET:
            assert_code(sz_socket_close(server), 0);
            break;
        case CONTEXT:
            finish(context);
            break;
        default:
            assert_code(sz_context_shutdown(context), 0);
        }
    sz_event event;
    assert_code(sz_monitor_receive(monitor, &event), SZ_ECLOSED);
    assert_code(sz_monitor_close(monitor), 0);
    context = make_context();
}

/* Case 75. */
TEST(it_ends_in_every_order)
{
    int order[ENDS] = {0};
    for (int code = 0; code < 256; code++) {
        int seen = 0;
        for (int i = 0; i < ENDS; i++) {
            order[i] = code >> (2 * i) & 3;
            seen |= 1 << order[i];
        }
        /* Once a context is gone there is nothing to shut down. */
        if (seen != 15)
            continue;
        int ended = 0, shut = 0;
        for (int i = 0; i < ENDS; i++) {
            ended = order[i] == CONTEXT ? i : ended;
            shut = order[i] == SHUTDOWN ? i : shut;
        }
        if (shut < ended)
            end_in_order(order);
    }
    const int without_shutdown[][ENDS] = {
        {MONITOR, SOCKET, CONTEXT, CONTEXT},
        {SOCKET, MONITOR, CONTEXT, CONTEXT},
        {CONTEXT, MONITOR, SOCKET, SOCKET},
        {SOCKET, CONTEXT, MONITOR, MONITOR},
    };
    for (size_t i = 0; i < 4; i++)
        end_in_order(without_shutdown[i]);
}

TEST(a_stopped_monitor_says_so_and_its_descriptor_stays)
{
    sz_socket socket = make_socket("pull");
    sz_monitor monitor = watch(socket, SZ_EVENT_ALL);
    assert_code(bind_to(socket, "tcp://127.0.0.1:*"), 0);
    assert_code(sz_monitor_stop(monitor), 0);
    sz_event event;
    assert_code(sz_monitor_receive(monitor, &event), SZ_ECLOSED);
    assert_code(sz_wait(sz_monitor_fd(monitor), 0), 0);
    assert_code(sz_monitor_stop(monitor), 0);
    assert_code(sz_monitor_close(monitor), 0);
    assert_code(sz_monitor_fd(monitor), SZ_ECLOSED);
    assert_code(sz_monitor_stop(monitor), 0);
    assert_code(sz_monitor_close((sz_monitor){socket.id}), SZ_EHANDLE);
    assert_code(sz_socket_close(socket), 0);
    assert_code(sz_monitor_new(socket, 0, &monitor), SZ_ECLOSED);
}

/* Case 75. */
TEST(a_child_that_lives_on_does_not_hide_a_monitor_s_end)
{
    sz_socket socket = make_socket("pull");
    sz_monitor stopped = watch(socket, SZ_EVENT_ALL);
    sz_monitor ended = watch(socket, SZ_EVENT_CONNECTED);
    pid_t sleeper = start_sleeper();
    assert_code(sz_monitor_stop(stopped), 0);
    int of_stopped = sz_wait(sz_monitor_fd(stopped), DEADLINE);
    assert_code(sz_socket_close(socket), 0);
    int of_ended = sz_wait(sz_monitor_fd(ended), DEADLINE);
    end_sleeper(sleeper);
    sz_event event;
    assert_code(of_stopped, 0);
    assert_code(of_ended, 0);
    assert_code(sz_monitor_receive(ended, &event), SZ_ECLOSED);
    assert_code(sz_wait(sz_monitor_fd(ended), 0), 0);
    assert_code(sz_monitor_close(stopped), 0);
    assert_code(sz_monitor_close(ended), 0);
}

TEST(a_hundred_monitors_leave_nothing_behind)
{
    sz_socket socket = make_socket("dealer");
    assert_code(sz_monitor_close(watch(socket, SZ_EVENT_ALL)), 0);
    int before = 0;
    for (int i = 0; i < 200; i++) {
        if (i == 100)
            before = count_descriptors();
        sz_monitor monitor = watch(socket, SZ_EVENT_ALL);
        assert_code(connect_to(socket, "tcp://127.0.0.1:9"), 0);
        assert_code(sz_socket_disconnect(socket, "tcp://127.0.0.1:9", 17), 0);
        assert_code(sz_monitor_close(monitor), 0);
    }
    assert_descriptors_closed(before);
}

TEST(monitors_take_no_place_of_a_socket)
{
    assert_code(sz_context_set(context, context_option("max-sockets"), 3), 0);
    sz_monitor monitors[3];
    sz_socket sockets[3];
    for (int i = 0; i < 3; i++) {
        sockets[i] = make_socket("push");
        monitors[i] = watch(sockets[i], SZ_EVENT_ALL);
    }
    assert_code(connect_to(sockets[0], "inproc://nobody-ever"), 0);
    assert_int_equal(sz_context_sockets(context), 3);
    finish(context);
    for (int i = 0; i < 3; i++)
        assert_code(sz_monitor_close(monitors[i]), 0);
}

static int monitor_without_descriptors(void *argument)
{
    (void)argument;
    context = make_context();
    sz_socket socket = make_socket("push");
    limit_descriptors(128);
    int highest = 0, fd;
    while ((fd = dup(0)) >= 0)
        highest = fd;
    sz_monitor monitor;
    for (int free = 0; free < 5; free++) {
        assert_refused(sz_monitor_new(socket, SZ_EVENT_ALL, &monitor));
        close(highest - free);
    }
    limit_descriptors(256);
    assert_code(sz_monitor_new(socket, SZ_EVENT_ALL, &monitor), 0);
    assert_code(sz_monitor_close(monitor), 0);
    finish(context);
    return 0;
}

TEST(want_of_descriptors_is_an_error)
{
    assert_child(monitor_without_descriptors, NULL);
}

typedef struct {
    sz_socket socket;
    sz_monitor monitor;
} inherited;

static int use_inherited(void *argument)
{
    inherited *from = argument;
    sz_event event;
    sz_monitor monitor;
    assert_code(sz_monitor_receive(from->monitor, &event), SZ_EFORKED);
    assert_code(sz_monitor_fd(from->monitor), SZ_EFORKED);
    assert_code(sz_monitor_new(from->socket, 0, &monitor), SZ_EFORKED);
    assert_code(sz_monitor_close(from->monitor), 0);
    assert_code(sz_monitor_receive(from->monitor, &event), SZ_ECLOSED);
    return 0;
}

TEST(a_child_cannot_use_its_parents_monitor)
{
    char endpoint[64];
    inherited own = {.socket = make_socket("pull")};
    own.monitor = watch(own.socket, SZ_EVENT_ALL);
    assert_child(use_inherited, &own);
    bind_tcp(own.socket, endpoint);
    assert_event(own.monitor, "listening");
    assert_code(sz_monitor_close(own.monitor), 0);
}

/* -------------------------------------------------------------- tables -- */

TEST(every_event_is_found_by_its_name)
{
    int all = 0;
    const sz_event_type *type;
    for (size_t i = 0; (type = sz_event_at(i)) != NULL; i++) {
        assert_ptr_equal(sz_event_find(type->name), type);
        assert_true(type->text[0] != '\0');
        all |= type->bit;
    }
    assert_int_equal(all, SZ_EVENT_ALL);
    assert_null(sz_event_find("conected"));
    assert_string_equal(sz_event_near("conected"), "connected");
}

TEST(values_have_symbols_and_texts)
{
    const sz_event_type *failed = sz_event_find("bind-failed");
    const sz_event_type *wrong = sz_event_find("handshake-failed-protocol");
    const sz_event_type *refused = sz_event_find("handshake-failed-auth");
    assert_string_equal(sz_event_symbol(failed, EADDRINUSE), "eaddrinuse");
    assert_string_equal(sz_event_symbol(failed, UINT32_MAX), "unknown");
    assert_string_equal(sz_event_symbol(wrong, 0x11000001),
                        "zmtp-cryptographic");
    assert_string_equal(sz_event_symbol(wrong, 7), "unknown");
    assert_string_equal(sz_event_symbol(refused, 400), "denied");
    assert_string_equal(sz_event_text(refused, 300),
                        "not now: the peer may try again");
    assert_string_equal(sz_event_symbol(refused, 0), "unknown");
    assert_null(sz_event_symbol(sz_event_find("connected"), 7));
    assert_null(sz_event_text(sz_event_find("connect-retried"), 7));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_is_told_in_order_on_both_sides),
        cmocka_unit_test(only_what_was_asked_for_is_told),
        cmocka_unit_test(each_monitor_of_a_socket_is_told_everything),
        cmocka_unit_test(a_connection_that_is_lost_is_told_and_made_again),
        cmocka_unit_test(a_handshake_that_fails_is_told_on_both_sides),
        cmocka_unit_test(a_monitor_that_nobody_reads_holds_up_nothing),
        cmocka_unit_test(peers_are_counted_as_they_come_and_go),
        cmocka_unit_test(peers_over_inproc_are_counted_without_a_monitor),
        cmocka_unit_test(the_peers_of_a_stream_are_its_connections),
        cmocka_unit_test(a_bind_that_fails_says_why_though_it_is_monitored),
        cmocka_unit_test(all_sockets_can_be_observed_from_the_beginning),
        cmocka_unit_test(what_cannot_be_observed_as_asked_is_not_bound),
        cmocka_unit_test(it_ends_in_every_order),
        cmocka_unit_test(a_stopped_monitor_says_so_and_its_descriptor_stays),
        cmocka_unit_test(a_child_that_lives_on_does_not_hide_a_monitor_s_end),
        cmocka_unit_test(a_hundred_monitors_leave_nothing_behind),
        cmocka_unit_test(monitors_take_no_place_of_a_socket),
        cmocka_unit_test(want_of_descriptors_is_an_error),
        cmocka_unit_test(a_child_cannot_use_its_parents_monitor),
        cmocka_unit_test(every_event_is_found_by_its_name),
        cmocka_unit_test(values_have_symbols_and_texts),
    };
    return run_all("monitor", tests);
}
