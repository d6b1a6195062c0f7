/* Options of sockets: what is set, refused and read, and the rules of the old
 * contract. */

#include "rows.h"

#include <limits.h>

/* ------------------------------------------------- integers of a socket -- */

static void check_below_and_above(const sz_option *row, sz_socket socket)
{
    if (!is_integer(row) || !can(row, 'w') || !is_built(row))
        return;
    if (row->min > INT64_MIN)
        assert_row(row, sz_socket_set_integer(socket, row, row->min - 1),
                   SZ_ERANGE);
    if (row->max < INT64_MAX)
        assert_row(row, sz_socket_set_integer(socket, row, row->max + 1),
                   SZ_ERANGE);
    if (row->min > INT64_MIN)
        assert_row(row, sz_socket_set_integer(socket, row, INT64_MIN),
                   SZ_ERANGE);
}

/* Case 39. */
TEST(an_integer_out_of_range_is_refused)
{
    visit_rows(check_below_and_above);
}

/* Some values are kept in other steps than ours. */
static void check_kept(const sz_option *row, sz_socket socket, int64_t value)
{
    int64_t kept = value;
    if (!accepts(row, sz_socket_set_integer(socket, row, value)) ||
        !can(row, 'r'))
        return;
    assert_row(row, sz_socket_get_integer(socket, row, &kept), 0);
    if (strcmp(row->name, "heartbeat-ttl") == 0)
        value -= value % 100;
    if (kept != value)
        print_error("option %s\n", row->name);
    assert_int_equal(kept, value);
}

static void check_range(const sz_option *row, sz_socket socket)
{
    if (!is_integer(row) || !can(row, 'w'))
        return;
    check_kept(row, socket, row->min);
    check_kept(row, socket, row->max);
    if (row->max > INT32_MIN + 7 && row->min < row->max - 7)
        check_kept(row, socket, row->max - 7);
    check_kept(row, socket, row->min + 1);
}

TEST(an_integer_in_range_is_kept)
{
    visit_rows(check_range);
}

static void check_initial(const sz_option *row, sz_socket socket)
{
    if (!is_integer(row) || !can(row, 'r') || strcmp(row->name, "fd") == 0 ||
        strcmp(row->name, "type") == 0)
        return;
    int64_t value = INT64_MIN;
    if (!accepts(row, sz_socket_get_integer(socket, row, &value)))
        return;
    if (value != row->initial)
        print_error("option %s\n", row->name);
    assert_int_equal(value, row->initial);
}

TEST(a_fresh_socket_has_the_defaults)
{
    visit_rows(check_initial);
}

/* What the mechanism, 0 for null and 2 for curve, is when the option says that
 * a socket with (or without)
 * the key of a CURVE server is no server. */
static int64_t mechanism_after(const char *name, bool curve)
{
    static const char key[] = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
    sz_socket socket = make_socket("dealer");
    if (curve)
        assert_code(set_text(socket, "curve-serverkey", key), 0);
    set(socket, name, 0);
    int64_t mechanism = get(socket, "mechanism");
    assert_code(sz_socket_close(socket), 0);
    return mechanism;
}

TEST(being_no_server_changes_no_mechanism)
{
    static const char *const options[] = {"plain-server", "curve-server",
                                          "gssapi-server"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        assert_int_equal(mechanism_after(options[i], false), 0);
        assert_int_equal(mechanism_after(options[i], true), 2);
    }
}

TEST(the_heartbeat_timeout_can_be_set_back_to_the_interval)
{
    sz_socket socket = make_socket("dealer");
    set(socket, "heartbeat-timeout", -1);
    assert_int_equal(get(socket, "heartbeat-timeout"), -1);
    set(socket, "heartbeat-timeout", 100);
    set(socket, "heartbeat-timeout", -1);
    assert_int_equal(get(socket, "heartbeat-timeout"), -1);
    set(socket, "heartbeat-timeout", 200);
    set(socket, "heartbeat-ivl", 300);
    assert_int_equal(get(socket, "heartbeat-timeout"), 200);
}

static void check_empty(const sz_option *row, sz_socket socket)
{
    const void *data = NULL;
    size_t size = SIZE_MAX;
    if (is_integer(row) || row->type == SZ_KEY || !can(row, 'r') ||
        !accepts(row, sz_socket_get_bytes(socket, row, &data, &size)))
        return;
    if (size != 0)
        print_error("option %s\n", row->name);
    assert_int_equal(size, 0);
}

TEST(the_bytes_of_a_fresh_socket_are_empty)
{
    visit_rows(check_empty);
}

/* ---------------------------------------------------- access and kinds -- */

static void check_access(const sz_option *row, sz_socket socket)
{
    int64_t value = row->min;
    const void *data = "12345678901234567890123456789012";
    size_t size = 32;
    if (!can(row, 'w') && is_integer(row))
        assert_row(row, sz_socket_set_integer(socket, row, value),
                   SZ_EREADONLY);
    if (!can(row, 'w') && !is_integer(row))
        assert_row(row, sz_socket_set_bytes(socket, row, data, size),
                   SZ_EREADONLY);
    if (!can(row, 'r') && is_integer(row))
        assert_row(row, sz_socket_get_integer(socket, row, &value),
                   SZ_EWRITEONLY);
    if (!can(row, 'r') && !is_integer(row))
        assert_row(row, sz_socket_get_bytes(socket, row, &data, &size),
                   SZ_EWRITEONLY);
}

TEST(reading_and_writing_are_refused_where_the_row_says)
{
    visit_rows(check_access);
}

static void check_kind(const sz_option *row, sz_socket socket)
{
    int64_t value = row->min;
    const void *data = "12345678901234567890123456789012";
    size_t size = 32;
    if (can(row, 'w') && is_integer(row))
        assert_row(row, sz_socket_set_bytes(socket, row, data, size),
                   SZ_EVALUE);
    if (can(row, 'w') && !is_integer(row))
        assert_row(row, sz_socket_set_integer(socket, row, value), SZ_EVALUE);
    if (can(row, 'r') && is_integer(row))
        assert_row(row, sz_socket_get_bytes(socket, row, &data, &size),
                   SZ_EVALUE);
    if (can(row, 'r') && !is_integer(row))
        assert_row(row, sz_socket_get_integer(socket, row, &value), SZ_EVALUE);
}

TEST(a_value_of_the_wrong_kind_is_refused)
{
    visit_rows(check_kind);
}

TEST(a_socket_of_another_type_is_refused)
{
    const sz_option *row;
    for (size_t i = 0; (row = sz_option_at(i)) != NULL; i++) {
        const sz_type *type = type_for(row, false);
        if (row->scope != SZ_SOCKET_OPTION || type == NULL || !can(row, 'w') ||
            !is_built(row))
            continue;
        sz_socket socket = fresh(type);
        if (is_integer(row))
            assert_row(row, sz_socket_set_integer(socket, row, row->min),
                       SZ_ETYPE);
        else
            assert_row(row, sz_socket_set_bytes(socket, row, "abc", 3),
                       SZ_ETYPE);
        assert_code(sz_socket_close(socket), 0);
    }
}

TEST(an_option_of_the_other_scope_is_refused)
{
    sz_socket socket = make_socket("push");
    int64_t value = 0;
    const sz_option *ours = option("ipv6"), *its = context_option("ipv6");
    assert_code(sz_socket_set_integer(socket, its, 1), SZ_EVALUE);
    assert_code(sz_socket_get_integer(socket, its, &value), SZ_EVALUE);
    assert_code(sz_context_set(context, ours, 1), SZ_EVALUE);
    assert_code(sz_context_get(context, ours, &value), SZ_EVALUE);
    assert_code(sz_socket_set_integer(socket, NULL, 1), SZ_EVALUE);
    assert_code(sz_context_set(context, NULL, 1), SZ_EVALUE);
}

/* ---------------------------------------------------- bytes of a socket -- */

static void check_length(const sz_option *row, sz_socket socket)
{
    if (is_integer(row) || !can(row, 'w') || !is_built(row))
        return;
    int wanted =
        row->type == SZ_KEY ? SZ_EKEY
        : row->number == ZMQ_SUBSCRIBE || row->number == ZMQ_UNSUBSCRIBE
            ? SZ_ESUBSCRIPTION
            : SZ_ELENGTH;
    if (row->min > 0)
        assert_row(row,
                   sz_socket_set_bytes(socket, row, "x", (size_t)row->min - 1),
                   wanted);
    /* Nothing is read: there are not that many bytes. */
    size_t most = (size_t)(row->max < PTRDIFF_MAX ? row->max : PTRDIFF_MAX);
    assert_row(row, sz_socket_set_bytes(socket, row, "x", most + 1), wanted);
    assert_row(row, sz_socket_set_bytes(socket, row, "x", SIZE_MAX), wanted);
}

/* Case 39. */
TEST(bytes_too_short_or_too_long_are_refused)
{
    visit_rows(check_length);
}

static void check_nul(const sz_option *row, sz_socket socket)
{
    if (row->type != SZ_STRING || !can(row, 'w') || !is_built(row))
        return;
    assert_row(row, sz_socket_set_bytes(socket, row, "ab\0c", 4), SZ_ENUL);
    assert_row(row, sz_socket_set_bytes(socket, row, "abc", 4), SZ_ENUL);
}

TEST(a_string_with_a_nul_is_refused)
{
    visit_rows(check_nul);
}

static void check_bytes_kept(const sz_option *row, sz_socket socket)
{
    char text[256];
    memset(text, 'a', sizeof text);
    if (is_integer(row) || row->type == SZ_KEY || !can(row, 'r') ||
        !can(row, 'w') || row->max > 255)
        return;
    if (row->number == ZMQ_SOCKS_PROXY)
        set(socket, "socks-proxy-unsafe", 1);
    const int64_t lengths[] = {row->min, 1, 15, row->max};
    for (size_t i = 0; i < 4; i++) {
        size_t length = (size_t)lengths[i], size = SIZE_MAX;
        const void *data = NULL;
        if (!accepts(row, sz_socket_set_bytes(socket, row, text, length)))
            return;
        assert_row(row, sz_socket_get_bytes(socket, row, &data, &size), 0);
        if (size != length)
            print_error("option %s\n", row->name);
        assert_int_equal(size, length);
        assert_memory_equal(data, text, length);
    }
}

TEST(bytes_of_a_good_length_are_kept)
{
    visit_rows(check_bytes_kept);
}

TEST(a_routing_id_may_contain_any_byte)
{
    sz_socket socket = make_socket("dealer");
    const sz_option *row = option("identity");
    const void *data = NULL;
    size_t size = 0;
    assert_code(sz_socket_set_bytes(socket, row, "a\0\xff", 3), 0);
    assert_code(sz_socket_get_bytes(socket, row, &data, &size), 0);
    assert_int_equal(size, 3);
    assert_memory_equal(data, "a\0\xff", 3);
}

TEST(an_empty_subscription_takes_everything)
{
    sz_socket pub, sub;
    make_pair("xpub", &pub, "sub", &sub);
    assert_code(sz_socket_set_bytes(sub, option("subscribe"), NULL, 0), 0);
    assert_next(pub, "\1");
    assert_code(send_text(pub, "anything"), 0);
    assert_next(sub, "anything");
    assert_code(sz_socket_set_bytes(sub, option("unsubscribe"), "", 0), 0);
    assert_code(receive_soon(pub), 1);
}

/* A key of RFC 27 and its Z85. */
static const char z85[] = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
static const unsigned char raw[32] = {
    0xBB, 0x88, 0x47, 0x1D, 0x65, 0xE2, 0x65, 0x9B, 0x30, 0xC5, 0x5A,
    0x53, 0x21, 0xCE, 0xBB, 0x5A, 0xAB, 0x2B, 0x70, 0xA3, 0x98, 0x64,
    0x5C, 0x26, 0xDC, 0xA2, 0xB2, 0xFC, 0xB4, 0x3F, 0xC5, 0x18};

static void check_key(const sz_option *row, sz_socket socket)
{
    if (row->type != SZ_KEY || !is_built(row))
        return;
    assert_row(row, sz_socket_set_bytes(socket, row, raw, 32), 0);
    check_text(socket, row->name, z85);
    assert_row(row, sz_socket_set_bytes(socket, row, raw + 1, 31), SZ_EKEY);
    check_text(socket, row->name, z85);
    char other[] = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6";
    assert_row(row, sz_socket_set_bytes(socket, row, other, 40), 0);
    check_text(socket, row->name, other);
}

TEST(a_key_of_bytes_or_of_text_is_read_as_text)
{
    visit_rows(check_key);
}

static void check_bad_key(const sz_option *row, sz_socket socket)
{
    if (row->type != SZ_KEY || !is_built(row))
        return;
    char bad[sizeof z85];
    memcpy(bad, z85, sizeof bad);
    bad[3] = ' ';
    assert_row(row, sz_socket_set_bytes(socket, row, bad, 40), SZ_EZ85DIGIT);
    bad[3] = '\0';
    assert_row(row, sz_socket_set_bytes(socket, row, bad, 40), SZ_EZ85DIGIT);
    memset(bad, '#', 40); /* beyond 32 bits */
    assert_row(row, sz_socket_set_bytes(socket, row, bad, 40), SZ_EZ85RANGE);
}

TEST(a_key_that_is_not_z85_is_refused)
{
    visit_rows(check_bad_key);
}

/* ---------------------------------------------------- the old contract -- */

TEST(a_subscription_by_hand_takes_xpub_manual)
{
    sz_socket xpub = make_socket("xpub");
    assert_code(set_text(xpub, "subscribe", "a"), SZ_EMANUAL);
    assert_code(set_text(xpub, "unsubscribe", "a"), SZ_EMANUAL);
    set(xpub, "xpub-manual", 1);
    assert_code(set_text(xpub, "subscribe", "a"), 0);
}

TEST(a_property_has_a_name_and_a_value)
{
    static const char *const wrong[] = {
        "abc", "X-:b", "X-a:", "Xa:b", "x-a:b", ":X-a:b"};
    sz_socket socket = make_socket("dealer");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_code(set_text(socket, "metadata", wrong[i]), SZ_EPROPERTY);
    assert_code(set_text(socket, "metadata", "X-a:b"), 0);
    assert_code(set_text(socket, "metadata", "X-b:c:d"), 0);
    char longest[300];
    memset(longest, 'n', sizeof longest);
    memcpy(longest, "X-", 2);
    longest[254] = ':';
    assert_code(sz_socket_set_bytes(socket, option("metadata"), longest, 256),
                0);
    longest[254] = 'n';
    longest[255] = ':';
    assert_code(sz_socket_set_bytes(socket, option("metadata"), longest, 257),
                SZ_EPROPERTY);
}

TEST(an_option_newer_than_the_library_is_refused)
{
    sz_option later = *option("linger");
    later.since = "99.0";
    sz_socket socket = make_socket("dealer");
    int64_t value;
    assert_code(sz_socket_set_integer(socket, &later, 0), SZ_EOLD);
    assert_code(sz_socket_get_integer(socket, &later, &value), SZ_EOLD);
    int runs[3];
    char since[40];
    sz_version(runs);
    later.since = since;
    snprintf(since, sizeof since, "%d.%d.%d", runs[0], runs[1], runs[2]);
    assert_code(sz_socket_set_integer(socket, &later, 0), 0);
    snprintf(since, sizeof since, "%d.%d.%d", runs[0], runs[1], runs[2] + 1);
    assert_code(sz_socket_set_integer(socket, &later, 0), SZ_EOLD);
    snprintf(since, sizeof since, "%d.%d", runs[0], runs[1]);
    assert_code(sz_socket_set_integer(socket, &later, 0), 0);
}

TEST(hwm_sets_both_marks)
{
    sz_socket socket = make_socket("dealer");
    set(socket, "hwm", 7);
    assert_int_equal(get(socket, "sndhwm"), 7);
    assert_int_equal(get(socket, "rcvhwm"), 7);
    set(socket, "sndhwm", 8);
    assert_int_equal(get(socket, "hwm"), 8);
    assert_int_equal(get(socket, "rcvhwm"), 7);
}

TEST(identity_is_the_routing_id)
{
    sz_socket router, dealer;
    router = make_socket("router");
    dealer = make_socket("dealer");
    assert_code(set_text(dealer, "identity", "me"), 0);
    check_text(dealer, "routing-id", "me");
    assert_code(bind_to(router, "inproc://identity"), 0);
    assert_code(connect_to(dealer, "inproc://identity"), 0);
    assert_code(send_text(dealer, "x"), 0);
    assert_code(receive_soon(router), 2);
    assert_received(router, 0, "me");
}

TEST(recovery_ivl_is_in_seconds)
{
    sz_socket socket = make_socket("pub");
    assert_string_equal(option("recovery-ivl")->unit, "s");
    assert_int_equal(get(socket, "recovery-ivl"), 10);
    set(socket, "recovery-ivl", INT_MAX / 1000);
    assert_int_equal(get(socket, "recovery-ivl"), INT_MAX / 1000);
}

TEST(mcast_loop_is_remembered)
{
    sz_socket socket = make_socket("pub");
    sz_socket other = make_socket("pub");
    assert_int_equal(get(socket, "mcast-loop"), 1);
    set(socket, "mcast-loop", 0);
    assert_int_equal(get(socket, "mcast-loop"), 0);
    assert_int_equal(get(socket, "multicast-loop"), 0);
    assert_int_equal(get(other, "mcast-loop"), 1);
    set(socket, "multicast-loop", 1);
    assert_int_equal(get(socket, "mcast-loop"), 1);
}

TEST(buffers_of_0_are_the_system_s)
{
    static const char *const names[] = {"sndbuf", "rcvbuf"};
    sz_socket socket = make_socket("push");
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(get(socket, names[i]), 0);
        set(socket, names[i], 4096);
        assert_int_equal(get(socket, names[i]), 4096);
        set(socket, names[i], 0);
        assert_int_equal(get(socket, names[i]), 0);
    }
}

TEST(rcvmore_tells_nothing_once_the_message_is_received)
{
    sz_socket a, b;
    make_pair("pair", &a, "pair", &b);
    sz_part parts[] = {text_part("1"), text_part("2")};
    assert_int_equal(get(a, "rcvmore"), 0);
    assert_code(send_soon(b, parts, 2), 0);
    assert_code(receive_soon(a), 2);
    assert_int_equal(get(a, "rcvmore"), 0);
}

/* --------------------------------------------------------------- states -- */

TEST(type_fd_events_and_last_endpoint_tell_the_state)
{
    sz_socket a, b;
    make_pair("pair", &a, "dealer", &b);
    assert_int_equal(get(a, "type"), sz_type_find("pair")->number);
    assert_int_equal(get(b, "type"), sz_type_find("dealer")->number);
    assert_int_equal(get(a, "fd"), sz_socket_fd(a));
    assert_int_equal(get(b, "events"), sz_socket_events(b));
    bool bound = false;
    check_text(a, "last-endpoint", sz_socket_endpoint(a, 0, &bound));
    assert_true(bound);
}

TEST(the_timeouts_are_known_to_waits)
{
    sz_socket socket = make_socket("pair");
    assert_int_equal(sz_socket_timeout(socket, SZ_IN), -1);
    assert_int_equal(sz_socket_timeout(socket, SZ_OUT), -1);
    set(socket, "rcvtimeo", 5);
    set(socket, "sndtimeo", 6);
    assert_refused(sz_socket_set_integer(socket, option("rcvtimeo"), -2));
    assert_int_equal(sz_socket_timeout(socket, SZ_IN), 5);
    assert_int_equal(sz_socket_timeout(socket, SZ_OUT), 6);
}

TEST(a_read_value_stays_until_the_next_call)
{
    sz_socket socket = make_socket("dealer");
    sz_socket other = make_socket("dealer");
    const void *data = NULL;
    size_t size = 0;
    assert_code(set_text(socket, "identity", "one"), 0);
    assert_code(set_text(other, "identity", "other"), 0);
    assert_code(sz_socket_get_bytes(socket, option("identity"), &data, &size),
                0);
    check_text(other, "identity", "other");
    assert_int_equal(size, 3);
    assert_memory_equal(data, "one", 3);
}

TEST(a_socks_proxy_must_be_insisted_on)
{
    static const char proxy[] = "127.0.0.1:1080";
    const sz_option *row = option("socks-proxy");
    sz_socket socket = make_socket("push");
    assert_code(sz_socket_set_bytes(socket, row, "", 0), 0);
    assert_code(sz_socket_set_bytes(socket, row, proxy, strlen(proxy)),
                SZ_ESOCKS);
    set(socket, "socks-proxy-unsafe", 1);
    assert_code(sz_socket_set_bytes(socket, row, proxy, strlen(proxy)), 0);
    set(socket, "socks-proxy-unsafe", 0);
    assert_int_equal(get(socket, "socks-proxy-unsafe"), 0);
    assert_code(sz_socket_set_bytes(socket, row, proxy, strlen(proxy)),
                SZ_ESOCKS);
    assert_code(sz_socket_set_bytes(socket, row, "", 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_integer_out_of_range_is_refused),
        cmocka_unit_test(an_integer_in_range_is_kept),
        cmocka_unit_test(a_fresh_socket_has_the_defaults),
        cmocka_unit_test(being_no_server_changes_no_mechanism),
        cmocka_unit_test(
            the_heartbeat_timeout_can_be_set_back_to_the_interval),
        cmocka_unit_test(the_bytes_of_a_fresh_socket_are_empty),
        cmocka_unit_test(reading_and_writing_are_refused_where_the_row_says),
        cmocka_unit_test(a_value_of_the_wrong_kind_is_refused),
        cmocka_unit_test(a_socket_of_another_type_is_refused),
        cmocka_unit_test(an_option_of_the_other_scope_is_refused),
        cmocka_unit_test(bytes_too_short_or_too_long_are_refused),
        cmocka_unit_test(a_string_with_a_nul_is_refused),
        cmocka_unit_test(bytes_of_a_good_length_are_kept),
        cmocka_unit_test(a_routing_id_may_contain_any_byte),
        cmocka_unit_test(an_empty_subscription_takes_everything),
        cmocka_unit_test(a_key_of_bytes_or_of_text_is_read_as_text),
        cmocka_unit_test(a_key_that_is_not_z85_is_refused),
        cmocka_unit_test(a_subscription_by_hand_takes_xpub_manual),
        cmocka_unit_test(a_socks_proxy_must_be_insisted_on),
        cmocka_unit_test(a_property_has_a_name_and_a_value),
        cmocka_unit_test(an_option_newer_than_the_library_is_refused),
        cmocka_unit_test(hwm_sets_both_marks),
        cmocka_unit_test(identity_is_the_routing_id),
        cmocka_unit_test(recovery_ivl_is_in_seconds),
        cmocka_unit_test(mcast_loop_is_remembered),
        cmocka_unit_test(buffers_of_0_are_the_system_s),
        cmocka_unit_test(rcvmore_tells_nothing_once_the_message_is_received),
        cmocka_unit_test(type_fd_events_and_last_endpoint_tell_the_state),
        cmocka_unit_test(the_timeouts_are_known_to_waits),
        cmocka_unit_test(a_read_value_stays_until_the_next_call),
    };
    return run_all("setting", tests);
}
