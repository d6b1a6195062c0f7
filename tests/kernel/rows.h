/* Walking the rows of the option table. */
#ifndef ROWS_H
#define ROWS_H

#include "support.h"

static inline void check_row(const sz_option *row, int got, int wanted,
                             const char *what, int line)
{
    if (got != wanted)
        print_error("option %s: ", row->name);
    check_code(got, wanted, what, __FILE__, line);
}

#define assert_row(row, call, wanted)                                         \
    check_row(row, call, wanted, #call, __LINE__)

/* Accepted, or refused because this libzmq lacks the option. */
static inline bool check_accepted(const sz_option *row, int got,
                                  const char *what, int line)
{
    bool may_lack = row->needs[0] != '\0';
    if (!may_lack || (got != SZ_EUNSUPPORTED && got != SZ_EOLD))
        check_row(row, got, 0, what, line);
    return got == 0;
}

#define accepts(row, call) check_accepted(row, call, #call, __LINE__)

static inline bool is_integer(const sz_option *row)
{
    return row->type <= SZ_FLAGS;
}

static inline bool can(const sz_option *row, char access)
{
    return strchr(row->access, access) != NULL;
}

/* Whether the libzmq that runs can have the option: it is not older, and the
 * capability that the row names is there. */
static inline bool is_built(const sz_option *row)
{
    int since[3] = {0}, runs[3];
    sscanf(row->since, "%d.%d.%d", &since[0], &since[1], &since[2]);
    sz_version(runs);
    for (int i = 0; i < 3 && since[i] >= runs[i]; i++)
        if (since[i] > runs[i])
            return false;
    return row->needs[0] == '\0' || strcmp(row->needs, "draft") == 0 ||
           sz_has(row->needs);
}

/* The first usual type that has the option, or that has it not. */
static inline const sz_type *type_for(const sz_option *row, bool fitting)
{
    const sz_type *type;
    for (size_t i = 0; (type = sz_type_at(i)) != NULL; i++)
        if (!type->draft && ((row->types >> type->number & 1) != 0) == fitting)
            return type;
    return NULL;
}

static inline sz_socket fresh(const sz_type *type)
{
    sz_socket socket = {0};
    assert_non_null(type);
    assert_code(sz_socket_new(context, type, &socket), 0);
    return socket;
}

/* Calls `visit` for every row of sockets, with a fresh socket. */
static inline void visit_rows(void (*visit)(const sz_option *, sz_socket))
{
    const sz_option *row;
    for (size_t i = 0; (row = sz_option_at(i)) != NULL; i++) {
        if (row->scope != SZ_SOCKET_OPTION)
            continue;
        sz_socket socket = fresh(type_for(row, true));
        visit(row, socket);
        assert_code(sz_socket_close(socket), 0);
    }
}

static inline int set_text(sz_socket socket, const char *name,
                           const char *text)
{
    return sz_socket_set_bytes(socket, option(name), text, strlen(text));
}

static inline void check_text(sz_socket socket, const char *name,
                              const char *text)
{
    const void *data = NULL;
    size_t size = 0;
    assert_code(sz_socket_get_bytes(socket, option(name), &data, &size), 0);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(data, text, size);
}

#endif
