/* Descriptors: how many are left, pipes, and identity. */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* for pipe2 */
#endif

#include "descriptor.h"
#include "error.h"
#include "memory.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* Errors other than these do not tell whether descriptors are free. */
static int explain(int code)
{
    switch (code) {
    case SZ_EMFILE:
        return SZ_EDESCRIPTORS;
    case SZ_ENFILE:
    case SZ_ENOMEM:
        return code;
    default:
        return 0;
    }
}

int szi_descriptors_check(int64_t count)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
        (rlim_t)count > limit.rlim_cur)
        return SZ_EDESCRIPTORS;
    int *fds = szi_resize(NULL, (size_t)count * sizeof *fds);
    if (fds == NULL)
        return SZ_ENOMEM;
    int got = 0, code = 0;
    while (got < count && code == 0) {
        SZI_UNINTERRUPTED(fds[got], open("/", O_RDONLY | O_CLOEXEC));
        if (fds[got] >= 0)
            got++;
        else
            code = szi_last_error();
    }
    for (int i = 0; i < got; i++)
        close(fds[i]);
    szi_free(fds);
    return explain(code);
}

int szi_socket_missing(void)
{
    int code = szi_last_error();
    if (code != SZ_EMFILE)
        return code;
    code = szi_descriptors_check(1);
    return code == 0 ? SZ_ESOCKETS : code;
}

/* pipe2 leaves no moment in which another thread's fork and exec could inherit
 * the descriptors. */
#if defined __linux__ || defined __FreeBSD__ || defined __NetBSD__ ||         \
    defined __OpenBSD__ || defined __DragonFly__
int szi_pipe(int fds[2])
{
    return pipe2(fds, O_CLOEXEC) == 0 ? 0 : szi_last_error();
}
#else
int szi_pipe(int fds[2])
{
    if (pipe(fds) != 0)
        return szi_last_error();
    for (int i = 0; i < 2; i++)
        fcntl(fds[i], F_SETFD, FD_CLOEXEC);
    return 0;
}
#endif

/* Nobody reads the byte.  If the pipe has no room for it, the other end is
 * readable already. */
void szi_pipe_end(int *fd)
{
    ssize_t written = write(*fd, "", 1);
    (void)written;
    close(*fd);
    *fd = -1;
}

int64_t szi_descriptor_id(int fd)
{
    char path[40], line[80];
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    FILE *info = fopen(path, "re");
    if (info == NULL)
        return fcntl(fd, F_GETFD) == -1 ? SZI_NO_EVENTFD : SZI_UNKNOWN;
    int64_t id = SZI_NO_EVENTFD;
    while (id < 0 && fgets(line, sizeof line, info) != NULL)
        if (sscanf(line, "eventfd-id: %" SCNd64, &id) != 1)
            id = SZI_NO_EVENTFD;
    if (id < 0 && !feof(info))
        id = SZI_UNKNOWN;
    fclose(info);
    return id;
}
