/* The clock, and the plain blocking waits for C programs and tests. */

#include "internal.h"

#include <poll.h>
#include <time.h>

int64_t sz_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int sz_wait(int fd, int timeout)
{
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    int n = poll(&watched, 1, timeout);
    if (n < 0)
        return szi_last_error();
    if (watched.revents & POLLNVAL)
        return SZ_EBADF;
    return n == 0 ? SZ_EAGAIN : 0;
}

int sz_socket_wait(sz_socket handle, int events, int timeout)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL)
        return szi_socket_refuse(handle);
    if (events & SZ_IN && szi_put_back(socket))
        return SZ_IN;
    if (socket->offload != NULL)
        return szi_offload_wait(socket, events, timeout);
    zmq_pollitem_t item = {.socket = socket->zmq, .events = (short)events};
    int n = zmq_poll(&item, 1, timeout);
    int code = n < 0 ? szi_last_error() : n == 0 ? SZ_EAGAIN : item.revents;
    szi_socket_touched(socket);
    return code;
}
