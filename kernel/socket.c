/* Sockets: the record, and what libzmq says about it. */

#include "socket.h"
#include "error.h"
#include "memory.h"

#include <errno.h>

int szi_socket_refuse(sz_socket handle)
{
    return szi_handle_refuse(handle.id, SZI_SOCKET);
}

int sz_socket_check(sz_socket handle)
{
    return szi_socket_get(handle) != NULL ? 0 : szi_socket_refuse(handle);
}

const sz_type *sz_socket_type(sz_socket handle)
{
    szi_socket *socket = szi_socket_get(handle);
    return socket != NULL ? socket->type : NULL;
}

int sz_socket_fd(sz_socket handle)
{
    szi_socket *socket = szi_socket_get(handle);
    return socket != NULL ? socket->fd : szi_socket_refuse(handle);
}

int sz_socket_timeout(sz_socket handle, int direction)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL)
        return szi_socket_refuse(handle);
    return direction == SZ_IN ? socket->receive_timeout : socket->send_timeout;
}

void szi_socket_free(szi_socket *socket)
{
    szi_parts_drop(socket);
    zmq_msg_close(&socket->first);
    szi_free(socket->rest);
    szi_name *name;
    while ((name = SZI_FIRST(&socket->names, szi_name, link)) != NULL) {
        szi_list_remove(&socket->names, &name->link);
        szi_free(name);
    }
    szi_free(socket->next_name);
    szi_free(socket->scratch);
    szi_free(socket->swap_directory);
    szi_free(socket);
}

int szi_socket_integer(const szi_socket *socket, int number, int *value)
{
    size_t size = sizeof *value;
    return zmq_getsockopt(socket->zmq, number, value, &size) == 0
               ? 0
               : szi_last_error();
}

/* libzmq does not tell the size of an option, so the buffer is doubled until
 * it fits. */
int szi_socket_read(szi_socket *socket, int number, const void **data,
                    size_t *size)
{
    enum {
        FIRST = 256,
        LAST = 1 << 20
    };
    for (size_t room = FIRST; room <= LAST; room *= 2) {
        char *larger = szi_resize(socket->scratch, room);
        if (larger == NULL)
            return SZ_ENOMEM;
        socket->scratch = larger;
        *size = room;
        if (zmq_getsockopt(socket->zmq, number, larger, size) == 0) {
            *data = larger;
            return 0;
        }
        if (zmq_errno() != EINVAL)
            break;
    }
    return szi_last_error();
}

void szi_parts_drop(szi_socket *socket)
{
    if (socket->held == 0)
        return;
    zmq_msg_close(&socket->first);
    zmq_msg_init(&socket->first);
    for (size_t i = 1; i < socket->held; i++)
        zmq_msg_close(&socket->rest[i - 1]);
    socket->held = 0;
    socket->torn = false;
}

int szi_zmq_events(void *zmq)
{
    int events = 0, failed;
    size_t size = sizeof events;
    SZI_UNINTERRUPTED(failed, zmq_getsockopt(zmq, ZMQ_EVENTS, &events, &size));
    return failed ? szi_last_error() : events;
}

int szi_socket_events(szi_socket *socket)
{
    socket->armed = 0;
    int events = szi_zmq_events(socket->zmq);
    if (events < 0)
        return events;
    return (events & (SZ_IN | SZ_OUT)) | (szi_put_back(socket) ? SZ_IN : 0);
}
