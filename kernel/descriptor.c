/* Descriptors: whether there are any left, where libzmq would abort; pipes;
 * and which is which. */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* pipe2 */
#endif

#include "internal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

bool szi_descriptors_free(int64_t count)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
        (rlim_t)count > limit.rlim_cur)
        return false;
    int *fds = szi_resize(NULL, (size_t)count * sizeof *fds);
    if (fds == NULL)
        return false;
    int got = 0;
    while (got < count && (fds[got] = open("/", O_RDONLY | O_CLOEXEC)) >= 0)
        got++;
    for (int i = 0; i < got; i++)
        close(fds[i]);
    szi_free(fds);
    return got == count;
}

/* With pipe2 no other thread's fork and exec comes in between. */
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

/* The byte is never read: where there is no room for it, the pipe is readable
 * already. */
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
        return -1;
    int64_t id = -1;
    while (id < 0 && fgets(line, sizeof line, info) != NULL)
        if (sscanf(line, "eventfd-id: %" SCNd64, &id) != 1)
            id = -1;
    fclose(info);
    return id;
}
