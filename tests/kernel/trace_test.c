/* The trace of connections: why nothing arrives. */

#include "support.h"

#include <fcntl.h>
#include <poll.h>

static int ends[2];
static char text[16384];
static size_t length;

static void begin_trace(void)
{
    length = 0;
    text[0] = '\0';
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    sz_trace_connections(ends[1]);
}

static void end_trace(void)
{
    sz_trace_connections(-1);
    finish(context);
    close(ends[0]);
    close(ends[1]);
}

static void read_trace(int milliseconds)
{
    struct pollfd item = {.fd = ends[0], .events = POLLIN};
    if (poll(&item, 1, milliseconds) <= 0)
        return;
    ssize_t got = read(ends[0], text + length, sizeof text - 1 - length);
    length += got > 0 ? (size_t)got : 0;
    text[length] = '\0';
}

static size_t times(const char *what)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
        n++;
    return n;
}

/* Waits until the trace has the text. */
static void await_trace(const char *what)
{
    int64_t end = now() + DEADLINE;
    while (times(what) == 0 && now() < end)
        read_trace(100);
    if (times(what) == 0)
        print_error("no \"%s\" in:\n%s", what, text);
    assert_true(times(what) > 0);
}

static const char *bind_tcp(sz_socket socket)
{
    const char *real = NULL;
    assert_code(sz_socket_bind(socket, "tcp://127.0.0.1:*", 17, &real), 0);
    return real;
}

static void set_text(sz_socket socket, const char *name, const char *value)
{
    assert_code(
        sz_socket_set_bytes(socket, option(name), value, strlen(value)), 0);
}

static void new_keys(char public[SZ_KEY_TEXT + 1],
                     char secret[SZ_KEY_TEXT + 1])
{
    assert_code(sz_curve_keypair(public, secret), 0);
}

TEST(a_connection_that_is_made_has_a_line_on_both_sides)
{
    begin_trace();
    sz_socket server = make_socket("pull"), client = make_socket("push");
    const char *endpoint = bind_tcp(server);
    char wanted[128];
    snprintf(wanted, sizeof wanted,
             "zmq-monitor push#%u handshake-succeeded %s",
             (unsigned)(client.id & 0xffffff), endpoint);
    assert_code(connect_to(client, endpoint), 0);
    await_trace(wanted);
    await_trace("pull#");
    assert_int_equal(strncmp(text, "zmq ", 4), 0);
    end_trace();
}

TEST(another_mechanism_is_named)
{
    begin_trace();
    sz_socket server = make_socket("pull"), client = make_socket("push");
    set_text(client, "plain-username", "x");
    set_text(client, "plain-password", "secret");
    assert_code(connect_to(client, bind_tcp(server)), 0);
    await_trace("handshake-failed-protocol tcp://127.0.0.1:");
    await_trace("(the peer uses another security mechanism)");
    assert_int_equal(times("secret"), 0);
    end_trace();
}

TEST(a_wrong_server_key_is_named)
{
    begin_trace();
    char public[SZ_KEY_TEXT + 1], secret[SZ_KEY_TEXT + 1],
        other[SZ_KEY_TEXT + 1];
    sz_socket server = make_socket("pull"), client = make_socket("push");
    new_keys(public, secret);
    set(server, "curve-server", 1);
    set_text(server, "curve-secretkey", secret);
    new_keys(other, secret);
    set_text(client, "curve-secretkey", secret);
    set_text(client, "curve-serverkey", other);
    assert_code(connect_to(client, bind_tcp(server)), 0);
    await_trace("the client has a wrong server key");
    end_trace();
}

TEST(nobody_at_the_other_end_is_said_once)
{
    begin_trace();
    sz_socket client = make_socket("push"), server = make_socket("pull");
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "%s", bind_tcp(server));
    assert_code(sz_socket_close(server), 0);
    set(client, "reconnect-ivl", 1);
    sz_monitor monitor;
    assert_code(sz_monitor_new(client, SZ_EVENT_CONNECT_RETRIED, &monitor), 0);
    assert_code(connect_to(client, endpoint), 0);
    await_trace("connect-retried tcp://");
    sz_event event;
    int64_t end = now() + DEADLINE;
    for (size_t tries = 0; tries < 5 && now() < end;) {
        if (sz_monitor_receive(monitor, &event) == 0)
            tries++;
        else
            pause_briefly();
    }
    read_trace(0);
    assert_int_equal(times("connect-retried"), 1);
    assert_code(sz_monitor_close(monitor), 0);
    end_trace();
}

TEST(what_is_not_traced_writes_nothing)
{
    begin_trace();
    sz_trace_connections(-1);
    sz_socket server = make_socket("pull"), client = make_socket("push");
    assert_code(connect_to(client, bind_tcp(server)), 0);
    assert_code(send_text(client, "x"), 0);
    assert_next(server, "x");
    read_trace(0);
    assert_string_equal(text, "");
    end_trace();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_that_is_made_has_a_line_on_both_sides),
        cmocka_unit_test(another_mechanism_is_named),
        cmocka_unit_test(a_wrong_server_key_is_named),
        cmocka_unit_test(nobody_at_the_other_end_is_said_once),
        cmocka_unit_test(what_is_not_traced_writes_nothing),
    };
    return run_all("trace", tests);
}
