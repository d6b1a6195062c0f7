/* Files for swaps, behind a table of functions that tests replace.  Used by
 * ring, which owns the descriptor. */
#ifndef SZI_DISK_H
#define SZI_DISK_H

#include "szmq.h"

#pragma GCC visibility push(hidden)

/* Each function returns a negative sz_error on failure.  `read` and `write`
 * return the number of bytes done, which may be less than `size`.  None uses
 * the descriptor's shared position. */
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

/* Repeats an operation while it returns SZ_EINTR; bounded, so that a disk that
 * always does cannot block the caller. */
#define SZI_DISK_RETRY(result, call)                                          \
    do {                                                                      \
        int szi_tries = 0;                                                    \
        do                                                                    \
            (result) = (call);                                                \
        while ((result) == SZ_EINTR && ++szi_tries < 100);                    \
    } while (0)

/* The system's files: without a name, mode 0600, closed on exec.  A write
 * beyond RLIMIT_FSIZE raises no signal. */
extern const szi_disk szi_disk_system;

/* Opens a file on a file system that has no files without a name. */
int szi_disk_open_unlinked(const char *directory);

/* Opens a file: its descriptor, or an error. */
int szi_disk_open(const szi_disk *disk, const char *directory);

/* Whether a file can be made and written in `directory`: 0 or an error. */
int szi_disk_try(const szi_disk *disk, const char *directory);

#pragma GCC visibility pop

#endif
