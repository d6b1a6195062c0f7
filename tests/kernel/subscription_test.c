/* Subscriptions: bounded, and none of them lost. */

#include "plain_peer.h"

enum {
    LONGEST = SZ_SUBSCRIPTION,
    HUGE = 300000
};

/* A byte that subscribes or takes back, and a prefix of any length. */
static unsigned char text[HUGE + 2];

static const unsigned char *subscription(int what)
{
    memset(text, 'a', sizeof text);
    text[0] = (unsigned char)what;
    return text;
}

static int set_prefix(sz_socket socket, const char *name, size_t size)
{
    return sz_socket_set_bytes(socket, option(name), subscription('a'), size);
}

static uint64_t drops(sz_socket socket)
{
    sz_statistics counts;
    assert_code(sz_socket_statistics(socket, &counts), 0);
    return counts.drops;
}

TEST(a_long_prefix_is_refused)
{
    static const char *const names[] = {"subscribe", "unsubscribe"};
    static const size_t sizes[] = {LONGEST + 1, 100000, HUGE};
    sz_socket xpub = make_socket("xpub"), sub = make_socket("sub");
    set(xpub, "xpub-manual", 1);
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 3; j++) {
            assert_code(set_prefix(sub, names[i], sizes[j]), SZ_ESUBSCRIPTION);
            assert_code(set_prefix(xpub, names[i], sizes[j]),
                        SZ_ESUBSCRIPTION);
        }
    for (size_t i = 0; i < 2; i++)
        assert_code(set_prefix(sub, names[i], LONGEST), 0);
}

TEST(the_limit_can_be_set)
{
    sz_socket sub = make_socket("sub");
    const sz_option *limit = option("subscription-limit");
    assert_int_equal(get(sub, "subscription-limit"), LONGEST);
    assert_code(sz_socket_set_integer(sub, limit, SZ_SUBSCRIPTION_MOST + 1),
                SZ_ERANGE);
    assert_code(sz_socket_set_integer(sub, limit, -1), SZ_ERANGE);
    set(sub, "subscription-limit", SZ_SUBSCRIPTION_MOST);
    assert_int_equal(get(sub, "subscription-limit"), SZ_SUBSCRIPTION_MOST);
    assert_code(set_prefix(sub, "subscribe", SZ_SUBSCRIPTION_MOST), 0);
    assert_code(set_prefix(sub, "subscribe", SZ_SUBSCRIPTION_MOST + 1),
                SZ_ESUBSCRIPTION);
    assert_code(set_prefix(sub, "unsubscribe", SZ_SUBSCRIPTION_MOST), 0);
    set(sub, "subscription-limit", 3);
    assert_code(set_prefix(sub, "subscribe", 3), 0);
    assert_code(set_prefix(sub, "subscribe", 4), SZ_ESUBSCRIPTION);
    assert_code(sz_socket_set_integer(make_socket("pub"), limit, 1), SZ_ETYPE);
}

/* Sends a part as part number `place` of `count`. */
static int send_at(sz_socket socket, sz_part part, size_t place, size_t count)
{
    sz_part parts[3];
    for (size_t i = 0; i < count; i++)
        parts[i] = i == place ? part : text_part("x");
    return sz_send(socket, parts, count);
}

TEST(an_xsub_refuses_a_long_subscription_in_any_part)
{
    sz_socket xpub, xsub;
    make_pair("xpub", &xpub, "xsub", &xsub);
    for (int what = 0; what < 2; what++)
        for (size_t size = LONGEST + 2; size <= HUGE; size *= 2) {
            sz_message message;
            sz_part part = {subscription(what), size, {0}};
            assert_code(sz_message_new(part.data, size, &message), 0);
            sz_part held = {.message = message};
            assert_code(sz_send_bytes(xsub, part.data, size),
                        SZ_ESUBSCRIPTION);
            for (size_t count = 1; count <= 3; count++)
                for (size_t place = 0; place < count; place++) {
                    assert_code(send_at(xsub, part, place, count),
                                SZ_ESUBSCRIPTION);
                    assert_code(send_at(xsub, held, place, count),
                                SZ_ESUBSCRIPTION);
                }
            sz_message_free(message);
        }
    assert_code(sz_receive(xpub), SZ_EAGAIN);
    assert_code(sz_send_bytes(xsub, subscription(1), LONGEST + 1), 0);
    assert_code(receive_soon(xpub), 1);
    /* What does not subscribe may be of any length. */
    assert_code(sz_send_bytes(xsub, subscription('x'), HUGE), 0);
    assert_code(receive_soon(xpub), 1);
    assert_int_equal(drops(xpub), 0);
}

TEST(only_a_part_that_may_subscribe_is_bounded)
{
    sz_socket xpub, xsub;
    make_pair("xpub", &xpub, "xsub", &xsub);
    set(xpub, "only-first-subscribe", 1);
    set(xsub, "only-first-subscribe", 1);
    sz_part part = {subscription(1), HUGE, {0}};
    assert_code(send_at(xsub, part, 0, 2), SZ_ESUBSCRIPTION);
    assert_code(send_at(xsub, part, 1, 2), 0);
    assert_code(receive_soon(xpub), 2);
    assert_int_equal(drops(xpub), 0);
}

static bool take(void *argument, const void *data, size_t size)
{
    (void)data;
    *(size_t *)argument = size;
    return false;
}

/* Receives in one of four ways: the size of a message of one part. */
static size_t receive_in(sz_socket socket, int way)
{
    sz_part part = {0};
    size_t size = 0;
    int64_t end = now() + DEADLINE;
    do {
        if (way == 1) {
            if (sz_receive_part(socket, HUGE, &part) == 1)
                return part.size;
        } else if (way == 2) {
            int code = sz_receive_each(socket, HUGE, take, &size);
            if (code == 1)
                assert_code(sz_received(socket, 0, &part.data, &size), 0);
            if (size > 0)
                return size;
        } else {
            int code = way == 0 ? sz_receive(socket)
                                : sz_receive_wait(socket, DEADLINE);
            if (code == 1) {
                assert_code(sz_received(socket, 0, &part.data, &size), 0);
                sz_release(socket);
                return size;
            }
        }
        pause_briefly();
    } while (now() < end);
    return 0;
}

TEST(an_xpub_drops_and_counts_the_long_ones_of_its_peers)
{
    for (int way = 0; way < 4; way++) {
        sz_socket xpub, xsub;
        make_pair("xpub", &xpub, "xsub", &xsub);
        set(xsub, "subscription-limit", SZ_SUBSCRIPTION_MOST);
        for (int what = 1; what >= 0; what--)
            assert_code(sz_send_bytes(xsub, subscription(what), LONGEST + 2),
                        0);
        assert_code(sz_send_bytes(xsub, subscription(1), LONGEST + 1), 0);
        assert_int_equal(receive_in(xpub, way), LONGEST + 1);
        assert_int_equal(drops(xpub), 2);
        assert_code(sz_receive(xpub), SZ_EAGAIN);
        set(xpub, "subscription-limit", SZ_SUBSCRIPTION_MOST);
        assert_code(sz_send_bytes(xsub, subscription(1), SZ_SUBSCRIPTION_MOST),
                    0);
        assert_int_equal(receive_in(xpub, way), SZ_SUBSCRIPTION_MOST);
        assert_int_equal(drops(xpub), 2);
    }
}

TEST(a_wait_outlasts_a_subscription_that_is_dropped)
{
    sz_socket xpub, xsub;
    make_pair("xpub", &xpub, "xsub", &xsub);
    set(xsub, "subscription-limit", SZ_SUBSCRIPTION_MOST);
    assert_code(sz_send_bytes(xsub, subscription(1), LONGEST + 2), 0);
    int64_t begun = now();
    assert_code(sz_receive_wait(xpub, 100), SZ_EAGAIN);
    assert_true(now() - begun >= 100 - GRAIN);
    assert_int_equal(drops(xpub), 1);
}

TEST(subscribing_by_hand_stays_on)
{
    static const char *const names[] = {"xpub-manual",
                                        "xpub-manual-last-value"};
    for (size_t i = 0; i < 2; i++) {
        sz_socket xpub = make_socket("xpub");
        set(xpub, names[i], 1);
        set(xpub, names[i], 0);
        set(xpub, names[i], 1);
        assert_code(bind_to(xpub, anywhere), 0);
        for (size_t j = 0; j < 2; j++)
            assert_code(sz_socket_set_integer(xpub, option(names[j]), 0),
                        SZ_EMANUALOFF);
        set(xpub, names[i], 1);
    }
}

TEST(a_sub_that_conflates_has_one_subscription)
{
    const sz_option *row = option("subscribe");
    sz_socket sub = make_socket("sub");
    set(sub, "conflate", 1);
    subscribe(sub, "a");
    assert_code(sz_socket_set_bytes(sub, row, "b", 1), SZ_ESUBCONFLATE);
    assert_code(sz_socket_set_bytes(sub, option("unsubscribe"), "a", 1), 0);
    subscribe(sub, "b");
    assert_code(sz_socket_set_bytes(sub, row, "", 0), SZ_ESUBCONFLATE);
    set(sub, "conflate", 0);
    subscribe(sub, "");
    assert_code(sz_socket_set_integer(sub, option("conflate"), 1),
                SZ_ESUBCONFLATE);
}

/* ------------------------------------------------------------- strangers --
 */

/* Reads up to these bytes. */
static void read_until(int fd, const char *end)
{
    char answer[400];
    size_t size = 0, length = strlen(end);
    do {
        ssize_t got = read(fd, answer + size, sizeof answer - size);
        assert_true(got > 0);
        size += (size_t)got;
    } while (size < length ||
             memcmp(answer + size - length, end, length) != 0);
}

/* A peer that speaks ZMTP itself, and so knows no bound. */
static int make_stranger(const char *endpoint)
{
    int fd = plain_peer(endpoint, "SUB");
    read_until(fd, "PUB");
    return fd;
}

static void write_frame(int fd, int flags, const void *body, size_t size)
{
    unsigned char head[9] = {(unsigned char)(flags | 2)};
    for (int i = 0; i < 8; i++)
        head[8 - i] = (unsigned char)((uint64_t)size >> (8 * i));
    assert_int_equal(write(fd, head, sizeof head), sizeof head);
    assert_int_equal(write(fd, body, size), size);
}

/* Waits until libzmq has read all that was written: it answers a PING. */
static void await_pong(int fd)
{
    write_frame(fd, 4, "\x04PING\0\0", 7);
    read_until(fd, "\x04PONG");
}

/* Long subscriptions, one of which is taken back. */
static void visit(const char *endpoint, size_t size)
{
    int fd = make_stranger(endpoint);
    for (int i = 0; i < 4; i++)
        write_frame(fd, 0, subscription(i < 3), size + 1);
    await_pong(fd);
    close(fd);
}

/* A publisher that strangers visit still serves a subscriber. */
static int serve(void *argument)
{
    const char *type = argument;
    bool broker = strcmp(type, "broker") == 0;
    context = make_context();
    sz_socket front = make_socket(broker ? "xpub" : type), back = {0};
    sz_socket publisher = front, sub = make_socket("sub");
    assert_code(bind_to(front, anywhere), 0);
    if (broker) {
        back = make_socket("xsub");
        publisher = make_socket("pub");
        assert_code(bind_to(back, anywhere), 0);
        assert_code(connect_to(publisher, real_endpoint(back)), 0);
    }
    for (int i = 0; i < 3; i++)
        visit(real_endpoint(front), HUGE);
    subscribe(sub, "b");
    assert_code(connect_to(sub, real_endpoint(front)), 0);
    int64_t end = now() + DEADLINE;
    int code = SZ_EAGAIN;
    while (code == SZ_EAGAIN && now() < end) {
        sz_moved moved;
        if (broker) {
            assert_code(sz_proxy_move(front, back, (sz_socket){0}, &moved), 0);
            assert_code(sz_proxy_move(back, front, (sz_socket){0}, &moved), 0);
        } else if (sz_receive(front) > 0) {
            sz_release(front);
        }
        assert_code(send_text(publisher, "bees"), 0);
        code = sz_receive(sub);
    }
    assert_code(code, 1);
    if (broker || strcmp(type, "xpub") == 0)
        assert_true(drops(front) > 0);
    finish(context);
    return 0;
}

TEST(a_publisher_survives_the_subscriptions_of_strangers)
{
    static char *const types[] = {"pub", "xpub", "broker"};
    for (size_t i = 0; i < 3; i++) {
        outcome o = await_child(start_child(serve, types[i]));
        assert_int_equal(o.how, EXITED);
        assert_int_equal(o.number, 0);
    }
}

/* ----------------------------------------------------------- none is lost --
 */

enum {
    MANY = 3000
};

static void subscribe_many(sz_socket socket, bool away)
{
    char prefix[20];
    bool raw = strcmp(sz_socket_type(socket)->name, "xsub") == 0;
    for (int i = 0; i < MANY; i++) {
        int size = snprintf(prefix, sizeof prefix, "%c%d.", !away, i);
        int code =
            raw ? sz_send_bytes(socket, prefix, (size_t)size)
                : sz_socket_set_bytes(
                      socket, option(away ? "unsubscribe" : "subscribe"),
                      prefix + 1, (size_t)size - 1);
        assert_code(code, 0);
    }
}

/* Receives so many subscriptions, or ends of some.  The subscriber repeats
 * them to a publisher when it is used. */
static void await_many(sz_socket xpub, sz_socket subscriber, int count,
                       char what)
{
    const void *data;
    size_t size;
    int64_t end = now() + DEADLINE;
    while (count > 0 && now() < end) {
        int code = sz_receive(xpub);
        if (code == SZ_EAGAIN) {
            assert_true(sz_socket_events(subscriber) >= 0);
            sz_socket_wait(xpub, SZ_IN, 10);
            continue;
        }
        assert_code(code, 1);
        assert_code(sz_received(xpub, 0, &data, &size), 0);
        assert_int_equal(*(const char *)data, what);
        count--;
    }
    assert_int_equal(count, 0);
}

/* Both orders of endpoint and subscriptions, and the end of all. */
static void check_all(const char *type, const char *transport,
                      const char *mark)
{
    for (int early = 0; early < 2; early++) {
        char endpoint[64], name[64];
        make_endpoint(name);
        snprintf(endpoint, sizeof endpoint, "%s%s", transport,
                 *transport == 't' ? "127.0.0.1:*" : name + strlen("ipc://"));
        sz_socket xpub = make_socket("xpub"), socket = make_socket(type);
        set(socket, mark, 10);
        assert_int_equal(get(socket, mark), 10);
        set(xpub, "hwm", 10);
        assert_code(bind_to(xpub, endpoint), 0);
        if (early)
            subscribe_many(socket, false);
        assert_code(connect_to(socket, real_endpoint(xpub)), 0);
        if (!early)
            subscribe_many(socket, false);
        await_many(xpub, socket, MANY, 1);
        subscribe_many(socket, true);
        await_many(xpub, socket, MANY, 0);
        assert_code(sz_socket_close(socket), 0);
        assert_code(sz_socket_close(xpub), 0);
    }
}

TEST(subscriptions_beyond_the_mark_all_arrive)
{
    static const char *const transports[] = {"tcp://", "inproc://", "ipc://"};
    static const char *const types[] = {"sub", "xsub"};
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 2; j++) {
            check_all(types[j], transports[i], "hwm");
            check_all(types[j], transports[i], "sndhwm");
        }
}

/* Subscribes to all prefixes while the publisher is not used. */
static void check_idle(const char *type, const char *mark)
{
    sz_socket publisher = make_socket(type);
    set(publisher, mark, 10);
    assert_int_equal(get(publisher, mark), 10);
    set(publisher, "sndhwm", 0);
    assert_code(bind_to(publisher, anywhere), 0);
    int fd = make_stranger(real_endpoint(publisher));
    char prefix[20], bytes[1000];
    size_t wanted = 0, got = 0;
    for (int i = 0; i < MANY; i++) {
        int size = snprintf(prefix, sizeof prefix, "%c%d.", 1, i);
        write_frame(fd, 0, prefix, (size_t)size);
        wanted += 2 + (size_t)size - 1;
    }
    await_pong(fd);
    /* libzmq looks for subscriptions at most once in some three million ticks
     * of the processor's clock. */
    for (int i = 0; i < 10; i++)
        pause_briefly();
    for (int i = 0; i < MANY; i++) {
        snprintf(prefix, sizeof prefix, "%d.", i);
        assert_code(send_text(publisher, prefix), 0);
    }
    while (got < wanted) {
        ssize_t more = read(fd, bytes, sizeof bytes);
        assert_true(more > 0);
        got += (size_t)more;
    }
    assert_int_equal(got, wanted);
    close(fd);
}

TEST(an_idle_publisher_learns_all_subscriptions)
{
    static const char *const types[] = {"pub", "xpub"};
    for (size_t i = 0; i < 2; i++) {
        check_idle(types[i], "hwm");
        check_idle(types[i], "rcvhwm");
    }
}

TEST(subscriptions_arrive_again_at_a_publisher_that_comes_back)
{
    static const char *const types[] = {"sub", "xsub"};
    char endpoint[64];
    for (size_t i = 0; i < 2; i++) {
        make_endpoint(endpoint);
        sz_socket socket = make_socket(types[i]);
        set(socket, "reconnect-ivl", 5);
        assert_code(connect_to(socket, endpoint), 0);
        subscribe_many(socket, false);
        for (int round = 0; round < 3; round++) {
            sz_socket xpub = make_socket("xpub");
            int64_t end = now() + DEADLINE;
            int code = bind_to(xpub, endpoint);
            while (code == SZ_EADDRINUSE && now() < end) {
                pause_briefly();
                code = bind_to(xpub, endpoint);
            }
            assert_code(code, 0);
            await_many(xpub, socket, MANY, 1);
            assert_code(sz_socket_close(xpub), 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_prefix_is_refused),
        cmocka_unit_test(the_limit_can_be_set),
        cmocka_unit_test(an_xsub_refuses_a_long_subscription_in_any_part),
        cmocka_unit_test(only_a_part_that_may_subscribe_is_bounded),
        cmocka_unit_test(an_xpub_drops_and_counts_the_long_ones_of_its_peers),
        cmocka_unit_test(a_wait_outlasts_a_subscription_that_is_dropped),
        cmocka_unit_test(subscribing_by_hand_stays_on),
        cmocka_unit_test(a_sub_that_conflates_has_one_subscription),
        cmocka_unit_test(a_publisher_survives_the_subscriptions_of_strangers),
        cmocka_unit_test(subscriptions_beyond_the_mark_all_arrive),
        cmocka_unit_test(an_idle_publisher_learns_all_subscriptions),
        cmocka_unit_test(
            subscriptions_arrive_again_at_a_publisher_that_comes_back),
    };
    return run_all("subscription", tests);
}
