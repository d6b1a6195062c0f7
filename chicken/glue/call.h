/* Calls of the kernel that need more than one line: several results, buffers that must be wiped,
 * sets of results. What such a call finds beside its code stays in szg_found until the next
 * call. */
#ifndef GLUE_CALL_H
#define GLUE_CALL_H

#include "queue.h"
#include "word.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct {
    int64_t number;
    const char *text;
    const void *bytes;
    size_t size;
    sz_event event;
    sz_connections connections;
    sz_moved moved;
} szg_found;

static inline int szg_version_at(int index)
{
    int version[3];
    sz_version(version);
    return version[index];
}

/* ---------------------------------------------------- contexts, sockets -- */

static inline const char *szg_type_name(const char *name)
{
    const sz_type *type = sz_type_find(name);
    return type != NULL ? type->name : NULL;
}

static inline bool szg_does(C_word socket, int event)
{
    const sz_type *type = sz_socket_type(SOCKET(socket));
    return type != NULL && (event == SZ_IN ? type->receives : type->sends);
}

static inline const char *szg_type_at(int index)
{
    const sz_type *type = sz_type_at((size_t)index);
    return type != NULL && !type->draft ? type->name : NULL;
}

static inline const char *szg_endpoint_at(C_word socket, int index)
{
    bool bound;
    return sz_socket_endpoint(SOCKET(socket), (size_t)index, &bound);
}

/* -------------------------------------------------------------- options -- */

/* A row is an index of the kernel's table, -1 for none. */
#define ROW(index) sz_option_at((size_t)(index))
#define SCOPE(context) ((context) ? SZ_CONTEXT_OPTION : SZ_SOCKET_OPTION)

static inline int szg_option_row(bool context, const char *name)
{
    const sz_option *option = sz_option_find(SCOPE(context), name);
    return option != NULL ? (int)sz_option_index(option) : -1;
}

static inline const char *szg_option_text(int row, int column)
{
    const sz_option *option = ROW(row);
    const char *columns[] = {option->name,  option->alias_of, option->access, option->unit,
                             option->since, option->needs,    option->text};
    return columns[column];
}

/* ------------------------------------------------------------- messages -- */

static inline int szg_message_to_fill(C_word message)
{
    void *data;
    int code = sz_message_fill(MESSAGE(message), &data, &szg_found.size);
    szg_found.bytes = data;
    return code;
}

/* The bytes of a message, and their number or an error; the same to be filled in. */
static inline void *szg_message_pointer(C_word message)
{
    const void *data = NULL;
    size_t size;
    sz_message_data(MESSAGE(message), &data, &size);
    return (void *)(uintptr_t)data;
}

static inline int64_t szg_message_size(C_word message)
{
    const void *data;
    size_t size;
    int code = sz_message_data(MESSAGE(message), &data, &size);
    return code < 0 ? code : (int64_t)size;
}

static inline void *szg_fill_pointer(C_word message)
{
    void *data = NULL;
    size_t size;
    sz_message_fill(MESSAGE(message), &data, &size);
    return data;
}

/* Fills a string with the bytes of a message, which has as many. */
static inline void szg_copy_message(C_word message, C_word to)
{
    const void *data = szg_message_pointer(message);
    if (data != NULL)
        memcpy(C_data_pointer(to), data, C_header_size(to));
}

static inline int64_t szg_get_integer(sz_socket socket, const sz_option *option, C_word code)
{
    int64_t value = 0;
    C_set_block_item(code, 0, C_fix(sz_socket_get_integer(socket, option, &value)));
    return value;
}

static inline int64_t szg_context_option(sz_context context, const sz_option *option, C_word code)
{
    int64_t value = 0;
    C_set_block_item(code, 0, C_fix(sz_context_get(context, option, &value)));
    return value;
}

/* Copies the bytes of an option into a string, if it has room: their number, or an error. */
static inline int64_t szg_option_bytes(C_word socket, int row, C_word to, bool secret)
{
    const void *data;
    size_t size;
    int code = sz_socket_get_bytes(SOCKET(socket), ROW(row), &data, &size);
    if (code < 0)
        return code;
    if (size <= C_header_size(to)) {
        memcpy(C_data_pointer(to), data, size);
        if (secret)
            sz_wipe((void *)(uintptr_t)data, size);
    }
    return (int64_t)size;
}

/* The bytes of the part that starts at `offset`; szg_found.number is where the next starts. */
static inline int szg_decode_part(C_word message, size_t offset)
{
    const void *all;
    size_t size;
    int code = sz_message_data(MESSAGE(message), &all, &size);
    if (code == 0)
        code = sz_parts_decode(all, size, &offset, &szg_found.bytes, &szg_found.size);
    szg_found.number = (int64_t)offset;
    return code;
}

/* ---------------------------------------------------- pollers, monitors -- */

/* The id of the timer, or an error. */
static inline C_word szg_add_timer(C_word poller, int64_t time)
{
    uint64_t id = 0;
    int code = sz_poller_add_timer(POLLER(poller), time, &id);
    return C_fix(code < 0 ? code : (C_word)id);
}

/* Adds a timer and an entry for it to the table of chicken/loop.scm, within one call: a signal
 * handler that waits in between could outlast the timer. `cell` is a list of the pair that becomes
 * the entry. */
static inline C_word szg_add_timer_for(C_word poller, int64_t time, C_word table, C_word cell)
{
    C_word timer = szg_add_timer(poller, time), id = C_unfix(timer);
    if (id >= 0) {
        C_set_block_item(C_u_i_car(cell), 0, timer);
        szg_list_add(table, (int)((id ^ id >> 24) % (C_word)C_header_size(table)), cell, true);
    }
    return timer;
}

/* Fills the vector with the tag and the events of what is ready: at most `max`, which is MOST_READY
 * or less. */
enum {
    MOST_READY = 64
};
static inline int szg_check_poller(C_word poller, C_word found, int max)
{
    sz_ready few[MOST_READY], *ready = few;
    if (max > MOST_READY)
        ready = malloc((size_t)max * sizeof *ready);
    if (ready == NULL)
        return SZ_ENOMEM;
    int n = sz_poller_check(POLLER(poller), ready, (size_t)max);
    for (int i = 0; i < n; i++) {
        C_set_block_item(found, 2 * i, C_fix((C_word)ready[i].tag));
        C_set_block_item(found, 2 * i + 1, C_fix(ready[i].events));
    }
    if (ready != few)
        free(ready);
    return n;
}

/* The same for a poller that reports each event once. The number is kept behind the entries within
 * this call, so that a signal handler that leaves loses nothing, and what is left is not
 * overwritten. */
static inline int szg_keep_found(C_word poller, C_word found)
{
    int n = (int)C_unfix(ITEM(found, 2 * MOST_READY));
    if (n > 0)
        return n;
    n = szg_check_poller(poller, found, MOST_READY);
    C_set_block_item(found, 2 * MOST_READY, C_fix(n < 0 ? 0 : n));
    return n;
}

static inline int szg_event_bit(const char *name)
{
    const sz_event_type *type = sz_event_find(name);
    return type != NULL ? type->bit : 0;
}

/* ------------------------------------------------------------- security -- */

/* Secrets do not stay on the C stack. */
static inline int szg_curve_keypair(C_word public_key, C_word secret_key)
{
    char first[SZ_KEY_TEXT + 1], second[SZ_KEY_TEXT + 1];
    int code = sz_curve_keypair(first, second);
    if (code == 0) {
        memcpy(C_data_pointer(public_key), first, SZ_KEY_TEXT);
        memcpy(C_data_pointer(secret_key), second, SZ_KEY_TEXT);
    }
    sz_wipe(second, sizeof second);
    return code;
}

/* The text of a key, or of the public key of a secret one; after a failure szg_found.number is the
 * index of the wrong character. */
static inline int szg_key_text(C_word key, C_word to, bool public_of)
{
    char made[SZ_KEY_TEXT + 1];
    size_t place = 0;
    int code =
        public_of ? sz_curve_public(TEXT(key), made, &place) : sz_key_text(TEXT(key), made, &place);
    if (code == 0)
        memcpy(C_data_pointer(to), made, SZ_KEY_TEXT);
    szg_found.number = (int64_t)place;
    sz_wipe(made, sizeof made);
    return code;
}

static inline int szg_z85_decode(C_word from, C_word to)
{
    size_t place = 0;
    int code = sz_z85_decode(TEXT(from), C_data_pointer(to), &place);
    szg_found.number = (int64_t)place;
    return code;
}

static inline bool szg_network_holds(C_word network, C_word address)
{
    sz_network parsed;
    return sz_network_parse(TEXT(network), &parsed) == 0 &&
           sz_network_holds(&parsed, TEXT(address));
}

static inline int szg_keyfile_load(const char *path, C_word to)
{
    bool exposed;
    int code = sz_keyfile_load(path, (char *)C_data_pointer(to), &exposed);
    return code < 0 ? code : 2 * code + exposed;
}

static inline int szg_keyfile_stamp(const char *path, C_word to)
{
    sz_stamp stamp;
    int code = sz_keyfile_stamp(path, &stamp);
    memcpy(C_data_pointer(to), &stamp, sizeof stamp);
    return code < 0 ? code : (int)stamp.regular;
}

/* Milliseconds since the file was changed, by the system's clock. */
static inline int64_t szg_stamp_age(C_word from)
{
    sz_stamp stamp;
    struct timespec t;
    memcpy(&stamp, C_data_pointer(from), sizeof stamp);
    clock_gettime(CLOCK_REALTIME, &t);
    return (t.tv_sec * INT64_C(1000000000) + t.tv_nsec - stamp.changed) / 1000000;
}

/* ----------------------------------------------------- statistics, exit -- */

static inline uint64_t szg_statistic_at(C_word socket, int index)
{
    sz_statistics found = {0};
    sz_socket_statistics(SOCKET(socket), &found);
    const uint64_t counts[] = {found.sent,           found.sent_bytes,   found.received,
                               found.received_bytes, found.send_eagains, found.receive_eagains,
                               found.waits,          found.drops};
    return counts[index];
}

static inline void report_undelivered(const char *type, const char *endpoint, void *argument)
{
    (void)argument;
    fprintf(stderr, "zmq: not delivered: messages of a %s socket%s%s\n", type,
            endpoint != NULL ? " for " : "", endpoint != NULL ? endpoint : "");
}

/* The name of a socket's type, or NULL for a handle of none. */
static inline const char *szg_socket_type_name(C_word socket)
{
    const sz_type *type = sz_socket_type(SOCKET(socket));
    return type != NULL ? type->name : NULL;
}

/* Writes a line to stderr. */
static inline void szg_trace_line(C_word line)
{
    fprintf(stderr, "zmq %.*s\n", (int)C_header_size(line), C_c_string(line));
}

static inline int szg_exit_within(int linger)
{
    return sz_exit(linger, report_undelivered, NULL);
}

#endif
