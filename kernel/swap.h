/* The swap: a queue of whole messages, first in first out, in two buffers of
 * memory and then in a file.  It knows no sockets; swap_socket owns one for
 * each socket that has a swap.  One OS thread at a time uses it.  Positions in
 * the file are known only in memory, so nothing survives the process.  A swap
 * inherited by fork is refused (SZ_EFORKED). */
#ifndef SZI_SWAP_H
#define SZI_SWAP_H

#include "disk.h"

#pragma GCC visibility push(hidden)

typedef struct szi_swap szi_swap;

typedef struct {
    const void *data;
    size_t size;
} szi_bytes;

/* `bytes` and `peak` count what messages take in the file: their parts, 24
 * bytes each, and 8 bytes for each part of a multipart message.  `lost` counts
 * messages that could not be read back.  `error` is the last error of the
 * disk, or 0. */
typedef struct {
    uint64_t messages, bytes, peak, lost;
    int error;
} szi_swap_state;

enum {
    SZI_SWAP_BUFFER = 128 * 1024,
    SZI_SWAP_OVERHEAD = 24
};

/* A swap of `size` bytes with two buffers of `buffer` bytes and a file in
 * `directory`.  The disk must outlive it.  Returns an error of the disk if no
 * file can be made and written there, or SZ_ENOMEM. */
int szi_swap_new(const szi_disk *disk, const char *directory, uint64_t size,
                 size_t buffer, szi_swap **swap);
void szi_swap_free(szi_swap *swap);

/* Copies a message to the end of the queue.  SZ_EAGAIN if it has no room now,
 * SZ_ENOSPC if the disk has none, SZ_EMSGSIZE if it is larger than the whole
 * swap, SZ_ENOMEM, or an error of the disk.  A failure changes nothing. */
int szi_swap_append(szi_swap *swap, const szi_bytes *parts, size_t count);

/* The number of parts of the message at the front and their sizes, valid until
 * the message is dropped.  SZ_EAGAIN if the queue is empty, SZ_ENOMEM.  Before
 * the parts are read it can be called again, with the same result.
 *
 * This function, _read and _check return SZ_ECORRUPT if messages could not be
 * read back as they were written.  They are then removed and counted in
 * `lost`, and the next message is at the front. */
int szi_swap_front(szi_swap *swap, size_t *count, const uint64_t **sizes);

/* The checked bytes of the message at the front, if it has one part that lies
 * in memory as a whole; else, or if they are corrupt, NULL: use _read.  Call
 * szi_swap_front first.  Valid until the next call other than szi_swap_look;
 * can be called again until the message is dropped. */
const void *szi_swap_view(szi_swap *swap);

/* Reads the next `size` bytes of the parts of the message at the front. */
int szi_swap_read(szi_swap *swap, void *to, size_t size);

/* After all bytes were read: 0 if they are what was appended. */
int szi_swap_check(szi_swap *swap);

/* Removes the message that was checked or viewed. */
void szi_swap_drop(szi_swap *swap);

/* Changes the size for messages to come; those in the queue stay. */
void szi_swap_resize(szi_swap *swap, uint64_t size);

uint64_t szi_swap_count(const szi_swap *swap);

/* How many bytes, counted as in szi_swap_state, can be appended now. */
uint64_t szi_swap_room(const szi_swap *swap);
szi_swap_state szi_swap_look(const szi_swap *swap);

/* Returns some of the space of an empty swap to the system, the file first and
 * then the buffers.  True if there is more: call again. */
bool szi_swap_trim(szi_swap *swap);

#pragma GCC visibility pop

#endif
