/* A ring of bytes in a file that is opened with the first write.  Owned by one
 * swap. */
#ifndef SZI_RING_H
#define SZI_RING_H

#include "disk.h"

#pragma GCC visibility push(hidden)

typedef struct {
    const szi_disk *disk;
    const char *directory;
    int fd; /* -1 until the first write */
    uint64_t size, base;
    uint64_t seam, old_size, old_base; /* for positions below seam */
    uint64_t extent;                   /* length of the file */
} szi_ring;

/* Drops the content: position `at` is at the file's beginning. */
void szi_ring_restart(szi_ring *ring, uint64_t at, uint64_t size);

/* Writes all bytes at a position, or fails. */
int szi_ring_write(szi_ring *ring, uint64_t at, const void *from, size_t size);

/* Reads at least one byte at a position: the number read, or an error.  After
 * an error it retries with only `wanted` bytes, as the fault may lie behind
 * them. */
int64_t szi_ring_read(szi_ring *ring, uint64_t at, void *to, size_t size,
                      size_t wanted);

/* Enlarges a ring whose content is from..to; never shrinks it. */
void szi_ring_grow(szi_ring *ring, uint64_t size, uint64_t from, uint64_t to);

/* How many bytes may be written behind `end`, where the content begins at
 * `from`.  UINT64_MAX if only the ring's size limits them. */
uint64_t szi_ring_room(const szi_ring *ring, uint64_t from, uint64_t end);

/* Shortens the file of an empty ring by some MiB: 1 if bytes are left, 0 if it
 * is empty, or an error. */
int szi_ring_trim(szi_ring *ring);
void szi_ring_close(szi_ring *ring);

static inline uint64_t szi_least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

#pragma GCC visibility pop

#endif
