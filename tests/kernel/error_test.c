/* Errors, version and capabilities. */

#include "support.h"

#include <ctype.h>
#include <limits.h>

typedef struct {
    int code, number;
    const char *name, *symbol, *text;
} row;

static const row rows[] = {
#define ROW(name, symbol, text) {SZ_##name, name, #name, symbol, text},
    SZ_SYSTEM_ERRORS(ROW)
#undef ROW
#define ROW(name, code, number, symbol, text)                                 \
    {SZ_##name, number, #name, symbol, text},
        SZ_OWN_ERRORS(ROW)
#undef ROW
};

enum {
    ROWS = sizeof rows / sizeof *rows
};

TEST(every_code_is_negative_and_belongs_to_one_error)
{
    for (size_t i = 0; i < ROWS; i++) {
        assert_true(rows[i].code < 0);
        for (size_t j = i + 1; j < ROWS; j++)
            assert_int_not_equal(rows[i].code, rows[j].code);
    }
}

TEST(every_code_has_its_symbol_text_and_number)
{
    for (size_t i = 0; i < ROWS; i++) {
        assert_string_equal(sz_error_symbol(rows[i].code), rows[i].symbol);
        assert_string_equal(sz_error_text(rows[i].code), rows[i].text);
        assert_int_equal(sz_error_errno(rows[i].code), rows[i].number);
        assert_true(rows[i].text[0] != '\0');
    }
}

TEST(the_symbol_of_a_system_error_is_its_name)
{
    for (size_t i = 0; i < ROWS && rows[i].code > -SZ_OWN; i++) {
        const char *symbol = sz_error_symbol(rows[i].code);
        assert_int_equal(strlen(symbol), strlen(rows[i].name));
        for (size_t j = 0; symbol[j] != '\0'; j++)
            assert_int_equal(symbol[j], tolower(rows[i].name[j]));
    }
}

TEST(the_code_of_a_system_error_is_its_negated_number)
{
    assert_int_equal(SZ_EAGAIN, -EAGAIN);
    assert_int_equal(SZ_ETERM, -ETERM);
    assert_int_equal(SZ_EFSM, -EFSM);
}

TEST(an_unknown_code_is_taken_for_a_negated_number)
{
    assert_int_equal(sz_error_errno(-EDOM), EDOM);
    assert_string_equal(sz_error_text(-EDOM), strerror(EDOM));
    assert_non_null(sz_error_symbol(-EDOM));
    assert_int_equal(sz_error_errno(-7777), 7777);
    assert_non_null(sz_error_text(-7777));
    assert_non_null(sz_error_symbol(-7777));
}

TEST(the_text_of_an_unknown_number_does_not_change)
{
    const char *first = sz_error_text(-7777);
    char copy[100];
    snprintf(copy, sizeof copy, "%s", first);
    assert_non_null(sz_error_text(-8888));
    assert_string_equal(first, copy);
}

TEST(a_result_that_is_no_error_has_a_text)
{
    const int codes[] = {0, 1, INT_MAX, INT_MIN, INT_MIN + 1};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        assert_non_null(sz_error_symbol(codes[i]));
        assert_non_null(sz_error_text(codes[i]));
        (void)sz_error_errno(codes[i]);
    }
}

TEST(the_version_is_that_of_the_library)
{
    int version[3] = {-1, -1, -1}, expected[3];
    zmq_version(&expected[0], &expected[1], &expected[2]);
    sz_version(version);
    assert_memory_equal(version, expected, sizeof version);
    assert_int_equal(version[0], 4);
}

TEST(capabilities_are_those_of_the_library)
{
    const char *const names[] = {"ipc",    "pgm",  "tipc",  "norm",   "curve",
                                 "gssapi", "vmci", "draft", "nobody", ""};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(sz_has(names[i]), zmq_has(names[i]) != 0);
    assert_true(sz_has("ipc"));
    assert_false(sz_has("nobody"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_is_negative_and_belongs_to_one_error),
        cmocka_unit_test(every_code_has_its_symbol_text_and_number),
        cmocka_unit_test(the_symbol_of_a_system_error_is_its_name),
        cmocka_unit_test(the_code_of_a_system_error_is_its_negated_number),
        cmocka_unit_test(an_unknown_code_is_taken_for_a_negated_number),
        cmocka_unit_test(the_text_of_an_unknown_number_does_not_change),
        cmocka_unit_test(a_result_that_is_no_error_has_a_text),
        cmocka_unit_test(the_version_is_that_of_the_library),
        cmocka_unit_test(capabilities_are_those_of_the_library),
    };
    return run_all("error", tests);
}
