/* The plain blocking wait for C programs and tests. */

#include "internal.h"

int sz_socket_wait(sz_socket handle, int events, int timeout)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL)
        return szi_socket_refuse(handle);
    if (events & SZ_IN && szi_put_back(socket))
        return SZ_IN;
    if (socket->swap != NULL)
        return szi_socket_await(socket, events, timeout);
    zmq_pollitem_t item = {.socket = socket->zmq, .events = (short)events};
    int n = zmq_poll(&item, 1, timeout);
    int code = n < 0 ? szi_last_error() : n == 0 ? SZ_EAGAIN : item.revents;
    szi_socket_touched(socket);
    return code;
}
