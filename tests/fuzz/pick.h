/* Random arguments: mostly good ones, some stale, some wild. */
#ifndef PICK_H
#define PICK_H

#include "world.h"

/* The socket that a call is for, or a handle that must be refused. */
sz_socket pick_socket(world *w);
slot *pick_slot(world *w);
sz_context pick_context(world *w);
sz_poller pick_poller(world *w);
sz_message pick_message(world *w);
sz_monitor pick_monitor(world *w);

/* A text of `room` bytes at most; returns its length. */
size_t pick_endpoint(world *w, char *text, size_t room);

/* A value for an option, an integer or bytes. */
int64_t pick_integer(world *w, const sz_option *option);
size_t pick_bytes(world *w, const sz_option *option, char *data, size_t room);
const sz_option *pick_option(world *w, sz_scope scope);

/* Bytes of a part. */
sz_part pick_part(world *w);

void note_stale(world *w, uint64_t id);

#endif
