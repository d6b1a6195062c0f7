/* What a socket has done since it was made.  The counts are kept where things
 * are done: transfer.c, proxy.c. */

#include "internal.h"

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
