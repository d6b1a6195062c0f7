/* Endpoints: what is refused before libzmq sees it, and what is remembered. */

#include "support.h"

#include <sys/un.h>

static const char *const wrong_syntax[] = {"",
                                           "tcp",
                                           "tcp://",
                                           "tcp:/x",
                                           "://x",
                                           "127.0.0.1:5555",
                                           "tcp://localhost"};

static const char *const wrong_ports[] = {
    "tcp://127.0.0.1:65536",  "tcp://127.0.0.1:99999",
    "tcp://127.0.0.1:-1",     "tcp://127.0.0.1:",
    "tcp://127.0.0.1:80x",    "tcp://127.0.0.1:99999999999999999999",
    "ws://127.0.0.1:70000/x", "tcp://[::1]:65536"};

static int open_either(sz_socket socket, const char *endpoint, bool bound)
{
    return bound ? bind_to(socket, endpoint) : connect_to(socket, endpoint);
}

static void check_refused(const char *endpoint, bool bound, int code)
{
    sz_socket socket = make_socket("pull");
    int got = open_either(socket, endpoint, bound);
    if (got != code)
        print_error("%s: ", endpoint);
    assert_code(got, code);
    bool is_bound;
    assert_null(sz_socket_endpoint(socket, 0, &is_bound));
    assert_code(sz_socket_close(socket), 0);
}

/* Case 41. */
TEST(what_is_no_endpoint_is_refused)
{
    for (size_t i = 0; i < sizeof wrong_syntax / sizeof *wrong_syntax; i++) {
        check_refused(wrong_syntax[i], true, SZ_EENDPOINT);
        check_refused(wrong_syntax[i], false, SZ_EENDPOINT);
    }
}

/* Case 42. */
TEST(ports_that_do_not_exist_are_refused)
{
    for (size_t i = 0; i < sizeof wrong_ports / sizeof *wrong_ports; i++) {
        check_refused(wrong_ports[i], true, SZ_EPORT);
        check_refused(wrong_ports[i], false, SZ_EPORT);
    }
    check_refused("tcp://127.0.0.1:0", false, SZ_EPORT);
    check_refused("tcp://127.0.0.1:*", false, SZ_EPORT);
}

TEST(an_unknown_transport_is_refused)
{
    check_refused("carrier://pigeon", true, SZ_EPROTONOSUPPORT);
    check_refused("carrier://pigeon", false, SZ_EPROTONOSUPPORT);
}

/* Case 43. */
TEST(a_nul_is_not_where_the_endpoint_ends)
{
    sz_socket socket = make_socket("pull");
    static const char text[] = "inproc://a\0b";
    assert_code(sz_socket_bind(socket, text, sizeof text - 1, NULL), SZ_ENUL);
    assert_code(sz_socket_connect(socket, text, sizeof text - 1, NULL),
                SZ_ENUL);
    assert_code(sz_socket_unbind(socket, text, sizeof text - 1), SZ_ENUL);
    assert_code(sz_socket_disconnect(socket, text, sizeof text - 1), SZ_ENUL);
}

TEST(an_ipc_path_may_be_as_long_as_the_system_allows)
{
    enum {
        MOST = sizeof((struct sockaddr_un *)NULL)->sun_path
    };
    char directory[32], endpoint[MOST + 40];
    make_directory(directory);
    for (size_t size = MOST - 1; size <= MOST + 1; size++) {
        int begun =
            snprintf(endpoint, sizeof endpoint, "ipc://%s/", directory);
        memset(endpoint + begun, 'x', 6 + size - (size_t)begun);
        endpoint[6 + size] = '\0';
        sz_socket socket = make_socket("pull");
        assert_code(bind_to(socket, endpoint), size < MOST ? 0 : SZ_EPATH);
        assert_code(connect_to(socket, endpoint), size < MOST ? 0 : SZ_EPATH);
    }
    finish(context);
    remove_directory(directory);
}

TEST(a_wildcard_becomes_a_port)
{
    sz_socket a = make_socket("pull");
    sz_socket b = make_socket("push");
    const char *real = NULL;
    assert_code(sz_socket_bind(a, "tcp://127.0.0.1:*", 17, &real), 0);
    assert_null(strchr(real, '*'));
    assert_code(connect_to(b, real), 0);
    assert_code(send_text(b, "found"), 0);
    assert_next(a, "found");
}

TEST(endpoints_are_listed_oldest_first)
{
    sz_socket socket = make_socket("dealer");
    assert_code(bind_to(socket, "inproc://first"), 0);
    assert_code(connect_to(socket, "inproc://second"), 0);
    assert_code(bind_to(socket, "inproc://third"), 0);
    bool bound = false;
    assert_string_equal(sz_socket_endpoint(socket, 0, &bound),
                        "inproc://first");
    assert_true(bound);
    assert_string_equal(sz_socket_endpoint(socket, 1, &bound),
                        "inproc://second");
    assert_false(bound);
    assert_string_equal(sz_socket_endpoint(socket, 2, &bound),
                        "inproc://third");
    assert_null(sz_socket_endpoint(socket, 3, &bound));
}

TEST(unbind_takes_what_bind_was_given_or_returned)
{
    static const char given[] = "tcp://127.0.0.1:*";
    for (int returned = 0; returned < 2; returned++) {
        sz_socket socket = make_socket("pull");
        const char *real = NULL;
        char kept[64];
        assert_code(sz_socket_bind(socket, given, strlen(given), &real), 0);
        snprintf(kept, sizeof kept, "%s", returned ? real : given);
        assert_code(sz_socket_unbind(socket, kept, strlen(kept)), 0);
        bool bound;
        assert_null(sz_socket_endpoint(socket, 0, &bound));
        assert_code(sz_socket_unbind(socket, kept, strlen(kept)), SZ_ENOENT);
    }
}

TEST(disconnecting_what_is_not_connected_fails)
{
    sz_socket socket = make_socket("push");
    static const char endpoint[] = "tcp://127.0.0.1:9";
    assert_code(sz_socket_disconnect(socket, endpoint, strlen(endpoint)),
                SZ_ENOENT);
    assert_code(connect_to(socket, endpoint), 0);
    assert_code(sz_socket_disconnect(socket, endpoint, strlen(endpoint)), 0);
    assert_code(sz_socket_disconnect(socket, endpoint, strlen(endpoint)),
                SZ_ENOENT);
}

TEST(an_address_in_use_says_so_and_changes_nothing)
{
    sz_socket a = make_socket("pull");
    sz_socket b = make_socket("pull");
    const char *real = NULL;
    bool bound;
    assert_code(sz_socket_bind(a, "tcp://127.0.0.1:*", 17, &real), 0);
    assert_code(bind_to(b, real), SZ_EADDRINUSE);
    assert_null(sz_socket_endpoint(b, 0, &bound));
    assert_code(bind_to(a, "inproc://taken"), 0);
    assert_code(bind_to(b, "inproc://taken"), SZ_EADDRINUSE);
    assert_code(sz_socket_close(a), 0);
}

TEST(a_directory_that_is_not_there_is_an_error)
{
    sz_socket socket = make_socket("pull");
    assert_refused(bind_to(socket, "ipc:///nonexistent/directory/x"));
    assert_refused(bind_to(socket, "tcp://192.0.2.77:5555"));
    assert_refused(bind_to(socket, "tcp://no-such-interface:5555"));
}

/* Whatever is free when it begins, nothing aborts. */
static int with_descriptors(void *argument)
{
    const int *more = argument;
    limit_descriptors((rlim_t)(count_descriptors() + *more));
    if (sz_context_new(&context) != 0)
        return 0;
    sz_socket socket;
    for (int i = 0; i < 4; i++)
        if (sz_socket_new(context, sz_type_find("router"), &socket) == 0) {
            bind_to(socket, "tcp://127.0.0.1:*");
            bind_to(socket, "ipc://@szmq-descriptors");
            bind_to(socket, "ipc://*");
            connect_to(socket, "tcp://127.0.0.1:9");
            connect_to(socket, "inproc://nobody");
            sz_send_bytes(socket, "x", 1);
        }
    return 0;
}

/* Case 69. */
TEST(want_of_descriptors_never_aborts)
{
    for (int more = 0; more < 30; more++)
        assert_child(with_descriptors, &more);
}

/* libzmq would abort as soon as a peer connects. */
static int be_enforced(void *argument)
{
    const char *mechanism = argument;
    context = make_context();
    sz_socket server = make_socket("pull");
    sz_socket client = make_socket("push");
    set(server, mechanism, 1);
    set(server, "zap-enforce-domain", 1);
    assert_code(bind_to(server, "tcp://127.0.0.1:*"), SZ_EZAPDOMAIN);
    assert_code(connect_to(server, "tcp://127.0.0.1:9"), SZ_EZAPDOMAIN);
    assert_code(bind_to(server, "inproc://enforced"), 0);
    assert_code(
        sz_socket_set_bytes(server, option("zap-domain"), "somewhere", 9), 0);
    const char *real = NULL;
    assert_code(sz_socket_bind(server, "tcp://127.0.0.1:*", 17, &real), 0);
    char key[41];
    memset(key, '1', 40);
    if (strcmp(mechanism, "curve-server") == 0)
        assert_code(
            sz_socket_set_bytes(client, option("curve-serverkey"), key, 40),
            0);
    else
        assert_code(
            sz_socket_set_bytes(client, option("plain-username"), "x", 1), 0);
    assert_code(sz_socket_connect(client, real, strlen(real), NULL), 0);
    assert_code(sz_socket_wait(server, SZ_IN, 100), SZ_EAGAIN);
    finish(context);
    return 0;
}

/* Case 77. */
TEST(a_domain_that_is_enforced_must_be_there)
{
    assert_child(be_enforced, (char *)"plain-server");
    if (sz_has("curve"))
        assert_child(be_enforced, (char *)"curve-server");
}

/* libzmq has read the first part ahead when the connection ends. */
static void check_message_remains(const char *from, const char *to,
                                  const char *where)
{
    sz_socket sender = make_socket(from), receiver = make_socket(to);
    sz_part parts[] = {text_part("x"), text_part("y"), text_part("z")};
    assert_code(bind_to(sender, where), 0);
    bool bound;
    const char *endpoint = sz_socket_endpoint(sender, 0, &bound);
    if (strcmp(to, "sub") == 0)
        subscribe(receiver, "");
    assert_code(connect_to(receiver, endpoint), 0);
    int64_t end = now() + DEADLINE;
    for (int ready = 0; ready < 3 && now() < end;) {
        assert_code(send_soon(sender, parts, 3), 0);
        ready += sz_socket_wait(receiver, SZ_IN, 1) == SZ_IN;
    }
    assert_code(sz_socket_disconnect(receiver, endpoint, strlen(endpoint)), 0);
    int count = strcmp(to, "router") == 0 ? 4 : 3;
    assert_code(receive_soon(receiver), count);
    assert_received(receiver, (size_t)count - 1, "z");
    while (sz_receive(receiver) > 0)
        continue;
    assert_code(sz_receive(receiver), SZ_EAGAIN);
    assert_code(sz_socket_close(sender), 0);
    assert_code(sz_socket_close(receiver), 0);
}

TEST(a_message_that_has_arrived_remains_when_its_connection_is_undone)
{
    static const char *const pairs[][2] = {{"pub", "sub"},
                                           {"push", "pull"},
                                           {"dealer", "router"},
                                           {"dealer", "dealer"}};
    for (size_t i = 0; i < 4; i++) {
        check_message_remains(pairs[i][0], pairs[i][1], "inproc://remains");
        check_message_remains(pairs[i][0], pairs[i][1], "tcp://127.0.0.1:*");
    }
}

TEST(the_message_of_a_socket_with_conflate_remains_too)
{
    sz_socket pull = make_socket("pull"), push = make_socket("push");
    sz_part part;
    set(pull, "conflate", 1);
    assert_code(bind_to(push, "inproc://conflated"), 0);
    assert_code(connect_to(pull, "inproc://conflated"), 0);
    assert_code(send_text(push, "x"), 0);
    assert_code(sz_socket_wait(pull, SZ_IN, DEADLINE), SZ_IN);
    assert_code(sz_socket_disconnect(pull, "inproc://conflated", 18), 0);
    assert_code(sz_receive_part(pull, 10, &part), 1);
    assert_int_equal(part.size, 1);
    assert_code(sz_receive_part(pull, 10, &part), SZ_EAGAIN);
}

TEST(a_connection_is_not_ended_while_a_message_is_held_and_others_wait)
{
    sz_socket push, pull;
    make_pair("push", &push, "pull", &pull);
    bool bound;
    const char *endpoint = sz_socket_endpoint(pull, 0, &bound);
    size_t length = strlen(endpoint);
    for (int i = 0; i < 2; i++)
        assert_code(send_text(push, "x"), 0);
    assert_code(receive_soon(pull), 1);
    assert_code(sz_socket_disconnect(pull, endpoint, length), SZ_EHELD);
    assert_received(pull, 0, "x");
    sz_release(pull);
    assert_code(sz_socket_disconnect(pull, endpoint, length), 0);
    assert_next(pull, "x");
}

TEST(gssapi_is_refused_over_websocket)
{
    sz_socket socket = make_socket("push");
    if (!sz_has("gssapi"))
        return;
    set(socket, "gssapi-server", 1);
    assert_code(connect_to(socket, "ws://127.0.0.1:9/x"), SZ_EWSGSSAPI);
    assert_code(connect_to(socket, "tcp://127.0.0.1:9"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_endpoint_is_refused),
        cmocka_unit_test(ports_that_do_not_exist_are_refused),
        cmocka_unit_test(an_unknown_transport_is_refused),
        cmocka_unit_test(a_nul_is_not_where_the_endpoint_ends),
        cmocka_unit_test(an_ipc_path_may_be_as_long_as_the_system_allows),
        cmocka_unit_test(a_wildcard_becomes_a_port),
        cmocka_unit_test(endpoints_are_listed_oldest_first),
        cmocka_unit_test(unbind_takes_what_bind_was_given_or_returned),
        cmocka_unit_test(disconnecting_what_is_not_connected_fails),
        cmocka_unit_test(an_address_in_use_says_so_and_changes_nothing),
        cmocka_unit_test(a_directory_that_is_not_there_is_an_error),
        cmocka_unit_test(want_of_descriptors_never_aborts),
        cmocka_unit_test(a_domain_that_is_enforced_must_be_there),
        cmocka_unit_test(
            a_message_that_has_arrived_remains_when_its_connection_is_undone),
        cmocka_unit_test(the_message_of_a_socket_with_conflate_remains_too),
        cmocka_unit_test(
            a_connection_is_not_ended_while_a_message_is_held_and_others_wait),
        cmocka_unit_test(gssapi_is_refused_over_websocket),
    };
    return run_all("endpoint", tests);
}
