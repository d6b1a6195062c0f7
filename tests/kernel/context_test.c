/* Contexts: making, checking, shutting down, terminating, dropping. */

#include "rows.h"

#include <pthread.h>

TEST(a_new_context_can_be_used)
{
    assert_true(context.id != 0);
    assert_true(context.id < UINT64_C(1) << 61);
    assert_code(sz_context_check(context), 0);
    assert_int_equal(sz_context_sockets(context), 0);
}

TEST(a_context_counts_its_open_sockets)
{
    sz_context other = make_context();
    sz_socket a = make_socket("push");
    sz_socket b = make_socket("pull");
    assert_int_equal(sz_context_sockets(context), 2);
    assert_int_equal(sz_context_sockets(other), 0);
    assert_code(sz_socket_close(a), 0);
    assert_code(sz_socket_close(a), 0);
    assert_int_equal(sz_context_sockets(context), 1);
    assert_code(sz_socket_close(b), 0);
    assert_int_equal(sz_context_sockets(context), 0);
    finish(other);
}

TEST(a_terminated_context_is_closed)
{
    finish(context);
    assert_code(sz_context_check(context), SZ_ECLOSED);
    assert_code(sz_context_sockets(context), SZ_ECLOSED);
    assert_code(sz_context_fd(context), SZ_ECLOSED);
    assert_code(sz_context_shutdown(context), SZ_ECLOSED);
    sz_socket socket = {0};
    assert_code(sz_socket_new(context, sz_type_find("push"), &socket),
                SZ_ECLOSED);
    assert_true(socket.id == 0);
}

TEST(terminating_twice_is_nothing)
{
    finish(context);
    assert_code(sz_context_terminate(context), 0);
    sz_context_drop(context);
    assert_code(sz_context_terminate(context), 0);
}

TEST(terminating_closes_the_sockets)
{
    sz_socket a, b;
    make_pair("pull", &a, "push", &b);
    assert_code(send_text(b, "held"), 0);
    assert_next(a, "held");
    int code = sz_context_terminate(context);
    assert_true(code == 0 || code == SZ_EAGAIN);
    assert_code(sz_socket_check(a), SZ_ECLOSED);
    assert_code(sz_socket_check(b), SZ_ECLOSED);
    assert_code(sz_send_bytes(b, "x", 1), SZ_ECLOSED);
}

TEST(a_context_without_sockets_terminates_by_itself)
{
    int code = sz_context_terminate(context);
    if (code == SZ_EAGAIN) {
        assert_code(sz_wait(sz_context_fd(context), DEADLINE), 0);
        code = sz_context_terminate(context);
    }
    assert_code(code, 0);
}

/* A PUSH that connects before anybody binds, with something to send; it
 * lingers until it is released. */
static void make_stuck(char endpoint[64])
{
    sz_socket socket = make_socket("push");
    set(socket, "linger", -1);
    make_endpoint(endpoint);
    assert_code(connect_to(socket, endpoint), 0);
    assert_code(sz_send_bytes(socket, "x", 1), 0);
}

/* Takes what the stuck socket has to send. */
static void release(const char *endpoint)
{
    sz_context other = make_context();
    sz_socket to = make_socket_in(other, "pull");
    assert_code(bind_to(to, endpoint), 0);
    assert_next(to, "x");
    finish(other);
}

/* Case 18. */
TEST(terminating_waits_for_linger_without_blocking)
{
    char endpoint[64];
    make_stuck(endpoint);
    assert_code(sz_context_terminate(context), SZ_EAGAIN);
    assert_code(sz_context_check(context), SZ_ETERM);
    assert_code(sz_context_terminate(context), SZ_EAGAIN);
    assert_code(sz_wait(sz_context_fd(context), 0), SZ_EAGAIN);
    release(endpoint);
    assert_code(sz_wait(sz_context_fd(context), DEADLINE), 0);
    /* It stays readable until somebody asks. */
    assert_code(sz_wait(sz_context_fd(context), 0), 0);
    assert_code(sz_context_terminate(context), 0);
    assert_code(sz_context_check(context), SZ_ECLOSED);
}

TEST(terminating_is_done_when_the_linger_is_over)
{
    char endpoint[64];
    make_endpoint(endpoint);
    sz_socket socket = make_socket("push");
    set(socket, "linger", 200);
    assert_code(connect_to(socket, endpoint), 0);
    assert_code(sz_send_bytes(socket, "x", 1), 0);
    int64_t begun = now();
    finish(context);
    assert_true(now() - begun >= 200 - GRAIN);
}

TEST(a_child_that_lives_on_does_not_hold_termination_up)
{
    char endpoint[64];
    make_stuck(endpoint);
    pid_t sleeper = start_sleeper();
    assert_code(sz_context_terminate(context), SZ_EAGAIN);
    release(endpoint);
    int code = sz_wait(sz_context_fd(context), DEADLINE);
    end_sleeper(sleeper);
    assert_code(code, 0);
    assert_code(sz_context_terminate(context), 0);
}

TEST(a_context_that_is_going_refuses_everything)
{
    char endpoint[64];
    make_stuck(endpoint);
    assert_code(sz_context_terminate(context), SZ_EAGAIN);
    sz_socket socket = {0};
    assert_code(sz_socket_new(context, sz_type_find("push"), &socket),
                SZ_ETERM);
    int64_t value = 0;
    assert_code(sz_context_set(context, context_option("ipv6"), 1), SZ_ETERM);
    assert_code(sz_context_get(context, context_option("ipv6"), &value),
                SZ_ETERM);
    release(endpoint);
}

/* libzmq has freed its context by then. */
TEST(a_context_that_is_gone_is_not_touched)
{
    if (sz_context_terminate(context) == SZ_EAGAIN) {
        assert_code(sz_wait(sz_context_fd(context), DEADLINE), 0);
        int64_t value = 0;
        assert_code(sz_context_check(context), SZ_ETERM);
        assert_code(sz_context_get(context, context_option("ipv6"), &value),
                    SZ_ETERM);
        assert_code(sz_context_set(context, context_option("ipv6"), 1),
                    SZ_ETERM);
        int code = sz_context_shutdown(context);
        assert_true(code == 0 || code == SZ_ETERM);
    }
}

TEST(shutting_down_ends_operations_but_not_closing)
{
    sz_socket a, b;
    make_pair("pair", &a, "pair", &b);
    assert_code(sz_context_shutdown(context), 0);
    assert_code(sz_send_bytes(a, "x", 1), SZ_ETERM);
    assert_code(sz_receive(b), SZ_ETERM);
    assert_code(sz_socket_events(a), SZ_ETERM);
    assert_code(bind_to(a, "inproc://late"), SZ_ETERM);
    assert_code(connect_to(a, "inproc://late"), SZ_ETERM);
    assert_code(sz_socket_wait(a, SZ_IN, 1000), SZ_ETERM);
    sz_socket socket = {0};
    assert_code(sz_socket_new(context, sz_type_find("push"), &socket),
                SZ_ETERM);
    assert_int_equal(sz_context_sockets(context), 2);
    assert_code(sz_socket_check(a), 0);
    assert_code(sz_socket_close(a), 0);
    assert_int_equal(sz_context_sockets(context), 1);
    assert_code(sz_context_shutdown(context), 0);
}

TEST(a_context_that_was_shut_down_says_so)
{
    assert_code(sz_context_shutdown(context), 0);
    assert_code(sz_context_check(context), SZ_ETERM);
    finish(context);
    assert_code(sz_context_check(context), SZ_ECLOSED);
}

/* Shuts the context down when that thread sleeps. */
static void *shut_down(void *thread)
{
    await_sleep(*(int *)thread);
    sz_context_shutdown(context);
    return NULL;
}

TEST(shutting_down_wakes_a_wait_in_another_thread)
{
    sz_socket socket = make_socket("pull");
    int waiting = this_thread();
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, shut_down, &waiting), 0);
    assert_code(sz_socket_wait(socket, SZ_IN, DEADLINE), SZ_ETERM);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

TEST(a_dropped_context_closes_its_sockets)
{
    sz_socket socket = make_socket("push");
    sz_context_drop(context);
    assert_code(sz_socket_check(socket), SZ_ECLOSED);
    assert_true(sz_context_check(context) == SZ_ECLOSED ||
                sz_context_check(context) == SZ_ETERM);
    sz_context_drop(context);
}

/* Case 2. */
TEST(what_was_sent_outlives_a_dropped_context)
{
    sz_context other = make_context();
    sz_socket to = make_socket_in(other, "pull");
    sz_socket from = make_socket("push");
    set(from, "linger", -1);
    const char *real = NULL;
    assert_code(sz_socket_bind(to, "tcp://127.0.0.1:*", 17, &real), 0);
    assert_code(connect_to(from, real), 0);
    assert_code(send_text(from, "last words"), 0);
    sz_context_drop(context);
    assert_next(to, "last words");
    finish(other);
}

TEST(dropping_many_contexts_leaves_no_descriptor)
{
    int before = count_descriptors();
    for (size_t i = 0; i < loops(50); i++) {
        sz_socket a, b;
        make_pair("pull", &a, "push", &b);
        assert_code(send_text(b, "x"), 0);
        sz_context_drop(context);
        await_threads();
        context = make_context();
    }
    assert_int_equal(count_descriptors(), before);
}

static int pending_when_full(void *argument)
{
    const int *limit = argument;
    for (int peers = 1; peers <= *limit; peers++) {
        context = make_context();
        assert_code(
            sz_context_set(context, context_option("max-sockets"), *limit), 0);
        for (int i = 0; i < *limit; i++) {
            sz_socket socket = make_socket("push");
            if (i >= peers)
                continue;
            assert_code(connect_to(socket, "inproc://never-bound"), 0);
            assert_code(sz_send_bytes(socket, "x", 1), 0);
            assert_code(connect_to(socket, "inproc://nor-this"), 0);
        }
        sz_socket more = {0};
        assert_code(sz_socket_new(context, sz_type_find("push"), &more),
                    SZ_ESOCKETS);
        finish(context);
    }
    return 0;
}

/* libzmq would abort: see zmq_ctx_term with every socket in use. */
/* Case 23. */
TEST(terminating_survives_pending_inproc_connects)
{
    for (int limit = 1; limit <= 3; limit++)
        assert_child(pending_when_full, &limit);
}

static int pending_when_shut_down(void *argument)
{
    (void)argument;
    context = make_context();
    assert_code(sz_context_set(context, context_option("max-sockets"), 1), 0);
    sz_socket socket = make_socket("dealer");
    assert_code(connect_to(socket, "inproc://never-bound"), 0);
    assert_code(sz_context_shutdown(context), 0);
    assert_code(connect_to(socket, "inproc://nor-this"), SZ_ETERM);
    finish(context);
    return 0;
}

TEST(shutting_down_survives_pending_inproc_connects)
{
    assert_child(pending_when_shut_down, NULL);
}

static int too_many_threads(void *argument)
{
    const int64_t *threads = argument;
    limit_descriptors(256);
    context = make_context();
    assert_code(
        sz_context_set(context, context_option("io-threads"), *threads), 0);
    sz_socket socket = {0};
    assert_code(sz_socket_new(context, sz_type_find("push"), &socket),
                SZ_EDESCRIPTORS);
    finish(context);
    return 0;
}

/* libzmq would abort, having no descriptors for them. */
/* Case 69. */
TEST(too_many_io_threads_are_refused)
{
    int64_t counts[] = {1000, INT32_MAX / 2, INT32_MAX / 2 + 1, INT32_MAX};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        assert_child(too_many_threads, &counts[i]);
}

static void *use_context(void *argument)
{
    (void)argument;
    size_t bad = 0;
    for (size_t i = 0; i < loops(100); i++) {
        sz_socket socket = {0};
        bad += sz_socket_new(context, sz_type_find("push"), &socket) != 0;
        bad += sz_context_check(context) != 0;
        bad += sz_context_sockets(context) < 1;
        bad += sz_socket_close(socket) != 0;
    }
    return (void *)bad;
}

TEST(a_context_serves_several_threads)
{
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use_context, NULL),
                         0);
    for (size_t i = 0; i < 4; i++) {
        void *bad = NULL;
        assert_int_equal(pthread_join(threads[i], &bad), 0);
        assert_null(bad);
    }
    assert_int_equal(sz_context_sockets(context), 0);
}

/* ------------------------------------------------------------- contexts -- */

enum {
    PARTY = 3
};

/* Contexts that several threads end at once, one after the other. */
typedef struct {
    pthread_barrier_t barrier;
    size_t rounds;
} shared;

static void *terminate_together(void *argument)
{
    shared *s = argument;
    size_t late = 0;
    for (size_t i = 0; i < s->rounds; i++) {
        pthread_barrier_wait(&s->barrier);
        int64_t end = now() + DEADLINE, value;
        int code;
        while ((code = sz_context_terminate(context)) == SZ_EAGAIN &&
               now() < end) {
            sz_context_get(context, context_option("ipv6"), &value);
            sz_context_shutdown(context);
            sz_context_check(context);
        }
        late += code != 0;
        pthread_barrier_wait(&s->barrier);
    }
    return (void *)late;
}

TEST(several_threads_may_terminate_one_context)
{
    shared s = {.rounds = loops(scaled(300))};
    pthread_t threads[PARTY - 1];
    pthread_barrier_init(&s.barrier, NULL, PARTY);
    for (size_t i = 0; i < PARTY - 1; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, terminate_together, &s), 0);
    for (size_t i = 0; i < s.rounds; i++) {
        if (i % 2 == 0)
            make_socket("push");
        pthread_barrier_wait(&s.barrier);
        pthread_barrier_wait(&s.barrier);
        context = make_context();
    }
    for (size_t i = 0; i < PARTY - 1; i++) {
        void *late = NULL;
        assert_int_equal(pthread_join(threads[i], &late), 0);
        assert_null(late);
    }
    pthread_barrier_destroy(&s.barrier);
}

static void *make_sockets(void *argument)
{
    (void)argument;
    const sz_type *type = sz_type_find("push");
    sz_socket socket;
    int code = 0;
    while (code == 0 || code == SZ_ESOCKETS || code == SZ_EAGAIN ||
           code == SZ_EDESCRIPTORS)
        code = sz_socket_new(context, type, &socket);
    return (void *)(size_t)(code != SZ_ETERM && code != SZ_ECLOSED);
}

TEST(sockets_made_meanwhile_do_not_outlive_their_context)
{
    for (size_t i = 0; i < loops(50); i++) {
        pthread_t threads[2];
        for (size_t k = 0; k < 2; k++)
            assert_int_equal(
                pthread_create(&threads[k], NULL, make_sockets, NULL), 0);
        while (sz_context_sockets(context) == 0)
            ;
        finish(context);
        for (size_t k = 0; k < 2; k++) {
            void *wrong = NULL;
            assert_int_equal(pthread_join(threads[k], &wrong), 0);
            assert_null(wrong);
        }
        context = make_context();
    }
}

TEST(a_fresh_context_has_the_defaults)
{
    const sz_option *row;
    for (size_t i = 0; (row = sz_option_at(i)) != NULL; i++) {
        int64_t value = INT64_MIN;
        if (row->scope != SZ_CONTEXT_OPTION || !can(row, 'r') ||
            !accepts(row, sz_context_get(context, row, &value)))
            continue;
        if (value != row->initial)
            print_error("context option %s\n", row->name);
        assert_int_equal(value, row->initial);
    }
}

TEST(a_context_s_integer_in_range_is_kept)
{
    const sz_option *row;
    for (size_t i = 0; (row = sz_option_at(i)) != NULL; i++) {
        const int64_t values[] = {row->min, row->min + 1, row->max};
        /* What was not added cannot be removed, and the system decides which
         * CPUs and policies there are. */
        if (row->scope != SZ_CONTEXT_OPTION || !can(row, 'w') ||
            strcmp(row->name, "thread-affinity-cpu-add") == 0 ||
            strcmp(row->name, "thread-affinity-cpu-remove") == 0 ||
            strcmp(row->name, "thread-sched-policy") == 0)
            continue;
        for (size_t j = 0; j < 3; j++) {
            int64_t kept = values[j];
            if (!accepts(row, sz_context_set(context, row, values[j])) ||
                !can(row, 'r'))
                continue;
            assert_row(row, sz_context_get(context, row, &kept), 0);
            assert_int_equal(kept, values[j]);
        }
    }
}

TEST(a_context_s_integer_out_of_range_is_refused)
{
    const sz_option *row;
    for (size_t i = 0; (row = sz_option_at(i)) != NULL; i++) {
        if (row->scope != SZ_CONTEXT_OPTION || !can(row, 'w'))
            continue;
        assert_row(row, sz_context_set(context, row, row->min - 1), SZ_ERANGE);
        assert_row(row, sz_context_set(context, row, row->max + 1), SZ_ERANGE);
        assert_row(row, sz_context_set(context, row, INT64_MIN), SZ_ERANGE);
        assert_row(row, sz_context_set(context, row, INT64_MAX), SZ_ERANGE);
    }
}

TEST(a_context_s_access_is_as_its_row_says)
{
    const sz_option *row;
    for (size_t i = 0; (row = sz_option_at(i)) != NULL; i++) {
        int64_t value = 0;
        if (row->scope == SZ_CONTEXT_OPTION && !can(row, 'r'))
            assert_row(row, sz_context_get(context, row, &value),
                       SZ_EWRITEONLY);
        if (row->scope == SZ_CONTEXT_OPTION && !can(row, 'w'))
            assert_row(row, sz_context_set(context, row, row->min),
                       SZ_EREADONLY);
    }
}

TEST(what_must_precede_the_first_socket_comes_too_late)
{
    static const char *const late[] = {"io-threads",
                                       "max-sockets",
                                       "thread-priority",
                                       "thread-sched-policy",
                                       "thread-name-prefix",
                                       "thread-affinity-cpu-add",
                                       "thread-affinity-cpu-remove"};
    sz_socket socket = make_socket("push");
    for (int closed = 0; closed < 2; closed++) {
        for (size_t i = 0; i < sizeof late / sizeof *late; i++)
            assert_code(sz_context_set(context, context_option(late[i]), 1),
                        SZ_ELATE);
        assert_code(sz_context_set(context, context_option("max-msgsz"), 100),
                    0);
        assert_code(sz_socket_close(socket), 0);
    }
}

TEST(max_sockets_reads_the_same_with_open_sockets)
{
    const sz_option *row = context_option("max-sockets");
    int64_t value = 0;
    assert_code(sz_context_set(context, row, 5), 0);
    make_socket("push");
    assert_code(sz_context_get(context, row, &value), 0);
    assert_int_equal(value, 5);
}

TEST(sockets_made_later_follow_their_context)
{
    assert_code(sz_context_set(context, context_option("ipv6"), 1), 0);
    assert_code(sz_context_set(context, context_option("blocky"), 0), 0);
    sz_socket socket = fresh(sz_type_find("push"));
    assert_int_equal(get(socket, "ipv6"), 1);
    assert_int_equal(get(socket, "linger"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_context_can_be_used),
        cmocka_unit_test(a_context_counts_its_open_sockets),
        cmocka_unit_test(a_terminated_context_is_closed),
        cmocka_unit_test(terminating_twice_is_nothing),
        cmocka_unit_test(terminating_closes_the_sockets),
        cmocka_unit_test(a_context_without_sockets_terminates_by_itself),
        cmocka_unit_test(terminating_waits_for_linger_without_blocking),
        cmocka_unit_test(terminating_is_done_when_the_linger_is_over),
        cmocka_unit_test(a_child_that_lives_on_does_not_hold_termination_up),
        cmocka_unit_test(a_context_that_is_going_refuses_everything),
        cmocka_unit_test(a_context_that_is_gone_is_not_touched),
        cmocka_unit_test(shutting_down_ends_operations_but_not_closing),
        cmocka_unit_test(a_context_that_was_shut_down_says_so),
        cmocka_unit_test(shutting_down_wakes_a_wait_in_another_thread),
        cmocka_unit_test(a_dropped_context_closes_its_sockets),
        cmocka_unit_test(what_was_sent_outlives_a_dropped_context),
        cmocka_unit_test(dropping_many_contexts_leaves_no_descriptor),
        cmocka_unit_test(terminating_survives_pending_inproc_connects),
        cmocka_unit_test(shutting_down_survives_pending_inproc_connects),
        cmocka_unit_test(too_many_io_threads_are_refused),
        cmocka_unit_test(a_context_serves_several_threads),
        cmocka_unit_test(several_threads_may_terminate_one_context),
        cmocka_unit_test(sockets_made_meanwhile_do_not_outlive_their_context),
        cmocka_unit_test(a_fresh_context_has_the_defaults),
        cmocka_unit_test(a_context_s_integer_in_range_is_kept),
        cmocka_unit_test(a_context_s_integer_out_of_range_is_refused),
        cmocka_unit_test(a_context_s_access_is_as_its_row_says),
        cmocka_unit_test(what_must_precede_the_first_socket_comes_too_late),
        cmocka_unit_test(max_sockets_reads_the_same_with_open_sockets),
        cmocka_unit_test(sockets_made_later_follow_their_context),
    };
    return run_all("context", tests);
}
