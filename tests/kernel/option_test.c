/* Options: every row of the table, found by name. */

#include "rows.h"

TEST(every_name_is_in_its_scope_once)
{
    const sz_option *row, *other;
    for (size_t i = 0; (row = sz_option_at(i)) != NULL; i++)
        for (size_t j = 0; j < i && (other = sz_option_at(j)) != NULL; j++)
            assert_true(row->scope != other->scope ||
                        strcmp(row->name, other->name) != 0);
}

TEST(every_option_is_found_by_its_name)
{
    const sz_option *row;
    size_t i = 0;
    for (; (row = sz_option_at(i)) != NULL; i++) {
        assert_ptr_equal(sz_option_find(row->scope, row->name), row);
        assert_int_equal(sz_option_index(row), i);
        assert_string_equal(sz_option_near(row->scope, row->name), row->name);
    }
    assert_true(i > 100);
    assert_null(sz_option_at(i + 1));
    assert_null(sz_option_at(SIZE_MAX));
}

TEST(an_unknown_name_is_not_found)
{
    assert_null(sz_option_find(SZ_SOCKET_OPTION, ""));
    assert_null(sz_option_find(SZ_SOCKET_OPTION, "Linger"));
    assert_null(sz_option_find(SZ_SOCKET_OPTION, "io-threads"));
    assert_null(sz_option_find(SZ_CONTEXT_OPTION, "linger"));
}

TEST(every_row_is_sound)
{
    const sz_option *row;
    for (size_t i = 0; (row = sz_option_at(i)) != NULL; i++) {
        assert_true(row->number > 0 || row->rule != 0);
        assert_true(row->min <= row->max);
        assert_true(is_integer(row) || row->min >= 0);
        assert_true(row->type != SZ_BOOLEAN ||
                    (row->min == 0 && row->max == 1));
        assert_true(can(row, 'r') || can(row, 'w'));
        assert_true(strspn(row->access, "rw") == strlen(row->access));
        assert_true(row->text[0] != '\0');
        assert_true(row->since[0] != '\0');
        if (row->scope == SZ_SOCKET_OPTION)
            assert_non_null(type_for(row, true));
    }
}

TEST(an_alias_names_an_option_of_the_same_number)
{
    const sz_option *row;
    for (size_t i = 0; (row = sz_option_at(i)) != NULL; i++) {
        const sz_option *real = sz_option_find(row->scope, row->alias_of);
        assert_non_null(real);
        assert_string_equal(real->alias_of, real->name);
        assert_int_equal(real->number, row->number);
        assert_int_equal(real->type, row->type);
        assert_int_equal(real->types, row->types);
        assert_int_equal(real->secret, row->secret);
    }
}

TEST(an_enumeration_has_a_word_for_every_value)
{
    const sz_option *row;
    for (size_t i = 0; (row = sz_option_at(i)) != NULL; i++) {
        int64_t words = row->symbols[0] != '\0';
        for (const char *c = row->symbols; *c != '\0'; c++)
            words += *c == ' ';
        if (row->type == SZ_ENUM)
            assert_int_equal(row->max, words - 1);
        else if (row->type == SZ_FLAGS)
            assert_int_equal(row->max, (1 << words) - 1);
        else
            assert_int_equal(words, 0);
    }
}

TEST(an_alias_works_when_its_option_does)
{
    const sz_option *row;
    for (size_t i = 0; (row = sz_option_at(i)) != NULL; i++)
        assert_int_equal(row->live,
                         sz_option_find(row->scope, row->alias_of)->live);
    assert_true(option("linger")->live);
    assert_false(option("immediate")->live);
}

TEST(passwords_and_secret_keys_are_secret)
{
    static const char *const names[] = {"plain-password", "curve-secretkey",
                                        "socks-password", "wss-key-pem"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_true(option(names[i])->secret);
    assert_false(option("curve-publickey")->secret);
    assert_false(option("plain-username")->secret);
}

TEST(a_misspelt_name_has_a_near_one)
{
    static const char *const pairs[][2] = {
        {"lingr", "linger"},
        {"Linger", "linger"},
        {"subscibe", "subscribe"},
        {"un-subscribe", "unsubscribe"},
        {"sndhvm", "sndhwm"},
        {"rcv-timeo", "rcvtimeo"},
        {"identiy", "identity"},
        {"recovery_ivl", "recovery-ivl"},
        {"curve-serverkeys", "curve-serverkey"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const char *near = sz_option_near(SZ_SOCKET_OPTION, pairs[i][0]);
        assert_non_null(near);
        assert_string_equal(near, pairs[i][1]);
    }
    assert_string_equal(sz_option_near(SZ_CONTEXT_OPTION, "io_threads"),
                        "io-threads");
}

TEST(a_strange_name_has_no_near_one)
{
    char longest[5000];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_null(sz_option_near(SZ_SOCKET_OPTION, "zzzzzzzz"));
    assert_null(sz_option_near(SZ_SOCKET_OPTION, ""));
    assert_null(sz_option_near(SZ_SOCKET_OPTION, longest));
    assert_null(sz_option_near(SZ_CONTEXT_OPTION, "subscribe"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_is_in_its_scope_once),
        cmocka_unit_test(every_option_is_found_by_its_name),
        cmocka_unit_test(an_unknown_name_is_not_found),
        cmocka_unit_test(every_row_is_sound),
        cmocka_unit_test(an_alias_names_an_option_of_the_same_number),
        cmocka_unit_test(an_enumeration_has_a_word_for_every_value),
        cmocka_unit_test(an_alias_works_when_its_option_does),
        cmocka_unit_test(passwords_and_secret_keys_are_secret),
        cmocka_unit_test(a_misspelt_name_has_a_near_one),
        cmocka_unit_test(a_strange_name_has_no_near_one),
    };
    return run_all("option", tests);
}
