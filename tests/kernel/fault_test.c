/* What remains after a call that failed for want of memory, descriptors or
 * threads.  `make faults` makes every call fail; these are the cases that
 * matter most. */

#include "support.h"

static size_t allocation, failing;

static void *resize_failing_once(void *old, size_t size)
{
    return ++allocation == failing ? NULL : realloc(old, size);
}

/* Binds or connects, while the allocation number `n` fails. */
static int open_failing(sz_socket socket, const char *endpoint, bool bound,
                        size_t n)
{
    allocation = 0;
    failing = n;
    sz_set_allocator(resize_failing_once, free);
    int code =
        bound ? bind_to(socket, endpoint) : connect_to(socket, endpoint);
    sz_set_allocator(NULL, NULL);
    return code;
}

/* libzmq must be alone with a descriptor when it listens. */
static int bind_without_memory(void *argument)
{
    (void)argument;
    size_t refused = 0;
    for (size_t n = 1; n <= 8; n++) {
        context = make_context();
        sz_socket socket = make_socket("pull");
        int descriptors = count_descriptors();
        int code = open_failing(socket, anywhere, true, n);
        refused += code != 0;
        if (code != 0) {
            assert_code(code, SZ_ENOMEM);
            /* Those of the context before may only now be closed. */
            assert_true(count_descriptors() <= descriptors);
            set(socket, "rcvhwm", 5);
            assert_code(bind_to(socket, anywhere), 0);
        }
        assert_null(strchr(real_endpoint(socket), '*'));
        finish(context);
    }
    assert_true(refused > 2);
    return 0;
}

TEST(a_bind_without_memory_does_not_listen)
{
    assert_child(bind_without_memory, NULL);
}

static int connect_without_memory(void *argument)
{
    (void)argument;
    size_t refused = 0;
    for (size_t n = 1; n <= 12; n++) {
        context = make_context();
        sz_socket socket = make_socket("push");
        int code = open_failing(socket, argument, false, n);
        refused += code != 0;
        if (code != 0) {
            bool bound;
            assert_code(code, SZ_ENOMEM);
            assert_null(sz_socket_endpoint(socket, 0, &bound));
            assert_int_equal(sz_socket_events(socket), 0);
        }
        finish(context);
    }
    assert_true(refused > 2);
    return 0;
}

TEST(a_connect_without_memory_leaves_no_queue)
{
    assert_child(connect_without_memory, (void *)"tcp://127.0.0.1:9");
    assert_child(connect_without_memory, (void *)"inproc://nobody");
}

/* Makes the system refuse threads to this process, which root must leave. */
static void allow_threads(bool allowed)
{
    struct rlimit limit;
    if (geteuid() == 0 && setuid(65534) != 0)
        abort();
    assert_int_equal(getrlimit(RLIMIT_NPROC, &limit), 0);
    limit.rlim_cur = allowed ? limit.rlim_max : 0;
    assert_int_equal(setrlimit(RLIMIT_NPROC, &limit), 0);
}

/* Closes a socket whose swap holds messages, without a thread.  They are sent
 * when a socket is made (`made`), or when the context is terminated. */
static int close_without_threads(void *made)
{
    enum {
        COUNT = 200
    };
    context = make_context();
    sz_context other = make_context();
    char endpoint[64];
    make_endpoint(endpoint);
    sz_socket pull = make_socket_in(other, "pull");
    assert_code(bind_to(pull, endpoint), 0);
    sz_socket push = make_socket("push");
    set(push, "sndhwm", 2);
    set(push, "linger", DEADLINE);
    assert_code(sz_socket_set_bytes(push, option("swap-directory"), "/tmp", 4),
                0);
    set(push, "swap", 1 << 20);
    assert_code(connect_to(push, endpoint), 0);
    char data[5000] = {0};
    for (int i = 0; i < COUNT; i++)
        assert_code(sz_send_bytes(push, data, sizeof data), 0);
    allow_threads(false);
    assert_code(sz_socket_close(push), 0);
    allow_threads(true);
    if (made != NULL)
        make_socket("push");
    else
        assert_code(sz_context_terminate(context), SZ_EAGAIN);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(receive_soon(pull), 1);
    finish(context);
    finish(other);
    return 0;
}

TEST(the_swap_of_a_closed_socket_is_sent_when_a_thread_can_be_started)
{
    assert_child(close_without_threads, (void *)"made");
}

TEST(the_swap_of_a_closed_socket_is_sent_before_its_context_ends)
{
    assert_child(close_without_threads, NULL);
}

TEST(a_watch_of_a_swap_can_be_changed_to_one_of_messages_and_back)
{
    sz_socket a, b;
    sz_poller poller;
    sz_ready ready;
    make_pair("dealer", &a, "dealer", &b);
    assert_code(sz_poller_new(&poller), 0);
    assert_code(sz_poller_add_socket(poller, a, SZ_SWAP, 1), 0);
    assert_code(sz_poller_check(poller, &ready, 1), 0);
    assert_code(sz_poller_modify_socket(poller, a, SZ_IN, 2), 0);
    assert_code(sz_poller_check(poller, &ready, 1), 0);
    assert_code(send_text(b, "x"), 0);
    assert_code(sz_wait(sz_poller_fd(poller), DEADLINE), 0);
    assert_code(sz_poller_check(poller, &ready, 1), 1);
    assert_int_equal(ready.tag, 2);
    assert_int_equal(ready.events, SZ_IN);
    assert_code(sz_poller_modify_socket(poller, a, SZ_SWAP, 3), 0);
    assert_code(sz_poller_check(poller, &ready, 1), 0);
    assert_code(sz_poller_remove_socket(poller, a), 0);
    assert_code(sz_poller_add_socket(poller, a, SZ_IN, 4), 0);
    assert_code(sz_poller_check(poller, &ready, 1), 1);
    sz_poller_free(poller);
}

/* A descriptor that was closed before it was removed makes the poller begin
 * anew with what the system watches. */
TEST(the_descriptor_of_a_poller_keeps_its_number)
{
    sz_poller poller;
    sz_ready ready;
    int fds[2], other[2];
    assert_code(sz_poller_new(&poller), 0);
    int fd = sz_poller_fd(poller);
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(pipe(other), 0);
    int copy = dup(fds[0]);
    assert_code(sz_poller_add_fd(poller, fds[0], SZ_IN, 1), 0);
    assert_code(sz_poller_add_fd(poller, other[0], SZ_IN, 2), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    close(fds[0]);
    sz_poller_remove_fd(poller, fds[0]);
    assert_code(sz_poller_check(poller, &ready, 1), 0);
    assert_int_equal(sz_poller_fd(poller), fd);
    assert_int_equal(write(other[1], "x", 1), 1);
    assert_code(sz_wait(fd, DEADLINE), 0);
    assert_code(sz_poller_check(poller, &ready, 1), 1);
    assert_int_equal(ready.tag, 2);
    sz_poller_free(poller);
    close(copy);
    close(fds[1]);
    close(other[0]);
    close(other[1]);
}

static void call_kernel(const char *type, const char *endpoint, void *argument)
{
    (void)type;
    (void)endpoint;
    *(int *)argument = sz_context_sockets(context);
}

static int report_and_call(void *argument)
{
    (void)argument;
    int sockets = -1;
    context = make_context();
    sz_socket push = make_socket("push");
    set(push, "linger", -1);
    assert_code(connect_to(push, "tcp://127.0.0.1:9"), 0);
    assert_code(send_text(push, "x"), 0);
    assert_code(sz_exit(0, call_kernel, &sockets), SZ_EAGAIN);
    assert_int_equal(sockets, 0);
    return 0;
}

TEST(what_reports_at_the_exit_may_use_the_kernel)
{
    assert_child(report_and_call, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bind_without_memory_does_not_listen),
        cmocka_unit_test(a_connect_without_memory_leaves_no_queue),
        cmocka_unit_test(
            the_swap_of_a_closed_socket_is_sent_when_a_thread_can_be_started),
        cmocka_unit_test(
            the_swap_of_a_closed_socket_is_sent_before_its_context_ends),
        cmocka_unit_test(
            a_watch_of_a_swap_can_be_changed_to_one_of_messages_and_back),
        cmocka_unit_test(the_descriptor_of_a_poller_keeps_its_number),
        cmocka_unit_test(what_reports_at_the_exit_may_use_the_kernel),
    };
    return run_all("fault", tests);
}
