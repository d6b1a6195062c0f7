/* inproc: connects that wait for their bind while something else happens, and
 * names that are bound again. */

#include "rows.h"

#include <pthread.h>

static const char name[] = "inproc://name";

static int disconnect_from(sz_socket socket, const char *endpoint)
{
    return sz_socket_disconnect(socket, endpoint, strlen(endpoint));
}

/* Types that work over inproc. */
static const sz_type *type_at(size_t index)
{
    const sz_type *type = sz_type_at(index);
    return type == NULL || strcmp(type->name, "stream") == 0 ? NULL : type;
}

/* Whatever the type can do with its socket. */
static void use(sz_socket socket)
{
    for (int i = 0; i < 3; i++) {
        sz_send_bytes(socket, "x", 1);
        sz_socket_events(socket);
        sz_receive(socket);
    }
}

enum what {
    UNDO,
    UNDO_AND_CLOSE,
    CLOSE,
    NOTHING,
    WHATS
};

/* Connects a socket, does something else, and binds another. */
static void check_bind_after(const sz_type *connected, const sz_type *bound,
                             enum what what, bool conflate)
{
    sz_socket a = make_socket(connected->name), b = make_socket(bound->name);
    if (conflate)
        set(a, "conflate", 1);
    assert_code(connect_to(a, name), 0);
    use(a);
    if (what == UNDO || what == UNDO_AND_CLOSE)
        assert_code(disconnect_from(a, name), 0);
    if (what != UNDO_AND_CLOSE)
        use(a);
    if (what == CLOSE || what == UNDO_AND_CLOSE)
        assert_code(sz_socket_close(a), 0);
    assert_code(bind_to(b, name), 0);
    use(b);
    use(a);
    assert_code(sz_socket_close(b), 0);
    assert_code(sz_socket_close(a), 0);
}

TEST(a_connect_of_any_type_can_be_undone_before_its_bind)
{
    for (size_t i = 0; type_at(i) != NULL; i++)
        for (size_t j = 0; type_at(j) != NULL; j++)
            for (int what = 0; what < WHATS; what++)
                check_bind_after(type_at(i), type_at(j), what, false);
}

TEST(a_connect_that_conflates_can_be_undone_before_its_bind)
{
    uint32_t types = option("conflate")->types;
    for (size_t i = 0; type_at(i) != NULL; i++)
        for (size_t j = 0; type_at(j) != NULL; j++)
            for (int what = 0; what < WHATS; what++)
                if (types >> type_at(i)->number & 1)
                    check_bind_after(type_at(i), type_at(j), what, true);
}

/* Every type has two sockets that wait for the same name. */
static void connect_all(sz_socket *sockets, size_t *count)
{
    *count = 0;
    for (size_t i = 0; type_at(i) != NULL; i++)
        for (int j = 0; j < 2; j++) {
            sz_socket socket = make_socket(type_at(i)->name);
            assert_code(connect_to(socket, name), 0);
            sockets[(*count)++] = socket;
        }
}

TEST(a_context_ends_though_many_sockets_wait_for_a_bind)
{
    sz_socket sockets[64];
    size_t count;
    connect_all(sockets, &count);
    for (size_t i = 0; i < count; i += 3)
        assert_code(sz_socket_close(sockets[i]), 0);
    assert_code(sz_context_shutdown(context), 0);
    for (size_t i = 0; i < count; i++)
        use(sockets[i]);
    renew_context();
    connect_all(sockets, &count);
    renew_context();
}

TEST(what_was_sent_before_the_bind_arrives_though_its_socket_is_closed)
{
    sz_socket push = make_socket("push"), pull = make_socket("pull");
    sz_socket other = make_socket("push");
    assert_code(connect_to(push, name), 0);
    assert_code(connect_to(other, name), 0);
    assert_code(send_text(push, "early"), 0);
    assert_code(send_text(other, "undone"), 0);
    assert_code(sz_socket_close(push), 0);
    assert_code(disconnect_from(other, name), 0);
    assert_code(bind_to(pull, name), 0);
    assert_next(pull, "early");
    assert_next(pull, "undone");
}

TEST(a_connect_that_others_wait_beside_is_undone_after_the_bind)
{
    static const char *const types[] = {"router", "rep"};
    for (size_t i = 0; i < 2; i++) {
        sz_socket a = make_socket(types[i]), b = make_socket("dealer");
        sz_socket bound = make_socket("router");
        assert_code(connect_to(a, name), 0);
        assert_code(connect_to(b, name), 0);
        assert_code(disconnect_from(a, name), SZ_EPENDING);
        assert_code(bind_to(bound, name), 0);
        assert_code(disconnect_from(a, name), 0);
        renew_context();
    }
}

TEST(a_pair_does_not_bind_a_name_at_which_it_would_reject_a_router)
{
    sz_socket dealer = make_socket("dealer"), router = make_socket("router");
    sz_socket pair = make_socket("pair");
    assert_code(connect_to(dealer, name), 0);
    assert_code(connect_to(router, name), 0);
    assert_code(bind_to(pair, name), SZ_EPAIR);
    assert_code(sz_socket_close(router), 0);
    assert_code(bind_to(pair, name), SZ_EPAIR);
    assert_code(bind_to(make_socket("dealer"), name), 0);
}

TEST(a_welcome_is_set_after_the_bind_if_a_connect_was_undone)
{
    sz_socket gone = make_socket("xsub"), sub = make_socket("sub");
    sz_socket xpub = make_socket("xpub");
    const sz_option *welcome = option("xpub-welcome-msg");
    assert_code(connect_to(gone, name), 0);
    assert_code(connect_to(sub, name), 0);
    assert_code(disconnect_from(gone, name), 0);
    assert_code(sz_socket_set_bytes(xpub, welcome, "hello", 5), 0);
    assert_code(bind_to(xpub, name), SZ_EWELCOME);
    assert_code(sz_socket_set_bytes(xpub, welcome, "", 0), 0);
    assert_code(bind_to(xpub, name), 0);
    assert_code(sz_socket_set_bytes(xpub, welcome, "hello", 5), 0);
}

TEST(a_name_that_waits_is_not_handed_over)
{
    for (int raw = 0; raw < 2; raw++) {
        sz_socket router = make_socket("router");
        const char *flag = raw ? "router-raw" : "router-handover";
        const sz_option *given = option("connect-routing-id");
        assert_code(sz_socket_set_bytes(router, given, "x", 1), 0);
        assert_code(connect_to(router, name), 0);
        assert_code(sz_socket_set_integer(router, option(flag), 1),
                    SZ_EHANDOVER);
        assert_code(bind_to(make_socket("dealer"), name), 0);
        set(router, "router-handover", 1);
        assert_code(sz_socket_set_bytes(router, given, "y", 1), 0);
        assert_code(connect_to(router, "inproc://other"), SZ_EHANDOVER);
        assert_code(connect_to(router, name), 0);
        renew_context();
    }
}

TEST(a_welcome_greets_who_waits)
{
    sz_socket gone = make_socket("xsub"), sub = make_socket("sub");
    sz_socket xpub = make_socket("xpub");
    assert_code(
        sz_socket_set_bytes(xpub, option("xpub-welcome-msg"), "hello", 5), 0);
    assert_code(connect_to(gone, name), 0);
    assert_code(disconnect_from(gone, name), 0);
    subscribe(sub, "hello");
    assert_code(connect_to(sub, name), 0);
    assert_code(bind_to(xpub, name), 0);
    assert_next(sub, "hello");
}

TEST(a_name_is_free_once_its_socket_is_closed)
{
    for (size_t i = 0; i < loops(100); i++) {
        sz_socket a = make_socket("pull"), push = make_socket("push");
        assert_code(bind_to(a, name), 0);
        assert_code(sz_socket_close(a), 0);
        assert_code(connect_to(push, name), 0);
        sz_socket b = make_socket("pull");
        assert_code(bind_to(b, name), 0);
        assert_code(send_text(push, "for b"), 0);
        assert_next(b, "for b");
        assert_code(sz_socket_close(b), 0);
        assert_code(sz_socket_close(push), 0);
    }
}

TEST(a_socket_can_disconnect_from_a_name_that_it_binds)
{
    sz_socket a = make_socket("dealer"), b = make_socket("dealer");
    assert_code(bind_to(a, name), 0);
    assert_code(disconnect_from(a, name), SZ_ENOENT);
    assert_code(connect_to(a, name), 0);
    assert_code(disconnect_from(a, name), 0);
    assert_code(connect_to(b, name), 0);
    assert_code(send_text(b, "still bound"), 0);
    assert_next(a, "still bound");
    assert_code(sz_socket_unbind(b, name, strlen(name)), SZ_ENOENT);
    assert_code(send_text(b, "still connected"), 0);
    assert_next(a, "still connected");
}

typedef struct {
    sz_context context;
    size_t rounds;
} loop;

static void *keep_connecting(void *argument)
{
    static const char *const types[] = {"router", "dealer", "push", "sub"};
    loop *l = argument;
    for (size_t i = 0; i < l->rounds; i++) {
        sz_socket socket = {0};
        if (sz_socket_new(l->context, sz_type_find(types[i % 4]), &socket))
            continue;
        if (i % 3 == 0)
            sz_socket_set_integer(socket, option("immediate"), 1);
        connect_to(socket, name);
        use(socket);
        if (i % 2 == 0)
            disconnect_from(socket, name);
        sz_socket_close(socket);
    }
    return NULL;
}

TEST(threads_connect_and_close_while_another_binds)
{
    pthread_t threads[2];
    loop l = {context, loops(500)};
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, keep_connecting, &l), 0);
    for (size_t i = 0; i < l.rounds; i++) {
        sz_socket socket = {0};
        if (sz_socket_new(context, sz_type_find("router"), &socket) != 0)
            continue;
        bind_to(socket, name);
        use(socket);
        if (i % 2 == 0)
            sz_socket_unbind(socket, name, strlen(name));
        sz_socket_close(socket);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

TEST(an_xpub_owns_a_message_that_its_sender_shares)
{
    char bytes[1000] = {'b'};
    sz_socket xpub, xsub;
    make_pair("xpub", &xpub, "xsub", &xsub);
    sz_message sent, taken, copies[2];
    assert_code(sz_message_new(bytes, sizeof bytes, &sent), 0);
    sz_part parts[] = {{.message = sent}, {.message = sent}};
    for (int i = 0; i < 2; i++) {
        assert_code(send_soon(xsub, parts, 2), 0);
        assert_code(receive_soon(xpub), 2);
        assert_code(sz_take(xpub, 0, &taken), 0);
        for (int j = 0; j < 2; j++)
            assert_code(sz_message_copy(taken, &copies[j]), 0);
        parts[1].message = taken;
        assert_code(send_soon(xsub, parts, 2), 0);
        assert_code(receive_soon(xpub), 2);
        sz_message_free(taken);
        parts[1].message = sent;
        for (int j = 0; j < 2; j++) {
            check_message(copies[j], bytes, sizeof bytes, __FILE__, __LINE__);
            sz_message_free(copies[j]);
        }
    }
    sz_message_free(sent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connect_of_any_type_can_be_undone_before_its_bind),
        cmocka_unit_test(
            a_connect_that_conflates_can_be_undone_before_its_bind),
        cmocka_unit_test(a_context_ends_though_many_sockets_wait_for_a_bind),
        cmocka_unit_test(
            what_was_sent_before_the_bind_arrives_though_its_socket_is_closed),
        cmocka_unit_test(
            a_connect_that_others_wait_beside_is_undone_after_the_bind),
        cmocka_unit_test(
            a_pair_does_not_bind_a_name_at_which_it_would_reject_a_router),
        cmocka_unit_test(
            a_welcome_is_set_after_the_bind_if_a_connect_was_undone),
        cmocka_unit_test(a_name_that_waits_is_not_handed_over),
        cmocka_unit_test(a_welcome_greets_who_waits),
        cmocka_unit_test(a_name_is_free_once_its_socket_is_closed),
        cmocka_unit_test(a_socket_can_disconnect_from_a_name_that_it_binds),
        cmocka_unit_test(threads_connect_and_close_while_another_binds),
        cmocka_unit_test(an_xpub_owns_a_message_that_its_sender_shares),
    };
    return run_all("inproc", tests);
}
