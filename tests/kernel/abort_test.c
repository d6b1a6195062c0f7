/* Calls that libzmq answers by ending the process, or by losing messages: each
 * is refused with its cause, and the socket can be used afterwards. */

#include "rows.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/un.h>

/* ------------------------------------------------ descriptors that listen --
 */

/* A TCP socket on a port that the system chose. */
static int make_listener(bool listens)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    if (listens)
        assert_int_equal(listen(fd, 10), 0);
    return fd;
}

/* Binds a fresh socket with the descriptor, and then without it. */
static void check_refused(int fd, const char *endpoint)
{
    sz_socket socket = make_socket("pull");
    set(socket, "use-fd", fd);
    assert_code(bind_to(socket, endpoint), SZ_ELISTENER);
    set(socket, "use-fd", -1);
    assert_code(bind_to(socket, anywhere), 0);
    assert_code(sz_socket_close(socket), 0);
}

TEST(a_descriptor_that_does_not_listen_is_refused)
{
    int ends[2], datagram = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int idle = make_listener(false), file = open("/", O_RDONLY | O_CLOEXEC);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    const int wrong[] = {ends[0], ends[1], datagram, idle, file};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        check_refused(wrong[i], anywhere);
        close(wrong[i]);
        check_refused(wrong[i], anywhere);
    }
    check_refused(INT32_MAX, anywhere);
}

TEST(a_listener_of_another_transport_is_refused)
{
    int fd = make_listener(true);
    check_refused(fd, "ipc://@szmq-not-ipc");
    close(fd);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(
        bind(fd, (struct sockaddr *)&address, sizeof address.sun_family), 0);
    assert_int_equal(listen(fd, 10), 0);
    check_refused(fd, anywhere);
    check_refused(fd, "ws://127.0.0.1:*");
    close(fd);
}

/* A listener of the program, bound to; `real` is its endpoint. */
static sz_socket bind_listener(int fd, const char **real)
{
    sz_socket socket = make_socket("pull");
    set(socket, "use-fd", fd);
    assert_code(sz_socket_bind(socket, anywhere, strlen(anywhere), real), 0);
    return socket;
}

static void check_delivery(sz_socket socket, const char *endpoint)
{
    sz_socket peer = make_socket("push");
    assert_code(connect_to(peer, endpoint), 0);
    assert_code(send_text(peer, "x"), 0);
    assert_next(socket, "x");
    assert_code(sz_socket_close(peer), 0);
}

TEST(a_listener_serves_one_bind)
{
    const char *real = NULL;
    int fd = make_listener(true);
    sz_socket socket = bind_listener(fd, &real), other = make_socket("pull");
    assert_int_equal(get(socket, "use-fd"), -1);
    check_delivery(socket, real);
    assert_code(bind_to(socket, anywhere), 0);
    set(other, "use-fd", fd);
    assert_code(bind_to(other, anywhere), SZ_ELISTENER);
    assert_code(bind_to(other, "inproc://use-fd"), 0);
    close(fd);
}

/* The program closes its own descriptor whenever it likes. */
TEST(a_listener_may_be_closed_before_its_socket_or_after)
{
    for (int early = 0; early < 2; early++) {
        const char *real = NULL;
        int fd = make_listener(true);
        sz_socket socket = bind_listener(fd, &real);
        if (early)
            assert_int_equal(close(fd), 0);
        check_delivery(socket, real);
        assert_code(sz_socket_close(socket), 0);
        renew_context();
        if (!early)
            assert_int_equal(close(fd), 0);
    }
}

TEST(a_listener_can_be_used_again_once_it_was_unbound)
{
    const char *real = NULL;
    int fd = make_listener(true);
    sz_socket socket = bind_listener(fd, &real);
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "%s", real);
    assert_code(sz_socket_unbind(socket, endpoint, strlen(endpoint)), 0);
    renew_context();
    check_delivery(bind_listener(fd, &real), endpoint);
    close(fd);
}

/* ----------------------------------------------------------------- streams --
 */

TEST(a_stream_does_not_work_over_inproc)
{
    const sz_type *type;
    for (size_t i = 0; (type = sz_type_at(i)) != NULL; i++) {
        if (type->draft)
            continue;
        char endpoint[40];
        snprintf(endpoint, sizeof endpoint, "inproc://stream-%s", type->name);
        sz_socket stream = make_socket("stream"), other = fresh(type);
        assert_code(bind_to(stream, endpoint), SZ_ENOCOMPATPROTO);
        assert_code(connect_to(stream, endpoint), SZ_ENOCOMPATPROTO);
        if (type->number == sz_socket_type(stream)->number)
            continue;
        assert_code(bind_to(other, endpoint), 0);
        assert_code(connect_to(stream, endpoint), SZ_ENOCOMPATPROTO);
        assert_code(bind_to(stream, anywhere), 0);
        assert_code(sz_socket_close(stream), 0);
        assert_code(sz_socket_close(other), 0);
    }
}

typedef struct {
    sz_socket server, client;
    char name[255]; /* of the client, for the server */
    size_t size;
} connection;

/* Both have received that the other has come. */
static connection make_connection(void)
{
    const void *name;
    const char *real;
    connection c = {make_socket("stream"), make_socket("stream"), "", 0};
    assert_code(sz_socket_bind(c.server, anywhere, strlen(anywhere), &real),
                0);
    assert_code(connect_to(c.client, real), 0);
    assert_code(receive_soon(c.client), 2);
    assert_code(receive_soon(c.server), 2);
    assert_code(sz_received(c.server, 0, &name, &c.size), 0);
    memcpy(c.name, name, c.size);
    return c;
}

static void check_stream(const connection *c, const char *text)
{
    sz_part parts[] = {{c->name, c->size, {0}}, text_part(text)};
    assert_code(send_soon(c->server, parts, 2), 0);
    assert_code(receive_soon(c->client), 2);
    assert_received(c->client, 1, text);
}

TEST(a_stream_sends_messages_of_two_parts_only)
{
    connection c = make_connection();
    sz_part parts[20];
    sz_message message;
    assert_code(sz_message_new(c.name, c.size, &message), 0);
    parts[0] = (sz_part){c.name, c.size, {0}};
    for (size_t i = 1; i < 20; i++)
        parts[i] = text_part("x");
    for (size_t i = 1; i < 20; i++)
        if (i != 2)
            assert_code(sz_send(c.server, parts, i), SZ_ETWOPARTS);
    assert_code(sz_send_bytes(c.server, c.name, c.size), SZ_ETWOPARTS);
    assert_code(sz_send_bytes(c.server, NULL, 0), SZ_ETWOPARTS);
    parts[0] = (sz_part){.message = message};
    assert_code(sz_send(c.server, parts, 1), SZ_ETWOPARTS);
    assert_code(sz_send(c.server, parts, 3), SZ_ETWOPARTS);
    check_stream(&c, "y");
    sz_message_free(message);
}

TEST(a_proxy_sends_to_a_stream_messages_of_two_parts_only)
{
    connection c = make_connection();
    sz_socket out, in;
    sz_moved moved;
    sz_part parts[] = {{c.name, c.size, {0}}, text_part("x"), text_part("y")};
    for (size_t count = 1; count <= 3; count += 2) {
        make_pair("push", &out, "pull", &in);
        assert_code(send_soon(out, parts, count), 0);
        assert_code(sz_proxy_move(in, c.server, (sz_socket){0}, &moved),
                    SZ_ETWOPARTS);
        check_stream(&c, "z");
    }
    make_pair("push", &out, "pull", &in);
    assert_code(send_soon(out, parts, 2), 0);
    assert_code(sz_proxy_move(in, c.server, (sz_socket){0}, &moved), 0);
    assert_code(receive_soon(c.client), 2);
    assert_received(c.client, 1, "x");
}

/* --------------------------------------------------------- names of peers --
 */

static const char nobody[] = "tcp://127.0.0.1:9";

static int connect_named(sz_socket socket, const char *name,
                         const char *endpoint)
{
    assert_code(set_text(socket, "connect-routing-id", name), 0);
    return connect_to(socket, endpoint);
}

/* Names become free when libzmq's thread has let go of the peer. */
static void check_free_soon(sz_socket socket, const char *name)
{
    int64_t end = now() + DEADLINE;
    int code = connect_named(socket, name, nobody);
    while (code == SZ_ENAMED && now() < end) {
        pause_briefly();
        code = connect_named(socket, name, nobody);
    }
    assert_code(code, 0);
}

TEST(a_name_is_given_once)
{
    static const char *const types[] = {"router", "stream"};
    static const char *const flags[] = {"", "router-handover",
                                        "router-mandatory", "probe-router"};
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 4; j++) {
            sz_socket socket = make_socket(types[i]);
            if (j > 0 && i == 0)
                set(socket, flags[j], 1);
            assert_code(connect_named(socket, "x", nobody), 0);
            assert_code(connect_named(socket, "x", nobody), SZ_ENAMED);
            assert_code(connect_named(socket, "x", "tcp://127.0.0.1:10"),
                        SZ_ENAMED);
            /* The name of the refused connect is still set. */
            assert_code(connect_to(socket, nobody), SZ_ENAMED);
            assert_code(connect_named(socket, "y", "tcp://127.0.0.1:10"), 0);
            assert_code(sz_socket_disconnect(socket, nobody, strlen(nobody)),
                        0);
            check_free_soon(socket, "x");
            assert_code(connect_named(socket, "y", nobody), SZ_ENAMED);
            assert_code(sz_socket_close(socket), 0);
        }
}

TEST(a_raw_router_gives_a_name_once)
{
    sz_socket socket = make_socket("router");
    set(socket, "router-raw", 1);
    assert_code(connect_named(socket, "x", nobody), 0);
    assert_code(connect_named(socket, "x", nobody), SZ_ENAMED);
    assert_code(sz_socket_disconnect(socket, nobody, strlen(nobody)), 0);
    assert_code(connect_named(socket, "x", nobody), SZ_ENAMED);
    assert_code(connect_named(socket, "y", nobody), 0);
}

/* A peer that chose its name, and sent two messages. */
static sz_socket make_named(const char *name, const char *endpoint)
{
    sz_socket peer = make_socket("dealer");
    assert_code(set_text(peer, "identity", name), 0);
    assert_code(connect_to(peer, endpoint), 0);
    assert_code(send_text(peer, "1"), 0);
    assert_code(send_text(peer, "2"), 0);
    return peer;
}

static void check_chosen(const char *endpoint, int handover)
{
    sz_socket router = make_socket("router");
    set(router, "router-handover", handover);
    assert_code(bind_to(router, endpoint), 0);
    bool bound;
    sz_socket peer = make_named("x", sz_socket_endpoint(router, 0, &bound));
    assert_code(receive_soon(router), 2);
    assert_code(connect_named(router, "x", nobody), SZ_ENAMED);
    assert_next(peer, "");
    assert_code(sz_socket_wait(router, SZ_IN, DEADLINE), SZ_IN);
    assert_code(sz_socket_close(peer), 0);
    /* The name is in use while a message is unread, connected or not. */
    for (int i = 0; i < 20; i++) {
        assert_code(connect_named(router, "x", nobody), SZ_ENAMED);
        pause_briefly();
    }
    assert_code(receive_soon(router), 2);
    assert_received(router, 1, "2");
    assert_code(sz_receive(router), SZ_EAGAIN);
    check_free_soon(router, "x");
    assert_code(sz_socket_close(router), 0);
}

TEST(a_name_that_a_peer_chose_is_not_given)
{
    for (int handover = 0; handover < 2; handover++) {
        check_chosen(anywhere, handover);
        check_chosen("inproc://named", handover);
    }
}

TEST(a_name_is_given_while_messages_of_others_are_unread)
{
    sz_socket router = make_socket("router");
    assert_code(bind_to(router, "inproc://unread"), 0);
    for (int i = 0; i < 3; i++)
        make_named((const char *[]){"a", "b", "c"}[i], "inproc://unread");
    assert_code(sz_socket_wait(router, SZ_IN, DEADLINE), SZ_IN);
    assert_code(connect_named(router, "x", "inproc://unread"), 0);
    assert_code(connect_named(router, "y", nobody), 0);
    assert_code(connect_named(router, "a", nobody), SZ_ENAMED);
    for (int i = 0; i < 6; i++)
        assert_code(receive_soon(router), 2);
}

TEST(a_name_is_kept_when_its_connect_fails)
{
    sz_socket router = make_socket("router");
    assert_refused(connect_named(router, "x", "udp://127.0.0.1:5"));
    assert_refused(connect_named(router, "y", "udp://127.0.0.1:5"));
    assert_code(connect_to(router, nobody), 0);
    assert_code(connect_named(router, "y", nobody), SZ_ENAMED);
    assert_code(connect_named(router, "x", nobody), 0);
}

TEST(a_router_that_became_raw_late_gives_no_name)
{
    sz_socket router = make_socket("router");
    assert_code(bind_to(router, "inproc://raw-late"), 0);
    make_named("x", "inproc://raw-late");
    assert_code(receive_soon(router), 2);
    set(router, "router-raw", 1);
    assert_code(connect_named(router, "x", nobody), SZ_ENAMED);
}

TEST(a_raw_router_sends_no_empty_message)
{
    sz_socket raw = make_socket("router"), probing = make_socket("router");
    sz_part parts[] = {text_part("x"), text_part("y"), text_part("z")};
    set(raw, "router-raw", 1);
    assert_code(sz_socket_set_integer(raw, option("probe-router"), 1),
                SZ_ERAW);
    assert_code(sz_socket_set_integer(raw, option("router-raw"), 0), SZ_ERAW);
    assert_code(sz_send(raw, parts, 3), SZ_ETWOPARTS);
    assert_code(sz_send(raw, parts, 1), SZ_ETWOPARTS);
    assert_code(sz_send_bytes(raw, "x", 1), SZ_ETWOPARTS);
    set(probing, "probe-router", 1);
    assert_code(sz_socket_set_integer(probing, option("router-raw"), 1),
                SZ_ERAW);
    set(probing, "probe-router", 0);
    set(probing, "router-raw", 1);
}

TEST(a_peer_is_reached_by_its_name)
{
    static const char *const endpoints[] = {anywhere, "inproc://reached"};
    for (size_t i = 0; i < 2; i++) {
        sz_socket dealer = make_socket("dealer");
        sz_socket router = make_socket("router");
        assert_code(bind_to(dealer, endpoints[i]), 0);
        bool bound;
        assert_code(
            connect_named(router, "x", sz_socket_endpoint(dealer, 0, &bound)),
            0);
        sz_part parts[] = {text_part("x"), text_part("hello")};
        assert_code(send_soon(router, parts, 2), 0);
        assert_next(dealer, "hello");
        assert_code(sz_receive(dealer), SZ_EAGAIN);
        assert_code(send_text(dealer, "back"), 0);
        assert_code(receive_soon(router), 2);
        assert_received(router, 0, "x");
        parts[0] = text_part("unknown");
        assert_code(sz_send(router, parts, 2), 0);
        set(router, "router-mandatory", 1);
        assert_code(connect_named(router, "y", nobody), 0);
        assert_code(sz_send(router, parts, 2), SZ_EHOSTUNREACH);
    }
}

TEST(a_name_waits_for_a_connect_that_takes_it)
{
    sz_socket router = make_socket("router");
    set(router, "immediate", 1);
    assert_code(connect_named(router, "x", nobody), 0);
    assert_code(connect_named(router, "x", nobody), 0);
    set(router, "immediate", 0);
    assert_code(connect_to(router, nobody), 0);
    assert_code(connect_named(router, "x", nobody), SZ_ENAMED);
}

static int calls_left;

static void *resize_some(void *old, size_t size)
{
    return calls_left-- > 0 ? realloc(old, size) : NULL;
}

/* A connect that is undone for lack of memory takes no name for good. */
static int lack_memory(void *argument)
{
    (void)argument;
    for (int calls = 0; calls < 8; calls++) {
        calls_left = 1000;
        sz_set_allocator(resize_some, free);
        context = make_context();
        sz_socket router = make_socket("router");
        assert_code(set_text(router, "connect-routing-id", "x"), 0);
        calls_left = calls;
        int code = connect_to(router, nobody);
        calls_left = 1000;
        if (code != 0)
            check_free_soon(router, "x");
        assert_code(connect_named(router, "x", nobody), SZ_ENAMED);
        finish(context);
        await_threads();
    }
    return 0;
}

TEST(a_connect_that_is_undone_takes_no_name)
{
    finish(context);
    await_threads();
    assert_child(lack_memory, NULL);
    context = make_context();
}

TEST(names_of_libzmq_are_reserved)
{
    static const char *const types[] = {"router", "stream"};
    for (size_t i = 0; i < 2; i++) {
        sz_socket socket = make_socket(types[i]);
        const sz_option *row = option("connect-routing-id");
        assert_code(sz_socket_set_bytes(socket, row, "\0abcd", 5),
                    SZ_ERESERVED);
        assert_code(sz_socket_set_bytes(socket, row, "\0abc", 4), 0);
        assert_code(connect_to(socket, nobody), 0);
    }
}

/* ---------------------------------------------------- threads of contexts --
 */

static int set_context(const char *name, int64_t value)
{
    return sz_context_set(context, context_option(name), value);
}

static int try_socket(void)
{
    sz_socket socket;
    return sz_socket_new(context, sz_type_find("push"), &socket);
}

TEST(a_cpu_that_is_absent_is_refused)
{
    static const int absent[] = {512, 1023, 1024, 100000, INT32_MAX};
    cpu_set_t ours;
    assert_int_equal(sched_getaffinity(0, sizeof ours, &ours), 0);
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        assert_code(set_context("thread-affinity-cpu-add", absent[i]),
                    SZ_ECPU);
    for (size_t cpu = 0; cpu < 256; cpu++)
        assert_code(set_context("thread-affinity-cpu-add", (int64_t)cpu),
                    CPU_ISSET(cpu, &ours) ? 0 : SZ_ECPU);
    assert_code(try_socket(), 0);
}

TEST(a_policy_that_is_unknown_is_refused)
{
    static const int unknown[] = {4, 6, 8, 99, INT32_MAX};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_code(set_context("thread-sched-policy", unknown[i]),
                    SZ_ESCHEDULE);
    assert_code(set_context("thread-sched-policy", SCHED_BATCH), 0);
    assert_code(try_socket(), 0);
}

/* Whether this process may use real-time policies. */
static bool may_hurry(void)
{
    struct sched_param param = {.sched_priority = 1}, usual = {0};
    if (sched_setscheduler(0, SCHED_RR, &param) != 0)
        return false;
    assert_int_equal(sched_setscheduler(0, SCHED_OTHER, &usual), 0);
    return true;
}

TEST(a_priority_that_does_not_fit_its_policy_is_refused)
{
    static const int policies[] = {SCHED_FIFO, SCHED_RR};
    static const int wrong[] = {-1, 0, 100, INT32_MAX};
    bool may = may_hurry();
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 4; j++)
            for (int order = 0; order < 2; order++) {
                renew_context();
                if (wrong[j] >= 0 && order == 0)
                    set_context("thread-priority", wrong[j]);
                assert_code(set_context("thread-sched-policy", policies[i]),
                            may ? 0 : SZ_ESCHEDULE);
                if (!may)
                    continue;
                if (wrong[j] >= 0 && order == 1)
                    set_context("thread-priority", wrong[j]);
                assert_code(try_socket(), SZ_ESCHEDULE);
                assert_code(set_context("thread-priority", 1), 0);
                assert_code(try_socket(), 0);
            }
}

static int priority;

/* libzmq raises the threads' priority as far as it goes, for any value. */
static int want_priority(void *unprivileged)
{
    context = make_context();
    if (unprivileged != NULL && setuid(65534) != 0)
        return 1;
    assert_code(set_context("thread-priority", priority), 0);
    int wanted = unprivileged != NULL ? SZ_ESCHEDULE : 0;
    assert_code(try_socket(), wanted);
    finish(context);
    return 0;
}

TEST(a_priority_without_privileges_is_refused)
{
    struct rlimit limit = {0};
    getrlimit(RLIMIT_NICE, &limit);
    if (geteuid() != 0 || limit.rlim_cur > 0)
        skip();
    for (priority = 0; priority <= 5; priority += 5) {
        assert_child(want_priority, "");
        if (may_hurry())
            assert_child(want_priority, NULL);
    }
}

TEST(max_sockets_is_bounded_by_the_library)
{
    int64_t limit = 0;
    assert_code(
        sz_context_get(context, context_option("socket-limit"), &limit), 0);
    assert_code(set_context("max-sockets", 2147483646), SZ_ERANGE);
    assert_code(set_context("max-sockets", 100000000), SZ_ERANGE);
    assert_code(set_context("max-sockets", limit + 1), SZ_ERANGE);
    assert_code(set_context("max-sockets", limit), 0);
    assert_code(try_socket(), 0);
}

/* ------------------------------- values that libzmq takes and cannot use --
 */

/* A puller and a pusher over tcp, with an option of both, deliver. */
static void check_delivering(const char *name, int64_t value, int keepalive)
{
    sz_socket in = make_socket("pull"), out = make_socket("push");
    const sz_socket both[] = {in, out};
    for (size_t i = 0; i < 2; i++) {
        set(both[i], "tcp-keepalive", keepalive);
        set(both[i], name, value);
        assert_int_equal(get(both[i], name), value);
    }
    bool bound;
    assert_code(bind_to(in, anywhere), 0);
    assert_code(connect_to(out, sz_socket_endpoint(in, 0, &bound)), 0);
    assert_code(send_text(out, "x"), 0);
    assert_next(in, "x");
    assert_code(sz_socket_close(in), 0);
    assert_code(sz_socket_close(out), 0);
}

TEST(every_keep_alive_value_serves_connections)
{
    static const char *const names[] = {
        "tcp-keepalive-cnt", "tcp-keepalive-idle", "tcp-keepalive-intvl"};
    for (size_t i = 0; i < 3; i++) {
        const sz_option *row = option(names[i]);
        const int64_t values[] = {-1, 0, 1, row->max};
        sz_socket socket = make_socket("push");
        assert_code(sz_socket_set_integer(socket, row, row->max + 1),
                    SZ_ERANGE);
        for (size_t j = 0; j < 4; j++)
            for (int keepalive = 0; keepalive < 2; keepalive++)
                check_delivering(names[i], values[j], keepalive);
    }
    assert_int_equal(option("tcp-keepalive-cnt")->max, 127);
    assert_int_equal(option("tcp-keepalive-idle")->max, 32767);
    assert_int_equal(option("tcp-keepalive-intvl")->max, 32767);
}

/* Until the connecting socket has failed to connect. */
static void await_retry(sz_monitor monitor)
{
    sz_event event;
    int64_t end = now() + DEADLINE;
    int code = sz_monitor_receive(monitor, &event);
    while (code != 0 && now() < end) {
        sz_wait(sz_monitor_fd(monitor), 100);
        code = sz_monitor_receive(monitor, &event);
    }
    assert_code(code, 0);
}

TEST(a_pause_of_0_connects_again)
{
    static const int64_t most[] = {0, 50};
    for (size_t i = 0; i < 2; i++) {
        sz_socket in = make_socket("pull"), out = make_socket("push");
        sz_monitor monitor;
        char endpoint[64];
        make_endpoint(endpoint);
        set(out, "reconnect-ivl", 0);
        set(out, "reconnect-ivl-max", most[i]);
        assert_int_equal(get(out, "reconnect-ivl"), 0);
        assert_code(sz_monitor_new(out, SZ_EVENT_CLOSED, &monitor), 0);
        assert_code(connect_to(out, endpoint), 0);
        await_retry(monitor);
        assert_code(bind_to(in, endpoint), 0);
        assert_code(send_text(out, "x"), 0);
        assert_next(in, "x");
        assert_code(sz_monitor_close(monitor), 0);
    }
}

TEST(a_pause_of_1_is_not_one_of_0)
{
    sz_socket socket = make_socket("push");
    set(socket, "reconnect-ivl", 0);
    set(socket, "reconnect-ivl", 1);
    assert_int_equal(get(socket, "reconnect-ivl"), 1);
    set(socket, "reconnect-ivl", 0);
    set(socket, "reconnect-ivl", -1);
    assert_int_equal(get(socket, "reconnect-ivl"), -1);
}

/* The peer computes in 16 bits. */
TEST(a_heartbeat_ttl_is_one_that_the_peer_understands)
{
    const sz_option *row = option("heartbeat-ttl");
    sz_socket router = make_socket("router"), dealer = make_socket("dealer");
    sz_monitor monitor;
    sz_event event;
    bool bound;
    assert_int_equal(row->max, 65599);
    assert_code(sz_socket_set_integer(router, row, 65600), SZ_ERANGE);
    set(router, "heartbeat-ttl", row->max);
    set(router, "heartbeat-ivl", 30);
    assert_code(bind_to(router, anywhere), 0);
    assert_code(sz_monitor_new(dealer, SZ_EVENT_DISCONNECTED, &monitor), 0);
    assert_code(connect_to(dealer, sz_socket_endpoint(router, 0, &bound)), 0);
    assert_code(send_text(dealer, "x"), 0);
    assert_code(receive_soon(router), 2);
    assert_code(sz_wait(sz_monitor_fd(monitor), 500), SZ_EAGAIN);
    assert_code(sz_monitor_receive(monitor, &event), SZ_EAGAIN);
    assert_code(sz_monitor_close(monitor), 0);
}

/* --------------------------------------------------------- high water marks
 * -- */

static void check_marks(sz_socket socket)
{
    static const char *const names[] = {"hwm", "sndhwm", "rcvhwm"};
    for (size_t i = 0; i < 3; i++) {
        assert_code(sz_socket_set_integer(socket, option(names[i]), 8),
                    SZ_EATTACHED);
        assert_int_equal(get(socket, names[i]), 7);
    }
}

TEST(marks_are_set_before_the_first_endpoint)
{
    static const struct {
        int (*attach)(sz_socket, const char *);
        int (*detach)(sz_socket, const char *, size_t);
        const char *endpoint;
    } cases[] = {{bind_to, sz_socket_unbind, "inproc://marks"},
                 {bind_to, sz_socket_unbind, anywhere},
                 {connect_to, sz_socket_disconnect, nobody}};
    for (size_t i = 0; i < 3; i++) {
        sz_socket socket = make_socket("dealer");
        assert_refused(cases[i].attach(socket, "tcp://nobody"));
        set(socket, "hwm", 7);
        assert_code(cases[i].attach(socket, cases[i].endpoint), 0);
        check_marks(socket);
        bool bound;
        const char *real = sz_socket_endpoint(socket, 0, &bound);
        assert_code(cases[i].detach(socket, real, strlen(real)), 0);
        check_marks(socket);
        assert_code(sz_socket_close(socket), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_descriptor_that_does_not_listen_is_refused),
        cmocka_unit_test(a_listener_of_another_transport_is_refused),
        cmocka_unit_test(a_listener_serves_one_bind),
        cmocka_unit_test(a_listener_may_be_closed_before_its_socket_or_after),
        cmocka_unit_test(a_listener_can_be_used_again_once_it_was_unbound),
        cmocka_unit_test(a_stream_does_not_work_over_inproc),
        cmocka_unit_test(a_stream_sends_messages_of_two_parts_only),
        cmocka_unit_test(a_proxy_sends_to_a_stream_messages_of_two_parts_only),
        cmocka_unit_test(a_name_is_given_once),
        cmocka_unit_test(a_raw_router_gives_a_name_once),
        cmocka_unit_test(a_name_that_a_peer_chose_is_not_given),
        cmocka_unit_test(a_name_is_given_while_messages_of_others_are_unread),
        cmocka_unit_test(a_name_is_kept_when_its_connect_fails),
        cmocka_unit_test(a_router_that_became_raw_late_gives_no_name),
        cmocka_unit_test(a_raw_router_sends_no_empty_message),
        cmocka_unit_test(a_peer_is_reached_by_its_name),
        cmocka_unit_test(a_name_waits_for_a_connect_that_takes_it),
        cmocka_unit_test(a_connect_that_is_undone_takes_no_name),
        cmocka_unit_test(names_of_libzmq_are_reserved),
        cmocka_unit_test(a_cpu_that_is_absent_is_refused),
        cmocka_unit_test(a_policy_that_is_unknown_is_refused),
        cmocka_unit_test(a_priority_that_does_not_fit_its_policy_is_refused),
        cmocka_unit_test(a_priority_without_privileges_is_refused),
        cmocka_unit_test(max_sockets_is_bounded_by_the_library),
        cmocka_unit_test(every_keep_alive_value_serves_connections),
        cmocka_unit_test(a_pause_of_0_connects_again),
        cmocka_unit_test(a_pause_of_1_is_not_one_of_0),
        cmocka_unit_test(a_heartbeat_ttl_is_one_that_the_peer_understands),
        cmocka_unit_test(marks_are_set_before_the_first_endpoint),
    };
    return run_all("abort", tests);
}
