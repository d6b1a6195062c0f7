/* What a socket has sent and received since it was made. */

#include "statistics.h"

int sz_socket_statistics(sz_socket handle, sz_statistics *found)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL)
        return szi_socket_refuse(handle);
    *found = socket->counts;
    return 0;
}

void sz_socket_waited(sz_socket handle)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket != NULL)
        socket->counts.waits++;
}

int szi_count_sent(szi_socket *socket, int code, size_t size)
{
    if (code == 0) {
        socket->counts.sent++;
        socket->counts.sent_bytes += size;
    } else if (code == SZ_EAGAIN) {
        socket->counts.send_eagains++;
    }
    return code;
}

void szi_count_received(szi_socket *socket)
{
    socket->counts.received++;
    for (size_t i = 0; i < socket->held; i++)
        socket->counts.received_bytes += zmq_msg_size(szi_part_at(socket, i));
}
