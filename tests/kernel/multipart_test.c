/* Parts as one run of bytes: the form, the round trip, what is malformed. */

#include "support.h"

static void check_encoded(const sz_part *parts, size_t count,
                          const void *expected, size_t size)
{
    sz_message made = {0};
    assert_code(sz_parts_encode(parts, count, &made), 0);
    check_message(made, expected, size, __FILE__, __LINE__);
    sz_message_free(made);
}

/* The form is that of czmq 4.2 and cppzmq 4.9. */
TEST(parts_are_encoded_as_czmq_does)
{
    const sz_part parts[] = {text_part("ab"), text_part(""), text_part("c")};
    check_encoded(parts, 3, "\2ab\0\1c", 6);
    check_encoded(parts, 0, "", 0);
    char bytes[300], encoded[305];
    memset(bytes, 'x', sizeof bytes);
    memset(encoded, 'x', sizeof encoded);
    sz_part part = {.data = bytes, .size = 254};
    encoded[0] = (char)254;
    check_encoded(&part, 1, encoded, 255);
    part.size = 255;
    memcpy(encoded, "\377\0\0\0\377", 5);
    check_encoded(&part, 1, encoded, 260);
    part.size = 300;
    memcpy(encoded, "\377\0\0\1\54", 5);
    check_encoded(&part, 1, encoded, 305);
}

TEST(messages_are_encoded_by_their_bytes)
{
    sz_message message = {0};
    assert_code(sz_message_new("held", 4, &message), 0);
    const sz_part parts[] = {text_part("a"), {.message = message}};
    check_encoded(parts, 2, "\1a\4held", 7);
    sz_message_free(message);
    sz_message made = {0};
    assert_code(sz_parts_encode(parts, 2, &made), SZ_ECLOSED);
    assert_true(made.id == 0);
}

TEST(what_is_encoded_is_decoded)
{
    static const size_t sizes[] = {0, 1, 253, 254, 255, 256, 70000, 0};
    enum {
        COUNT = sizeof sizes / sizeof *sizes
    };
    char *bytes = malloc(70000);
    sz_part parts[COUNT];
    assert_non_null(bytes);
    for (size_t i = 0; i < 70000; i++)
        bytes[i] = (char)(i * 31 + i / 256);
    for (size_t i = 0; i < COUNT; i++)
        parts[i] = (sz_part){.data = bytes, .size = sizes[i]};
    sz_message made = {0};
    const void *encoded, *data;
    size_t all, size, offset = 0;
    assert_code(sz_parts_encode(parts, COUNT, &made), 0);
    assert_code(sz_message_data(made, &encoded, &all), 0);
    for (size_t i = 0; i < COUNT; i++) {
        assert_code(sz_parts_decode(encoded, all, &offset, &data, &size), 1);
        assert_int_equal(size, sizes[i]);
        assert_memory_equal(data, bytes, size);
    }
    assert_int_equal(offset, all);
    assert_code(sz_parts_decode(encoded, all, &offset, &data, &size), 0);
    sz_message_free(made);
    free(bytes);
}

static int decode_all(const unsigned char *encoded, size_t size,
                      size_t *offset)
{
    const void *data;
    size_t length;
    int code = 1;
    *offset = 0;
    while (code == 1) {
        code = sz_parts_decode(encoded, size, offset, &data, &length);
        if (code == 1) {
            assert_true((const unsigned char *)data >= encoded);
            assert_true((const unsigned char *)data + length <=
                        encoded + size);
        }
    }
    return code;
}

TEST(a_part_that_is_cut_off_is_malformed)
{
    static const struct {
        const char *bytes;
        size_t size, offset;
    } rows[] = {{"\1", 1, 0},
                {"\5abc", 4, 0},
                {"\1a\2b", 4, 2},
                {"\377", 1, 0},
                {"\377\0\0\0", 4, 0},
                {"\377\0\0\0\1", 5, 0},
                {"\0\377\377\377\377\377abc", 9, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        /* In a block of its own, so that a sanitizer sees the end. */
        unsigned char *block = malloc(rows[i].size);
        size_t offset;
        assert_non_null(block);
        memcpy(block, rows[i].bytes, rows[i].size);
        assert_code(decode_all(block, rows[i].size, &offset), SZ_EMALFORMED);
        assert_int_equal(offset, rows[i].offset);
        free(block);
    }
}

/* A long head for a short part is taken, as czmq takes it. */
TEST(a_long_head_may_stand_before_a_short_part)
{
    const void *data;
    size_t size, offset = 0;
    assert_code(sz_parts_decode("\377\0\0\0\1a", 6, &offset, &data, &size), 1);
    assert_int_equal(size, 1);
    assert_int_equal(offset, 6);
}

TEST(any_bytes_are_decoded_or_malformed)
{
    srand(1);
    for (size_t round = 0; round < loops(20000); round++) {
        size_t size = (size_t)rand() % 64, offset;
        unsigned char *block = malloc(size + 1);
        assert_non_null(block);
        for (size_t i = 0; i < size; i++)
            block[i] = (unsigned char)(rand() % 4 == 0 ? 255 : rand() % 16);
        int code = decode_all(block, size, &offset);
        assert_true(code == 0 || code == SZ_EMALFORMED);
        assert_true(code != 0 || offset == size);
        free(block);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_encoded_as_czmq_does),
        cmocka_unit_test(messages_are_encoded_by_their_bytes),
        cmocka_unit_test(what_is_encoded_is_decoded),
        cmocka_unit_test(a_part_that_is_cut_off_is_malformed),
        cmocka_unit_test(a_long_head_may_stand_before_a_short_part),
        cmocka_unit_test(any_bytes_are_decoded_or_malformed),
    };
    return run_all("parts", tests);
}
