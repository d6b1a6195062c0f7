/* The clock, and waiting for one descriptor. */

#include "clock.h"
#include "error.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

int64_t szi_microseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t sz_now(void)
{
    return szi_microseconds() / 1000;
}

int sz_wait(int fd, int timeout)
{
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    if (fd < 0) /* poll would ignore it, and only wait */
        return SZ_EBADF;
    int n;
    do
        n = poll(&watched, 1, timeout);
    while (n < 0 && errno == EINTR && timeout == 0);
    if (n < 0)
        return szi_last_error();
    if (watched.revents & POLLNVAL)
        return SZ_EBADF;
    return n == 0 ? SZ_EAGAIN : 0;
}
