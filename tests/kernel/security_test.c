/* Keys: Z85 to the letter, pairs that fit, secrets that leave no trace. */

#include "support.h"

#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

/* The example of RFC 32. */
static const unsigned char hello[8] = {0x86, 0x4F, 0xD2, 0x6F,
                                       0xB5, 0x59, 0xF7, 0x5B};
static const char hello_text[] = "HelloWorld";

TEST(the_example_of_its_standard_goes_both_ways)
{
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

/* Case 80. */
TEST(it_is_the_z85_of_libzmq)
{
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
TEST(what_is_not_z85_is_refused_with_its_place)
{
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

TEST(a_pair_fits_and_each_is_another)
{
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
TEST(the_public_key_of_a_secret_one_is_known)
{
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
TEST(a_key_has_32_bytes_or_40_characters)
{
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
TEST(bytes_are_the_same_only_if_all_are)
{
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
TEST(what_is_wiped_is_zero)
{
    unsigned char a[9];
    memset(a, 7, sizeof a);
    sz_wipe(a + 1, 7);
    assert_int_equal(a[0], 7);
    assert_int_equal(a[8], 7);
    for (int i = 1; i < 8; i++)
        assert_int_equal(a[i], 0);
    sz_wipe(a, 0);
}

/* ----------------------------------------------------------- addresses -- */

static bool holds(const char *rule, const char *address)
{
    sz_network network;
    assert_code(sz_network_parse(rule, strlen(rule), &network), 0);
    return sz_network_holds(&network, address, strlen(address));
}

TEST(a_rule_holds_for_its_addresses_only)
{
    static const struct {
        const char *rule, *inside, *outside;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1", "192.0.2.2"},
        {"192.0.2.1/32", "192.0.2.1", "192.0.2.0"},
        {"192.0.2.0/24", "192.0.2.255", "192.0.3.0"},
        {"192.0.2.128/25", "192.0.2.200", "192.0.2.127"},
        {"192.0.2.77/31", "192.0.2.76", "192.0.2.78"},
        {"0.0.0.0/0", "255.1.2.3", "::1"},
        {"0.0.0.0/1", "127.255.255.255", "128.0.0.0"},
        {"192.0.2.1", "::ffff:192.0.2.1", "::192.0.2.1"},
        {"::ffff:192.0.2.0/120", "192.0.2.9", "192.0.1.9"},
        {"2001:db8::1", "2001:DB8:0:0::1", "2001:db8::2"},
        {"2001:db8::/32", "2001:db8:ffff::", "2001:db9::"},
        {"fe80::/10", "fe80::1%eth0", "fec0::1"},
        {"::/0", "192.0.2.1", "localhost"},
        {"ipc", "localhost:0:0:12", "127.0.0.1"},
        {"ipc:1000", "localhost:1000:5:12", "localhost:100:1000:12"},
        {"ipc:0", "localhost:0:0:1", "localhost::0:1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(holds(rows[i].rule, rows[i].inside));
        assert_false(holds(rows[i].rule, rows[i].outside));
        assert_false(holds(rows[i].rule, ""));
    }
}

/* Case 78. */
TEST(what_is_no_address_is_in_no_network)
{
    static const char *const wrong[] = {
        "",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "1.2.3.4/",
        "1.2.3.4/33",
        "::1/129",
        "::1/x",
        "1.2.3.4/-1",
        " 1.2.3.4",
        "1.2.3.4 ",
        "1.2.3.4/8/8",
        "/8",
        ":::",
        "ipc:",
        "ipc:x",
        "ipcx",
        "ipc:4294967296",
        "host.example.org",
        "1.2.3.4/00000000000000000000000000000000000000000000000000000008"};
    sz_network network, all, ipc;
    assert_code(sz_network_parse("::/0", 4, &all), 0);
    assert_code(sz_network_parse("ipc", 3, &ipc), 0);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_code(sz_network_parse(wrong[i], strlen(wrong[i]), &network),
                    SZ_EADDRESS);
        assert_false(sz_network_holds(&all, wrong[i], strlen(wrong[i])));
        assert_false(sz_network_holds(&ipc, wrong[i], strlen(wrong[i])));
    }
    assert_false(sz_network_holds(&all, "1.2.3.4\0x", 9));
    assert_code(sz_network_parse("1.2.3.4\0x", 9, &network), SZ_EADDRESS);
    char random[80];
    srand(78);
    for (size_t i = 0; i < loops(20000); i++) {
        size_t length = (size_t)rand() % sizeof random;
        for (size_t j = 0; j < length; j++)
            random[j] =
                (char)(i % 2 ? rand() : "0123456789abcdef.:/%"[rand() % 20]);
        if (sz_network_parse(random, length, &network) == 0)
            sz_network_holds(&network, random, length);
        sz_network_holds(&ipc, random, length);
    }
}

/* -------------------------------------------------------------- keyfiles --
 */

static mode_t mode_of(const char *path)
{
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    return found.st_mode & 0777;
}

/* Case 79. */
TEST(a_secret_file_is_its_owners_from_its_birth)
{
    char directory[32], path[64], data[SZ_KEYFILE_ROOM];
    make_directory(directory);
    snprintf(path, sizeof path, "%s/key", directory);
    mode_t before = umask(0);
    assert_code(sz_keyfile_save(path, "public", 6, false), 0);
    assert_int_equal(mode_of(path), 0644);
    assert_code(sz_keyfile_save(path, "secret!", 7, true), 0);
    umask(before);
    assert_int_equal(mode_of(path), 0600);
    assert_code(sz_keyfile_read(path, data), 7);
    assert_memory_equal(data, "secret!", 7);
    assert_int_equal(count_entries(directory), 1);
    remove_directory(directory);
}

TEST(a_file_that_cannot_be_saved_leaves_the_old_one)
{
    char directory[32], path[64], data[SZ_KEYFILE_ROOM];
    make_directory(directory);
    snprintf(path, sizeof path, "%s/key", directory);
    assert_code(sz_keyfile_save(path, "old", 3, true), 0);
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    struct rlimit small = {2, limit.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    assert_code(sz_keyfile_save(path, "newer", 5, true), -EFBIG);
    setrlimit(RLIMIT_FSIZE, &limit);
    signal(SIGXFSZ, handler);
    assert_code(sz_keyfile_read(path, data), 3);
    assert_memory_equal(data, "old", 3);
    assert_int_equal(count_entries(directory), 1);
    assert_code(sz_keyfile_save("/no/such/directory", "x", 1, true),
                SZ_ENOENT);
    assert_code(sz_keyfile_save(directory, "x", 1, true), -EISDIR);
    remove_directory(directory);
}

TEST(a_file_that_others_can_use_is_exposed)
{
    static const mode_t open_modes[] = {0640, 0604, 0620, 0602, 0610, 0660};
    char directory[32], path[64], other[64], data[SZ_KEYFILE_ROOM];
    bool exposed = true;
    make_directory(directory);
    snprintf(path, sizeof path, "%s/key", directory);
    snprintf(other, sizeof other, "%s/link", directory);
    assert_code(sz_keyfile_load(path, data, &exposed), SZ_ENOENT);
    assert_false(exposed);
    assert_code(sz_keyfile_save(path, "secret", 6, true), 0);
    assert_int_equal(symlink(path, other), 0);
    assert_code(sz_keyfile_load(path, data, &exposed), 6);
    assert_false(exposed);
    for (size_t i = 0; i < sizeof open_modes / sizeof *open_modes; i++) {
        assert_int_equal(chmod(path, open_modes[i]), 0);
        assert_code(sz_keyfile_load(path, data, &exposed), 6);
        assert_true(exposed);
        assert_code(sz_keyfile_load(other, data, &exposed), 6);
        assert_true(exposed);
    }
    assert_int_equal(chmod(path, 0400), 0);
    assert_code(sz_keyfile_load(other, data, &exposed), 6);
    assert_false(exposed);
    if (geteuid() == 0) {
        assert_int_equal(chown(path, 12345, 12345), 0);
        assert_code(sz_keyfile_load(path, data, &exposed), 6);
        assert_true(exposed);
    }
    remove_directory(directory);
}

TEST(only_a_small_regular_file_is_read)
{
    char directory[32], path[64], data[SZ_KEYFILE_ROOM];
    sz_stamp stamp;
    make_directory(directory);
    snprintf(path, sizeof path, "%s/key", directory);
    assert_code(sz_keyfile_read(path, data), SZ_ENOENT);
    assert_code(sz_keyfile_stamp(path, &stamp), SZ_ENOENT);
    assert_code(sz_keyfile_read(directory, data), SZ_EKEYFILE);
    assert_code(sz_keyfile_read("/dev/zero", data), SZ_EKEYFILE);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_code(sz_keyfile_read(path, data), SZ_EKEYFILE);
    unlink(path);
    memset(data, '#', sizeof data);
    assert_code(sz_keyfile_save(path, data, sizeof data, false), SZ_EKEYFILE);
    assert_code(sz_keyfile_save(path, data, sizeof data - 1, false), 0);
    assert_code(sz_keyfile_read(path, data), SZ_KEYFILE_ROOM - 1);
    remove_directory(directory);
}

TEST(a_stamp_changes_with_the_file)
{
    char directory[32], path[64];
    sz_stamp first, second;
    make_directory(directory);
    snprintf(path, sizeof path, "%s/key", directory);
    assert_code(sz_keyfile_save(path, "one", 3, false), 0);
    assert_code(sz_keyfile_stamp(path, &first), 0);
    assert_code(sz_keyfile_stamp(path, &second), 0);
    assert_memory_equal(&first, &second, sizeof first);
    assert_int_equal(first.size, 3);
    assert_int_equal(first.regular, 1);
    assert_code(sz_keyfile_save(path, "two", 3, false), 0);
    assert_code(sz_keyfile_stamp(path, &second), 0);
    assert_memory_not_equal(&first, &second, sizeof first);
    assert_code(sz_keyfile_stamp(directory, &second), 0);
    assert_int_equal(second.regular, 0);
    remove_directory(directory);
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
        cmocka_unit_test(a_rule_holds_for_its_addresses_only),
        cmocka_unit_test(what_is_no_address_is_in_no_network),
        cmocka_unit_test(a_secret_file_is_its_owners_from_its_birth),
        cmocka_unit_test(a_file_that_cannot_be_saved_leaves_the_old_one),
        cmocka_unit_test(a_file_that_others_can_use_is_exposed),
        cmocka_unit_test(only_a_small_regular_file_is_read),
        cmocka_unit_test(a_stamp_changes_with_the_file),
    };
    return run_all("security", tests);
}
