/* Key files: small files that are read and replaced as a whole. */

#include "error.h"
#include "memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, char *data, size_t room)
{
    size_t size = 0;
    while (size < room) {
        ssize_t n;
        SZI_UNINTERRUPTED(n, read(fd, data + size, room - size));
        if (n < 0)
            return szi_last_error();
        if (n == 0)
            return (int)size;
        size += (size_t)n;
    }
    return SZ_EKEYFILE;
}

/* Whether anybody but us and root can read or change the file. */
static bool is_exposed(const struct stat *file)
{
    bool foreign = file->st_uid != geteuid() && file->st_uid != 0;
    return foreign || (file->st_mode & (S_IRWXG | S_IRWXO)) != 0;
}

/* O_NONBLOCK and the check for a regular file: a FIFO or a device could block
 * the caller. */
int sz_keyfile_load(const char *path, char data[SZ_KEYFILE_ROOM],
                    bool *exposed)
{
    struct stat found;
    *exposed = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return szi_last_error();
    int code = fstat(fd, &found) != 0   ? szi_last_error()
               : S_ISREG(found.st_mode) ? read_all(fd, data, SZ_KEYFILE_ROOM)
                                        : SZ_EKEYFILE;
    if (code >= 0)
        *exposed = is_exposed(&found);
    close(fd);
    return code;
}

int sz_keyfile_read(const char *path, char data[SZ_KEYFILE_ROOM])
{
    bool exposed;
    return sz_keyfile_load(path, data, &exposed);
}

static int write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n;
        SZI_UNINTERRUPTED(n, write(fd, data, size));
        if (n < 0)
            return szi_last_error();
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

static int fill(int fd, const void *data, size_t size, bool secret)
{
    int code = write_all(fd, data, size);
    if (code == 0 && !secret && fchmod(fd, 0644) != 0)
        code = szi_last_error();
    if (code == 0 && fsync(fd) != 0)
        code = szi_last_error();
    return code;
}

/* mkostemp makes a file that only its owner can read. */
int sz_keyfile_save(const char *path, const void *data, size_t size,
                    bool secret)
{
    static const char suffix[] = ".XXXXXX";
    size_t length = strlen(path);
    if (size >= SZ_KEYFILE_ROOM)
        return SZ_EKEYFILE;
    char *other = szi_new(length + sizeof suffix);
    if (other == NULL)
        return SZ_ENOMEM;
    memcpy(other, path, length);
    memcpy(other + length, suffix, sizeof suffix);
    int fd = mkostemp(other, O_CLOEXEC);
    int code = fd < 0 ? szi_last_error() : fill(fd, data, size, secret);
    if (fd >= 0 && close(fd) != 0 && code == 0)
        code = szi_last_error();
    if (code == 0 && rename(other, path) != 0)
        code = szi_last_error();
    if (code != 0 && fd >= 0)
        unlink(other);
    szi_free(other);
    return code;
}

int sz_keyfile_stamp(const char *path, sz_stamp *stamp)
{
    struct stat found;
    memset(stamp, 0, sizeof *stamp);
    if (stat(path, &found) != 0)
        return szi_last_error();
    const int64_t second = 1000000000;
    *stamp = (sz_stamp){
        .device = (uint64_t)found.st_dev,
        .inode = (uint64_t)found.st_ino,
        .size = found.st_size,
        .modified = found.st_mtim.tv_sec * second + found.st_mtim.tv_nsec,
        .changed = found.st_ctim.tv_sec * second + found.st_ctim.tv_nsec,
        .regular = S_ISREG(found.st_mode),
    };
    return 0;
}
