/* Sending and receiving whole messages. */

#include "plain_peer.h"

#include <pthread.h>
#include <stdatomic.h>

static bool memory_is_short;

static void *resize_unless_short(void *old, size_t size)
{
    return memory_is_short ? NULL : realloc(old, size);
}

static sz_message make_text(const char *text)
{
    sz_message message = {0};
    assert_code(sz_message_new(text, strlen(text), &message), 0);
    return message;
}

static sz_part bytes_part(const void *data, size_t size)
{
    return (sz_part){.data = data, .size = size};
}

static void assert_bytes(sz_socket socket, size_t index, const void *bytes,
                         size_t length)
{
    const void *data = NULL;
    size_t size = 0;
    assert_code(sz_received(socket, index, &data, &size), 0);
    assert_int_equal(size, length);
    assert_true(memcmp(data, bytes, length) == 0);
}

/* What is sent from one PAIR to another arrives, over this transport. */
static void check_round_trip(const sz_part *parts, size_t count,
                             const char *endpoint)
{
    sz_socket a = make_socket("pair");
    sz_socket b = make_socket("pair");
    const char *real = NULL;
    assert_code(sz_socket_bind(a, endpoint, strlen(endpoint), &real), 0);
    assert_code(connect_to(b, real), 0);
    assert_code(send_soon(b, parts, count), 0);
    assert_code(receive_soon(a), (int)count);
    for (size_t i = 0; i < count; i++)
        assert_bytes(a, i, parts[i].data, parts[i].size);
    assert_code(sz_receive(a), SZ_EAGAIN);
    renew_context();
}

static void check_exact(const sz_part *parts, size_t count)
{
    check_round_trip(parts, count, "inproc://exact");
    check_round_trip(parts, count, "tcp://127.0.0.1:*");
    char directory[32], endpoint[64];
    make_directory(directory);
    snprintf(endpoint, sizeof endpoint, "ipc://%s/exact", directory);
    check_round_trip(parts, count, endpoint);
    remove_directory(directory);
}

/* Case 51. */
TEST(every_byte_value_arrives)
{
    unsigned char bytes[256];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)i;
    sz_part part = bytes_part(bytes, sizeof bytes);
    check_exact(&part, 1);
}

TEST(nul_bytes_arrive)
{
    sz_part parts[] = {bytes_part("\0", 1), bytes_part("a\0b\0\0", 5),
                       bytes_part("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                  "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
                                  40)};
    check_exact(parts, 3);
}

TEST(empty_parts_arrive)
{
    sz_part parts[] = {bytes_part("", 0), bytes_part("x", 1),
                       bytes_part("", 0)};
    check_exact(parts, 1);
    check_exact(parts, 3);
}

TEST(an_empty_part_needs_no_data)
{
    sz_socket a, b;
    make_pair("pair", &a, "pair", &b);
    assert_code(sz_send(a, &(sz_part){0}, 1), 0);
    assert_next(b, "");
}

/* Case 50. */
TEST(five_megabytes_arrive)
{
    enum {
        SIZE = 5000000
    };
    unsigned char *bytes = malloc(SIZE);
    assert_non_null(bytes);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (unsigned char)(i ^ i >> 8 ^ i >> 16);
    sz_part part = bytes_part(bytes, SIZE);
    check_exact(&part, 1);
    free(bytes);
}

TEST(a_hundred_parts_arrive_in_order)
{
    enum {
        COUNT = 100
    };
    char texts[COUNT][60];
    sz_part parts[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(texts[i], sizeof texts[i], "%0*zu", (int)(i % 50 + 2), i);
        parts[i] = text_part(texts[i]);
    }
    for (size_t count = 1; count <= COUNT; count += 11)
        check_round_trip(parts, count, "inproc://parts");
    check_exact(parts, COUNT);
}

TEST(sending_bytes_is_sending_one_part)
{
    sz_socket a, b;
    make_pair("pair", &a, "pair", &b);
    assert_code(sz_send_bytes(a, "one\0two", 7), 0);
    assert_code(receive_soon(b), 1);
    assert_bytes(b, 0, "one\0two", 7);
    assert_code(sz_send_bytes(a, "", 0), 0);
    assert_next(b, "");
}

TEST(handles_and_bytes_mix_in_a_message)
{
    sz_socket a, b;
    make_pair("pair", &a, "pair", &b);
    char text[] = "a handle with more bytes than libzmq keeps in place";
    sz_message held = make_text(text);
    sz_part parts[] = {text_part("bytes"),
                       {.message = held},
                       text_part("x"),
                       {.message = held}};
    assert_code(sz_send(a, parts, 4), 0);
    assert_code(receive_soon(b), 4);
    assert_received(b, 0, "bytes");
    assert_received(b, 1, text);
    assert_received(b, 2, "x");
    assert_received(b, 3, text);
    sz_message_free(held);
}

TEST(sending_does_not_consume_a_handle)
{
    sz_socket a, b;
    make_pair("pair", &a, "pair", &b);
    sz_message held = make_text("again and again");
    sz_part part = {.message = held};
    for (int i = 0; i < 5; i++) {
        assert_code(sz_send(a, &part, 1), 0);
        assert_message(held, "again and again");
    }
    for (int i = 0; i < 5; i++)
        assert_next(b, "again and again");
    sz_message_free(held);
}

TEST(bytes_may_change_once_they_were_sent)
{
    sz_socket a, b;
    make_pair("pair", &a, "pair", &b);
    char text[] = "the quick brown fox jumps over the lazy dog";
    assert_code(sz_send_bytes(a, text, strlen(text)), 0);
    memset(text, '#', strlen(text));
    assert_next(b, "the quick brown fox jumps over the lazy dog");
}

TEST(a_stale_handle_sends_nothing)
{
    sz_socket a, b;
    make_pair("pair", &a, "pair", &b);
    sz_message stale = make_text("gone");
    sz_message_free(stale);
    sz_part parts[] = {text_part("first"), {.message = stale}};
    assert_code(sz_send(a, parts, 2), SZ_ECLOSED);
    parts[1].message.id = a.id;
    assert_code(sz_send(a, parts, 2), SZ_EHANDLE);
    assert_code(send_text(a, "whole"), 0);
    assert_next(b, "whole");
}

TEST(a_message_without_parts_is_refused)
{
    sz_socket a, b;
    make_pair("pair", &a, "pair", &b);
    assert_code(sz_send(a, NULL, 0), SZ_EPARTS);
    assert_code(sz_receive(b), SZ_EAGAIN);
}

/* Case 53. */
TEST(a_huge_part_is_out_of_memory_and_nothing_is_sent)
{
    sz_socket a, b;
    make_pair("pair", &a, "pair", &b);
    sz_part parts[] = {text_part("first"), bytes_part("x", SIZE_MAX)};
    assert_code(sz_send(a, parts, 2), SZ_ENOMEM);
    assert_code(sz_send_bytes(a, "x", SIZE_MAX), SZ_ENOMEM);
    assert_code(sz_send(a, parts, SIZE_MAX / 4), SZ_ENOMEM);
    assert_code(send_text(a, "whole"), 0);
    assert_next(b, "whole");
}

TEST(want_of_memory_sends_nothing)
{
    sz_socket a, b;
    make_pair("pair", &a, "pair", &b);
    sz_part parts[40];
    for (size_t i = 0; i < 40; i++)
        parts[i] = text_part("x");
    memory_is_short = true;
    int code = sz_send(a, parts, 40);
    memory_is_short = false;
    assert_code(code, SZ_ENOMEM);
    assert_code(sz_receive(b), SZ_EAGAIN);
}

TEST(receiving_goes_on_after_want_of_memory)
{
    sz_socket a, b;
    make_pair("pair", &a, "pair", &b);
    sz_part parts[] = {text_part("1"), text_part("2"), text_part("3")};
    assert_code(sz_send(a, parts, 3), 0);
    assert_code(send_text(a, "next"), 0);
    const void *data;
    size_t size;
    memory_is_short = true;
    int first = sz_receive(b), second = sz_receive(b);
    memory_is_short = false;
    assert_code(first, SZ_ENOMEM);
    assert_code(second, SZ_ENOMEM);
    assert_code(sz_received(b, 0, &data, &size), SZ_ENOENT);
    sz_release(b);
    assert_code(sz_receive(b), 3);
    assert_received(b, 0, "1");
    assert_received(b, 2, "3");
    assert_next(b, "next");
}

TEST(a_part_not_taken_for_want_of_memory_stays)
{
    sz_socket a, b;
    make_pair("pair", &a, "pair", &b);
    assert_code(send_text(a, "kept"), 0);
    assert_next(b, "kept");
    sz_message message = {0};
    memory_is_short = true;
    int code = sz_take(b, 0, &message);
    memory_is_short = false;
    assert_code(code, SZ_ENOMEM);
    assert_received(b, 0, "kept");
    assert_code(sz_take(b, 0, &message), 0);
    assert_message(message, "kept");
    sz_message_free(message);
}

TEST(all_parts_are_taken_or_none)
{
    sz_socket in, out;
    make_pair("pull", &in, "push", &out);
    sz_part parts[] = {text_part("1"), text_part("2"), text_part("3")};
    sz_message taken[3];
    assert_code(sz_send(out, parts, 3), 0);
    assert_code(receive_soon(in), 3);
    assert_code(sz_take_all(in, taken, 2), SZ_ENOENT);
    memory_is_short = true;
    assert_code(sz_take_all(in, taken, 3), SZ_ENOMEM);
    memory_is_short = false;
    assert_int_equal(sz_message_held(), 0);
    assert_received(in, 2, "3");
    assert_code(sz_take_all(in, taken, 3), 0);
    assert_message(taken[0], "1");
    assert_message(taken[2], "3");
    assert_code(sz_receive(in), SZ_EAGAIN);
    for (size_t i = 0; i < 3; i++)
        sz_message_free(taken[i]);
}

TEST(a_part_out_of_range_is_not_there)
{
    sz_socket a, b;
    make_pair("pair", &a, "pair", &b);
    const void *data = &context;
    size_t size = 7;
    sz_message message = {0};
    assert_code(sz_received(b, 0, &data, &size), SZ_ENOENT);
    sz_part parts[] = {text_part("1"), text_part("2")};
    assert_code(sz_send(a, parts, 2), 0);
    assert_code(receive_soon(b), 2);
    assert_code(sz_received(b, 2, &data, &size), SZ_ENOENT);
    assert_code(sz_received(b, SIZE_MAX, &data, &size), SZ_ENOENT);
    assert_code(sz_take(b, 2, &message), SZ_ENOENT);
    assert_ptr_equal(data, &context);
    assert_true(message.id == 0 && size == 7);
}

TEST(taking_does_not_copy)
{
    sz_socket a, b;
    make_pair("pair", &a, "pair", &b);
    char *large = calloc(1, 100000);
    assert_non_null(large);
    sz_part parts[] = {bytes_part(large, 100000), bytes_part(large, 50000)};
    assert_code(sz_send(a, parts, 2), 0);
    assert_code(receive_soon(b), 2);
    for (size_t i = 0; i < 2; i++) {
        const void *before = NULL, *after = NULL;
        size_t size = 0;
        sz_message message = {0};
        assert_code(sz_received(b, i, &before, &size), 0);
        assert_code(sz_take(b, i, &message), 0);
        assert_code(sz_message_data(message, &after, &size), 0);
        assert_ptr_equal(before, after);
        assert_int_equal(size, parts[i].size);
        sz_message_free(message);
    }
    free(large);
}

/* Case 5. */
TEST(what_was_taken_outlives_release_and_socket)
{
    sz_socket a, b;
    make_pair("pair", &a, "pair", &b);
    sz_part parts[] = {text_part("left"), text_part("taken")};
    assert_code(sz_send(a, parts, 2), 0);
    assert_code(receive_soon(b), 2);
    sz_message message = {0};
    assert_code(sz_take(b, 1, &message), 0);
    assert_received(b, 0, "left");
    sz_release(b);
    assert_message(message, "taken");
    assert_code(sz_socket_close(b), 0);
    assert_message(message, "taken");
    sz_message_free(message);
}

TEST(released_parts_are_gone)
{
    sz_socket a, b;
    make_pair("pair", &a, "pair", &b);
    const void *data;
    size_t size;
    sz_message message = {0};
    assert_code(send_text(a, "1"), 0);
    assert_code(send_text(a, "2"), 0);
    assert_next(b, "1");
    sz_release(b);
    assert_code(sz_received(b, 0, &data, &size), SZ_ENOENT);
    assert_code(sz_take(b, 0, &message), SZ_ENOENT);
    sz_release(b);
    assert_next(b, "2");
}

TEST(receiving_replaces_the_parts_before)
{
    sz_socket a, b;
    make_pair("pair", &a, "pair", &b);
    sz_part parts[] = {text_part("1"), text_part("2"), text_part("3")};
    const void *data;
    size_t size;
    assert_code(sz_send(a, parts, 3), 0);
    assert_code(send_text(a, "only"), 0);
    assert_code(receive_soon(b), 3);
    assert_next(b, "only");
    assert_code(sz_received(b, 1, &data, &size), SZ_ENOENT);
    assert_code(sz_receive(b), SZ_EAGAIN);
    assert_code(sz_received(b, 0, &data, &size), SZ_ENOENT);
}

TEST(a_held_message_is_received_again_until_it_is_released)
{
    sz_socket in, out;
    make_pair("pull", &in, "push", &out);
    sz_part parts[] = {text_part("1"), text_part("2")};
    assert_code(sz_send(out, parts, 2), 0);
    assert_code(send_text(out, "3"), 0);
    for (int i = 0; i < 3; i++) {
        assert_code(sz_receive_held(in), 2);
        assert_received(in, 1, "2");
    }
    sz_release(in);
    for (int i = 0; i < 3; i++) {
        assert_code(sz_receive_held(in), 1);
        assert_received(in, 0, "3");
    }
    sz_release(in);
    assert_code(sz_receive(in), SZ_EAGAIN);
}

/* Receives a part, and says what it is. */
static void assert_part(sz_socket socket, size_t small, const char *text)
{
    sz_part part = {.size = 0};
    assert_code(sz_receive_part(socket, small, &part), 1);
    assert_int_equal(part.size, strlen(text));
    assert_memory_equal(part.data, text, part.size);
}

TEST(a_small_part_is_released_when_it_is_received)
{
    sz_socket in, out;
    make_pair("pull", &in, "push", &out);
    const char *texts[] = {"", "1234", "12345",
                           "12345678901234567890123456789012345"};
    for (size_t i = 0; i < 4; i++)
        assert_code(send_text(out, texts[i]), 0);
    assert_part(in, 4, texts[0]);
    assert_part(in, 4, texts[1]);
    for (int i = 0; i < 3; i++)
        assert_part(in, 4, texts[2]);
    assert_part(in, 5, texts[2]);
    assert_part(in, 4, texts[3]);
    sz_release(in);
    sz_part part = {.size = 7};
    assert_code(sz_receive_part(in, 4, &part), SZ_EAGAIN);
    assert_null(part.data);
    assert_int_equal(part.size, 7);
}

TEST(several_parts_are_held_however_small)
{
    sz_socket in, out;
    make_pair("pull", &in, "push", &out);
    sz_part parts[] = {text_part("1"), text_part("2")};
    assert_code(sz_send(out, parts, 2), 0);
    assert_code(send_text(out, "3"), 0);
    sz_part part = {.size = 7};
    for (int i = 0; i < 2; i++)
        assert_code(sz_receive_part(in, 1000, &part), 2);
    assert_null(part.data);
    assert_received(in, 1, "2");
    sz_release(in);
    assert_part(in, 1000, "3");
    assert_code(sz_receive_part(out, 1000, &part), SZ_ENOTSUP);
    sz_socket_close(in);
    assert_code(sz_receive_part(in, 1000, &part), SZ_ECLOSED);
}

TEST(nothing_to_receive_is_to_wait)
{
    sz_socket a, b;
    make_pair("pull", &a, "push", &b);
    assert_code(sz_receive(a), SZ_EAGAIN);
    assert_code(send_text(b, "x"), 0);
    assert_next(a, "x");
    assert_code(sz_receive(a), SZ_EAGAIN);
}

TEST(sending_without_a_peer_is_to_wait)
{
    sz_socket socket = make_socket("push");
    assert_code(sz_send_bytes(socket, "x", 1), SZ_EAGAIN);
}

/* Case 59. */
TEST(a_full_queue_takes_no_part_of_a_message)
{
    sz_socket to = make_socket("pull");
    sz_socket from = make_socket("push");
    set(to, "rcvhwm", 3);
    set(from, "sndhwm", 3);
    assert_code(bind_to(to, "inproc://full"), 0);
    assert_code(connect_to(from, "inproc://full"), 0);
    int sent = 0, code;
    sz_part parts[] = {text_part("a"), text_part("b"), text_part("c")};
    while ((code = sz_send(from, parts, 3)) == 0 && sent < 100)
        sent++;
    assert_code(code, SZ_EAGAIN);
    assert_true(sent > 0);
    for (int i = 0; i < sent; i++) {
        assert_code(receive_soon(to), 3);
        assert_received(to, 0, "a");
        assert_received(to, 2, "c");
    }
    assert_code(sz_receive(to), SZ_EAGAIN);
    assert_code(send_text(from, "room again"), 0);
    assert_next(to, "room again");
}

/* Case 44. */
TEST(request_and_reply_keep_their_order)
{
    sz_socket rep, req;
    make_pair("rep", &rep, "req", &req);
    assert_code(sz_receive(req), SZ_EFSM);
    assert_code(sz_send_bytes(rep, "x", 1), SZ_EFSM);
    assert_code(send_text(req, "ask"), 0);
    assert_code(sz_send_bytes(req, "x", 1), SZ_EFSM);
    assert_next(rep, "ask");
    assert_code(sz_receive(rep), SZ_EFSM);
    assert_code(send_text(rep, "answer"), 0);
    assert_next(req, "answer");
}

/* Case 44. */
TEST(one_way_sockets_refuse_the_other_way)
{
    static const char *const senders[] = {"pub", "push"};
    static const char *const receivers[] = {"sub", "pull"};
    for (int i = 0; i < 2; i++) {
        sz_socket from = make_socket(senders[i]);
        sz_socket to = make_socket(receivers[i]);
        sz_part parts[] = {text_part("1"), text_part("2")};
        assert_code(sz_receive(from), SZ_ENOTSUP);
        assert_code(sz_send_bytes(to, "x", 1), SZ_ENOTSUP);
        assert_code(sz_send(to, parts, 2), SZ_ENOTSUP);
    }
}

/* Case 61. */
TEST(a_mandatory_router_refuses_unknown_peers)
{
    sz_socket router, dealer;
    make_pair("router", &router, "dealer", &dealer);
    sz_part parts[] = {text_part("nobody"), text_part("x")};
    assert_code(sz_send(router, parts, 2), 0);
    set(router, "router-mandatory", 1);
    assert_code(sz_send(router, parts, 2), SZ_EHOSTUNREACH);
    assert_code(send_text(dealer, "hello"), 0);
    assert_code(receive_soon(router), 2);
    assert_code(sz_take(router, 0, &parts[0].message), 0);
    assert_code(sz_send(router, parts, 2), 0);
    assert_next(dealer, "x");
    sz_message_free(parts[0].message);
}

/* Who sends when the receiver sleeps. */
typedef struct {
    sz_socket out;
    int receiver;
} late_sender;

static void *send_late(void *argument)
{
    late_sender *sender = argument;
    await_sleep(sender->receiver);
    assert_code(send_text(sender->out, "late"), 0);
    return NULL;
}

TEST(receiving_may_wait_in_the_library)
{
    sz_socket out, in;
    make_pair("pair", &in, "pair", &out);
    late_sender sender = {.out = out, .receiver = this_thread()};
    pthread_t thread;
    assert_code(sz_receive_wait(in, 0), SZ_EAGAIN);
    assert_int_equal(sz_socket_armed(in), SZ_IN);
    assert_int_equal(pthread_create(&thread, NULL, send_late, &sender), 0);
    assert_code(sz_receive_wait(in, -1), 1);
    assert_int_equal(sz_socket_armed(in), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_code(sz_receive_wait(in, 0), 1); /* not released: the same again */
    assert_received(in, 0, "late");
    sz_release(in);
    sz_socket full = make_socket("push");
    assert_code(sz_send_bytes(full, "nobody", 6), SZ_EAGAIN);
    assert_int_equal(sz_socket_armed(full), SZ_OUT);
    sz_socket_events(full);
    assert_int_equal(sz_socket_armed(full), 0);
    set(in, "rcvtimeo", 0);
    assert_code(sz_receive_wait(in, 20), SZ_EAGAIN);
    assert_int_equal(get(in, "rcvtimeo"), 0);
    assert_code(sz_context_shutdown(context), 0);
    assert_code(sz_receive_wait(in, -1), SZ_ETERM);
}

/* What a taker was given, one message behind the other. */
typedef struct {
    char text[64];
    int left; /* how many it still wants */
} taken;

static bool take_text(void *argument, const void *data, size_t size)
{
    taken *t = argument;
    strncat(t->text, data, size);
    return --t->left > 0;
}

TEST(small_messages_are_taken_one_after_the_other)
{
    sz_socket out, in;
    make_pair("pull", &in, "push", &out);
    taken t = {"", 3};
    assert_code(sz_receive_each(in, 4, take_text, &t), SZ_EAGAIN);
    assert_string_equal(t.text, "");
    const char *texts[] = {"a", "bb", "", "cc", "large", "d"};
    for (int i = 0; i < 6; i++)
        assert_code(send_text(out, texts[i]), 0);
    sz_part parts[] = {text_part("1"), text_part("2")};
    assert_code(sz_send(out, parts, 2), 0);
    assert_code(sz_receive_each(in, 4, take_text, &t), 0);
    assert_string_equal(t.text, "abb");
    t.left = 10;
    assert_code(sz_receive_each(in, 4, take_text, &t), 1);
    assert_string_equal(t.text, "abbcc");
    assert_code(sz_receive_each(in, 4, take_text, &t), 1); /* held still */
    assert_received(in, 0, "large");
    sz_release(in);
    assert_code(sz_receive_each(in, 4, take_text, &t), 2);
    assert_string_equal(t.text, "abbccd");
    assert_received(in, 1, "2");
    sz_release(in);
    assert_code(sz_receive_each(in, 4, take_text, &t), SZ_EAGAIN);
    sz_statistics counts;
    assert_code(sz_socket_statistics(in, &counts), 0);
    assert_int_equal(counts.received, 7);
    assert_int_equal(counts.received_bytes, 13);
    assert_code(sz_receive_each(out, 4, take_text, &t), SZ_ENOTSUP);
    assert_code(sz_socket_close(in), 0);
    assert_code(sz_receive_each(in, 4, take_text, &t), SZ_ECLOSED);
}

TEST(a_message_that_is_put_back_is_received_again_and_makes_the_socket_ready)
{
    sz_socket out, in;
    make_pair("pull", &in, "push", &out);
    sz_put_back(in); /* nothing */
    assert_code(sz_socket_wait(in, SZ_IN, 0), SZ_EAGAIN);
    assert_code(send_text(out, "one"), 0);
    assert_code(sz_receive_held(in), 1);
    assert_code(sz_socket_wait(in, SZ_IN, 0), SZ_EAGAIN);
    sz_put_back(in);
    assert_code(sz_socket_wait(in, SZ_IN, 0), SZ_IN);
    assert_code(sz_receive(in), 1);
    assert_received(in, 0, "one");
    assert_code(sz_socket_wait(in, SZ_IN, 0), SZ_EAGAIN);
    sz_put_back(in);
    assert_code(sz_receive_held(in), 1);
    sz_release(in);
    assert_code(sz_socket_wait(in, SZ_IN, 0), SZ_EAGAIN);
    assert_code(sz_receive(in), SZ_EAGAIN);
    assert_code(sz_socket_close(in), 0);
    sz_put_back(in);
}

TEST(an_xsub_sends_no_zero_byte_within_a_message)
{
    sz_socket xsub, xpub;
    make_pair("xpub", &xpub, "xsub", &xsub);
    sz_part parts[] = {text_part("x"), {.data = "\0", .size = 2}};
    assert_code(sz_send(xsub, parts, 2), SZ_EZEROPART);
    assert_code(sz_send(xsub, (sz_part[]){parts[1], parts[0]}, 2),
                SZ_EZEROPART);
    assert_code(sz_send(xsub, &parts[1], 1), 0);
    set(xsub, "only-first-subscribe", 1);
    assert_code(sz_send(xsub, parts, 2), 0);
    assert_code(sz_send(xsub, (sz_part[]){parts[1], parts[0]}, 2),
                SZ_EZEROPART);
    assert_code(receive_soon(xpub), 2);
    assert_received(xpub, 0, "x");
    sz_release(xpub);
}

TEST(a_proxy_drops_what_an_xsub_cannot_send)
{
    sz_socket from, in, xsub = make_socket("xsub");
    make_pair("pull", &from, "push", &in);
    sz_part parts[] = {text_part("x"), {.data = "\0", .size = 2}};
    assert_code(bind_to(xsub, "inproc://to-xsub"), 0);
    assert_code(send_soon(in, parts, 2), 0);
    assert_code(sz_socket_wait(from, SZ_IN, DEADLINE), SZ_IN);
    sz_moved moved;
    assert_code(sz_proxy_move(from, xsub, (sz_socket){0}, &moved), 0);
    assert_int_equal(moved.dropped, 1);
}

TEST(a_part_of_no_bytes_but_a_size_is_refused)
{
    sz_socket a, b;
    make_pair("push", &a, "pull", &b);
    sz_part parts[] = {text_part("x"), {.data = NULL, .size = 100}};
    assert_code(sz_send(a, parts, 2), SZ_EVALUE);
    parts[1].size = 0;
    assert_code(sz_send(a, parts, 2), 0);
    assert_code(receive_soon(b), 2);
    assert_received(b, 1, "");
}

TEST(a_socket_with_conflate_sends_one_part)
{
    sz_socket push = make_socket("push"), pull = make_socket("pull");
    sz_part parts[] = {text_part("a"), text_part("b")};
    set(push, "conflate", 1);
    assert_code(bind_to(pull, "inproc://one-part"), 0);
    assert_code(connect_to(push, "inproc://one-part"), 0);
    assert_code(sz_send(push, parts, 2), SZ_EPARTS);
    set(push, "conflate", 0);
    assert_code(sz_send(push, parts, 2), SZ_EPARTS);
    assert_code(send_text(push, "alone"), 0);
    assert_next(pull, "alone");
}

/* A PUSH of bytes on a plain connection, which shakes hands. */
static int connect_plainly(const char *endpoint)
{
    int fd = plain_peer(endpoint, "PUSH");
    /* The peer's greeting, and its READY. */
    char answer[64 + sizeof "\4\x1a\5READY\xbSocket-Type\0\0\0\4PULL" - 1];
    assert_int_equal(recv(fd, answer, sizeof answer, MSG_WAITALL),
                     sizeof answer);
    return fd;
}

TEST(several_parts_for_a_socket_with_conflate_do_not_end_the_process)
{
    sz_socket pull = make_socket("pull");
    sz_part part;
    const char *endpoint;
    set(pull, "conflate", 1);
    assert_code(sz_socket_bind(pull, "tcp://127.0.0.1:*", 17, &endpoint), 0);
    int fd = connect_plainly(endpoint);
    assert_int_equal(write(fd, "\1\1x", 3), 3);
    assert_code(receive_soon(pull), SZ_ECONFLATE);
    assert_code(sz_receive_wait(pull, 0), SZ_ECONFLATE);
    assert_code(sz_receive_part(pull, 10, &part), SZ_ECONFLATE);
    sz_release(pull);
    assert_code(sz_receive_held(pull), SZ_ECONFLATE);
    close(fd);
}

TEST(a_part_larger_than_max_msgsz_is_refused)
{
    char text[101] = "";
    sz_socket out, in;
    sz_message message;
    sz_part parts[] = {text_part("x"), {text, 101, {0}}};
    assert_code(sz_context_set(context, context_option("max-msgsz"), 100), 0);
    for (int swapped = 0; swapped < 2; swapped++) {
        make_pair("push", &out, "pull", &in);
        set(out, "swap", swapped * 10000);
        assert_code(sz_send_bytes(out, text, 101), SZ_EPARTSIZE);
        assert_code(sz_send(out, parts, 2), SZ_EPARTSIZE);
        assert_code(sz_message_new(text, 101, &message), 0);
        sz_part held = {.message = message};
        assert_code(sz_send(out, &held, 1), SZ_EPARTSIZE);
        sz_message_free(message);
        parts[1].size = 100;
        assert_code(sz_send(out, parts, 2), 0);
        parts[1].size = 101;
        assert_code(sz_send_bytes(out, text, 100), 0);
        assert_code(receive_soon(in), 2);
        assert_code(receive_soon(in), 1);
        assert_code(sz_receive(in), SZ_EAGAIN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(receiving_may_wait_in_the_library),
        cmocka_unit_test(small_messages_are_taken_one_after_the_other),
        cmocka_unit_test(
            a_message_that_is_put_back_is_received_again_and_makes_the_socket_ready),
        cmocka_unit_test(every_byte_value_arrives),
        cmocka_unit_test(nul_bytes_arrive),
        cmocka_unit_test(empty_parts_arrive),
        cmocka_unit_test(an_empty_part_needs_no_data),
        cmocka_unit_test(five_megabytes_arrive),
        cmocka_unit_test(a_hundred_parts_arrive_in_order),
        cmocka_unit_test(sending_bytes_is_sending_one_part),
        cmocka_unit_test(handles_and_bytes_mix_in_a_message),
        cmocka_unit_test(sending_does_not_consume_a_handle),
        cmocka_unit_test(bytes_may_change_once_they_were_sent),
        cmocka_unit_test(a_stale_handle_sends_nothing),
        cmocka_unit_test(a_message_without_parts_is_refused),
        cmocka_unit_test(a_huge_part_is_out_of_memory_and_nothing_is_sent),
        cmocka_unit_test(want_of_memory_sends_nothing),
        cmocka_unit_test(receiving_goes_on_after_want_of_memory),
        cmocka_unit_test(a_part_not_taken_for_want_of_memory_stays),
        cmocka_unit_test(all_parts_are_taken_or_none),
        cmocka_unit_test(a_part_out_of_range_is_not_there),
        cmocka_unit_test(taking_does_not_copy),
        cmocka_unit_test(what_was_taken_outlives_release_and_socket),
        cmocka_unit_test(released_parts_are_gone),
        cmocka_unit_test(receiving_replaces_the_parts_before),
        cmocka_unit_test(
            a_held_message_is_received_again_until_it_is_released),
        cmocka_unit_test(a_small_part_is_released_when_it_is_received),
        cmocka_unit_test(several_parts_are_held_however_small),
        cmocka_unit_test(nothing_to_receive_is_to_wait),
        cmocka_unit_test(sending_without_a_peer_is_to_wait),
        cmocka_unit_test(a_full_queue_takes_no_part_of_a_message),
        cmocka_unit_test(request_and_reply_keep_their_order),
        cmocka_unit_test(one_way_sockets_refuse_the_other_way),
        cmocka_unit_test(a_mandatory_router_refuses_unknown_peers),
        cmocka_unit_test(an_xsub_sends_no_zero_byte_within_a_message),
        cmocka_unit_test(a_proxy_drops_what_an_xsub_cannot_send),
        cmocka_unit_test(a_part_of_no_bytes_but_a_size_is_refused),
        cmocka_unit_test(a_socket_with_conflate_sends_one_part),
        cmocka_unit_test(
            several_parts_for_a_socket_with_conflate_do_not_end_the_process),
        cmocka_unit_test(a_part_larger_than_max_msgsz_is_refused),
    };
    sz_set_allocator(resize_unless_short, free);
    return run_all("transfer", tests);
}
