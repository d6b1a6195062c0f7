/* The swap: a queue of whole messages, first in first out, that goes on in a
 * file where memory ends.  Knows no sockets; offload.c puts it before one.
 *
 * One OS thread at a time uses a swap.  It holds two buffers of fixed size,
 * made with the first message, and a file that is opened when both are full;
 * what the file has is found by positions that only memory knows, so nothing
 * survives the process.  A swap inherited by fork is refused (SZ_EFORKED). */
#ifndef SZI_SWAP_H
#define SZI_SWAP_H

#include "internal.h"

#pragma GCC visibility push(hidden)

/* ----------------------------------------------------------- checksum -- */

/* Errors of a disk are found by this; it is no protection against people. */
typedef struct {
    uint64_t lanes[16];
    size_t carried;
    unsigned char carry[32];
} szi_checksum;

void szi_checksum_begin(szi_checksum *sum, uint64_t seed);

/* Adds bytes while copying them, or only adds them where `to` is NULL.  The
 * sum is that of all bytes, however they are cut into calls. */
void szi_checksum_copy(szi_checksum *sum, void *to, const void *from,
                       size_t size);
uint32_t szi_checksum_end(szi_checksum *sum);

/* That of two numbers. */
uint32_t szi_checksum_pair(uint64_t a, uint64_t b);

/* Without the processor's wide instructions, with the same results. */
void szi_checksum_portable(bool portable);

/* --------------------------------------------------------------- disk -- */

/* What a swap asks of the system.  Each answers a negative sz_error when it
 * fails; read and write answer how much was done, which may be less than was
 * asked.  Nothing is done at a shared position of the descriptor. */
typedef struct {
    int (*open)(void *self, const char *directory);
    int64_t (*read)(void *self, int fd, void *to, size_t size,
                    uint64_t offset);
    int64_t (*write)(void *self, int fd, const void *from, size_t size,
                     uint64_t offset);
    int (*truncate)(void *self, int fd, uint64_t length);
    void (*close)(void *self, int fd);
    void *self;
} szi_disk;

/* The system's own.  The file has no name, mode 0600, and is closed on exec;
 * reaching a limit of its size raises no signal. */
extern const szi_disk szi_disk_system;

/* How it opens a file where the file system knows none without a name. */
int szi_disk_open_unlinked(const char *directory);

/* Whether a file can be made and written there: 0 or what the disk says. */
int szi_disk_try(const szi_disk *disk, const char *directory);

/* --------------------------------------------------------------- ring -- */

/* A ring of bytes in a file that is opened when it is first written. */
typedef struct {
    const szi_disk *disk;
    const char *directory;
    int fd; /* -1 until then */
    uint64_t size, base;
    uint64_t seam, old_size, old_base; /* for positions below seam */
    uint64_t extent;                   /* length of the file */
} szi_ring;

/* Forgets the content: position `at` stands at the file's beginning. */
void szi_ring_restart(szi_ring *ring, uint64_t at, uint64_t size);

/* Writes all at a position, or fails. */
int szi_ring_write(szi_ring *ring, uint64_t at, const void *from, size_t size);

/* Reads at a position: how much, at least 1, or an error.  Where reading
 * fails, only what is `wanted` is tried again: the fault may lie behind. */
int64_t szi_ring_read(szi_ring *ring, uint64_t at, void *to, size_t size,
                      size_t wanted);

/* Makes a ring larger whose content is from..to; never smaller. */
void szi_ring_grow(szi_ring *ring, uint64_t size, uint64_t from, uint64_t to);

/* How much the ring lets be written behind `end`, where its content begins at
 * `from`, because it grew; UINT64_MAX for what its size says. */
uint64_t szi_ring_room(const szi_ring *ring, uint64_t from, uint64_t end);

/* Makes the file of an empty ring somewhat shorter: 1 if there is more, 0 if
 * it is empty, or an error. */
int szi_ring_trim(szi_ring *ring);
void szi_ring_close(szi_ring *ring);

static inline uint64_t szi_least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* --------------------------------------------------------------- swap -- */

typedef struct szi_swap szi_swap;

typedef struct {
    const void *data;
    size_t size;
} szi_bytes;

/* `bytes` and `peak` count what a message takes in the file: its parts, 24
 * bytes, and 8 a part where it has several.  `lost` are messages that the
 * disk did not give back.  `error` is the last of the disk's, or 0. */
typedef struct {
    uint64_t messages, bytes, peak, lost;
    int error;
} szi_swap_state;

enum {
    SZI_SWAP_BUFFER = 128 * 1024,
    SZI_SWAP_OVERHEAD = 24
};

/* A swap of `size` bytes whose file will be in `directory`, with buffers of
 * `buffer` bytes.  The disk must outlive it.  Tries at once whether a file
 * can be made and written there: what the disk answers, SZ_ENOMEM. */
int szi_swap_new(const szi_disk *disk, const char *directory, uint64_t size,
                 size_t buffer, szi_swap **swap);
void szi_swap_free(szi_swap *swap);

/* Copies a message to the end.  SZ_EAGAIN when there is no room for it now,
 * SZ_ENOSPC when there is none on the disk; SZ_EMSGSIZE when it is larger than
 * the whole swap; SZ_ENOMEM, or the disk's error.  What fails leaves all as it
 * was. */
int szi_swap_append(szi_swap *swap, const szi_bytes *parts, size_t count);

/* Begins to take the message at the front: its number of parts, and their
 * sizes, valid until it is dropped.  SZ_EAGAIN when there is none, SZ_ENOMEM.
 * Called again before the parts are read, it answers the same.
 *
 * This, _read and _check answer SZ_ECORRUPT when messages could not be read
 * as they were written: they are gone, `lost` has their number, and the next
 * one, if there is any, is at the front. */
int szi_swap_front(szi_swap *swap, size_t *count, const uint64_t **sizes);

/* The bytes of the message that _front found, where it has one part that lies
 * in memory as a whole, checked; else NULL, as where they are not sound: _read
 * tells.  Valid until something else is done with the swap but to look; then
 * it can be asked for again, until the message is dropped. */
const void *szi_swap_view(szi_swap *swap);

/* Reads the next bytes of its parts, one after the other, as many at a time
 * as the caller likes; each once. */
int szi_swap_read(szi_swap *swap, void *to, size_t size);

/* Once all were read: 0 if they are what was appended. */
int szi_swap_check(szi_swap *swap);

/* Removes the message that was read and checked, or viewed. */
void szi_swap_drop(szi_swap *swap);

/* Another size, for messages to come; those it holds stay. */
void szi_swap_resize(szi_swap *swap, uint64_t size);

uint64_t szi_swap_count(const szi_swap *swap);

/* How much can be appended now, in bytes as they are counted. */
uint64_t szi_swap_room(const szi_swap *swap);
szi_swap_state szi_swap_look(const szi_swap *swap);

/* Gives back some of the file and at last the buffers of an empty swap: to be
 * called while it says that there is more. */
bool szi_swap_trim(szi_swap *swap);

#pragma GCC visibility pop

#endif
