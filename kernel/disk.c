/* The system's files, and trying out a disk. */

#include "disk.h"
#include "error.h"
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_unnamed(const char *directory)
{
#ifdef O_TMPFILE
    return open(directory, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
#else
    (void)directory;
    errno = EOPNOTSUPP;
    return -1;
#endif
}

/* mkostemp follows no link and makes a new file, which is unlinked at once. */
int szi_disk_open_unlinked(const char *directory)
{
    static const char name[] = "/zmq-swap-XXXXXX";
    size_t length = strlen(directory);
    char *path = szi_resize(NULL, length + sizeof name);
    if (path == NULL)
        return SZ_ENOMEM;
    memcpy(path, directory, length);
    memcpy(path + length, name, sizeof name);
    int fd = mkostemp(path, O_CLOEXEC);
    int code = fd >= 0 ? fd : szi_last_error();
    if (fd >= 0 && unlink(path) != 0) {
        code = szi_last_error();
        close(fd);
    }
    szi_free(path);
    return code;
}

static int open_file(void *self, const char *directory)
{
    (void)self;
    int fd = open_unnamed(directory);
    if (fd >= 0)
        return fd;
    /* The errors of file systems and kernels that know no unnamed files. */
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
        return szi_last_error();
    return szi_disk_open_unlinked(directory);
}

static int64_t read_at(void *self, int fd, void *to, size_t size,
                       uint64_t offset)
{
    (void)self;
    ssize_t done = pread(fd, to, size, (off_t)offset);
    return done >= 0 ? done : szi_last_error();
}

/* A write beyond RLIMIT_FSIZE raises SIGXFSZ, which would end the process.  It
 * is blocked during the write, and consumed if the write has raised it. */
static int64_t write_at(void *self, int fd, const void *from, size_t size,
                        uint64_t offset)
{
    (void)self;
    const struct timespec at_once = {0};
    sigset_t excess, before;
    sigemptyset(&excess);
    sigaddset(&excess, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &excess, &before);
    ssize_t done = pwrite(fd, from, size, (off_t)offset);
    int code = done < 0 ? szi_last_error() : 0;
    if (code == SZ_EFBIG && !sigismember(&before, SIGXFSZ))
        sigtimedwait(&excess, NULL, &at_once);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code != 0 ? code : done;
}

static int truncate_file(void *self, int fd, uint64_t length)
{
    (void)self;
    return ftruncate(fd, (off_t)length) == 0 ? 0 : szi_last_error();
}

static void close_file(void *self, int fd)
{
    (void)self;
    close(fd);
}

const szi_disk szi_disk_system = {open_file,     read_at,    write_at,
                                  truncate_file, close_file, NULL};

int szi_disk_open(const szi_disk *disk, const char *directory)
{
    int fd;
    SZI_DISK_RETRY(fd, disk->open(disk->self, directory));
    return fd;
}

/* Opening is not enough: a file system without space still creates files. */
int szi_disk_try(const szi_disk *disk, const char *directory)
{
    static const unsigned char page[4096];
    int fd = szi_disk_open(disk, directory);
    if (fd < 0)
        return fd;
    int64_t done;
    SZI_DISK_RETRY(done, disk->write(disk->self, fd, page, sizeof page, 0));
    disk->close(disk->self, fd);
    return done > 0 ? 0 : done < 0 ? (int)done : SZ_EIO;
}
