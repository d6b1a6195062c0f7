/* The swap in front of sockets: what waits in it, in which order it leaves,
 * what is refused, and how closing, terminating and exit treat it. */

#include "support.h"

#include <fcntl.h>

enum {
    MEGABYTE = 1 << 20
};

static int set_swap(sz_socket socket, int64_t bytes)
{
    return sz_socket_set_integer(socket, option("swap"), bytes);
}

/* Two sockets whose pipe holds few messages, the first with a swap. */
static void make_swapped(const char *type, sz_socket *a, const char *peer,
                         sz_socket *b, int64_t bytes)
{
    static int serial;
    char endpoint[40];
    snprintf(endpoint, sizeof endpoint, "inproc://swapped-%d", serial++);
    *a = make_socket(type);
    *b = make_socket(peer);
    set(*a, "sndhwm", 2);
    set(*b, "rcvhwm", 2);
    set(*a, "swap", bytes);
    assert_code(bind_to(*b, endpoint), 0);
    if (strcmp(peer, "sub") == 0)
        subscribe(*b, "");
    assert_code(connect_to(*a, endpoint), 0);
}

static int send_number(sz_socket socket, int number, size_t size)
{
    char *bytes = calloc(1, size + 16);
    int length = snprintf(bytes, size + 16, "%d ", number);
    sz_part part = {.data = bytes,
                    .size = size > (size_t)length ? size : (size_t)length};
    int code = sz_send(socket, &part, 1);
    free(bytes);
    return code;
}

/* Pumps as who owns the sender does. */
static int receive_pumping(sz_socket from, sz_socket sender)
{
    int64_t next, end = now() + DEADLINE;
    int count;
    while ((count = sz_receive(from)) == SZ_EAGAIN && now() < end) {
        assert_code(sz_socket_pump(sender, &next), 0);
        sz_socket_wait(from, SZ_IN, 1);
    }
    return count;
}

static int number_received(sz_socket socket)
{
    const void *data = NULL;
    size_t size = 0;
    assert_code(sz_received(socket, 0, &data, &size), 0);
    return (int)strtol(data, NULL, 10);
}

static void check_numbers(sz_socket from, sz_socket sender, int first, int end)
{
    for (int i = first; i < end; i++) {
        assert_code(receive_pumping(from, sender), 1);
        assert_int_equal(number_received(from), i);
    }
}

/* -------------------------------------------------------------- sending -- */

TEST(what_libzmq_does_not_take_waits_and_leaves_in_order)
{
    static const char *const pairs[][2] = {
        {"push", "pull"}, {"dealer", "dealer"}, {"pair", "pair"}};
    for (size_t i = 0; i < 3; i++) {
        sz_socket a, b;
        make_swapped(pairs[i][0], &a, pairs[i][1], &b, MEGABYTE);
        for (int n = 0; n < 1000; n++)
            assert_code(send_number(a, n, 500), 0);
        assert_true(get(a, "swap-count") > 900);
        assert_int_equal(get(a, "swap-bytes"),
                         get(a, "swap-count") * (500 + 24));
        assert_true(get(a, "swap-peak") >= get(a, "swap-bytes"));
        check_numbers(b, a, 0, 500);
        for (int n = 1000; n < 1400; n++)
            assert_code(send_number(a, n, 500), 0);
        check_numbers(b, a, 500, 1400);
        assert_int_equal(get(a, "swap-count"), 0);
        assert_int_equal(get(a, "swap-bytes"), 0);
        assert_int_equal(get(a, "swap-lost"), 0);
        renew_context();
    }
}

TEST(it_goes_through_a_file_and_back)
{
    sz_socket a, b;
    make_swapped("push", &a, "pull", &b, 64 * MEGABYTE);
    for (int round = 0; round < 2; round++) {
        for (int n = 0; n < 400; n++)
            assert_code(send_number(a, n, 100000), 0);
        check_numbers(b, a, 0, 400);
    }
}

TEST(a_full_swap_makes_its_socket_wait)
{
    sz_socket a, b;
    make_swapped("push", &a, "pull", &b, 10000);
    int n = 0, code;
    while ((code = send_number(a, n, 500)) == 0)
        n++;
    assert_code(code, SZ_EAGAIN);
    assert_true(n > 19);
    assert_int_equal(sz_socket_events(a), 0);
    assert_code(sz_socket_wait(a, SZ_OUT, 20), SZ_EAGAIN);
    check_numbers(b, a, 0, 10);
    assert_code(sz_socket_wait(a, SZ_OUT, DEADLINE), SZ_OUT);
    assert_code(send_number(a, n++, 500), 0);
    check_numbers(b, a, 10, n);
}

/* After SZ_OUT, an eighth of the swap has room. */
TEST(out_promises_room)
{
    sz_socket a, b;
    make_swapped("push", &a, "pull", &b, 8000);
    int sent = 0, received = 0;
    for (int i = 0; i < 3000; i++) {
        if (sz_socket_events(a) & SZ_OUT)
            assert_code(send_number(a, sent++, 1000), 0);
        else
            assert_code(send_number(a, sent, 1000), SZ_EAGAIN);
        if (i % 3 == 0) {
            check_numbers(b, a, received, received + 1);
            received++;
        }
    }
    check_numbers(b, a, received, sent);
}

/* Case 88. */
TEST(a_message_of_parts_waits_whole_or_not_at_all)
{
    sz_socket a, b;
    make_swapped("push", &a, "pull", &b, 600);
    sz_part parts[20];
    char texts[20][8];
    for (int i = 0; i < 20; i++) {
        snprintf(texts[i], sizeof texts[i], "%d", i);
        parts[i] = text_part(texts[i]);
    }
    int accepted = 0, code;
    while ((code = sz_send(a, parts, 20)) == 0)
        accepted++;
    assert_code(code, SZ_EAGAIN);
    assert_code(sz_send(a, parts, 1), 0); /* a small one fits still */
    for (int n = 0; n < accepted; n++) {
        assert_code(receive_pumping(b, a), 20);
        for (size_t i = 0; i < 20; i++)
            assert_received(b, i, texts[i]);
    }
    assert_code(receive_pumping(b, a), 1);
    assert_code(sz_receive(b), SZ_EAGAIN);
}

TEST(held_messages_and_empty_ones_wait_too)
{
    sz_socket a, b;
    make_swapped("pair", &a, "pair", &b, MEGABYTE);
    for (int i = 0; i < 10; i++)
        assert_code(send_number(a, i, 0), 0);
    sz_message message;
    assert_code(sz_message_new("held", 4, &message), 0);
    sz_part parts[] = {{.message = message}, {.size = 0}};
    assert_code(sz_send(a, parts, 2), 0);
    assert_code(sz_send(a, &parts[1], 1), 0);
    sz_message_free(message);
    assert_code(sz_send(a, parts, 1), SZ_ECLOSED);
    check_numbers(b, a, 0, 10);
    assert_code(receive_pumping(b, a), 2);
    assert_received(b, 0, "held");
    assert_received(b, 1, "");
    assert_code(receive_pumping(b, a), 1);
    assert_received(b, 0, "");
}

/* Case 87. */
TEST(a_message_larger_than_the_swap_is_told_so)
{
    sz_socket a, b;
    make_swapped("push", &a, "pull", &b, 1000);
    assert_code(send_number(a, 0, 5000), 0); /* libzmq takes it */
    int n = 1;
    while (get(a, "swap-count") == 0)
        assert_code(send_number(a, n++, 10), 0);
    assert_code(send_number(a, n, 5000), SZ_ESWAPSIZE);
    assert_int_equal(sz_error_errno(SZ_ESWAPSIZE), EMSGSIZE);
    assert_code(send_number(a, n++, 10), 0);
    check_numbers(b, a, 0, n);
    assert_code(send_number(a, n, 5000), 0);
    check_numbers(b, a, n, n + 1);
}

TEST(who_is_gone_does_not_hold_what_waits)
{
    sz_socket a, b, c;
    make_swapped("push", &a, "pull", &b, MEGABYTE);
    for (int n = 0; n < 100; n++)
        assert_code(send_number(a, n, 100), 0);
    int64_t waiting = get(a, "swap-count");
    assert_code(sz_socket_close(b), 0);
    c = make_socket("pull");
    assert_code(bind_to(c, "inproc://another"), 0);
    assert_code(connect_to(a, "inproc://another"), 0);
    check_numbers(c, a, 100 - (int)waiting, 100);
}

TEST(a_socket_without_a_peer_holds_at_once)
{
    sz_socket a = make_socket("push"), b;
    set(a, "swap", MEGABYTE);
    for (int n = 0; n < 50; n++)
        assert_code(send_number(a, n, 10), 0);
    assert_int_equal(get(a, "swap-count"), 50);
    b = make_socket("pull");
    assert_code(bind_to(b, "inproc://late"), 0);
    assert_code(connect_to(a, "inproc://late"), 0);
    check_numbers(b, a, 0, 50);
}

/* ---------------------------------------------------------- other types -- */

TEST(a_request_waits_and_its_reply_can_be_waited_for)
{
    sz_socket req = make_socket("req");
    sz_socket rep = make_socket("rep");
    int64_t next;
    set(req, "swap", 10000);
    assert_code(sz_receive(req), SZ_EFSM);
    assert_code(send_text(req, "question"), 0);
    assert_int_equal(get(req, "swap-count"), 1);
    sz_part again = text_part("again");
    assert_code(sz_send(req, &again, 1), SZ_EFSM);
    assert_code(sz_receive(req), SZ_EAGAIN);
    assert_int_equal(sz_socket_events(req), 0);
    assert_code(bind_to(rep, "inproc://answers"), 0);
    assert_code(connect_to(req, "inproc://answers"), 0);
    assert_code(sz_socket_pump(req, &next), 0);
    assert_next(rep, "question");
    assert_code(sz_send(req, &again, 1), SZ_EFSM);
    assert_code(send_text(rep, "answer"), 0);
    assert_next(req, "answer");
    assert_code(send_text(req, "next"), 0);
    assert_next(rep, "next");
    assert_int_equal(get(req, "swap-count"), 0);
}

TEST(a_publisher_holds_what_a_subscriber_cannot_take)
{
    static const char *const types[] = {"pub", "xpub"};
    for (size_t i = 0; i < 2; i++) {
        sz_socket a, b;
        make_swapped(types[i], &a, "sub", &b, 20000);
        while (get(a, "swap-count") == 0) { /* until it is subscribed */
            assert_code(send_number(a, -1, 10), 0);
            assert_true(sz_socket_events(b) >= 0);
        }
        for (int n = 0; n < 100; n++)
            assert_code(send_number(a, n, 500), 0);
        int64_t dropped = get(a, "swap-dropped");
        assert_true(dropped > 50 && dropped < 70);
        assert_int_equal(sz_socket_events(a) & SZ_OUT, SZ_OUT);
        int last = -1;
        while (last + 1 < 100 - (int)dropped) {
            assert_code(receive_pumping(b, a), 1);
            int got = number_received(b);
            assert_true(got == -1 || got == last + 1);
            last = got == -1 ? last : got;
        }
        assert_code(send_number(a, 7, 30000), 0);
        assert_int_equal(get(a, "swap-dropped"), dropped);
        renew_context();
    }
}

TEST(types_that_cannot_have_a_swap_say_so)
{
    static const char *const types[] = {"sub",    "pull", "rep",
                                        "router", "xsub", "stream"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        sz_socket socket = make_socket(types[i]);
        assert_code(set_swap(socket, 1000), SZ_ESWAPTYPE);
        assert_code(set_swap(socket, 0), 0);
        assert_int_equal(get(socket, "swap"), 0);
    }
}

/* -------------------------------------------------------------- options -- */

TEST(what_cannot_go_together_is_refused_in_either_order)
{
    static const struct {
        const char *type, *name;
        int value, code, usual;
    } cases[] = {{"push", "hwm", 0, SZ_ESWAPHWM, 10},
                 {"push", "sndhwm", 0, SZ_ESWAPHWM, 10},
                 {"push", "conflate", 1, SZ_ESWAPCONFLATE, 0},
                 {"push", "curve-server", 1, SZ_ESWAPCURVE, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sz_socket socket = make_socket(cases[i].type);
        set(socket, "swap", 1000);
        assert_code(sz_socket_set_integer(socket, option(cases[i].name),
                                          cases[i].value),
                    cases[i].code);
        set(socket, "swap", 0);
        set(socket, cases[i].name, cases[i].value);
        assert_code(set_swap(socket, 1000), cases[i].code);
        set(socket, cases[i].name, cases[i].usual);
        set(socket, "swap", 1000);
    }
    sz_socket pub = make_socket("pub");
    set(pub, "swap", 1000);
    assert_code(sz_socket_set_integer(pub, option("xpub-nodrop"), 0),
                SZ_ESWAPNODROP);
}

/* Case 79. */
TEST(an_encrypted_socket_needs_a_permission)
{
    static const char key[] = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
    sz_socket socket = make_socket("push");
    set(socket, "swap", 1000);
    assert_code(
        sz_socket_set_bytes(socket, option("curve-publickey"), key, 40),
        SZ_ESWAPCURVE);
    set(socket, "swap-plaintext", 1);
    assert_code(
        sz_socket_set_bytes(socket, option("curve-publickey"), key, 40), 0);
    assert_code(sz_socket_set_integer(socket, option("swap-plaintext"), 0),
                SZ_ESWAPCURVE);
    set(socket, "swap", 0);
    set(socket, "swap-plaintext", 0);
    assert_code(set_swap(socket, 1000), SZ_ESWAPCURVE);
}

TEST(it_cannot_be_turned_off_while_messages_wait)
{
    sz_socket a, b;
    make_swapped("push", &a, "pull", &b, MEGABYTE);
    for (int n = 0; n < 20; n++)
        assert_code(send_number(a, n, 100), 0);
    assert_code(set_swap(a, 0), SZ_ESWAPBUSY);
    assert_int_equal(sz_error_errno(SZ_ESWAPBUSY), EBUSY);
    assert_int_equal(get(a, "swap"), MEGABYTE);
    set(a, "swap", 100); /* smaller than what waits: no more */
    assert_code(send_number(a, 20, 10), SZ_EAGAIN);
    set(a, "swap", 2 * MEGABYTE);
    assert_code(send_number(a, 20, 10), 0);
    check_numbers(b, a, 0, 21);
    set(a, "swap", 0);
    assert_int_equal(get(a, "swap"), 0);
}

static void check_directory(sz_socket socket, const char *wanted)
{
    const void *data;
    size_t size;
    assert_code(
        sz_socket_get_bytes(socket, option("swap-directory"), &data, &size),
        0);
    assert_int_equal(size, strlen(wanted));
    assert_memory_equal(data, wanted, size);
}

static int set_directory(sz_socket socket, const char *path)
{
    return sz_socket_set_bytes(socket, option("swap-directory"), path,
                               strlen(path));
}

/* Case 86. */
TEST(its_directory_is_tried_when_it_is_set)
{
    sz_socket socket = make_socket("push");
    check_directory(socket, "");
    setenv("ZMQ_SWAP_DIR", "/dev/shm", 1);
    assert_string_equal(sz_swap_directory(), "/dev/shm");
    unsetenv("ZMQ_SWAP_DIR");
    setenv("TMPDIR", "/none", 1);
    assert_string_equal(sz_swap_directory(), "/none");
    assert_code(set_swap(socket, 1000), SZ_ESWAPDIRECTORY);
    assert_int_equal(get(socket, "swap"), 0);
    unsetenv("TMPDIR");
    assert_string_equal(sz_swap_directory(), "/var/tmp");
    assert_code(set_directory(socket, "/none/here"), SZ_ESWAPDIRECTORY);
    assert_code(set_directory(socket, "/dev/null"), SZ_ENOTDIR);
    check_directory(socket, "");
    assert_code(set_directory(socket, "/tmp"), 0);
    check_directory(socket, "/tmp");
    set(socket, "swap", 1000);
    assert_code(set_directory(socket, "/var/tmp"), SZ_ESWAPLATE);
}

/* ------------------------------------------------------------- watching -- */

TEST(a_poller_tells_who_pumps)
{
    sz_socket a, b;
    make_swapped("push", &a, "pull", &b, MEGABYTE);
    sz_poller poller;
    sz_ready ready;
    int64_t next;
    assert_code(sz_poller_new(&poller), 0);
    assert_code(sz_poller_add_socket(poller, a, SZ_SWAP, 5), 0);
    assert_code(sz_poller_check(poller, &ready, 1), 0);
    int n = 0;
    while (get(a, "swap-count") == 0)
        assert_code(send_number(a, n++, 100), 0);
    assert_code(sz_wait(sz_poller_fd(poller), DEADLINE), 0);
    assert_code(sz_poller_check(poller, &ready, 1), 1);
    assert_int_equal(ready.tag, 5);
    assert_int_equal(ready.events, SZ_SWAP);
    for (; n < 100; n++)
        assert_code(send_number(a, n, 100), 0);
    int64_t begun = now();
    assert_code(sz_socket_pump(a, &next), 0);
    assert_true(next > begun && next <= now() + 1000);
    while (sz_poller_check(poller, &ready, 1) > 0)
        ;
    assert_code(sz_wait(sz_poller_fd(poller), 20), SZ_EAGAIN);
    /* Taking messages makes room, which signals; each signal lets some go. */
    for (int i = 0; i < 100; i++) {
        int64_t end = now() + DEADLINE;
        while (sz_receive(b) == SZ_EAGAIN && now() < end)
            if (sz_wait(sz_poller_fd(poller), DEADLINE) == 0 &&
                sz_poller_check(poller, &ready, 1) == 1)
                assert_code(sz_socket_pump(a, &next), 0);
        assert_int_equal(number_received(b), i);
    }
    assert_code(sz_socket_pump(a, &next), 0);
    assert_true(next == -1 || next > 0);
    assert_code(sz_socket_close(a), 0);
    assert_code(sz_poller_check(poller, &ready, 1), 1);
    assert_int_equal(ready.events, SZ_ERROR);
    sz_poller_free(poller);
}

TEST(a_poller_tells_of_room_in_the_swap)
{
    sz_socket a, b;
    make_swapped("push", &a, "pull", &b, 2000);
    sz_poller poller;
    sz_ready ready;
    int n = 0, spins = 0;
    assert_code(sz_poller_new(&poller), 0);
    assert_code(sz_poller_add_socket(poller, a, SZ_OUT, 1), 0);
    while (sz_poller_check(poller, &ready, 1) == 1)
        assert_code(send_number(a, n++, 100), 0);
    assert_true(n > 15);
    while (sz_wait(sz_poller_fd(poller), 20) == 0) {
        assert_code(sz_poller_check(poller, &ready, 1), 0);
        assert_true(spins++ < 10);
    }
    check_numbers(b, a, 0, n / 2);
    assert_code(sz_wait(sz_poller_fd(poller), DEADLINE), 0);
    assert_code(sz_poller_check(poller, &ready, 1), 1);
    sz_poller_free(poller);
}

/* -------------------------------------------------------------- closing -- */

/* A sender that connects before its receiver binds. */
static sz_socket make_late(int linger, char endpoint[64])
{
    sz_socket a = make_socket("push");
    set(a, "linger", linger);
    set(a, "sndhwm", 5);
    set(a, "reconnect-ivl", 5);
    set(a, "swap", 10 * MEGABYTE);
    make_endpoint(endpoint);
    assert_code(connect_to(a, endpoint), 0);
    return a;
}

/* Case 91. */
TEST(closing_lets_what_waits_leave_for_the_time_of_linger)
{
    static const int lingers[] = {-1, 3 * DEADLINE};
    for (size_t i = 0; i < 2; i++) {
        char endpoint[64];
        sz_context other = make_context();
        sz_socket a = make_late(lingers[i], endpoint);
        for (int n = 0; n < 2000; n++)
            assert_code(send_number(a, n, 1000), 0);
        assert_true(get(a, "swap-count") > 1900);
        int64_t begun = now();
        assert_code(sz_socket_close(a), 0);
        assert_true(now() - begun < DEADLINE);
        assert_code(sz_context_terminate(context), SZ_EAGAIN);
        sz_socket b = make_socket_in(other, "pull");
        assert_code(bind_to(b, endpoint), 0);
        for (int n = 0; n < 2000; n++) {
            assert_code(receive_soon(b), 1);
            assert_int_equal(number_received(b), n);
        }
        renew_context();
        finish(other);
    }
}

TEST(closing_drops_what_waits_when_the_linger_is_over)
{
    static const int lingers[] = {0, 100};
    for (size_t i = 0; i < 2; i++) {
        char endpoint[64];
        sz_socket a = make_late(lingers[i], endpoint);
        for (int n = 0; n < 100; n++)
            assert_code(send_number(a, n, 1000), 0);
        int before = count_descriptors();
        int64_t begun = now();
        assert_code(sz_socket_close(a), 0);
        renew_context();
        int64_t took = now() - begun;
        assert_true(took >= lingers[i] - GRAIN &&
                    took < lingers[i] + DEADLINE);
        assert_true(count_descriptors() < before);
    }
}

TEST(terminating_waits_for_the_swaps_of_open_sockets)
{
    char endpoint[64];
    sz_context other = make_context();
    sz_socket a = make_late(-1, endpoint);
    for (int n = 0; n < 500; n++)
        assert_code(send_number(a, n, 1000), 0);
    assert_code(sz_context_terminate(context), SZ_EAGAIN);
    assert_code(send_number(a, 0, 10), SZ_ECLOSED);
    sz_socket b = make_socket_in(other, "pull");
    assert_code(bind_to(b, endpoint), 0);
    for (int n = 0; n < 500; n++) {
        assert_code(receive_soon(b), 1);
        assert_int_equal(number_received(b), n);
    }
    finish(context);
    finish(other);
}

TEST(shutting_down_ends_a_swap_that_waits)
{
    char endpoint[64];
    sz_socket a = make_late(100, endpoint);
    int64_t next;
    for (int n = 0; n < 50; n++)
        assert_code(send_number(a, n, 100), 0);
    assert_code(sz_context_shutdown(context), 0);
    assert_code(sz_socket_pump(a, &next), SZ_ETERM);
    assert_code(sz_socket_close(a), 0);
}

static int reported;

static void count_reports(const char *type, const char *endpoint,
                          void *argument)
{
    (void)endpoint;
    (void)argument;
    reported += strcmp(type, "push") == 0;
}

static int exit_with_a_swap(void *argument)
{
    (void)argument;
    char endpoint[64];
    context = make_context();
    sz_socket a = make_late(-1, endpoint);
    sz_socket c = make_late(-1, endpoint);
    for (int n = 0; n < 50; n++) {
        assert_code(send_number(a, n, 100), 0);
        assert_code(send_number(c, n, 100), 0);
    }
    assert_code(sz_socket_close(c), 0);
    int64_t begun = now();
    int code = sz_exit(200, count_reports, NULL);
    int64_t took = now() - begun;
    return code == SZ_EAGAIN && reported == 2 && took >= 200 && took < DEADLINE
               ? 0
               : 1;
}

/* Case 20. */
TEST(exit_is_bounded_and_names_what_has_not_left)
{
    assert_child(exit_with_a_swap, NULL);
}

static int use_in_child(void *argument)
{
    sz_socket socket = *(sz_socket *)argument;
    int64_t next;
    return send_number(socket, 0, 10) == SZ_EFORKED &&
                   sz_socket_pump(socket, &next) == SZ_EFORKED &&
                   sz_socket_close(socket) == 0
               ? 0
               : 1;
}

/* Cases 30, 32. */
TEST(a_forked_child_leaves_the_swap_alone)
{
    sz_socket a, b;
    make_swapped("push", &a, "pull", &b, 10 * MEGABYTE);
    for (int n = 0; n < 1000; n++)
        assert_code(send_number(a, n, 1000), 0);
    for (int i = 0; i < 5; i++)
        assert_child(use_in_child, &a);
    check_numbers(b, a, 0, 1000);
}

/* --------------------------------------------------------------- faults -- */

/* The descriptor of the only unnamed file. */
static int find_file(void)
{
    for (int fd = 3; fd < 100; fd++) {
        char path[40], target[200];
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(path, target, sizeof target - 1);
        if (length < 0)
            continue;
        target[length] = '\0';
        if (strncmp(target, "/var/tmp/", 9) == 0)
            return fd;
    }
    return -1;
}

/* Case 84. */
TEST(a_damaged_message_is_told_of_once_and_never_sent)
{
    sz_socket a, b;
    make_swapped("push", &a, "pull", &b, 10 * MEGABYTE);
    for (int n = 0; n < 1000; n++)
        assert_code(send_number(a, n, 1000), 0);
    int fd = find_file();
    assert_true(fd >= 0);
    char byte = 1;
    assert_int_equal(pwrite(fd, &byte, 1, 200500), 1);
    int last = -1;
    bool told = false;
    for (int got = 0; got < 999; got++) {
        assert_code(receive_pumping(b, a), 1);
        int number = number_received(b);
        assert_true(number == last + 1 || number == last + 2);
        last = number;
    }
    assert_int_equal(last, 999);
    assert_int_equal(get(a, "swap-lost"), 1);
    const void *text;
    size_t size;
    assert_code(sz_socket_get_bytes(a, option("swap-error"), &text, &size), 0);
    assert_string_equal(text, "corrupt");
    told = send_number(a, 0, 10) == SZ_ECORRUPT;
    assert_true(told);
    assert_code(send_number(a, 7, 10), 0);
    check_numbers(b, a, 7, 8);
}

static size_t calls, failing;

static void *failing_resize(void *old, size_t size)
{
    return ++calls == failing ? NULL : realloc(old, size);
}

/* Case 96: nothing is lost, and the socket goes on. */
TEST(each_allocation_may_fail)
{
    sz_set_allocator(failing_resize, free);
    size_t most = SIZE_MAX;
    for (size_t at = 1; at <= most; at++) {
        failing = 0;
        sz_socket a, b;
        make_swapped("push", &a, "pull", &b, MEGABYTE);
        sz_part parts[20];
        for (size_t i = 0; i < 20; i++)
            parts[i] = text_part("x");
        calls = 0;
        failing = at;
        int accepted = 0;
        for (int n = 0; n < 10; n++) {
            int code = sz_send(a, parts, 20);
            assert_true(code == 0 || code == SZ_ENOMEM);
            accepted += code == 0;
        }
        for (; accepted > 0; accepted--) {
            int64_t next;
            int count;
            for (int i = 0; (count = sz_receive(b)) < 0 && i < 1000; i++) {
                assert_true(count == SZ_EAGAIN || count == SZ_ENOMEM);
                assert_code(sz_socket_pump(a, &next), 0);
            }
            assert_code(count, 20);
        }
        assert_code(sz_receive(b), SZ_EAGAIN);
        if (calls < at)
            most = 0;
        failing = 0;
        renew_context();
    }
    sz_set_allocator(NULL, NULL);
}

/* ------------------------------------------------------------ sequences -- */

static uint64_t random_state;

static unsigned random_below(unsigned end)
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    return (unsigned)((z ^ z >> 27) % end);
}

/* Message n is known by its number: how many parts it has, how large they
 * are, and what is in them. */
typedef struct {
    sz_socket a, b;
    char endpoint[40];
    int serial;
    unsigned accepted;          /* messages 0 to accepted - 1 were */
    unsigned expected, at_most; /* the number of the next to come */
} play;

static size_t parts_of(unsigned n)
{
    return 1 + n * 7 % 5 % 3;
}

static size_t part_size(unsigned n, size_t part)
{
    return (n * 31 + part * 17) % 120 + (part == 0 ? 8 : 0);
}

static void fill_part(unsigned char *bytes, unsigned n, size_t part)
{
    for (size_t i = 0; i < part_size(n, part); i++)
        bytes[i] = (unsigned char)(n + part + i);
    if (part == 0)
        memcpy(bytes, &n, sizeof n);
}

static void play_send(play *p)
{
    unsigned char bytes[3][128];
    sz_part parts[3] = {0};
    size_t count = parts_of(p->accepted), all = 24 + 8 * 3;
    for (size_t i = 0; i < count; i++) {
        fill_part(bytes[i], p->accepted, i);
        parts[i].data = bytes[i];
        parts[i].size = part_size(p->accepted, i);
        all += parts[i].size;
    }
    int64_t size = get(p->a, "swap");
    bool out = (sz_socket_events(p->a) & SZ_OUT) != 0;
    int code = sz_send(p->a, parts, count);
    if (code == 0)
        p->accepted++;
    else
        assert_true(code == SZ_EAGAIN || code == SZ_ESWAPSIZE);
    if (out && size > 0 && (int64_t)all <= size / 8)
        assert_code(code, 0);
}

static bool play_receive(play *p)
{
    int count = sz_receive(p->b);
    if (count == SZ_EAGAIN)
        return false;
    const void *data;
    size_t size;
    unsigned n;
    assert_code(sz_received(p->b, 0, &data, &size), 0);
    assert_true(size >= sizeof n);
    memcpy(&n, data, sizeof n);
    assert_true(n >= p->expected && n <= p->at_most && n < p->accepted);
    assert_int_equal(count, parts_of(n));
    for (size_t i = 0; i < (size_t)count; i++) {
        unsigned char wanted[128];
        fill_part(wanted, n, i);
        assert_code(sz_received(p->b, i, &data, &size), 0);
        assert_int_equal(size, part_size(n, i));
        assert_memory_equal(data, wanted, size);
    }
    p->expected = p->at_most = n + 1;
    return true;
}

static void play_open(play *p)
{
    snprintf(p->endpoint, sizeof p->endpoint, "inproc://play-%d", p->serial++);
    p->b = make_socket("pull");
    set(p->b, "rcvhwm", 1 + random_below(3));
    assert_code(bind_to(p->b, p->endpoint), 0);
    assert_code(connect_to(p->a, p->endpoint), 0);
}

/* What libzmq had for the old peer may be gone; what waits is not. */
static void play_replace_peer(play *p)
{
    assert_code(sz_socket_disconnect(p->a, p->endpoint, strlen(p->endpoint)),
                0);
    p->at_most = p->accepted - (unsigned)get(p->a, "swap-count");
    assert_code(sz_socket_close(p->b), 0);
    play_open(p);
}

static void play_resize(play *p)
{
    int64_t size = random_below(8) == 0 ? 0 : 60 + random_below(3000);
    int code = set_swap(p->a, size);
    if (size > 0 || get(p->a, "swap-count") == 0)
        assert_code(code, 0);
    else
        assert_code(code, SZ_ESWAPBUSY);
}

static void play_step(play *p)
{
    int64_t next;
    unsigned what = random_below(100);
    if (what < 50)
        play_send(p);
    else if (what < 85)
        play_receive(p);
    else if (what < 92)
        assert_code(sz_socket_pump(p->a, &next), 0);
    else if (what < 96)
        assert_true(sz_socket_events(p->a) >= 0);
    else if (what < 99)
        play_resize(p);
    else
        play_replace_peer(p);
    assert_true(get(p->a, "swap-count") <= p->accepted - p->expected);
}

static void play_once(int *serial)
{
    play p = {.serial = *serial};
    p.a = make_socket("push");
    set(p.a, "sndhwm", 1 + random_below(3));
    set(p.a, "swap", 60 + random_below(3000));
    play_open(&p);
    for (unsigned steps = 20 + random_below(150); steps > 0; steps--)
        play_step(&p);
    bool closed = random_below(8) == 0 && p.at_most == p.expected;
    if (closed) {
        set(p.a, "linger", -1);
        assert_code(sz_socket_close(p.a), 0);
    }
    int64_t end = now() + DEADLINE, next;
    while (p.expected < p.accepted && now() < end)
        if (!play_receive(&p)) {
            if (closed)
                sz_socket_wait(p.b, SZ_IN, 10);
            else
                assert_code(sz_socket_pump(p.a, &next), 0);
            if (!closed && get(p.a, "swap-count") == 0 &&
                p.at_most >= p.accepted)
                break; /* the rest went with a peer */
        }
    assert_true(p.expected == p.accepted || p.at_most >= p.accepted);
    if (!closed)
        assert_code(sz_socket_close(p.a), 0);
    assert_code(sz_socket_close(p.b), 0);
    *serial = p.serial;
}

/* Case 90, with sockets: SZ_PLAYS is how many. */
TEST(random_use_of_sockets_keeps_to_the_guarantee)
{
    const char *given = getenv("SZ_PLAYS");
    size_t count = given != NULL ? strtoul(given, NULL, 10) : scaled(2000);
    int serial = 0;
    for (size_t i = 0; i < count; i++) {
        random_state = i;
        play_once(&serial);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_use_of_sockets_keeps_to_the_guarantee),
        cmocka_unit_test(what_libzmq_does_not_take_waits_and_leaves_in_order),
        cmocka_unit_test(it_goes_through_a_file_and_back),
        cmocka_unit_test(a_full_swap_makes_its_socket_wait),
        cmocka_unit_test(out_promises_room),
        cmocka_unit_test(a_message_of_parts_waits_whole_or_not_at_all),
        cmocka_unit_test(held_messages_and_empty_ones_wait_too),
        cmocka_unit_test(a_message_larger_than_the_swap_is_told_so),
        cmocka_unit_test(who_is_gone_does_not_hold_what_waits),
        cmocka_unit_test(a_socket_without_a_peer_holds_at_once),
        cmocka_unit_test(a_request_waits_and_its_reply_can_be_waited_for),
        cmocka_unit_test(a_publisher_holds_what_a_subscriber_cannot_take),
        cmocka_unit_test(types_that_cannot_have_a_swap_say_so),
        cmocka_unit_test(what_cannot_go_together_is_refused_in_either_order),
        cmocka_unit_test(an_encrypted_socket_needs_a_permission),
        cmocka_unit_test(it_cannot_be_turned_off_while_messages_wait),
        cmocka_unit_test(its_directory_is_tried_when_it_is_set),
        cmocka_unit_test(a_poller_tells_who_pumps),
        cmocka_unit_test(a_poller_tells_of_room_in_the_swap),
        cmocka_unit_test(closing_lets_what_waits_leave_for_the_time_of_linger),
        cmocka_unit_test(closing_drops_what_waits_when_the_linger_is_over),
        cmocka_unit_test(terminating_waits_for_the_swaps_of_open_sockets),
        cmocka_unit_test(shutting_down_ends_a_swap_that_waits),
        cmocka_unit_test(exit_is_bounded_and_names_what_has_not_left),
        cmocka_unit_test(a_forked_child_leaves_the_swap_alone),
        cmocka_unit_test(a_damaged_message_is_told_of_once_and_never_sent),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return run_all("offload", tests);
}
