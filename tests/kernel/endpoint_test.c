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

TEST(a_user_in_an_endpoint_is_refused)
{
    static const char *const users[] = {
        "tcp://user@localhost:5555", "tcp://user:password@127.0.0.1:5555",
        "ws://user@127.0.0.1:5555/path", "tcp://@127.0.0.1:5555"};
    for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
        check_refused(users[i], true, SZ_EUSER);
        check_refused(users[i], false, SZ_EUSER);
    }
}

TEST(connecting_to_all_addresses_is_refused)
{
    check_refused("tcp://*", false, SZ_EANYHOST);
    check_refused("tcp://*:5555", false, SZ_EANYHOST);
    check_refused("tcp://127.0.0.1:0;*:5555", false, SZ_EANYHOST);
    check_refused("ws://*:5555/path", false, SZ_EANYHOST);
}

TEST(an_endpoint_without_a_host_is_refused)
{
    check_refused("tcp://:5555", false, SZ_EENDPOINT);
    check_refused("tcp://:5555", true, SZ_EENDPOINT);
    check_refused("tcp://127.0.0.1:0;:5555", false, SZ_EENDPOINT);
}

TEST(a_source_address_needs_a_port_that_exists)
{
    static const char *const wrong[] = {"tcp://127.0.0.1;127.0.0.1:5555",
                                        "tcp://127.0.0.1:;127.0.0.1:5555",
                                        "tcp://127.0.0.1:99999;127.0.0.1:5555",
                                        "tcp://:1;127.0.0.1:5555",
                                        "tcp://127.0.0.1:-1;127.0.0.1:5555",
                                        "tcp://;127.0.0.1:5555"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        check_refused(wrong[i], false, SZ_ESOURCE);
    sz_socket a = make_socket("pull");
    sz_socket b = make_socket("push");
    const char *real = NULL;
    char endpoint[100];
    assert_code(sz_socket_bind(a, "tcp://127.0.0.1:*", 17, &real), 0);
    snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:0;%s", real + 6);
    assert_code(connect_to(b, endpoint), 0);
    assert_code(send_text(b, "from there"), 0);
    assert_next(a, "from there");
}

TEST(an_abstract_endpoint_needs_a_name)
{
    check_refused("ipc://@", true, SZ_EABSTRACT);
    check_refused("ipc://@", false, SZ_EABSTRACT);
}

TEST(a_host_that_ws_cannot_resolve_is_told)
{
    if (bind_to(make_socket("pull"), "ws://127.0.0.1:*") == SZ_EPROTONOSUPPORT)
        skip();
    check_refused("ws://no.such.host.invalid:5555/path", false, SZ_EHOST);
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

static int close_either(sz_socket socket, const char *endpoint, bool bound)
{
    return bound ? sz_socket_unbind(socket, endpoint, strlen(endpoint))
                 : sz_socket_disconnect(socket, endpoint, strlen(endpoint));
}

/* An address becomes free a moment after it was let go of. */
static int open_soon(sz_socket socket, const char *endpoint, bool bound)
{
    int64_t end = now() + DEADLINE;
    int code = open_either(socket, endpoint, bound);
    while (code == SZ_EADDRINUSE && now() < end) {
        pause_briefly();
        code = open_either(socket, endpoint, bound);
    }
    return code;
}

/* The endpoint is undone by its name number `which`, once, and is gone. */
static void check_undone(const char *given, const char *other, bool bound,
                         int which)
{
    sz_socket socket = make_socket("dealer");
    bool is_bound;
    char name[100];
    set(socket, "ipv6", 1);
    int code = open_soon(socket, given, bound);
    if (code == SZ_EPROTONOSUPPORT || code == SZ_EAFNOSUPPORT ||
        code == SZ_EADDRNOTAVAIL) {
        assert_code(sz_socket_close(socket), 0);
        return;
    }
    assert_code(code, 0);
    const char *real = sz_socket_endpoint(socket, 0, &is_bound);
    snprintf(name, sizeof name, "%s", which == 0 ? given : real);
    if (which == 2)
        snprintf(name, sizeof name, "%s%s", other,
                 bound ? strrchr(real, ':') : "");
    assert_code(close_either(socket, name, bound), 0);
    assert_null(sz_socket_endpoint(socket, 0, &is_bound));
    assert_code(close_either(socket, name, bound), SZ_ENOENT);
    /* It can be had again. */
    assert_code(open_soon(socket, given, bound), 0);
    assert_code(sz_socket_close(socket), 0);
}

TEST(an_endpoint_is_undone_by_any_of_its_names)
{
    static const struct {
        const char *given, *other;
        bool bound;
    } cases[] = {
        {"ws://127.0.0.1:5599", "ws://[::ffff:127.0.0.1]:5599", false},
        {"ws://127.0.0.1:5599/", "ws://127.0.0.1:05599", false},
        {"ws://127.0.0.1:5599/a/b", NULL, false},
        {"ws://localhost:5599/path", NULL, false},
        {"ws://[::1]:5599", "ws://[0:0::1]:5599/", false},
        {"ws://[::1]:5599/path", "ws://[0:0::1]:5599/path", false},
        {"ws://127.0.0.1:*", "ws://127.0.0.1", true},
        {"ws://127.0.0.1:*/path", "ws://[::ffff:127.0.0.1]", true},
        {"ws://127.0.0.1:0/path", NULL, true},
        {"ws://*:*", NULL, true},
        {"ws://[::1]:*/path", "ws://[0::1]", true},
        {"tcp://127.0.0.1:5599", "tcp://[::ffff:127.0.0.1]:5599", false},
        {"tcp://localhost:5599", NULL, false},
        {"tcp://127.0.0.1:0;127.0.0.1:5599", NULL, false},
        {"tcp://[::1]:5599", "tcp://[0::1]:5599", false},
        {"tcp://127.0.0.1:*", "tcp://[::ffff:127.0.0.1]", true},
        {"tcp://*:*", "tcp://*", true},
        {"tcp://lo:*", NULL, true},
        {"tcp://[::1]:*", "tcp://[0:0:0::1]", true},
        {"ipc://@szmq-undone", NULL, false},
        {"inproc://undone", NULL, true},
        {"inproc://undone", NULL, false},
        {"tipc://{5560,0}", NULL, false},
        {"tipc://{5560,0,1}", NULL, true},
        {"tipc://<*>", NULL, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int which = 0; which < (cases[i].other != NULL ? 3 : 2); which++)
            check_undone(cases[i].given, cases[i].other, cases[i].bound,
                         which);
}

TEST(all_connections_to_an_endpoint_end_at_once)
{
    static const char *const given[] = {
        "ws://127.0.0.1:5599", "ws://127.0.0.1:5599/", "ws://127.0.0.1:5599"};
    bool bound;
    for (size_t i = 0; i < 3; i++) {
        sz_socket socket = make_socket("dealer");
        for (size_t j = 0; j < 3; j++)
            assert_code(connect_to(socket, given[j]), 0);
        assert_code(connect_to(socket, "ws://127.0.0.1:5599/other"), 0);
        assert_code(close_either(socket, given[i], false), 0);
        assert_string_equal(sz_socket_endpoint(socket, 0, &bound),
                            "ws://127.0.0.1:5599/other");
        assert_null(sz_socket_endpoint(socket, 1, &bound));
        assert_code(close_either(socket, given[i], false), SZ_ENOENT);
    }
}

TEST(a_name_of_a_host_that_is_not_in_use_is_not_looked_up)
{
    static const char *const unknown[] = {"tcp://nowhere.invalid:5599",
                                          "ws://nowhere.invalid:5599",
                                          "tcp://localhost:5599"};
    sz_socket socket = make_socket("dealer");
    for (size_t i = 0; i < 3; i++)
        for (int bound = 0; bound < 2; bound++) {
            int64_t begun = now();
            for (int n = 0; n < 1000; n++)
                assert_code(close_either(socket, unknown[i], bound),
                            SZ_ENOENT);
            assert_true(now() - begun < DEADLINE);
        }
}

TEST(a_wrong_address_of_tipc_says_how_it_is_written)
{
    static const char *const wrong[] = {"tipc://x", "tipc://{1,2}",
                                        "tipc://{5560,9,1}", "tipc://{5560}",
                                        "tipc://{5560,1}@x"};
    sz_socket socket = make_socket("dealer");
    if (connect_to(socket, "tipc://{5560,0}") == SZ_EPROTONOSUPPORT)
        return;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        for (int bound = 0; bound < 2; bound++)
            assert_code(open_either(socket, wrong[i], bound), SZ_ETIPC);
    assert_code(connect_to(socket, "tipc://<*>"), SZ_ETIPC);
}

/* A message arrives at a socket whose bound, `most` bytes, is just enough. */
static void check_bound(const char *type, const char *peer_type, int64_t most,
                        const char *endpoint)
{
    sz_socket socket = make_socket(type), peer = make_socket(peer_type);
    bool bound;
    set(socket, "maxmsgsize", most - 1);
    assert_code(bind_to(socket, endpoint), SZ_EHANDSHAKE);
    assert_code(connect_to(socket, "tcp://127.0.0.1:9"), SZ_EHANDSHAKE);
    assert_null(sz_socket_endpoint(socket, 0, &bound));
    assert_code(bind_to(socket, "inproc://bound"), 0);
    assert_code(sz_socket_unbind(socket, "inproc://bound", 14), 0);
    set(socket, "maxmsgsize", most);
    assert_code(bind_to(socket, endpoint), 0);
    assert_code(connect_to(peer, sz_socket_endpoint(socket, 0, &bound)), 0);
    assert_code(send_text(peer, "x"), 0);
    assert_true(receive_soon(socket) > 0);
    renew_context();
}

TEST(a_bound_of_messages_has_room_for_the_handshake)
{
    static const char *const endpoints[] = {"tcp://127.0.0.1:*",
                                            "ws://127.0.0.1:*"};
    for (size_t i = 0; i < 3; i++) {
        char endpoint[64];
        make_endpoint(endpoint);
        if (i < 2)
            snprintf(endpoint, sizeof endpoint, "%s", endpoints[i]);
        check_bound("router", "dealer", 41, endpoint);
        check_bound("rep", "req", 41, endpoint);
        check_bound("pull", "push", 26, endpoint);
    }
    sz_socket stream = make_socket("stream");
    set(stream, "maxmsgsize", 1);
    assert_code(bind_to(stream, endpoints[0]), 0);
}

TEST(each_mechanism_needs_its_own_room)
{
    static const char key[] = "0123456789012345678901234567890123456789";
    sz_socket socket = make_socket("dealer");
    set(socket, "maxmsgsize", 43);
    set(socket, "plain-server", 1);
    assert_code(bind_to(socket, "tcp://127.0.0.1:*"), SZ_EHANDSHAKE);
    set(socket, "maxmsgsize", 44);
    assert_code(bind_to(socket, "tcp://127.0.0.1:*"), 0);
    set(socket, "maxmsgsize", 167);
    assert_code(
        sz_socket_set_bytes(socket, option("curve-serverkey"), key, 40), 0);
    assert_code(connect_to(socket, "tcp://127.0.0.1:9"), SZ_EHANDSHAKE);
    socket = make_socket("dealer");
    set(socket, "curve-server", 1);
    set(socket, "maxmsgsize", 291);
    assert_code(bind_to(socket, "tcp://127.0.0.1:*"), SZ_EHANDSHAKE);
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

static void set_keys(sz_socket server, sz_socket client)
{
    char public[SZ_KEY_TEXT + 1], secret[SZ_KEY_TEXT + 1];
    assert_code(sz_curve_keypair(public, secret), 0);
    assert_code(sz_socket_set_bytes(server, option("curve-secretkey"), secret,
                                    SZ_KEY_TEXT),
                0);
    assert_code(sz_socket_set_bytes(client, option("curve-secretkey"), secret,
                                    SZ_KEY_TEXT),
                0);
    assert_code(sz_socket_set_bytes(client, option("curve-serverkey"), public,
                                    SZ_KEY_TEXT),
                0);
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
    if (strcmp(mechanism, "curve-server") == 0)
        set_keys(server, client);
    else
        assert_code(
            sz_socket_set_bytes(client, option("plain-username"), "x", 1), 0);
    assert_code(bind_to(server, "tcp://127.0.0.1:*"), SZ_EZAPDOMAIN);
    assert_code(connect_to(server, "tcp://127.0.0.1:9"), SZ_EZAPDOMAIN);
    assert_code(bind_to(server, "inproc://enforced"), 0);
    assert_code(
        sz_socket_set_bytes(server, option("zap-domain"), "somewhere", 9), 0);
    const char *real = NULL;
    assert_code(sz_socket_bind(server, "tcp://127.0.0.1:*", 17, &real), 0);
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

/* The peers over inproc acknowledge the end of a connection when they are
 * used. */
static void check_paired(const char *first, const char *second, sz_socket peer)
{
    sz_socket a = make_socket("pair");
    assert_code(connect_to(a, first), 0);
    assert_code(connect_to(a, second), SZ_EPAIRED);
    bool bound;
    assert_null(sz_socket_endpoint(a, 1, &bound));
    assert_code(sz_socket_disconnect(a, first, strlen(first)), 0);
    int64_t end = now() + DEADLINE;
    int code;
    while ((code = connect_to(a, second)) == SZ_EAGAIN && now() < end) {
        sz_socket_events(peer);
        pause_briefly();
    }
    assert_code(code, 0);
    assert_code(sz_socket_close(a), 0);
}

TEST(a_second_connect_of_a_pair_is_refused)
{
    sz_socket bound = make_socket("pair"), other = make_socket("pair");
    assert_code(bind_to(bound, anywhere), 0);
    assert_code(bind_to(other, "inproc://paired"), 0);
    check_paired(real_endpoint(bound), "tcp://127.0.0.1:9", other);
    check_paired("tcp://127.0.0.1:9", "inproc://paired", other);
    check_paired("inproc://paired", "ipc://@nobody", other);
    check_paired("inproc://nobody", "inproc://paired", other);
}

/* Also when it can take no more messages for it. */
TEST(a_pair_keeps_its_place_for_a_peer_that_is_away)
{
    sz_socket a = make_socket("pair");
    set(a, "sndhwm", 1);
    assert_code(connect_to(a, "tcp://127.0.0.1:9"), 0);
    while (send_text(a, "x") == 0)
        ;
    assert_code(connect_to(a, "tcp://127.0.0.1:10"), SZ_EPAIRED);
}

TEST(a_pair_connects_again_when_its_peer_has_gone)
{
    sz_socket a = make_socket("pair"), first = make_socket("pair"),
              second = make_socket("pair");
    assert_code(bind_to(first, "inproc://first"), 0);
    assert_code(bind_to(second, "inproc://second"), 0);
    assert_code(connect_to(a, "inproc://first"), 0);
    assert_code(sz_socket_close(first), 0);
    int64_t end = now() + DEADLINE;
    while (connect_to(a, "inproc://second") != 0 && now() < end)
        pause_briefly();
    assert_code(send_text(a, "x"), 0);
    assert_next(second, "x");
}

TEST(a_pair_with_immediate_takes_the_peer_that_is_there)
{
    sz_socket a = make_socket("pair"), there = make_socket("pair");
    assert_code(bind_to(there, anywhere), 0);
    set(a, "immediate", 1);
    assert_code(connect_to(a, "tcp://127.0.0.1:9"), 0);
    assert_code(connect_to(a, real_endpoint(there)), 0);
    assert_code(send_soon(a, &(sz_part){.data = "x", .size = 1}, 1), 0);
    assert_next(there, "x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_endpoint_is_refused),
        cmocka_unit_test(ports_that_do_not_exist_are_refused),
        cmocka_unit_test(a_user_in_an_endpoint_is_refused),
        cmocka_unit_test(connecting_to_all_addresses_is_refused),
        cmocka_unit_test(an_endpoint_without_a_host_is_refused),
        cmocka_unit_test(a_source_address_needs_a_port_that_exists),
        cmocka_unit_test(an_abstract_endpoint_needs_a_name),
        cmocka_unit_test(a_host_that_ws_cannot_resolve_is_told),
        cmocka_unit_test(an_unknown_transport_is_refused),
        cmocka_unit_test(a_nul_is_not_where_the_endpoint_ends),
        cmocka_unit_test(an_ipc_path_may_be_as_long_as_the_system_allows),
        cmocka_unit_test(a_wildcard_becomes_a_port),
        cmocka_unit_test(endpoints_are_listed_oldest_first),
        cmocka_unit_test(unbind_takes_what_bind_was_given_or_returned),
        cmocka_unit_test(an_endpoint_is_undone_by_any_of_its_names),
        cmocka_unit_test(all_connections_to_an_endpoint_end_at_once),
        cmocka_unit_test(a_name_of_a_host_that_is_not_in_use_is_not_looked_up),
        cmocka_unit_test(a_wrong_address_of_tipc_says_how_it_is_written),
        cmocka_unit_test(a_bound_of_messages_has_room_for_the_handshake),
        cmocka_unit_test(each_mechanism_needs_its_own_room),
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
        cmocka_unit_test(a_second_connect_of_a_pair_is_refused),
        cmocka_unit_test(a_pair_keeps_its_place_for_a_peer_that_is_away),
        cmocka_unit_test(a_pair_connects_again_when_its_peer_has_gone),
        cmocka_unit_test(a_pair_with_immediate_takes_the_peer_that_is_there),
    };
    return run_all("endpoint", tests);
}
