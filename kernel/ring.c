/* A ring of bytes in a file.
 *
 * Bytes are addressed by positions that only grow: position p is at offset
 * (p - base) mod size.  When the ring grows while its content wraps around its
 * end, the content stays where it is.  Bytes from position `seam` on are then
 * written behind the old end. */

#include "ring.h"

enum {
    READS = 3,                /* tries of a read that fails */
    TRIMMED = 4 * 1024 * 1024 /* bytes that one call cuts off */
};

static int open_file(szi_ring *ring)
{
    if (ring->fd >= 0)
        return 0;
    int fd = szi_disk_open(ring->disk, ring->directory);
    if (fd < 0)
        return fd;
    ring->fd = fd;
    ring->extent = 0;
    return 0;
}

/* The offset of a position, and the number of bytes that follow it there. */
static uint64_t locate(const szi_ring *ring, uint64_t at, uint64_t *offset)
{
    if (at < ring->seam) {
        *offset = (at - ring->old_base) % ring->old_size;
        return szi_least(ring->old_size - *offset, ring->seam - at);
    }
    *offset = (at - ring->base) % ring->size;
    return ring->size - *offset;
}

void szi_ring_restart(szi_ring *ring, uint64_t at, uint64_t size)
{
    ring->base = at;
    ring->size = size;
    ring->seam = 0;
}

/* Writes at least one byte: their number, or an error. */
static int64_t write_some(szi_ring *ring, uint64_t at, const void *from,
                          size_t size)
{
    uint64_t offset;
    size_t run = (size_t)szi_least(size, locate(ring, at, &offset));
    int64_t done;
    SZI_DISK_RETRY(done, ring->disk->write(ring->disk->self, ring->fd, from,
                                           run, offset));
    if (done > 0 && offset + (uint64_t)done > ring->extent)
        ring->extent = offset + (uint64_t)done;
    return done != 0 ? done : SZ_EIO;
}

int szi_ring_write(szi_ring *ring, uint64_t at, const void *from, size_t size)
{
    int code = open_file(ring);
    if (code != 0)
        return code;
    for (const unsigned char *next = from; size > 0;) {
        int64_t done = write_some(ring, at, next, size);
        if (done < 0)
            return (int)done;
        at += (uint64_t)done;
        next += done;
        size -= (size_t)done;
    }
    return 0;
}

int64_t szi_ring_read(szi_ring *ring, uint64_t at, void *to, size_t size,
                      size_t wanted)
{
    uint64_t offset;
    size = (size_t)szi_least(size, locate(ring, at, &offset));
    int64_t done = 0;
    for (int tries = 0; tries < READS; tries++) {
        SZI_DISK_RETRY(done, ring->disk->read(ring->disk->self, ring->fd, to,
                                              size, offset));
        if (done > 0)
            return done;
        if (wanted < size)
            size = wanted;
    }
    return done < 0 ? done : SZ_EIO;
}

void szi_ring_grow(szi_ring *ring, uint64_t size, uint64_t from, uint64_t to)
{
    if (from == to || size <= ring->size)
        return;
    uint64_t offset;
    uint64_t run = locate(ring, from, &offset);
    if (from >= ring->seam && to - from <= run) {
        ring->base = from - offset;
    } else if (from >= ring->seam) {
        ring->seam = to;
        ring->old_size = ring->size;
        ring->old_base = ring->base;
        ring->base = to - ring->size;
    }
    ring->size = size;
}

uint64_t szi_ring_room(const szi_ring *ring, uint64_t from, uint64_t end)
{
    if (from >= ring->seam)
        return UINT64_MAX;
    uint64_t fresh = ring->size - ring->old_size;
    uint64_t taken = end - ring->seam;
    return fresh > taken ? fresh - taken : 0;
}

int szi_ring_trim(szi_ring *ring)
{
    if (ring->extent == 0)
        return 0;
    uint64_t length = ring->extent > TRIMMED ? ring->extent - TRIMMED : 0;
    int code;
    SZI_DISK_RETRY(code,
                   ring->disk->truncate(ring->disk->self, ring->fd, length));
    if (code != 0)
        return code;
    ring->extent = length;
    return length > 0;
}

void szi_ring_close(szi_ring *ring)
{
    if (ring->fd >= 0)
        ring->disk->close(ring->disk->self, ring->fd);
    ring->fd = -1;
}
