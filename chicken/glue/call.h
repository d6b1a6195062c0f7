/* Calls of the kernel that need more than one line: several results, buffers
 * that must be wiped, sets of results.  What such a call leaves beside its
 * code stays in these variables until the next call. */
#ifndef GLUE_CALL_H
#define GLUE_CALL_H

#include "word.h"

#pragma GCC visibility push(hidden)

extern int64_t szg_number;
extern const char *szg_text;
extern const void *szg_bytes;
extern size_t szg_bytes_size;
extern sz_event szg_event;
extern sz_connections szg_connections;
extern sz_moved szg_moved;

int szg_version_at(int index);
const char *szg_type_name(const char *name);
bool szg_does(C_word socket, int event);
const char *szg_type_at(int index);
const char *szg_endpoint_at(C_word socket, int index);

/* Options: a row is an index of the kernel's table, -1 for none. */
#define ROW(index) sz_option_at((size_t)(index))
#define SCOPE(context) ((context) ? SZ_CONTEXT_OPTION : SZ_SOCKET_OPTION)
int szg_option_row(bool context, const char *name);
const char *szg_option_text(int row, int column);

int szg_message_to_fill(C_word message);
int szg_decode_part(C_word message, size_t offset);

int szg_add_timer(C_word poller, int64_t time);
/* Fills the vector with the tag and the events of what is ready: at most
 * `max`, which is MOST_READY or less. */
enum {
    MOST_READY = 64
};
int szg_check_poller(C_word poller, C_word found, int max);

int szg_event_bit(const char *name);

int szg_curve_keypair(C_word public_key, C_word secret_key);
int szg_key_text(C_word key, C_word to, bool public_of);
int szg_z85_decode(C_word from, C_word to);
bool szg_network_holds(C_word network, C_word address);
int szg_keyfile_stamp(const char *path, C_word to);
int64_t szg_stamp_age(C_word stamp);

uint64_t szg_statistic_at(C_word socket, int index);
int szg_exit_within(int linger);

/* The name of a socket's type, or NULL for a handle of none. */
const char *szg_socket_type_name(C_word socket);
/* Writes a line to stderr. */
void szg_trace_line(const char *line);

#pragma GCC visibility pop

#endif
