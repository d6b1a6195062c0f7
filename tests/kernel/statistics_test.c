/* What a socket counts. */

#include "support.h"

TEST(a_socket_counts_what_it_does)
{
    sz_socket in, out;
    make_pair("pull", &in, "push", &out);
    sz_statistics counts;
    assert_code(sz_socket_statistics(in, &counts), 0);
    assert_int_equal(counts.received, 0);
    assert_code(sz_receive(in), SZ_EAGAIN);
    assert_code(sz_send_bytes(out, "abc", 3), 0);
    sz_part parts[] = {text_part("de"), text_part("f")};
    assert_code(send_soon(out, parts, 2), 0);
    assert_next(in, "abc");
    assert_code(receive_soon(in), 2);
    sz_part part;
    assert_code(sz_send_bytes(out, "ghij", 4), 0);
    sz_release(in);
    assert_code(sz_receive_part(in, 100, &part), 1);
    sz_socket_waited(in);
    assert_code(sz_socket_statistics(out, &counts), 0);
    assert_int_equal(counts.sent, 3);
    assert_int_equal(counts.sent_bytes, 10);
    assert_int_equal(counts.received, 0);
    assert_code(sz_socket_statistics(in, &counts), 0);
    assert_int_equal(counts.sent, 0);
    assert_int_equal(counts.received, 3);
    assert_int_equal(counts.received_bytes, 10);
    assert_int_equal(counts.receive_eagains, 1);
    assert_int_equal(counts.waits, 1);
    assert_code(sz_socket_close(in), 0);
    assert_code(sz_socket_statistics(in, &counts), SZ_ECLOSED);
    sz_socket_waited(in);
    sz_socket lonely = make_socket("push");
    assert_code(sz_send_bytes(lonely, "x", 1), SZ_EAGAIN);
    assert_code(sz_send(lonely, parts, 2), SZ_EAGAIN);
    assert_code(sz_socket_statistics(lonely, &counts), 0);
    assert_int_equal(counts.sent, 0);
    assert_int_equal(counts.send_eagains, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_socket_counts_what_it_does),
    };
    return run_all("statistics", tests);
}
