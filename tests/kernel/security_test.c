/* Keys: Z85 to the letter, pairs that fit, secrets that leave no trace. */

#include "support.h"

#include <zmq.h>

/* The example of RFC 32. */
static const unsigned char hello[8] = {0x86, 0x4F, 0xD2, 0x6F,
                                       0xB5, 0x59, 0xF7, 0x5B};
static const char hello_text[] = "HelloWorld";

static void the_example_of_its_standard_goes_both_ways(void **state)
{
    (void)state;
    char text[11] = {0};
    unsigned char bytes[8];
    size_t place;
    assert_code(sz_z85_encode(hello, 8, text), 0);
    assert_string_equal(text, hello_text);
    assert_code(sz_z85_decode(hello_text, 10, bytes, &place), 0);
    assert_memory_equal(bytes, hello, 8);
    assert_code(sz_z85_encode(hello, 0, text), 0);
    assert_code(sz_z85_decode(hello_text, 0, bytes, &place), 0);
}

/* libzmq's is the reference.  Case 80. */
static void it_is_the_z85_of_libzmq(void **state)
{
    (void)state;
    unsigned char bytes[64], back[64];
    char text[80], reference[81];
    size_t place;
    srand(85);
    for (size_t i = 0; i < loops(2000); i++) {
        size_t size = (size_t)(rand() % 17) * 4;
        for (size_t j = 0; j < size; j++)
            bytes[j] = (unsigned char)(i < 2 ? 255 * i : (size_t)rand());
        assert_code(sz_z85_encode(bytes, size, text), 0);
        assert_non_null(zmq_z85_encode(reference, bytes, size));
        assert_memory_equal(text, reference, size / 4 * 5);
        assert_code(sz_z85_decode(text, size / 4 * 5, back, &place), 0);
        assert_memory_equal(back, bytes, size);
    }
}

/* Case 80. */
static void what_is_not_z85_is_refused_with_its_place(void **state)
{
    (void)state;
    unsigned char bytes[64];
    char text[80];
    size_t place = 99;
    for (size_t size = 1; size < 8; size++)
        if (size % 4 != 0)
            assert_code(sz_z85_encode(hello, size, text), SZ_EZ85SIZE);
    for (size_t length = 1; length < 10; length++)
        if (length % 5 != 0) {
            assert_code(sz_z85_decode(hello_text, length, bytes, &place),
                        SZ_EZ85LENGTH);
            assert_int_equal(place, length);
        }
    /* Every byte that is no digit, at every place. */
    for (int c = 0; c < 256; c++)
        for (size_t at = 0; at < 10; at++) {
            memcpy(text, hello_text, 10);
            text[at] = (char)c;
            int code = sz_z85_decode(text, 10, bytes, &place);
            bool digit = c != 0 && strchr("0123456789abcdefghijklmnopqrstuvwxy"
                                          "zABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!"
                                          "/*?&<>()[]{}@%$#",
                                          c) != NULL;
            if (!digit) {
                assert_code(code, SZ_EZ85DIGIT);
                assert_int_equal(place, at);
            } else if (code != 0) {
                assert_code(code, SZ_EZ85RANGE);
                assert_int_equal(place, at / 5 * 5);
            }
        }
    /* 2^32 - 1 and 2^32. */
    assert_code(sz_z85_decode("%nSc0", 5, bytes, &place), 0);
    assert_memory_equal(bytes, "\xff\xff\xff\xff", 4);
    assert_code(sz_z85_decode("00000%nSc1", 10, bytes, &place), SZ_EZ85RANGE);
    assert_int_equal(place, 5);
    assert_code(sz_z85_decode("#####", 5, bytes, &place), SZ_EZ85RANGE);
}

static void a_pair_fits_and_each_is_another(void **state)
{
    (void)state;
    if (!sz_has("curve"))
        return;
    char public_key[41], secret_key[41], again[41], other[41];
    unsigned char bytes[32];
    size_t place;
    assert_code(sz_curve_keypair(public_key, secret_key), 0);
    assert_int_equal(strlen(public_key), 40);
    assert_int_equal(strlen(secret_key), 40);
    assert_code(sz_curve_public(secret_key, 40, again, &place), 0);
    assert_string_equal(again, public_key);
    assert_code(sz_z85_decode(secret_key, 40, bytes, &place), 0);
    assert_code(sz_curve_public(bytes, 32, again, &place), 0);
    assert_string_equal(again, public_key);
    assert_code(sz_curve_keypair(other, again), 0);
    assert_string_not_equal(other, public_key);
}

/* The keys of libzmq's manual page. */
static void the_public_key_of_a_secret_one_is_known(void **state)
{
    (void)state;
    if (!sz_has("curve"))
        return;
    char public_key[41];
    size_t place;
    assert_code(sz_curve_public("JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6", 40,
                                public_key, &place),
                0);
    assert_string_equal(public_key,
                        "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7");
}

/* Case 80. */
static void a_key_has_32_bytes_or_40_characters(void **state)
{
    (void)state;
    char text[41], public_key[41];
    char given[64];
    size_t place;
    memset(given, '0', sizeof given);
    for (size_t size = 0; size < 64; size++) {
        int wanted = size == 32 || size == 40 ? 0 : SZ_EKEY;
        assert_code(sz_key_text(given, size, text, &place), wanted);
        assert_int_equal(strlen(text), wanted == 0 ? 40 : 0);
    }
    given[17] = '"';
    assert_code(sz_key_text(given, 40, text, &place), SZ_EZ85DIGIT);
    assert_int_equal(place, 17);
    assert_int_equal(strlen(text), 0);
    if (sz_has("curve")) {
        assert_code(sz_curve_public(given, 40, public_key, &place),
                    SZ_EZ85DIGIT);
        assert_code(sz_curve_public(given, 41, public_key, &place), SZ_EKEY);
    }
}

/* Case 78. */
static void bytes_are_the_same_only_if_all_are(void **state)
{
    (void)state;
    unsigned char a[40], b[40];
    memset(a, 7, sizeof a);
    memcpy(b, a, sizeof b);
    assert_true(sz_equal(a, b, 40));
    for (int i = 0; i < 40; i++)
        for (int bit = 0; bit < 8; bit++) {
            b[i] = (unsigned char)(b[i] ^ 1u << bit);
            assert_false(sz_equal(a, b, 40));
            b[i] = a[i];
        }
    b[39] = 0;
    assert_true(sz_equal(a, b, 39));
    assert_true(sz_equal(a, b, 0));
}

/* Case 79. */
static void what_is_wiped_is_zero(void **state)
{
    (void)state;
    unsigned char a[9];
    memset(a, 7, sizeof a);
    sz_wipe(a + 1, 7);
    assert_int_equal(a[0], 7);
    assert_int_equal(a[8], 7);
    for (int i = 1; i < 8; i++)
        assert_int_equal(a[i], 0);
    sz_wipe(a, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_its_standard_goes_both_ways),
        cmocka_unit_test(it_is_the_z85_of_libzmq),
        cmocka_unit_test(what_is_not_z85_is_refused_with_its_place),
        cmocka_unit_test(a_pair_fits_and_each_is_another),
        cmocka_unit_test(the_public_key_of_a_secret_one_is_known),
        cmocka_unit_test(a_key_has_32_bytes_or_40_characters),
        cmocka_unit_test(bytes_are_the_same_only_if_all_are),
        cmocka_unit_test(what_is_wiped_is_zero),
    };
    return cmocka_run_group_tests(tests, NULL, settle);
}
