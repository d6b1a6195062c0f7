/* Scenes of contexts, sockets, their options and endpoints. */

#include "scene.h"
#include "scenes.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define TCP "tcp://127.0.0.1:*"

static int context_set(sz_context which, const char *option, int64_t value)
{
    return sz_context_set(which, sz_option_find(SZ_CONTEXT_OPTION, option),
                          value);
}

void scene_contexts(void)
{
    sz_context other = new_context();
    int64_t value;
    MUST(sz_context_check(other));
    MUST(context_set(other, "io-threads", 2));
    MUST(context_set(other, "max-sockets", 20));
    MUST(sz_context_get(
        other, sz_option_find(SZ_CONTEXT_OPTION, "max-sockets"), &value));
    CHECK(value == 20);
    new_socket_in(other, "pull");
    MUST(sz_context_get(
        other, sz_option_find(SZ_CONTEXT_OPTION, "max-sockets"), &value));
    CHECK(value == 20);
    CHECK(sz_context_sockets(other) == 1);
    close_context(other);
    CHECK(sz_context_check(other) == SZ_ECLOSED);
    new_socket("push");
    CHECK(sz_context_sockets(context) == 1);
}

void scene_schedules(void)
{
    MAY(context_set(context, "thread-affinity-cpu-add", 0), SZ_ECPU);
    MAY(context_set(context, "thread-sched-policy", 0), SZ_ESCHEDULE);
    MAY(context_set(context, "thread-priority", 0), SZ_ESCHEDULE);
    new_socket("push");
}

void scene_types(void)
{
    const sz_type *type;
    for (size_t i = 0; (type = sz_type_at(i)) != NULL; i++) {
        if (type->draft)
            continue;
        sz_socket socket = new_socket(type->name);
        CHECK(sz_socket_type(socket) == type);
        CHECK(sz_socket_fd(socket) >= 0);
        MUST(sz_socket_events(socket));
        if (i % 2 == 0)
            close_socket(socket);
    }
}

static void read_option(sz_socket socket, const sz_option *option)
{
    int64_t value;
    const void *data;
    size_t size;
    int code = option->type <= SZ_FLAGS
                   ? sz_socket_get_integer(socket, option, &value)
                   : sz_socket_get_bytes(socket, option, &data, &size);
    if (code == SZ_EWRITEONLY || code == SZ_ETYPE || code == SZ_EUNSUPPORTED ||
        code == SZ_EOLD || code == SZ_EINVAL)
        return;
    may(code, 0, option->name);
}

void scene_options(void)
{
    sz_socket sub = new_socket("sub"), router = new_socket("router");
    const sz_option *option;
    for (size_t i = 0; (option = sz_option_at(i)) != NULL; i++)
        if (option->scope == SZ_SOCKET_OPTION)
            read_option(sub, option);
    set(sub, "rcvhwm", 10);
    set(sub, "rcvtimeo", 100);
    set_text(sub, "subscribe", "a");
    set_text(sub, "subscribe", "b");
    set_text(sub, "unsubscribe", "a");
    set(router, "router-mandatory", 1);
    set_text(router, "routing-id", "me");
    const void *data;
    size_t size;
    MUST(sz_socket_get_bytes(
        router, sz_option_find(SZ_SOCKET_OPTION, "routing-id"), &data, &size));
    CHECK(size == 2 && memcmp(data, "me", 2) == 0);
    set_text(router, "plain-username", "user");
    CHECK(get(sub, "rcvhwm") == 10 && get(sub, "rcvtimeo") == 100);
}

/* A channel over a transport: endpoints are bound, connected, undone, and
 * opened again. */
static void use_transport(const char *endpoint)
{
    static channel one, several;
    char real[256];
    sz_socket push = new_socket("push"), pull = new_socket("pull");
    snprintf(real, sizeof real, "%s", bind_to(pull, endpoint));
    connect_to(push, real);
    one = (channel){.from = push, .to = pull, .parts = 1, .size = 10};
    open_channel(&one);
    send_numbered(&one, 3);
    receive_numbered(&one, -1);
    sz_socket dealer = new_socket("dealer"), other = new_socket("dealer");
    char second[256];
    snprintf(
        second, sizeof second, "%s",
        bind_to(dealer, endpoint[0] == 't' ? endpoint : "inproc://second"));
    connect_to(other, second);
    several = (channel){.from = other, .to = dealer, .parts = 7, .size = 2000};
    open_channel(&several);
    send_numbered(&several, 3);
    receive_numbered(&several, -1);
    disconnect_from(push, real);
    unbind_from(pull, real);
    bool bound;
    CHECK(sz_socket_endpoint(pull, 0, &bound) == NULL);
    CHECK(sz_socket_endpoint(push, 0, &bound) == NULL);
}

void scene_tcp(void)
{
    use_transport(TCP);
}

void scene_ipc(void)
{
    char endpoint[120];
    snprintf(endpoint, sizeof endpoint, "ipc://%s/x", directory);
    use_transport(endpoint);
}

void scene_inproc(void)
{
    use_transport("inproc://x");
}

/* Connects that precede their bind. */
void scene_inproc_late(void)
{
    static channel c;
    sz_socket push = new_socket("push"), pull = new_socket("pull");
    connect_to(push, "inproc://late");
    c = (channel){.from = push, .to = pull, .parts = 2, .size = 100};
    int before = fill_channel(&c, 2);
    bind_to(pull, "inproc://late");
    open_channel(&c);
    CHECK(before == 2 || disturbed());
    send_numbered(&c, 2);
    receive_numbered(&c, -1);
    /* A socket that is closed while its connect waits. */
    sz_socket dealer = new_socket("dealer");
    connect_to(dealer, "inproc://later");
    close_socket(dealer);
    sz_socket third = new_socket("pull");
    bind_to(third, "inproc://later");
    /* And one that still waits when its context ends. */
    connect_to(new_socket("router"), "inproc://never");
}

void scene_inproc_undone(void)
{
    sz_socket first = new_socket("router"), second = new_socket("dealer");
    connect_to(first, "inproc://a");
    disconnect_from(first, "inproc://a");
    connect_to(second, "inproc://a");
    MAY(sz_send_bytes(second, "x", 1), SZ_EAGAIN);
    disconnect_from(second, "inproc://a");
    /* Bound and connected to the same name. */
    sz_socket both = new_socket("dealer");
    bind_to(both, "inproc://b");
    connect_to(both, "inproc://b");
    disconnect_from(both, "inproc://b");
    sz_socket peer = new_socket("dealer");
    connect_to(peer, "inproc://b");
    send_text(peer, "still bound");
    expect_text(both, "still bound");
    unbind_from(both, "inproc://b");
    sz_socket again_bound = new_socket("dealer");
    bind_to(again_bound, "inproc://b");
}

void scene_several_endpoints(void)
{
    sz_socket pull = new_socket("pull"), push = new_socket("push");
    char first[256], second[256];
    snprintf(first, sizeof first, "%s", bind_to(pull, TCP));
    snprintf(second, sizeof second, "%s", bind_to(pull, TCP));
    bind_to(pull, "inproc://third");
    connect_to(push, first);
    connect_to(push, second);
    connect_to(push, "inproc://third");
    MAY(sz_socket_connect(push, "tcp://*:1", 9, NULL), SZ_EANYHOST);
    MAY(sz_socket_unbind(pull, "tcp://127.0.0.1:1", 17), SZ_ENOENT);
    disconnect_from(push, second);
    unbind_from(pull, first);
    bool bound;
    const char *left = sz_socket_endpoint(pull, 0, &bound);
    CHECK(left != NULL && strcmp(left, second) == 0);
}

void scene_listener(void)
{
    int fd = keep(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    CHECK(fd >= 0 &&
          bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
          listen(fd, 5) == 0);
    sz_socket pull = new_socket("pull"), push = new_socket("push");
    socklen_t size = sizeof address;
    CHECK(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%d",
             ntohs(address.sin_port));
    set(pull, "use-fd", fd);
    int tries = 0, code;
    do {
        code = sz_socket_bind(pull, endpoint, strlen(endpoint), NULL);
        if (code == 0)
            break;
        /* The option survives a bind that failed. */
        CHECK(get(pull, "use-fd") == fd);
    } while (++tries < 6 && again(code, &(int){0}, "sz_socket_bind"));
    if (code != 0)
        return;
    CHECK(get(pull, "use-fd") == -1);
    connect_to(push, endpoint);
    send_text(push, "lent");
    expect_text(pull, "lent");
}

void scene_multicast(void)
{
    sz_socket pub = new_socket("pub");
    /* libnorm keeps descriptors of what was joined: no group of its own. */
    const char *const endpoints[] = {"epgm://127.0.0.1;239.192.1.1:5555",
                                     "norm://nobody;239.192.1.1:5556",
                                     "norm://nobody;[ff02::1]:5556"};
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        int code =
            sz_socket_connect(pub, endpoints[i], strlen(endpoints[i]), NULL);
        /* It depends on the machine whether they can be used. */
        CHECK(code == 0 || strcmp(sz_error_symbol(code), "unknown") != 0);
    }
}

void scene_websocket(void)
{
    sz_socket pull = new_socket("pull"), push = new_socket("push");
    if (!sz_has("ws") && sz_socket_bind(pull, "ws://127.0.0.1:*/x", 18,
                                        NULL) == SZ_EPROTONOSUPPORT)
        return;
    char real[256];
    snprintf(real, sizeof real, "%s", bind_to(pull, "ws://127.0.0.1:*/x"));
    connect_to(push, real);
    send_text(push, "over ws");
    expect_text(pull, "over ws");
    disconnect_from(push, real);
    unbind_from(pull, real);
}

void scene_requests(void)
{
    sz_socket rep = new_socket("rep"), req = new_socket("req");
    connect_to(req, bind_to(rep, TCP));
    for (int i = 0; i < 2; i++) {
        send_text(req, "question");
        expect_text(rep, "question");
        send_text(rep, "answer");
        expect_text(req, "answer");
    }
    sz_part part;
    send_text(req, "question");
    MUST(sz_receive_wait(rep, 5000));
    MUST(sz_send_bytes(rep, "answer", 6));
    MUST(sz_socket_wait(req, SZ_IN, 5000));
    MUST(sz_receive_part(req, 100, &part));
    CHECK(part.size == 6);
}

void scene_publishing(void)
{
    sz_socket pub = new_socket("xpub"), sub = new_socket("sub");
    sz_socket xsub = new_socket("xsub");
    char real[256];
    snprintf(real, sizeof real, "%s", bind_to(pub, TCP));
    set_text(sub, "subscribe", "a");
    connect_to(sub, real);
    CHECK(receive_any(pub) == 1);
    connect_to(xsub, real);
    send_text(xsub, "\1b");
    CHECK(receive_any(pub) == 1);
    send_text(pub, "a1");
    send_text(pub, "b1");
    send_text(pub, "a2");
    expect_text(sub, "a1");
    sz_release(sub);
    sz_part part;
    MUST(sz_receive_part(sub, 100, &part));
    CHECK(part.size == 2);
    expect_text(xsub, "b1");
}

/* A ROUTER that gives a name to its peer. */
static void use_names(const char *endpoint)
{
    sz_socket router = new_socket("router"), dealer = new_socket("dealer");
    char real[256];
    snprintf(real, sizeof real, "%s", bind_to(dealer, endpoint));
    set(router, "router-mandatory", 1);
    set_text(router, "connect-routing-id", "peer");
    connect_to(router, real);
    const sz_part parts[] = {{.data = "peer", .size = 4},
                             {.data = "hello", .size = 5}};
    int tries = 0, code;
    while ((code = sz_send(router, parts, 2)) != 0)
        if (code == SZ_EHOSTUNREACH)
            pause_for(1);
        else
            again(code, &tries, "sz_send");
    expect_text(dealer, "hello");
    send_text(dealer, "back");
    CHECK(receive_any(router) == 2);
    /* The name is in use. */
    set_text(router, "connect-routing-id", "peer");
    MAY(sz_socket_connect(router, real, strlen(real), NULL), SZ_ENAMED);
    set_text(router, "connect-routing-id", "other");
    sz_socket second = new_socket("dealer");
    connect_to(router, bind_to(second, TCP));
}

void scene_names(void)
{
    use_names(TCP);
}

void scene_names_inproc(void)
{
    use_names("inproc://named");
}

void scene_stream(void)
{
    sz_socket server = new_socket("stream"), client = new_socket("stream");
    set(client, "linger", 0);
    connect_to(client, bind_to(server, TCP));
    const void *data;
    size_t size;
    char name[64];
    MUST(sz_receive_held(client));
    MUST(sz_received(client, 0, &data, &size));
    CHECK(size < sizeof name);
    memcpy(name, data, size);
    sz_release(client);
    const sz_part parts[] = {{.data = name, .size = size},
                             {.data = "bytes", .size = 5}};
    MUST(sz_send(client, parts, 2));
    CHECK(receive_any(server) == 2);
    CHECK(receive_any(server) == 2);
    close_socket(server);
    pause_for(20);
    MAY(sz_send(client, parts, 2), SZ_EHOSTUNREACH);
}

void scene_curve(void)
{
    char public_key[SZ_KEY_TEXT + 1], secret_key[SZ_KEY_TEXT + 1];
    size_t place;
    MUST(sz_curve_keypair(public_key, secret_key));
    MUST(sz_curve_public(secret_key, SZ_KEY_TEXT, public_key, &place));
    sz_socket server = new_socket("pull"), client = new_socket("push");
    set(server, "curve-server", 1);
    set_text(server, "curve-secretkey", secret_key);
    set_text(client, "curve-serverkey", public_key);
    set_text(client, "curve-secretkey", secret_key);
    connect_to(client, bind_to(server, TCP));
    send_text(client, "sealed");
    expect_text(server, "sealed");
}
