/* Pollers: level-triggered over edges, and no wake-up lost. */

#include "support.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>

static sz_poller make_poller(void)
{
    sz_poller poller = {0};
    assert_code(sz_poller_new(&poller), 0);
    return poller;
}

/* Checks until something is ready, waiting on the poller's descriptor. */
static int check_soon(sz_poller poller, sz_ready *ready, size_t max)
{
    int64_t end = now() + DEADLINE;
    int n;
    while ((n = sz_poller_check(poller, ready, max)) == 0 && now() < end)
        sz_wait(sz_poller_fd(poller), DEADLINE);
    return n;
}

static void assert_idle(sz_poller poller)
{
    sz_ready ready[8];
    assert_code(sz_poller_check(poller, ready, 8), 0);
    assert_code(sz_wait(sz_poller_fd(poller), 20), SZ_EAGAIN);
}

TEST(what_is_not_read_is_reported_again)
{
    sz_socket in, out;
    make_pair("pull", &in, "push", &out);
    sz_poller poller = make_poller();
    assert_code(sz_poller_add_socket(poller, in, SZ_IN, 42), 0);
    assert_idle(poller);
    assert_code(send_text(out, "x"), 0);
    for (int i = 0; i < 3; i++) {
        sz_ready ready = {0};
        assert_code(check_soon(poller, &ready, 1), 1);
        assert_int_equal(ready.tag, 42);
        assert_int_equal(ready.events, SZ_IN);
    }
    assert_next(in, "x");
    assert_idle(poller);
    sz_poller_free(poller);
}

TEST(a_socket_that_can_send_is_ready_for_out)
{
    sz_socket in, out;
    make_pair("pull", &in, "push", &out);
    sz_poller poller = make_poller();
    sz_ready ready = {0};
    assert_code(sz_poller_add_socket(poller, out, SZ_OUT, 1), 0);
    assert_code(check_soon(poller, &ready, 1), 1);
    assert_int_equal(ready.events, SZ_OUT);
    assert_code(sz_poller_modify_socket(poller, out, SZ_IN, 2), 0);
    assert_idle(poller);
    assert_code(sz_poller_modify_socket(poller, out, SZ_IN | SZ_OUT, 3), 0);
    assert_code(check_soon(poller, &ready, 1), 1);
    assert_int_equal(ready.tag, 3);
    assert_code(sz_poller_remove_socket(poller, out), 0);
    assert_idle(poller);
    sz_poller_free(poller);
}

TEST(what_is_watched_twice_or_not_at_all_is_refused)
{
    sz_socket socket = make_socket("pull");
    sz_poller poller = make_poller(), other = make_poller();
    assert_code(sz_poller_remove_socket(poller, socket), SZ_ENOENT);
    assert_code(sz_poller_modify_socket(poller, socket, SZ_IN, 1), SZ_ENOENT);
    assert_code(sz_poller_add_socket(poller, socket, SZ_IN, 1), 0);
    assert_code(sz_poller_add_socket(poller, socket, SZ_IN, 1), SZ_EEXIST);
    assert_code(sz_poller_add_socket(other, socket, SZ_IN, 1), 0);
    assert_code(sz_poller_remove_fd(poller, 0), SZ_ENOENT);
    assert_code(sz_poller_modify_fd(poller, 0, SZ_IN, 1), SZ_ENOENT);
    assert_code(sz_poller_add_fd(poller, 999, SZ_IN, 1), SZ_EBADF);
    assert_code(sz_poller_add_fd(poller, -1, SZ_IN, 1), SZ_EBADF);
    sz_poller_free(poller);
    sz_poller_free(poller);
    assert_code(sz_poller_add_socket(poller, socket, SZ_IN, 1), SZ_ECLOSED);
    sz_poller_free(other);
}

TEST(descriptors_are_watched_beside_sockets)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    sz_poller poller = make_poller();
    sz_ready ready = {0};
    assert_code(sz_poller_add_fd(poller, ends[0], SZ_IN, 5), 0);
    assert_idle(poller);
    assert_int_equal(write(ends[1], "x", 1), 1);
    for (int i = 0; i < 2; i++) {
        assert_code(check_soon(poller, &ready, 1), 1);
        assert_int_equal(ready.tag, 5);
        assert_int_equal(ready.events, SZ_IN);
    }
    char byte;
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_idle(poller);
    assert_code(sz_poller_modify_fd(poller, ends[0], SZ_OUT, 6), 0);
    assert_code(check_soon(poller, &ready, 1), 1);
    assert_int_equal(ready.events, SZ_OUT);
    assert_code(sz_poller_modify_fd(poller, ends[0], SZ_IN, 6), 0);
    close(ends[1]);
    assert_code(check_soon(poller, &ready, 1), 1);
    assert_true(ready.events & SZ_IN);
    assert_code(sz_poller_remove_fd(poller, ends[0]), 0);
    close(ends[0]);
    sz_poller_free(poller);
}

TEST(many_ready_descriptors_leave_the_check_in_time)
{
    enum {
        PIPES = 200
    };
    sz_socket in, out;
    make_pair("pull", &in, "push", &out);
    sz_poller poller = make_poller();
    assert_code(sz_poller_add_socket(poller, in, SZ_IN, PIPES), 0);
    assert_code(send_text(out, "x"), 0);
    sz_ready ready[PIPES + 1];
    assert_code(check_soon(poller, ready, 1), 1);
    int pipes[PIPES][2];
    for (int i = 0; i < PIPES; i++) {
        assert_int_equal(pipe(pipes[i]), 0);
        assert_int_equal(write(pipes[i][1], "x", 1), 1);
        assert_code(sz_poller_add_fd(poller, pipes[i][0], SZ_IN, (uint64_t)i),
                    0);
    }
    bool seen[PIPES + 1] = {false};
    for (int round = 0; round < 3; round++) {
        int n = sz_poller_check(poller, ready, PIPES + 1);
        for (int i = 0; i < n; i++)
            seen[ready[i].tag] = true;
    }
    for (int i = 0; i <= PIPES; i++)
        assert_true(seen[i]);
    sz_poller_free(poller);
    for (int i = 0; i < PIPES; i++) {
        close(pipes[i][0]);
        close(pipes[i][1]);
    }
}

/* The copy keeps the open file, of which epoll goes on telling. */
TEST(a_descriptor_closed_while_a_copy_lives_can_be_removed)
{
    sz_poller poller = make_poller();
    sz_ready ready = {0};
    int watched[2], other[2];
    assert_int_equal(pipe(watched), 0);
    assert_int_equal(pipe(other), 0);
    int copy = dup(watched[0]);
    assert_code(sz_poller_add_fd(poller, watched[0], SZ_IN, 1), 0);
    assert_code(sz_poller_add_fd(poller, other[0], SZ_IN, 2), 0);
    close(watched[0]);
    assert_code(sz_poller_remove_fd(poller, watched[0]), 0);
    assert_int_equal(write(watched[1], "x", 1), 1);
    assert_code(sz_poller_check(poller, &ready, 1), 0);
    assert_idle(poller);
    assert_int_equal(write(other[1], "x", 1), 1);
    assert_code(check_soon(poller, &ready, 1), 1);
    assert_int_equal(ready.tag, 2);
    sz_poller_free(poller);
    close(copy);
    close(watched[1]);
    close(other[0]);
    close(other[1]);
}

TEST(a_regular_file_is_always_ready)
{
    int fd = open("/proc/self/exe", O_RDONLY);
    assert_true(fd >= 0);
    sz_poller poller = make_poller();
    sz_ready ready = {0};
    assert_code(sz_poller_add_fd(poller, fd, SZ_IN, 9), 0);
    for (int i = 0; i < 3; i++) {
        assert_code(sz_poller_check(poller, &ready, 1), 1);
        assert_int_equal(ready.events, SZ_IN);
    }
    sz_poller_free(poller);
    close(fd);
}

/* Case 47. */
TEST(a_socket_closed_while_watched_is_reported)
{
    sz_socket socket = make_socket("pull");
    sz_poller poller = make_poller();
    sz_ready ready = {0};
    assert_code(sz_poller_add_socket(poller, socket, SZ_IN, 4), 0);
    assert_idle(poller);
    assert_code(sz_socket_close(socket), 0);
    assert_code(sz_wait(sz_poller_fd(poller), DEADLINE), 0);
    for (int i = 0; i < 2; i++) {
        assert_code(sz_poller_check(poller, &ready, 1), 1);
        assert_int_equal(ready.tag, 4);
        assert_int_equal(ready.events, SZ_ERROR);
    }
    assert_code(sz_poller_remove_socket(poller, socket), 0);
    assert_idle(poller);
    sz_poller_free(poller);
}

TEST(a_shut_down_context_is_reported)
{
    sz_socket socket = make_socket("pull");
    sz_poller poller = make_poller();
    sz_ready ready = {0};
    assert_code(sz_poller_add_socket(poller, socket, SZ_IN, 4), 0);
    assert_idle(poller);
    assert_code(sz_context_shutdown(context), 0);
    assert_code(check_soon(poller, &ready, 1), 1);
    assert_int_equal(ready.events, SZ_ERROR);
    sz_poller_free(poller);
}

/* Case 36. */
TEST(what_ends_is_reported_though_it_was_ready)
{
    sz_socket in, out;
    make_pair("pull", &in, "push", &out);
    sz_poller pollers[2] = {make_poller(), make_poller()};
    for (int i = 0; i < 2; i++)
        assert_code(sz_poller_add_socket(pollers[i], in, SZ_IN, 1), 0);
    assert_code(send_text(out, "x"), 0);
    sz_ready ready = {0};
    for (int i = 0; i < 4; i++) {
        assert_code(check_soon(pollers[i % 2], &ready, 1), 1);
        assert_int_equal(ready.events, SZ_IN);
    }
    assert_code(sz_context_shutdown(context), 0);
    for (int i = 0; i < 2; i++) {
        int64_t end = now() + DEADLINE;
        do
            assert_code(check_soon(pollers[i], &ready, 1), 1);
        while (ready.events != SZ_ERROR && now() < end);
        assert_int_equal(ready.events, SZ_ERROR);
    }
    for (int i = 0; i < 2; i++)
        sz_poller_free(pollers[i]);
}

TEST(using_a_socket_does_not_hide_what_arrives)
{
    sz_socket in, out;
    make_pair("pull", &in, "push", &out);
    sz_poller poller = make_poller();
    sz_ready ready = {0};
    assert_code(sz_poller_add_socket(poller, in, SZ_IN, 1), 0);
    for (int i = 0; i < 3; i++) {
        assert_idle(poller);
        assert_code(send_text(out, "x"), 0);
        /* Takes the signal from the poller's descriptor. */
        if (i == 0)
            assert_code(sz_socket_events(in), SZ_IN);
        else if (i == 1)
            assert_int_equal(get(in, "linger"), 0);
        else
            set(in, "linger", 0);
        assert_code(sz_wait(sz_poller_fd(poller), DEADLINE), 0);
        assert_code(check_soon(poller, &ready, 1), 1);
        assert_next(in, "x");
    }
    sz_poller_free(poller);
}

TEST(idle_pollers_of_one_socket_do_not_wake_each_other)
{
    sz_socket in, out;
    make_pair("pull", &in, "push", &out);
    sz_poller first = make_poller(), second = make_poller();
    sz_ready ready = {0};
    assert_code(sz_poller_add_socket(first, in, SZ_IN, 1), 0);
    assert_code(sz_poller_add_socket(second, in, SZ_IN, 2), 0);
    assert_code(sz_poller_check(first, &ready, 1), 0);
    assert_idle(second);
    assert_idle(first);
    assert_code(sz_wait(sz_poller_fd(second), 0), SZ_EAGAIN);
    assert_code(send_text(out, "x"), 0);
    assert_code(check_soon(first, &ready, 1), 1);
    assert_code(check_soon(second, &ready, 1), 1);
    assert_int_equal(ready.tag, 2);
    sz_poller_free(first);
    sz_poller_free(second);
}

TEST(a_signal_is_reported_once)
{
    sz_socket router, dealer;
    make_pair("router", &router, "dealer", &dealer);
    sz_poller poller = make_poller();
    sz_ready ready = {0};
    sz_socket_events(router);
    assert_code(sz_poller_add_socket(poller, router, SZ_SIGNAL, 3), 0);
    assert_idle(poller);
    assert_code(send_text(dealer, "x"), 0);
    assert_code(check_soon(poller, &ready, 1), 1);
    assert_int_equal(ready.tag, 3);
    assert_int_equal(ready.events, SZ_SIGNAL);
#ifndef SZ_POLL
    assert_idle(poller);
#endif
    assert_code(receive_soon(router), 2);
    assert_code(sz_receive(router), SZ_EAGAIN);
    assert_idle(poller);
    assert_code(send_text(dealer, "y"), 0);
    assert_code(check_soon(poller, &ready, 1), 1);
    sz_poller_free(poller);
}

TEST(a_signal_that_a_poller_took_is_reported)
{
    sz_socket in, out;
    make_pair("pull", &in, "push", &out);
    sz_poller poller = make_poller(), other = make_poller();
    sz_ready ready = {0};
    sz_socket_events(in);
    assert_code(sz_poller_add_socket(poller, in, SZ_SIGNAL, 3), 0);
    assert_code(sz_poller_add_socket(other, in, SZ_IN, 4), 0);
    assert_code(sz_poller_check(other, &ready, 1), 0);
    assert_code(send_text(out, "x"), 0);
    assert_code(check_soon(other, &ready, 1), 1);
    assert_code(check_soon(poller, &ready, 1), 1);
    assert_int_equal(ready.tag, 3);
    assert_idle(poller);
    sz_poller_free(poller);
    sz_poller_free(other);
}

/* Expects that the poller reports just this timer. */
static void assert_timer(sz_poller poller, uint64_t id)
{
    sz_ready ready[2];
    assert_code(check_soon(poller, ready, 2), 1);
    assert_int_equal(ready[0].events, SZ_TIMER);
    assert_int_equal(ready[0].tag, id);
}

TEST(a_timer_is_reported_once_and_not_before_its_time)
{
    sz_poller poller = make_poller();
    uint64_t id;
    int64_t begun = sz_now();
    assert_code(sz_poller_add_timer(poller, begun + 50, &id), 0);
    assert_timer(poller, id);
    assert_true(sz_now() >= begun + 50);
    assert_idle(poller);
    assert_code(sz_poller_remove_timer(poller, id), SZ_ENOENT);
    sz_poller_free(poller);
}

TEST(a_timer_of_the_past_is_reported_at_once)
{
    sz_poller poller = make_poller();
    uint64_t id;
    assert_code(sz_poller_add_timer(poller, 0, &id), 0);
    assert_timer(poller, id);
    assert_idle(poller);
    sz_poller_free(poller);
}

TEST(a_timer_that_was_removed_is_not_reported)
{
    sz_poller poller = make_poller();
    uint64_t first, second;
    assert_code(sz_poller_add_timer(poller, sz_now() + 20, &first), 0);
    assert_code(sz_poller_add_timer(poller, sz_now() + 40, &second), 0);
    assert_code(sz_poller_remove_timer(poller, first), 0);
    assert_code(sz_poller_remove_timer(poller, first), SZ_ENOENT);
    assert_timer(poller, second);
    assert_idle(poller);
    sz_poller_free(poller);
}

/* Against an array, with times that often coincide. */
TEST(many_timers_are_reported_in_the_order_of_their_times)
{
    enum {
        TIMERS = 500
    };
    sz_poller poller = make_poller();
    sz_ready ready[TIMERS];
    uint64_t ids[TIMERS];
    int64_t times[TIMERS];
    unsigned random = 1;
    int64_t begun = sz_now();
    int kept = 0;
    for (int i = 0; i < TIMERS; i++) {
        random = random * 1103515245 + 12345;
        times[i] = begun - 1000 + random / 65536 % 100;
        assert_code(sz_poller_add_timer(poller, times[i], &ids[i]), 0);
    }
    for (int i = 0; i < TIMERS; i += 3)
        assert_code(sz_poller_remove_timer(poller, ids[i]), 0);
    for (int i = 0; i < TIMERS; i++)
        kept += i % 3 != 0;
    assert_code(sz_poller_check(poller, ready, TIMERS), kept);
    int64_t last = 0;
    for (int n = 0; n < kept; n++) {
        int i = 0;
        while (ids[i] != ready[n].tag)
            i++;
        assert_true(i % 3 != 0);
        assert_true(times[i] >= last);
        last = times[i];
        ids[i] = 0;
    }
    assert_idle(poller);
    sz_poller_free(poller);
}

TEST(a_poller_that_is_woken_is_readable_until_the_next_check)
{
    sz_poller poller = make_poller();
    assert_idle(poller);
    assert_code(sz_poller_wake(poller), 0);
    assert_code(sz_wait(sz_poller_fd(poller), DEADLINE), 0);
    assert_idle(poller);
    sz_poller_free(poller);
    assert_code(sz_poller_wake(poller), SZ_ECLOSED);
}

TEST(a_short_list_serves_all_in_turn)
{
    enum {
        SOCKETS = 20
    };
    sz_socket in[SOCKETS], out[SOCKETS];
    sz_poller poller = make_poller();
    int served[SOCKETS] = {0};
    for (size_t i = 0; i < SOCKETS; i++) {
        make_pair("pull", &in[i], "push", &out[i]);
        assert_code(sz_poller_add_socket(poller, in[i], SZ_IN, i), 0);
        assert_code(send_text(out[i], "x"), 0);
    }
    for (size_t i = 0; i < 3 * SOCKETS; i++) {
        sz_ready ready = {0};
        assert_code(check_soon(poller, &ready, 1), 1);
        served[ready.tag]++;
    }
    for (size_t i = 0; i < SOCKETS; i++)
        assert_int_equal(served[i], 3);
    sz_poller_free(poller);
}

static void *echo(void *argument)
{
    sz_socket socket = *(sz_socket *)argument;
    sz_poller poller = make_poller();
    sz_ready ready;
    assert_code(sz_poller_add_socket(poller, socket, SZ_IN, 0), 0);
    for (;;) {
        int parts;
        while ((parts = sz_receive(socket)) == SZ_EAGAIN)
            check_soon(poller, &ready, 1);
        if (parts < 0)
            break;
        const void *data;
        size_t size;
        sz_received(socket, 0, &data, &size);
        bool last = size == 0;
        sz_send_bytes(socket, data, size);
        if (last)
            break;
    }
    sz_poller_free(poller);
    return NULL;
}

/* Case 36. */
TEST(no_ping_and_no_pong_is_lost)
{
    sz_socket here, there;
    make_pair("pair", &here, "pair", &there);
    sz_poller poller = make_poller();
    sz_ready ready;
    assert_code(sz_poller_add_socket(poller, here, SZ_IN, 0), 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, echo, &there), 0);
    size_t rounds = loops(20000);
    for (size_t i = 0; i <= rounds; i++) {
        assert_code(sz_send_bytes(here, "ping", i < rounds ? 4 : 0), 0);
        int parts;
        while ((parts = sz_receive(here)) == SZ_EAGAIN) {
            /* Others look at the socket at any time. */
            if (i % 3 == 0)
                sz_socket_events(here);
            assert_code(check_soon(poller, &ready, 1), 1);
        }
        assert_code(parts, 1);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    sz_poller_free(poller);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_read_is_reported_again),
        cmocka_unit_test(a_socket_that_can_send_is_ready_for_out),
        cmocka_unit_test(what_is_watched_twice_or_not_at_all_is_refused),
        cmocka_unit_test(descriptors_are_watched_beside_sockets),
        cmocka_unit_test(many_ready_descriptors_leave_the_check_in_time),
        cmocka_unit_test(
            a_descriptor_closed_while_a_copy_lives_can_be_removed),
        cmocka_unit_test(a_regular_file_is_always_ready),
        cmocka_unit_test(a_socket_closed_while_watched_is_reported),
        cmocka_unit_test(a_shut_down_context_is_reported),
        cmocka_unit_test(what_ends_is_reported_though_it_was_ready),
        cmocka_unit_test(using_a_socket_does_not_hide_what_arrives),
        cmocka_unit_test(idle_pollers_of_one_socket_do_not_wake_each_other),
        cmocka_unit_test(a_signal_is_reported_once),
        cmocka_unit_test(a_signal_that_a_poller_took_is_reported),
        cmocka_unit_test(a_timer_is_reported_once_and_not_before_its_time),
        cmocka_unit_test(a_timer_of_the_past_is_reported_at_once),
        cmocka_unit_test(a_timer_that_was_removed_is_not_reported),
        cmocka_unit_test(many_timers_are_reported_in_the_order_of_their_times),
        cmocka_unit_test(
            a_poller_that_is_woken_is_readable_until_the_next_check),
        cmocka_unit_test(a_short_list_serves_all_in_turn),
        cmocka_unit_test(no_ping_and_no_pong_is_lost),
    };
    return run_all("poller", tests);
}
