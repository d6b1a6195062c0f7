/* Sockets: making, closing, handles, limits, fork, want of memory. */

#include "support.h"

#include <inttypes.h>

TEST(every_stable_type_can_be_made)
{
    const sz_type *type;
    for (size_t i = 0; (type = sz_type_at(i)) != NULL; i++) {
        sz_socket socket = {0};
        assert_code(sz_socket_new(context, type, &socket),
                    type->draft ? SZ_EDRAFT : 0);
        if (type->draft)
            continue;
        assert_ptr_equal(sz_socket_type(socket), type);
        assert_code(sz_socket_check(socket), 0);
        assert_true(sz_socket_fd(socket) >= 0);
        assert_code(sz_socket_close(socket), 0);
    }
}

TEST(the_old_names_are_those_of_dealer_and_router)
{
    assert_ptr_equal(sz_type_find("xreq"), sz_type_find("dealer"));
    assert_ptr_equal(sz_type_find("xrep"), sz_type_find("router"));
    assert_null(sz_type_find("deeler"));
    assert_string_equal(sz_type_near("deeler"), "dealer");
}

/* What everything answers about a socket that cannot be used. */
static void check_refused(sz_socket socket, int code)
{
    const void *data;
    size_t size;
    int64_t value;
    bool bound;
    sz_message message = {0};
    sz_part part = text_part("x");
    assert_code(sz_socket_check(socket), code);
    assert_null(sz_socket_type(socket));
    assert_code(bind_to(socket, "inproc://x"), code);
    assert_code(connect_to(socket, "inproc://x"), code);
    assert_code(sz_socket_unbind(socket, "inproc://x", 10), code);
    assert_code(sz_socket_disconnect(socket, "inproc://x", 10), code);
    assert_null(sz_socket_endpoint(socket, 0, &bound));
    assert_code(sz_socket_set_integer(socket, option("linger"), 0), code);
    assert_code(sz_socket_get_integer(socket, option("linger"), &value), code);
    assert_code(sz_socket_set_bytes(socket, option("identity"), "x", 1), code);
    assert_code(sz_socket_get_bytes(socket, option("identity"), &data, &size),
                code);
    assert_code(sz_socket_events(socket), code);
    assert_code(sz_socket_fd(socket), code);
    assert_code(sz_socket_timeout(socket, SZ_IN), code);
    assert_code(sz_socket_wait(socket, SZ_IN, 0), code);
    assert_code(sz_send(socket, &part, 1), code);
    assert_code(sz_send_bytes(socket, "x", 1), code);
    assert_code(sz_receive(socket), code);
    assert_code(sz_received(socket, 0, &data, &size), code);
    assert_code(sz_take(socket, 0, &message), code);
    sz_release(socket);
    sz_poller poller;
    assert_code(sz_poller_new(&poller), 0);
    assert_code(sz_poller_add_socket(poller, socket, SZ_IN, 1), code);
    sz_poller_free(poller);
}

/* Cases 13, 14. */
TEST(a_closed_socket_refuses_everything)
{
    sz_socket socket = make_socket("pair");
    for (int i = 0; i < 3; i++)
        assert_code(sz_socket_close(socket), 0);
    check_refused(socket, SZ_ECLOSED);
    finish(context);
    check_refused(socket, SZ_ECLOSED);
}

TEST(what_was_never_a_socket_is_refused)
{
    sz_socket socket = make_socket("pair");
    uint64_t ids[] = {0,
                      1,
                      context.id,
                      socket.id + 1,
                      socket.id + (UINT64_C(1) << 40),
                      UINT64_MAX,
                      UINT64_C(1) << 60};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        sz_socket forged = {ids[i]};
        check_refused(forged, SZ_EHANDLE);
        assert_code(sz_socket_close(forged), SZ_EHANDLE);
    }
    assert_code(sz_socket_check(socket), 0);
}

TEST(random_numbers_are_no_handles)
{
    sz_socket socket = make_socket("pair");
    uint64_t seed = 1;
    for (size_t i = 0; i < loops(100000); i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        sz_socket forged = {i % 2 ? seed : socket.id ^ (seed & 0xFFFFFF)};
        if (forged.id != socket.id)
            assert_refused(sz_socket_check(forged));
    }
}

TEST(a_reused_place_does_not_revive_old_handles)
{
    sz_socket old[100];
    for (size_t i = 0; i < 100; i++) {
        old[i] = make_socket("push");
        assert_code(sz_socket_close(old[i]), 0);
    }
    sz_socket socket = make_socket("push");
    for (size_t i = 0; i < 100; i++)
        assert_code(sz_socket_check(old[i]), SZ_ECLOSED);
    assert_code(sz_socket_check(socket), 0);
}

/* Case 70. */
TEST(too_many_sockets_say_so_and_one_closed_makes_room)
{
    assert_code(sz_context_set(context, context_option("max-sockets"), 3), 0);
    sz_socket sockets[3], more = {0};
    for (size_t i = 0; i < 3; i++)
        sockets[i] = make_socket("pull");
    assert_code(sz_socket_new(context, sz_type_find("pull"), &more),
                SZ_ESOCKETS);
    assert_code(sz_socket_close(sockets[0]), 0);
    int64_t end = now() + DEADLINE;
    int code;
    while ((code = sz_socket_new(context, sz_type_find("pull"), &more)) ==
               SZ_EAGAIN &&
           now() < end)
        pause_briefly();
    assert_code(code, 0);
}

TEST(opening_and_closing_leaves_nothing)
{
    assert_code(sz_socket_close(make_socket("pull")), 0);
    int before = count_descriptors();
    for (size_t i = 0; i < loops(5000); i++) {
        sz_socket socket = {0};
        int code;
        while ((code = sz_socket_new(context, sz_type_find("pull"),
                                     &socket)) == SZ_EAGAIN)
            pause_briefly();
        assert_code(code, 0);
        assert_code(sz_socket_close(socket), 0);
    }
    assert_descriptors_closed(before);
}

/* Case 31. */
TEST(descriptors_are_closed_on_exec)
{
    sz_socket socket = make_socket("router");
    assert_code(bind_to(socket, "tcp://127.0.0.1:*"), 0);
    assert_code(bind_to(socket, "ipc://*"), 0);
    sz_poller poller;
    assert_code(sz_poller_new(&poller), 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c",
              "for f in /proc/$$/fd/*; do case $(readlink $f) in "
              "socket:*|anon_inode:*) echo left open: $f; exit 1;; esac; "
              "done </dev/null",
              (char *)NULL);
        _exit(2);
    }
    check_child(await_child(pid), "the program executed", __FILE__, __LINE__);
    sz_poller_free(poller);
}

typedef struct {
    sz_socket socket;
    sz_poller poller;
    sz_message message;
} inherited;

static int use_inherited(void *argument)
{
    const inherited *of_parent = argument;
    sz_ready ready;
    check_refused(of_parent->socket, SZ_EFORKED);
    assert_code(sz_context_check(context), SZ_EFORKED);
    assert_code(sz_poller_check(of_parent->poller, &ready, 1), SZ_EFORKED);
    assert_message(of_parent->message, "kept");
    assert_code(sz_socket_close(of_parent->socket), 0);
    assert_code(sz_context_terminate(context), 0);
    sz_poller_free(of_parent->poller);
    sz_message_free(of_parent->message);
    context = make_context();
    sz_socket a, b;
    make_pair("push", &a, "pull", &b);
    assert_code(send_text(a, "of the child"), 0);
    assert_next(b, "of the child");
    finish(context);
    return 0;
}

/* Case 30. */
TEST(a_child_has_sockets_of_its_own_only)
{
    inherited mine;
    sz_socket peer;
    make_pair("push", &mine.socket, "pull", &peer);
    assert_code(sz_poller_new(&mine.poller), 0);
    assert_code(sz_poller_add_socket(mine.poller, peer, SZ_IN, 7), 0);
    assert_code(sz_message_new("kept", 4, &mine.message), 0);
    assert_child(use_inherited, &mine);
    assert_code(send_text(mine.socket, "of the parent"), 0);
    assert_next(peer, "of the parent");
    sz_poller_free(mine.poller);
    sz_message_free(mine.message);
}

/* --------------------------------------------------------------- memory -- */

static size_t allocations_left;

static void *resize_counted(void *old, size_t size)
{
    if (allocations_left == 0)
        return NULL;
    allocations_left--;
    return realloc(old, size);
}

/* Does a bit of everything; how far it came is of no interest. */
static void exercise(void)
{
    sz_context own;
    sz_socket a = {0}, b = {0};
    sz_poller poller = {0};
    sz_message message = {0};
    sz_part parts[40];
    for (size_t i = 0; i < 40; i++)
        parts[i] = text_part("part");
    if (sz_context_new(&own) != 0)
        return;
    sz_socket_new(own, sz_type_find("pair"), &a);
    sz_socket_new(own, sz_type_find("pair"), &b);
    bind_to(a, "inproc://memory");
    connect_to(b, "inproc://memory");
    bind_to(a, "tcp://127.0.0.1:*");
    connect_to(b, "inproc://nobody");
    sz_poller_new(&poller);
    sz_poller_add_socket(poller, a, SZ_IN, 1);
    sz_send(b, parts, 40);
    for (int i = 0; i < 3; i++)
        if (sz_receive(a) > 0)
            sz_take(a, 1, &message);
    sz_socket_unbind(a, "inproc://memory", 15);
    sz_poller_free(poller);
    sz_message_free(message);
    sz_socket_close(a);
    sz_socket_close(b);
    int code = sz_context_terminate(own);
    while (code == SZ_EAGAIN) {
        sz_wait(sz_context_fd(own), 100);
        code = sz_context_terminate(own);
    }
}

/* Case 96. */
TEST(each_allocation_may_fail)
{
    int before = count_descriptors();
    sz_set_allocator(resize_counted, free);
    for (size_t i = 0; i < 60; i++) {
        allocations_left = i;
        exercise();
    }
    allocations_left = SIZE_MAX;
    exercise();
    sz_set_allocator(NULL, NULL);
    await_threads();
    assert_int_equal(count_descriptors(), before);
    assert_int_equal(sz_message_held(), 0);
}

TEST(a_type_that_was_not_found_is_refused)
{
    sz_socket socket = {0};
    assert_code(sz_socket_new(context, sz_type_find("pusch"), &socket),
                SZ_EVALUE);
}

TEST(a_descriptor_that_is_none_is_not_waited_for)
{
    assert_code(sz_wait(-1, -1), SZ_EBADF);
    assert_code(sz_wait(-7, 0), SZ_EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_stable_type_can_be_made),
        cmocka_unit_test(the_old_names_are_those_of_dealer_and_router),
        cmocka_unit_test(a_closed_socket_refuses_everything),
        cmocka_unit_test(what_was_never_a_socket_is_refused),
        cmocka_unit_test(random_numbers_are_no_handles),
        cmocka_unit_test(a_reused_place_does_not_revive_old_handles),
        cmocka_unit_test(too_many_sockets_say_so_and_one_closed_makes_room),
        cmocka_unit_test(opening_and_closing_leaves_nothing),
        cmocka_unit_test(descriptors_are_closed_on_exec),
        cmocka_unit_test(a_child_has_sockets_of_its_own_only),
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(a_type_that_was_not_found_is_refused),
        cmocka_unit_test(a_descriptor_that_is_none_is_not_waited_for),
    };
    return run_all("socket", tests);
}
