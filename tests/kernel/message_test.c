/* Messages held by handles: making, reading, copying, freeing. */

#include "support.h"

static sz_message make_message(const void *data, size_t size)
{
    sz_message message = {0};
    assert_code(sz_message_new(data, size, &message), 0);
    return message;
}

static sz_message make_text(const char *text)
{
    return make_message(text, strlen(text));
}

static const void *bytes_of(sz_message message)
{
    const void *data = NULL;
    size_t size = 0;
    assert_code(sz_message_data(message, &data, &size), 0);
    return data;
}

/* Refused by everything that takes a message. */
static void assert_message_refused(sz_message message, int code)
{
    const void *data = &code;
    size_t size = 77;
    sz_message copy = {0};
    assert_code(sz_message_data(message, &data, &size), code);
    assert_ptr_equal(data, &code);
    assert_int_equal(size, 77);
    assert_code(sz_message_copy(message, &copy), code);
    assert_true(copy.id == 0);
    size_t held = sz_message_held();
    sz_message_free(message);
    assert_int_equal(sz_message_held(), held);
}

/* Around the size up to which libzmq keeps the bytes in the message. */
static const size_t sizes[] = {0, 1, 29, 33, 34, 255, 256, 65536, 1 << 20};

enum {
    SIZES = sizeof sizes / sizeof *sizes
};

static unsigned char *make_pattern(size_t size)
{
    unsigned char *bytes = malloc(size + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(i * 7 + i / 256);
    return bytes;
}

TEST(a_message_has_the_bytes_it_was_made_of)
{
    for (size_t i = 0; i < SIZES; i++) {
        unsigned char *bytes = make_pattern(sizes[i]);
        sz_message message = make_message(bytes, sizes[i]);
        check_message(message, bytes, sizes[i], __FILE__, __LINE__);
        sz_message_free(message);
        free(bytes);
    }
}

TEST(a_message_keeps_no_reference_to_what_it_was_made_of)
{
    for (size_t i = 1; i < SIZES; i++) {
        unsigned char *bytes = make_pattern(sizes[i]);
        unsigned char *kept = make_pattern(sizes[i]);
        sz_message message = make_message(bytes, sizes[i]);
        memset(bytes, 0xEE, sizes[i]);
        free(bytes);
        check_message(message, kept, sizes[i], __FILE__, __LINE__);
        sz_message_free(message);
        free(kept);
    }
}

TEST(a_message_without_data_is_zero)
{
    for (size_t i = 0; i < SIZES; i++) {
        unsigned char *zero = calloc(sizes[i] + 1, 1);
        assert_non_null(zero);
        sz_message message = make_message(NULL, sizes[i]);
        check_message(message, zero, sizes[i], __FILE__, __LINE__);
        sz_message_free(message);
        free(zero);
    }
}

TEST(a_message_may_be_empty)
{
    sz_message message = make_message("unused", 0);
    sz_message other = make_message(NULL, 0);
    assert_message(message, "");
    assert_message(other, "");
    assert_true(message.id != other.id);
    assert_int_equal(sz_message_held(), 0);
    sz_message_free(message);
    sz_message_free(other);
}

TEST(a_handle_fits_in_61_bits_and_is_not_zero)
{
    for (size_t i = 0; i < loops(1000); i++) {
        sz_message message = make_text("x");
        assert_true(message.id != 0);
        assert_true(message.id < UINT64_C(1) << 61);
        sz_message_free(message);
    }
}

TEST(the_bytes_of_a_message_do_not_move)
{
    enum {
        MANY = 500
    };
    sz_message message = make_text("short"), others[MANY];
    const void *before = bytes_of(message);
    for (size_t i = 0; i < MANY; i++)
        others[i] = make_text("another");
    assert_ptr_equal(bytes_of(message), before);
    for (size_t i = 0; i < MANY; i++)
        sz_message_free(others[i]);
    assert_ptr_equal(bytes_of(message), before);
    assert_message(message, "short");
    sz_message_free(message);
}

TEST(a_freed_message_is_closed)
{
    sz_message message = make_text("once");
    sz_message_free(message);
    assert_message_refused(message, SZ_ECLOSED);
}

TEST(freeing_twice_is_nothing)
{
    sz_message message = make_text("twice"), other = make_text("other");
    sz_message_free(message);
    sz_message_free(message);
    assert_int_equal(sz_message_held(), 5);
    assert_message(other, "other");
    sz_message_free(other);
}

TEST(freeing_a_stale_handle_spares_the_next_message)
{
    sz_message message = make_text("old");
    sz_message_free(message);
    for (size_t i = 0; i < loops(1000); i++) {
        sz_message next = make_text("next");
        assert_true(next.id != message.id);
        sz_message_free(message);
        assert_message(next, "next");
        assert_message_refused(message, SZ_ECLOSED);
        sz_message_free(next);
    }
}

TEST(zero_is_no_message)
{
    assert_message_refused((sz_message){0}, SZ_EHANDLE);
}

TEST(a_handle_of_another_kind_is_no_message)
{
    sz_socket socket = make_socket("pair");
    sz_poller poller = {0};
    assert_code(sz_poller_new(&poller), 0);
    assert_message_refused((sz_message){context.id}, SZ_EHANDLE);
    assert_message_refused((sz_message){socket.id}, SZ_EHANDLE);
    assert_message_refused((sz_message){poller.id}, SZ_EHANDLE);
    assert_code(sz_socket_check(socket), 0);
    sz_poller_free(poller);
}

TEST(a_message_is_no_handle_of_another_kind)
{
    sz_message message = make_text("not you");
    sz_poller_free((sz_poller){message.id});
    assert_code(sz_socket_close((sz_socket){message.id}), SZ_EHANDLE);
    assert_code(sz_context_terminate((sz_context){message.id}), SZ_EHANDLE);
    assert_code(sz_poller_fd((sz_poller){message.id}), SZ_EHANDLE);
    assert_message(message, "not you");
    sz_message_free(message);
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

TEST(a_forged_handle_is_refused)
{
    sz_message message = make_text("genuine");
    uint64_t seed = 88172645463325252u;
    for (size_t i = 0; i < loops(20000); i++) {
        uint64_t id = next_random(&seed);
        if (i % 3 == 0)
            id = message.id ^ (id & 0xFFFFFF);
        else if (i % 3 == 1)
            id = message.id ^ (UINT64_C(1) << (id % 64));
        if (id == message.id)
            continue;
        const void *data = NULL;
        size_t size = 0;
        int code = sz_message_data((sz_message){id}, &data, &size);
        assert_true(code == SZ_EHANDLE || code == SZ_ECLOSED);
        sz_message_free((sz_message){id});
    }
    for (int bits = 1; bits <= 64; bits++)
        assert_refused(sz_message_copy((sz_message){UINT64_MAX >> (64 - bits)},
                                       &(sz_message){0}));
    assert_message(message, "genuine");
    assert_int_equal(sz_message_held(), 7);
    sz_message_free(message);
}

TEST(a_handle_never_made_yet_is_refused)
{
    sz_message message = make_text("now");
    sz_message future = {message.id + (UINT64_C(1) << 40)};
    assert_message_refused(future, SZ_EHANDLE);
    assert_message(message, "now");
    sz_message_free(message);
}

TEST(a_copy_has_the_same_bytes)
{
    for (size_t i = 0; i < SIZES; i++) {
        unsigned char *bytes = make_pattern(sizes[i]);
        sz_message message = make_message(bytes, sizes[i]), copy = {0};
        assert_code(sz_message_copy(message, &copy), 0);
        assert_true(copy.id != message.id);
        check_message(copy, bytes, sizes[i], __FILE__, __LINE__);
        sz_message_free(message);
        sz_message_free(copy);
        free(bytes);
    }
}

TEST(a_copy_shares_no_storage)
{
    for (size_t i = 1; i < SIZES; i++) {
        sz_message message = make_message(NULL, sizes[i]), copy = {0};
        assert_code(sz_message_copy(message, &copy), 0);
        const char *a = bytes_of(message), *b = bytes_of(copy);
        assert_true(a + sizes[i] <= b || b + sizes[i] <= a);
        sz_message_free(message);
        sz_message_free(copy);
    }
}

TEST(a_copy_outlives_its_original)
{
    char text[] = "long enough that libzmq keeps it in a block of its own";
    sz_message message = make_text(text), copy = {0};
    assert_code(sz_message_copy(message, &copy), 0);
    sz_message_free(message);
    assert_message(copy, text);
    sz_message_free(copy);
}

TEST(a_huge_size_is_out_of_memory)
{
    const size_t huge[] = {
        SIZE_MAX,
        SIZE_MAX - 8,
        SIZE_MAX - 64,
#if SIZE_MAX > UINT32_MAX
        SIZE_MAX / 2 - 4096,
        SIZE_MAX / 4,
        (size_t)1 << 60,
        (size_t)1 << 50
#endif
    };
    for (size_t i = 0; i < sizeof huge / sizeof *huge; i++) {
        sz_message message = {0};
        assert_code(sz_message_new(NULL, huge[i], &message), SZ_ENOMEM);
        assert_code(sz_message_new("x", huge[i], &message), SZ_ENOMEM);
        assert_true(message.id == 0);
    }
    assert_int_equal(sz_message_held(), 0);
}

TEST(held_counts_the_bytes_of_all_handles)
{
    size_t total = 0;
    sz_message messages[SIZES];
    assert_int_equal(sz_message_held(), 0);
    for (size_t i = 0; i < SIZES; i++) {
        messages[i] = make_message(NULL, sizes[i]);
        total += sizes[i];
        assert_int_equal(sz_message_held(), total);
    }
    for (size_t i = 0; i < SIZES; i++) {
        sz_message_free(messages[i]);
        sz_message_free(messages[i]);
        total -= sizes[i];
        assert_int_equal(sz_message_held(), total);
    }
    assert_int_equal(sz_message_held(), 0);
}

TEST(held_counts_copies_and_what_was_taken)
{
    sz_socket a, b;
    make_pair("pair", &a, "pair", &b);
    sz_message message = make_text("12345"), copy = {0}, taken = {0};
    assert_code(sz_message_copy(message, &copy), 0);
    assert_int_equal(sz_message_held(), 10);
    assert_code(send_text(a, "1234567"), 0);
    assert_code(receive_soon(b), 1);
    assert_int_equal(sz_message_held(), 10);
    assert_code(sz_take(b, 0, &taken), 0);
    assert_int_equal(sz_message_held(), 17);
    sz_message_free(copy);
    sz_message_free(taken);
    sz_message_free(message);
    assert_int_equal(sz_message_held(), 0);
}

static int send_message(sz_socket socket, sz_message message)
{
    sz_part part = {.message = message};
    return send_soon(socket, &part, 1);
}

TEST(a_sent_message_stays_readable_and_unchanged)
{
    for (size_t i = 0; i < SIZES; i++) {
        sz_socket a, b;
        make_pair("pair", &a, "pair", &b);
        unsigned char *bytes = make_pattern(sizes[i]);
        sz_message message = make_message(bytes, sizes[i]), taken = {0};
        const void *before = bytes_of(message);
        for (size_t times = 0; times < 3; times++) {
            assert_code(send_message(a, message), 0);
            assert_code(receive_soon(b), 1);
            assert_code(sz_take(b, 0, &taken), 0);
            check_message(taken, bytes, sizes[i], __FILE__, __LINE__);
            sz_message_free(taken);
            assert_ptr_equal(bytes_of(message), before);
            check_message(message, bytes, sizes[i], __FILE__, __LINE__);
        }
        sz_message_free(message);
        free(bytes);
    }
}

TEST(what_was_sent_outlives_its_handle)
{
    for (size_t i = 0; i < SIZES; i++) {
        sz_socket a, b;
        make_pair("pair", &a, "pair", &b);
        unsigned char *bytes = make_pattern(sizes[i]);
        sz_message message = make_message(bytes, sizes[i]), taken = {0};
        assert_code(send_message(a, message), 0);
        sz_message_free(message);
        assert_int_equal(sz_message_held(), 0);
        assert_code(receive_soon(b), 1);
        assert_code(sz_take(b, 0, &taken), 0);
        check_message(taken, bytes, sizes[i], __FILE__, __LINE__);
        sz_message_free(taken);
        free(bytes);
    }
}

TEST(a_message_outlives_the_context_it_came_through)
{
    char text[] = "long enough that libzmq keeps it in a block of its own";
    sz_socket a, b;
    sz_message taken = {0};
    make_pair("pair", &a, "pair", &b);
    assert_code(send_text(a, text), 0);
    assert_code(receive_soon(b), 1);
    assert_code(sz_take(b, 0, &taken), 0);
    finish(context);
    assert_message(taken, text);
    sz_message_free(taken);
}

static int use_inherited(void *argument)
{
    sz_message message = *(sz_message *)argument, copy = {0};
    assert_message(message, "inherited, and not short: more than 33 bytes");
    assert_code(sz_message_copy(message, &copy), 0);
    sz_message_free(message);
    assert_code(sz_message_copy(message, &copy), SZ_ECLOSED);
    assert_message(copy, "inherited, and not short: more than 33 bytes");
    sz_message_free(copy);
    assert_int_equal(sz_message_held(), 0);
    return 0;
}

TEST(a_message_survives_fork)
{
    char text[] = "inherited, and not short: more than 33 bytes";
    sz_message message = make_text(text);
    assert_child(use_inherited, &message);
    assert_message(message, text);
    assert_int_equal(sz_message_held(), strlen(text));
    sz_message_free(message);
}

static int send_inherited(void *argument)
{
    context = make_context();
    sz_socket a, b;
    make_pair("pair", &a, "pair", &b);
    assert_code(send_message(a, *(sz_message *)argument), 0);
    assert_next(b, "sent by the child, and longer than 33 bytes");
    finish(context);
    return 0;
}

TEST(a_child_can_send_an_inherited_message)
{
    sz_message message =
        make_text("sent by the child, and longer than 33 bytes");
    assert_child(send_inherited, &message);
    sz_message_free(message);
}

static sz_message receive_one(sz_socket socket)
{
    sz_message message = {0};
    assert_code(receive_soon(socket), 1);
    assert_code(sz_take(socket, 0, &message), 0);
    sz_release(socket);
    return message;
}

static void check_property(sz_message message, const char *name,
                           const char *wanted)
{
    const char *value = NULL;
    int code = sz_message_property(message, name, &value);
    if (wanted == NULL) {
        assert_code(code, SZ_ENOENT);
        return;
    }
    assert_code(code, 0);
    assert_string_equal(value, wanted);
}

TEST(a_message_received_has_properties)
{
    sz_socket in = make_socket("pull");
    sz_socket out = make_socket("push");
    const char *any = "tcp://127.0.0.1:*", *real;
    assert_code(sz_socket_bind(in, any, strlen(any), &real), 0);
    const char *property = "X-color:blue";
    int code = sz_socket_set_bytes(out, option("metadata"), property,
                                   strlen(property));
    assert_code(connect_to(out, real), 0);
    assert_code(send_text(out, "x"), 0);
    sz_message message = receive_one(in);
    check_property(message, "Peer-Address", "127.0.0.1");
    check_property(message, "Socket-Type", "PUSH");
    check_property(message, "X-color", code == 0 ? "blue" : NULL);
    check_property(message, "User-Id", NULL);
    check_property(message, "", NULL);
    /* Sent on, it still has them. */
    sz_socket a, b;
    make_pair("push", &a, "pull", &b);
    sz_part part = {.message = message};
    assert_code(send_soon(a, &part, 1), 0);
    check_property(message, "Peer-Address", "127.0.0.1");
    sz_message passed = receive_one(b);
    check_property(passed, "Peer-Address", NULL);
    sz_message_free(passed);
    finish(context);
    check_property(message, "Peer-Address", "127.0.0.1");
    sz_message_free(message);
    const char *value;
    assert_code(sz_message_property(message, "Peer-Address", &value),
                SZ_ECLOSED);
}

TEST(a_message_made_here_has_no_properties)
{
    sz_message message = {0};
    assert_code(sz_message_new("abc", 3, &message), 0);
    check_property(message, "Peer-Address", NULL);
    sz_message_free(message);
}

TEST(a_small_message_is_not_filled_once_it_was_sent)
{
    sz_socket a, b;
    make_pair("push", &a, "pull", &b);
    sz_message message = {0};
    void *data = NULL;
    size_t size = 0;
    assert_code(sz_message_new("abc", 3, &message), 0);
    assert_code(sz_message_fill(message, &data, &size), 0);
    sz_part part = {.message = message};
    assert_code(send_soon(a, &part, 1), 0);
    assert_code(sz_message_fill(message, &data, &size), SZ_EBUSY);
    sz_message_free(message);
}

TEST(a_message_can_be_filled_until_it_is_sent)
{
    sz_socket a, b;
    make_pair("push", &a, "pull", &b);
    sz_message message = {0};
    void *data = NULL;
    size_t size = 0;
    assert_code(sz_message_new(NULL, 100000, &message), 0);
    assert_code(sz_message_fill(message, &data, &size), 0);
    assert_int_equal(size, 100000);
    memset(data, 'f', size);
    sz_part part = {.message = message};
    assert_code(send_soon(a, &part, 1), 0);
    assert_code(sz_message_fill(message, &data, &size), SZ_EBUSY);
    sz_message passed = receive_one(b);
    const void *there, *here;
    assert_code(sz_message_data(passed, &there, &size), 0);
    assert_code(sz_message_data(message, &here, &size), 0);
    assert_ptr_equal(there, here); /* no copy was made on the way */
    assert_int_equal(((const char *)there)[99999], 'f');
    sz_message_free(message);
    sz_message_free(passed);
    assert_code(sz_message_fill(passed, &data, &size), SZ_ECLOSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_has_the_bytes_it_was_made_of),
        cmocka_unit_test(a_message_keeps_no_reference_to_what_it_was_made_of),
        cmocka_unit_test(a_message_without_data_is_zero),
        cmocka_unit_test(a_message_may_be_empty),
        cmocka_unit_test(a_handle_fits_in_61_bits_and_is_not_zero),
        cmocka_unit_test(the_bytes_of_a_message_do_not_move),
        cmocka_unit_test(a_freed_message_is_closed),
        cmocka_unit_test(freeing_twice_is_nothing),
        cmocka_unit_test(freeing_a_stale_handle_spares_the_next_message),
        cmocka_unit_test(zero_is_no_message),
        cmocka_unit_test(a_handle_of_another_kind_is_no_message),
        cmocka_unit_test(a_message_is_no_handle_of_another_kind),
        cmocka_unit_test(a_forged_handle_is_refused),
        cmocka_unit_test(a_handle_never_made_yet_is_refused),
        cmocka_unit_test(a_copy_has_the_same_bytes),
        cmocka_unit_test(a_copy_shares_no_storage),
        cmocka_unit_test(a_copy_outlives_its_original),
        cmocka_unit_test(a_huge_size_is_out_of_memory),
        cmocka_unit_test(held_counts_the_bytes_of_all_handles),
        cmocka_unit_test(held_counts_copies_and_what_was_taken),
        cmocka_unit_test(a_sent_message_stays_readable_and_unchanged),
        cmocka_unit_test(what_was_sent_outlives_its_handle),
        cmocka_unit_test(a_message_outlives_the_context_it_came_through),
        cmocka_unit_test(a_message_received_has_properties),
        cmocka_unit_test(a_message_made_here_has_no_properties),
        cmocka_unit_test(a_small_message_is_not_filled_once_it_was_sent),
        cmocka_unit_test(a_message_can_be_filled_until_it_is_sent),
        cmocka_unit_test(a_message_survives_fork),
        cmocka_unit_test(a_child_can_send_an_inherited_message),
    };
    return run_all("message", tests);
}
