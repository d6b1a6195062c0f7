/* Multicast: delivery in a network of its own, and what libzmq would end the
 * process for.  Each test runs in a child that sees only a loopback device. */

#include "support.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum {
    NO_NETWORK = 77
};

/* What PGM uses to join a group.  An emulator may not have it. */
static bool can_join(int fd)
{
    struct group_req group = {.gr_interface = if_nametoindex("lo")};
    struct sockaddr_in address = {.sin_family = AF_INET};
    inet_pton(AF_INET, "239.192.1.1", &address.sin_addr);
    memcpy(&group.gr_group, &address, sizeof address);
    return setsockopt(fd, IPPROTO_IP, MCAST_JOIN_GROUP, &group,
                      sizeof group) == 0;
}

/* Enters a network namespace whose loopback device does multicast. */
static bool enter_network(void)
{
    if (unshare(CLONE_NEWNET) != 0 &&
        unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return false;
    struct ifreq request = {.ifr_name = "lo"};
    request.ifr_flags = IFF_UP | IFF_MULTICAST;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    bool done =
        fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0 && can_join(fd);
    close(fd);
    return done;
}

/* As assert_child; skips where no network can be made. */
#define assert_in_network(body, capability)                                   \
    do {                                                                      \
        if (!sz_has(capability)) {                                            \
            print_message("skipped: this libzmq has no " capability "\n");    \
            skip();                                                           \
        }                                                                     \
        outcome became = await_child(start_child(body, NULL));                \
        if (became.how == EXITED && became.number == NO_NETWORK) {            \
            print_message(                                                    \
                "skipped: no network with multicast can be made\n");          \
            skip();                                                           \
        }                                                                     \
        check_child(became, #body, __FILE__, __LINE__);                       \
    } while (0)

static void check_delivery(const char *endpoint)
{
    context = make_context();
    sz_socket pub = make_socket("pub");
    sz_socket sub = make_socket("sub");
    subscribe(sub, "");
    assert_code(bind_to(pub, endpoint), 0);
    assert_code(connect_to(sub, endpoint), 0);
    int64_t end = now() + DEADLINE;
    int count = SZ_EAGAIN;
    while (count == SZ_EAGAIN && now() < end) {
        assert_code(send_text(pub, "to all"), 0);
        sz_socket_wait(sub, SZ_IN, 100);
        count = sz_receive(sub);
    }
    assert_code(count, 1);
    assert_received(sub, 0, "to all");
    finish(context);
}

static int norm_delivery(void *argument)
{
    (void)argument;
    if (!enter_network())
        return NO_NETWORK;
    check_delivery("norm://lo;239.192.1.1:5556");
    check_delivery("norm://7,127.0.0.1;239.192.1.1:5557");
    return 0;
}

TEST(norm_delivers)
{
    assert_in_network(norm_delivery, "norm");
}

static int epgm_delivery(void *argument)
{
    (void)argument;
    if (!enter_network())
        return NO_NETWORK;
    check_delivery("epgm://127.0.0.1;239.192.1.1:5555");
    return 0;
}

TEST(epgm_delivers)
{
    assert_in_network(epgm_delivery, "pgm");
}

/* libzmq's thread has time to find out that it cannot. */
static void check_bad(const char *type, const char *endpoint, int wanted)
{
    context = make_context();
    sz_socket socket = make_socket(type);
    int code = bind_to(socket, endpoint);
    if (wanted != 0)
        assert_code(code, wanted);
    assert_refused(code);
    assert_refused(connect_to(socket, endpoint));
    struct timespec t = {.tv_nsec = 20000000};
    nanosleep(&t, NULL);
    finish(context);
}

static int bad_norm(void *argument)
{
    (void)argument;
    static const char *const malformed[] = {
        "norm://garbage",       "norm://x",
        "norm://,;:",           "norm://nohost:5556",
        "norm://127.0.0.1",     "norm://127.0.0.1:",
        "norm://127.0.0.1:0",   "norm://127.0.0.1:99999",
        "norm://[::1]:5556",    "norm://a,lo;239.192.1.1:5556",
        "norm://239.192.1.1:5x"};
    if (!enter_network())
        return NO_NETWORK;
    static const char *const types[] = {"pub", "sub"};
    for (size_t t = 0; t < 2; t++) {
        for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
            check_bad(types[t], malformed[i], SZ_EMULTICAST);
        check_bad(types[t], "norm://nosuch;239.192.1.1:5556", SZ_ENODEV);
        check_bad(types[t], "norm://10.9.9.77;239.192.1.1:5556", 0);
        check_bad(types[t], "norm://239.192.1.1:5556", 0); /* no route */
    }
    check_bad("push", "norm://lo;239.192.1.1:5556", SZ_ENOCOMPATPROTO);
    return 0;
}

TEST(bad_norm_endpoints_are_refused)
{
    assert_in_network(bad_norm, "norm");
}

static int bad_pgm(void *argument)
{
    (void)argument;
    static const char *const endpoints[] = {
        "epgm://lo;garbage", "epgm://nosuch;239.192.1.1:5555",
        "epgm://127.0.0.1;239.192.1.1:0", "epgm://127.0.0.1;10.0.0.1:5555",
        "epgm://127.0.0.1;239.192.1.1:70000"};
    if (!enter_network())
        return NO_NETWORK;
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        check_bad("pub", endpoints[i], 0);
        check_bad("sub", endpoints[i], 0);
    }
    check_bad("push", "epgm://127.0.0.1;239.192.1.1:5555", SZ_ENOCOMPATPROTO);
    return 0;
}

TEST(bad_pgm_endpoints_are_refused)
{
    assert_in_network(bad_pgm, "pgm");
}

/* OpenPGM asserts them. */
static int bad_rates(void *argument)
{
    (void)argument;
    static const struct {
        const char *name;
        int64_t value;
        int wanted;
    } rows[] = {{"rate", 1, SZ_ERATE},
                {"rate", 11, SZ_ERATE},
                {"rate", 12, 0},
                {"rate", INT32_MAX, SZ_ERATE},
                {"rate", INT32_MAX / 1000, 0},
                {"multicast-maxtpdu", 65535, SZ_ERATE},
                {"multicast-maxtpdu", 60, 0},
                {"multicast-hops", 255, 0}};
    const char *endpoint = "epgm://127.0.0.1;239.192.1.1:5555";
    if (!enter_network())
        return NO_NETWORK;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        context = make_context();
        sz_socket pub = make_socket("pub");
        set(pub, rows[i].name, rows[i].value);
        assert_code(bind_to(pub, endpoint), rows[i].wanted);
        struct timespec t = {.tv_nsec = 20000000};
        nanosleep(&t, NULL);
        finish(context);
    }
    return 0;
}

TEST(a_rate_below_a_packet_is_refused)
{
    assert_in_network(bad_rates, "pgm");
}

/* Without privileges in the network. */
static int without_privileges(void *argument)
{
    (void)argument;
    if (!enter_network())
        return NO_NETWORK;
    if (setgid(65534) != 0 || setuid(65534) != 0)
        return NO_NETWORK;
    if (sz_has("pgm")) {
        check_bad("pub", "pgm://127.0.0.1;239.192.1.1:5555", SZ_EPERM);
        check_bad("sub", "epgm://127.0.0.1;239.192.1.1:80", SZ_EACCES);
    }
    if (sz_has("norm"))
        check_bad("sub", "norm://lo;239.192.1.1:80", SZ_EACCES);
    return 0;
}

TEST(want_of_privileges_is_an_error)
{
    assert_in_network(without_privileges, "ipc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(norm_delivers),
        cmocka_unit_test(epgm_delivers),
        cmocka_unit_test(bad_norm_endpoints_are_refused),
        cmocka_unit_test(bad_pgm_endpoints_are_refused),
        cmocka_unit_test(a_rate_below_a_packet_is_refused),
        cmocka_unit_test(want_of_privileges_is_an_error),
    };
    return run_all("multicast", tests);
}
