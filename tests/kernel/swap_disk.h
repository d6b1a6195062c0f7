/* A disk in memory for tests of the swap, which fails on demand. */
#ifndef SWAP_DISK_H
#define SWAP_DISK_H

#include "swap.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    unsigned char *data;
    uint64_t length, room;
    bool open;
    unsigned opened, reads, writes, truncations;
    uint64_t capacity;  /* beyond it writes answer SZ_ENOSPC */
    unsigned calls;     /* of all kinds */
    unsigned fail_from; /* the first call that fails, 0 for none */
    unsigned fail_count;
    int failure;
    bool forgets; /* says that it wrote */
    size_t most;  /* bytes that one call moves, 0 for all */
} memory_disk;

static inline bool disk_fails(memory_disk *disk)
{
    unsigned call = ++disk->calls;
    return disk->fail_from != 0 && call >= disk->fail_from &&
           call - disk->fail_from < disk->fail_count;
}

static inline int disk_open(void *self, const char *directory)
{
    memory_disk *disk = self;
    (void)directory;
    if (disk_fails(disk))
        return disk->failure;
    disk->length = 0;
    disk->open = true;
    disk->opened++;
    return 7;
}

static inline size_t disk_portion(const memory_disk *disk, size_t size)
{
    return disk->most != 0 && size > disk->most ? disk->most : size;
}

static inline int64_t disk_read(void *self, int fd, void *to, size_t size,
                                uint64_t offset)
{
    memory_disk *disk = self;
    (void)fd;
    disk->reads++;
    if (disk_fails(disk))
        return disk->failure;
    if (offset >= disk->length)
        return 0;
    if (size > disk->length - offset)
        size = (size_t)(disk->length - offset);
    size = disk_portion(disk, size);
    memcpy(to, disk->data + offset, size);
    return (int64_t)size;
}

static inline int64_t disk_write(void *self, int fd, const void *from,
                                 size_t size, uint64_t offset)
{
    memory_disk *disk = self;
    (void)fd;
    disk->writes++;
    if (disk_fails(disk))
        return disk->failure;
    size = disk_portion(disk, size);
    if (disk->forgets)
        return (int64_t)size;
    if (disk->capacity != 0) {
        if (offset >= disk->capacity)
            return SZ_ENOSPC;
        if (size > disk->capacity - offset)
            size = (size_t)(disk->capacity - offset);
    }
    if (offset + size > disk->room) {
        disk->room = 2 * (offset + size);
        disk->data = realloc(disk->data, (size_t)disk->room);
    }
    if (offset > disk->length)
        memset(disk->data + disk->length, 0, (size_t)(offset - disk->length));
    if (offset + size > disk->length)
        disk->length = offset + size;
    memcpy(disk->data + offset, from, size);
    return (int64_t)size;
}

static inline int disk_truncate(void *self, int fd, uint64_t length)
{
    memory_disk *disk = self;
    (void)fd;
    disk->truncations++;
    if (disk_fails(disk))
        return disk->failure;
    if (length < disk->length)
        disk->length = length;
    return 0;
}

static inline void disk_close(void *self, int fd)
{
    memory_disk *disk = self;
    (void)fd;
    disk->open = false;
    disk->length = 0; /* the file has no name */
}

static inline szi_disk disk_of(memory_disk *disk)
{
    return (szi_disk){disk_open,     disk_read,  disk_write,
                      disk_truncate, disk_close, disk};
}

#endif
