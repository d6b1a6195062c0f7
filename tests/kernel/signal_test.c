/* Signals: calls that do not wait are not interrupted. */

#include "rows.h"

#include <sys/time.h>

static volatile sig_atomic_t signals;

static void count_signal(int number)
{
    (void)number;
    signals++;
}

/* Signals at 20 kHz or so, from now on or no more; fewer where a checker makes
 * handling one take longer than that.  valgrind also interrupts calls that do
 * not wait, as the system never does, and libzmq aborts then (signaler.cpp,
 * recv_failable): they are restarted there. */
static void storm(bool on)
{
    const size_t many = 1000;
    const struct timeval pause = {
        0, on ? (suseconds_t)(50 * many / scaled(many)) : 0};
    const struct itimerval timer = {pause, pause};
    struct sigaction action = {.sa_handler = count_signal};
    if (scaled(many) < many)
        action.sa_flags = SA_RESTART;
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

/* Calls `round` until enough signals have come. */
static void under_storm(void (*round)(void))
{
    int64_t end = now() + DEADLINE;
    signals = 0;
    storm(true);
    while ((size_t)signals < loops(3000) && now() < end)
        round();
    storm(false);
    assert_true((size_t)signals >= loops(3000));
}

static sz_socket one, other;

static void attach_once(void)
{
    static const char *const endpoints[] = {"ipc://@szmq-signal",
                                            "inproc://signal"};
    for (size_t i = 0; i < 2; i++) {
        size_t length = strlen(endpoints[i]);
        int code = bind_to(one, endpoints[i]);
        /* libzmq's thread may not have closed the last ones yet. */
        if (code == SZ_EADDRINUSE || code == SZ_EDESCRIPTORS)
            continue;
        assert_code(code, 0);
        code = connect_to(other, endpoints[i]);
        if (code == SZ_EDESCRIPTORS) {
            assert_code(sz_socket_unbind(one, endpoints[i], length), 0);
            continue;
        }
        assert_code(code, 0);
        assert_code(sz_socket_disconnect(other, endpoints[i], length), 0);
        assert_code(sz_socket_unbind(one, endpoints[i], length), 0);
    }
}

TEST(binding_and_connecting_are_not_interrupted)
{
    one = make_socket("pull");
    other = make_socket("push");
    /* What libzmq's thread has still to close is bounded by descriptors: more
     * would not fit the memory of a small address space. */
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit_descriptors(256);
    under_storm(attach_once);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void use_once(void)
{
    int64_t value;
    sz_message message;
    assert_true(sz_socket_events(one) >= 0);
    assert_code(sz_socket_get_integer(one, option("events"), &value), 0);
    set(one, "linger", 0);
    assert_true(get(other, "linger") == 0);
    int code = sz_socket_wait(one, SZ_IN, 0);
    assert_true(code == SZ_IN || code == SZ_EAGAIN);
    code = sz_wait(sz_socket_fd(one), 0);
    assert_true(code == 0 || code == SZ_EAGAIN);
    code = sz_send_bytes(other, "x", 1);
    assert_true(code == 0 || code == SZ_EAGAIN);
    code = signals % 2 ? sz_receive(one) : sz_receive_wait(one, 0);
    assert_true(code == 1 || code == SZ_EAGAIN);
    if (code == 1) {
        assert_code(sz_take(one, 0, &message), 0);
        sz_message_free(message);
    }
}

TEST(using_a_socket_is_not_interrupted)
{
    make_pair("pull", &one, "push", &other);
    under_storm(use_once);
}

static void name_once(void)
{
    static const char endpoint[] = "inproc://named";
    static int serial;
    char name[20];
    snprintf(name, sizeof name, "%d", serial++);
    assert_code(set_text(one, "connect-routing-id", name), 0);
    int code = connect_to(one, endpoint);
    /* Closed sockets occupy their places and descriptors for a moment. */
    if (code == SZ_ESOCKETS)
        return;
    assert_code(code, 0);
    assert_code(sz_socket_disconnect(one, endpoint, strlen(endpoint)), 0);
}

TEST(naming_a_peer_is_not_interrupted)
{
    one = make_socket("router");
    other = make_socket("dealer");
    assert_code(bind_to(other, "inproc://named"), 0);
    under_storm(name_once);
}

static void observe_once(void)
{
    sz_monitor monitor;
    int code = sz_monitor_new(one, SZ_EVENT_ALL, &monitor);
    /* Closed sockets occupy their places and descriptors for a moment. */
    if (code == SZ_ESOCKETS || code == SZ_EDESCRIPTORS)
        return;
    assert_code(code, 0);
    assert_code(sz_monitor_close(monitor), 0);
}

TEST(monitors_are_not_interrupted)
{
    one = make_socket("pull");
    under_storm(observe_once);
}

static sz_poller poller;

static void poll_once(void)
{
    sz_ready ready[2];
    int code = sz_send_bytes(other, "x", 1);
    assert_true(code == 0 || code == SZ_EAGAIN);
    int count = sz_poller_check(poller, ready, 2);
    for (int i = 0; i < count; i++)
        assert_int_equal(ready[i].events & SZ_ERROR, 0);
    code = sz_receive(one);
    assert_true(code == 1 || code == SZ_EAGAIN);
}

TEST(pollers_report_no_false_error)
{
    make_pair("pull", &one, "push", &other);
    assert_code(sz_poller_new(&poller), 0);
    assert_code(sz_poller_add_socket(poller, one, SZ_IN, 1), 0);
    assert_code(sz_poller_add_socket(poller, other, SZ_OUT, 2), 0);
    under_storm(poll_once);
    sz_poller_free(poller);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binding_and_connecting_are_not_interrupted),
        cmocka_unit_test(using_a_socket_is_not_interrupted),
        cmocka_unit_test(naming_a_peer_is_not_interrupted),
        cmocka_unit_test(monitors_are_not_interrupted),
        cmocka_unit_test(pollers_report_no_false_error),
    };
    return run_all("signal", tests);
}
