/* Incomplete CURVE keys: refused where an endpoint is opened. */

#include "rows.h"

static const char zero[SZ_KEY_SIZE];

typedef struct {
    char public[SZ_KEY_TEXT + 1], secret[SZ_KEY_TEXT + 1];
} pair;

static pair server, client;

static void make_keys(void)
{
    assert_code(sz_curve_keypair(server.public, server.secret), 0);
    assert_code(sz_curve_keypair(client.public, client.secret), 0);
}

/* Of each, NULL leaves the option out. */
static sz_socket make_server(const char *public, const char *secret)
{
    sz_socket socket = make_socket("pull");
    if (public != NULL)
        assert_code(set_text(socket, "curve-publickey", public), 0);
    if (secret != NULL)
        assert_code(set_text(socket, "curve-secretkey", secret), 0);
    set(socket, "curve-server", 1);
    return socket;
}

static sz_socket make_client(const char *key, const char *public,
                             const char *secret)
{
    sz_socket socket = make_socket("push");
    if (key != NULL)
        assert_code(set_text(socket, "curve-serverkey", key), 0);
    if (public != NULL)
        assert_code(set_text(socket, "curve-publickey", public), 0);
    if (secret != NULL)
        assert_code(set_text(socket, "curve-secretkey", secret), 0);
    return socket;
}

/* Neither a bind nor a connect over a network opens anything; inproc has no
 * security. */
static void check_refused(sz_socket socket, int code)
{
    static const char *const endpoints[] = {
        "tcp://127.0.0.1:9", "ipc://@szmq-curve", "ws://127.0.0.1:9/x"};
    bool bound;
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        assert_code(connect_to(socket, endpoints[i]), code);
        assert_code(bind_to(socket, endpoints[i]), code);
    }
    assert_null(sz_socket_endpoint(socket, 0, &bound));
    assert_code(bind_to(socket, "inproc://curve"), 0);
    assert_code(sz_socket_close(socket), 0);
}

TEST(a_server_without_a_secret_key_is_refused)
{
    make_keys();
    check_refused(make_server(NULL, NULL), SZ_ESECRETKEY);
    check_refused(make_server(server.public, NULL), SZ_ESECRETKEY);
}

TEST(a_secret_key_of_zeros_is_none)
{
    make_keys();
    sz_socket socket = make_server(NULL, NULL);
    assert_code(sz_socket_set_bytes(socket, option("curve-secretkey"), zero,
                                    sizeof zero),
                0);
    check_refused(socket, SZ_ESECRETKEY);
}

TEST(a_client_without_keys_of_its_own_is_refused)
{
    make_keys();
    check_refused(make_client(server.public, NULL, NULL), SZ_ESECRETKEY);
    check_refused(make_client(server.public, client.public, NULL),
                  SZ_ESECRETKEY);
}

TEST(a_client_without_the_key_of_the_server_is_refused)
{
    make_keys();
    check_refused(make_client(NULL, client.public, client.secret),
                  SZ_ESERVERKEY);
    check_refused(make_client(NULL, NULL, client.secret), SZ_ESERVERKEY);
}

TEST(keys_that_do_not_belong_together_are_refused)
{
    make_keys();
    check_refused(make_server(client.public, server.secret), SZ_EKEYPAIR);
    check_refused(make_client(server.public, server.public, client.secret),
                  SZ_EKEYPAIR);
}

TEST(the_public_key_is_that_of_the_secret_one)
{
    const char *real = NULL;
    make_keys();
    sz_socket a = make_server(NULL, server.secret);
    sz_socket b = make_client(server.public, NULL, client.secret);
    assert_code(sz_socket_bind(a, "tcp://127.0.0.1:*", 17, &real), 0);
    assert_code(connect_to(b, real), 0);
    check_text(a, "curve-publickey", server.public);
    check_text(b, "curve-publickey", client.public);
    assert_code(send_text(b, "private"), 0);
    assert_next(a, "private");
}

TEST(complete_keys_connect)
{
    const char *real = NULL;
    make_keys();
    sz_socket a = make_server(server.public, server.secret);
    sz_socket b = make_client(server.public, client.public, client.secret);
    assert_code(sz_socket_bind(a, "tcp://127.0.0.1:*", 17, &real), 0);
    assert_code(connect_to(b, real), 0);
    assert_code(send_text(b, "private"), 0);
    assert_next(a, "private");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_without_a_secret_key_is_refused),
        cmocka_unit_test(a_secret_key_of_zeros_is_none),
        cmocka_unit_test(a_client_without_keys_of_its_own_is_refused),
        cmocka_unit_test(a_client_without_the_key_of_the_server_is_refused),
        cmocka_unit_test(keys_that_do_not_belong_together_are_refused),
        cmocka_unit_test(the_public_key_is_that_of_the_secret_one),
        cmocka_unit_test(complete_keys_connect),
    };
    return sz_has("curve") ? run_all("curve", tests) : 0;
}
