/* The end of a process: what was sent leaves, within a bound. */

#include "support.h"

/* Sends to an endpoint and ends; the parent receives. */
typedef struct {
    char endpoint[64];
    int linger; /* the socket's own, -1 for none */
    int bound;  /* of sz_exit */
    int wanted;
    bool closes; /* its socket before it ends */
    bool full;   /* no descriptor is free while it closes */
} sender;

enum {
    MANY = 100
};

static void count_report(const char *type, const char *endpoint,
                         void *argument)
{
    assert_string_equal(type, "push");
    assert_string_equal(endpoint, "ipc:///tmp/szmq-nobody-binds-this");
    ++*(int *)argument;
}

/* Opens files until the process may open no more, and closes them. */
static int fill_descriptors(int files[64])
{
    int count = 0;
    limit_descriptors(64);
    while (count < 64 && (files[count] = dup(0)) >= 0)
        count++;
    assert_true(count < 64);
    return count;
}

static int send_and_exit(void *argument)
{
    const sender *plan = argument;
    context = make_context();
    sz_socket socket = make_socket("push");
    set(socket, "linger", plan->linger);
    int reports = 0;
    assert_code(connect_to(socket, plan->endpoint), 0);
    for (int i = 0; i < MANY; i++)
        assert_code(send_text(socket, "before the end"), 0);
    int files[64], count = plan->full ? fill_descriptors(files) : 0;
    if (plan->closes)
        assert_code(sz_socket_close(socket), 0);
    while (count-- > 0)
        close(files[count]);
    assert_code(sz_exit(plan->bound, count_report, &reports), plan->wanted);
    assert_int_equal(reports, plan->wanted == 0 ? 0 : 1);
    return 0;
}

TEST(what_was_sent_leaves_before_the_process_ends)
{
    sz_socket socket = make_socket("pull");
    sender plan = {.linger = -1, .bound = DEADLINE, .wanted = 0};
    const char *real = NULL;
    assert_code(sz_socket_bind(socket, "tcp://127.0.0.1:*", 17, &real), 0);
    snprintf(plan.endpoint, sizeof plan.endpoint, "%s", real);
    assert_child(send_and_exit, &plan);
    for (int i = 0; i < MANY; i++)
        assert_next(socket, "before the end");
}

/* libzmq has freed the socket whose descriptor it was.  The number may be in
 * use for something else. */
static void await_freed(int fd)
{
    char path[32], what[32] = "anon_inode:[eventfd]";
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    for (int64_t end = now() + DEADLINE;
         strcmp(what, "anon_inode:[eventfd]") == 0;) {
        assert_true(now() < end);
        pause_briefly();
        ssize_t size = readlink(path, what, sizeof what - 1);
        what[size > 0 ? size : 0] = '\0';
    }
}

/* A receiver at its high water mark, and a sender that is closed: no message
 * is read before libzmq has closed the connection. */
static void close_beside_full_receiver(bool bound, const char *directory)
{
    enum {
        COUNT = 150, /* less than the buffer of a connection holds */
        SIZE = 100
    };
    char endpoint[64];
    void *other = zmq_ctx_new(), *pull = zmq_socket(other, ZMQ_PULL);
    int mark = 10, limit = DEADLINE;
    if (directory != NULL)
        snprintf(endpoint, sizeof endpoint, "ipc://%s/socket", directory);
    else
        make_endpoint(endpoint);
    sz_socket push = make_socket("push");
    set(push, "linger", DEADLINE);
    zmq_setsockopt(pull, ZMQ_RCVHWM, &mark, sizeof mark);
    zmq_setsockopt(pull, ZMQ_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(bound ? 0 : zmq_bind(pull, endpoint), 0);
    assert_code((bound ? bind_to : connect_to)(push, endpoint), 0);
    assert_int_equal(bound ? zmq_connect(pull, endpoint) : 0, 0);
    char bytes[SIZE] = {0};
    sz_part part = {.data = bytes, .size = SIZE};
    for (int i = 0; i < COUNT; i++) {
        memcpy(bytes, &i, sizeof i);
        assert_code(send_soon(push, &part, 1), 0);
    }
    int fd = sz_socket_fd(push);
    assert_code(sz_socket_close(push), 0);
    await_freed(fd);
    for (int i = 0; i < COUNT; i++) {
        int got = -1;
        assert_int_equal(zmq_recv(pull, bytes, SIZE, 0), SIZE);
        memcpy(&got, bytes, sizeof got);
        assert_int_equal(got, i);
    }
    renew_context();
    zmq_close(pull);
    zmq_ctx_term(other);
}

TEST(a_full_receiver_loses_nothing_over_ipc_when_its_sender_is_closed)
{
    char directory[32];
    make_directory(directory);
    close_beside_full_receiver(true, NULL);
    close_beside_full_receiver(false, NULL);
    close_beside_full_receiver(true, directory);
    close_beside_full_receiver(false, directory);
    remove_directory(directory);
}

/* The peer has gone, or does not read: the linger ends the wait. */
TEST(a_reader_that_does_not_read_over_ipc_holds_a_context_for_the_linger)
{
    char endpoint[64];
    void *other = zmq_ctx_new(), *pull = zmq_socket(other, ZMQ_PULL);
    int mark = 1;
    make_endpoint(endpoint);
    zmq_setsockopt(pull, ZMQ_RCVHWM, &mark, sizeof mark);
    assert_int_equal(zmq_bind(pull, endpoint), 0);
    sz_socket push = make_socket("push");
    set(push, "linger", 200);
    assert_code(connect_to(push, endpoint), 0);
    char bytes[100] = {0};
    sz_part part = {.data = bytes, .size = sizeof bytes};
    for (int i = 0; i < 500; i++)
        assert_code(send_soon(push, &part, 1), 0);
    int64_t begun = now();
    assert_code(sz_socket_close(push), 0);
    renew_context();
    assert_true(now() - begun >= 200);
    zmq_close(pull);
    zmq_ctx_term(other);
}

TEST(an_absent_peer_keeps_the_process_no_longer_than_the_bound)
{
    sender plan = {.endpoint = "ipc:///tmp/szmq-nobody-binds-this",
                   .linger = -1,
                   .bound = 50,
                   .wanted = SZ_EAGAIN};
    assert_child(send_and_exit, &plan);
    plan.closes = true;
    assert_child(send_and_exit, &plan);
    plan.full = true;
    assert_child(send_and_exit, &plan);
    plan.full = false;
    plan.bound = 0;
    assert_child(send_and_exit, &plan);
    plan.linger = 0;
    plan.bound = DEADLINE;
    plan.wanted = 0;
    assert_child(send_and_exit, &plan);
}

TEST(a_linger_of_its_own_is_kept)
{
    sender plan = {.endpoint = "ipc:///tmp/szmq-nobody-binds-this",
                   .linger = 400,
                   .bound = 0,
                   .wanted = SZ_EAGAIN};
    int64_t begun = now();
    assert_child(send_and_exit, &plan);
    assert_true(now() - begun >= 400 - GRAIN);
}

static int exit_after_fork(void *argument)
{
    (void)argument;
    return sz_exit(DEADLINE, NULL, NULL) == 0 ? 0 : 1;
}

TEST(a_child_does_not_end_what_is_its_parents)
{
    sz_socket a, b;
    make_pair("push", &a, "pull", &b);
    assert_child(exit_after_fork, NULL);
    assert_code(send_text(a, "still here"), 0);
    assert_next(b, "still here");
}

/* Makes the system refuse threads to this process, which root must leave. */
static int exit_without_threads(void *argument)
{
    struct rlimit before;
    (void)argument;
    context = make_context();
    make_socket("push");
    getrlimit(RLIMIT_NPROC, &before);
    if (geteuid() == 0 && setuid(65534) != 0)
        return 1;
    struct rlimit limit = {0, before.rlim_max};
    if (setrlimit(RLIMIT_NPROC, &limit) != 0)
        return 2;
    assert_code(sz_context_terminate(context), SZ_ETHREAD);
    assert_code(sz_context_check(context), 0);
    assert_int_equal(sz_context_sockets(context), 1);
    assert_code(sz_exit(0, NULL, NULL), SZ_ETHREAD);
    limit.rlim_cur = before.rlim_cur;
    if (setrlimit(RLIMIT_NPROC, &limit) != 0)
        return 3;
    assert_code(sz_exit(0, NULL, NULL), 0);
    return 0;
}

static int drop_without_threads(void *argument)
{
    struct rlimit before;
    (void)argument;
    sz_context first = make_context(), second = make_context();
    sz_socket socket = make_socket_in(first, "push");
    getrlimit(RLIMIT_NPROC, &before);
    if (geteuid() == 0 && setuid(65534) != 0)
        return 1;
    struct rlimit limit = {0, before.rlim_max};
    if (setrlimit(RLIMIT_NPROC, &limit) != 0)
        return 2;
    sz_context_drop(first);
    assert_code(sz_socket_check(socket), SZ_ECLOSED);
    assert_code(sz_context_check(first), SZ_ETERM);
    limit.rlim_cur = before.rlim_cur;
    if (setrlimit(RLIMIT_NPROC, &limit) != 0)
        return 3;
    sz_context_drop(second);
    int64_t end = now() + DEADLINE;
    while (sz_context_check(first) != SZ_ECLOSED && now() < end)
        pause_briefly();
    assert_code(sz_context_check(first), SZ_ECLOSED);
    return 0;
}

TEST(a_context_that_was_dropped_without_a_thread_ends_later)
{
    assert_child(drop_without_threads, NULL);
}

TEST(a_context_that_no_thread_can_terminate_stays)
{
    assert_child(exit_without_threads, NULL);
}

TEST(nothing_open_is_nothing_to_wait_for)
{
    assert_code(sz_exit(DEADLINE, NULL, NULL), 0);
    assert_code(sz_exit(0, NULL, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sent_leaves_before_the_process_ends),
        cmocka_unit_test(
            a_full_receiver_loses_nothing_over_ipc_when_its_sender_is_closed),
        cmocka_unit_test(
            a_reader_that_does_not_read_over_ipc_holds_a_context_for_the_linger),
        cmocka_unit_test(
            an_absent_peer_keeps_the_process_no_longer_than_the_bound),
        cmocka_unit_test(a_linger_of_its_own_is_kept),
        cmocka_unit_test(a_child_does_not_end_what_is_its_parents),
        cmocka_unit_test(
            a_context_that_was_dropped_without_a_thread_ends_later),
        cmocka_unit_test(a_context_that_no_thread_can_terminate_stays),
        cmocka_unit_test(nothing_open_is_nothing_to_wait_for),
    };
    return run_all("exit", tests);
}
