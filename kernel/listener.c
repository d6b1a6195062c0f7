/* The option use-fd. */

#include "listener.h"
#include "error.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void use(szi_socket *socket, int fd)
{
    zmq_setsockopt(socket->zmq, ZMQ_USE_FD, &fd, sizeof fd);
}

static bool begins(const char *endpoint, const char *scheme)
{
    return strncmp(endpoint, scheme, strlen(scheme)) == 0;
}

/* libzmq sets options of TCP on what it accepts, and aborts if the system
 * refuses them. */
static bool fits(int family, const char *endpoint)
{
    if (begins(endpoint, "ipc://"))
        return family == AF_UNIX;
    if (begins(endpoint, "tcp://") || begins(endpoint, "ws://") ||
        begins(endpoint, "wss://"))
        return family == AF_INET || family == AF_INET6;
    return family != AF_UNIX && family != AF_INET && family != AF_INET6;
}

static bool listens(int fd, const char *endpoint)
{
    int listening = 0, type = 0;
    socklen_t size = sizeof listening,
              length = sizeof(struct sockaddr_storage);
    struct sockaddr_storage address = {0};
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 &&
           getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
           getsockname(fd, (struct sockaddr *)&address, &length) == 0 &&
           listening && type == SOCK_STREAM &&
           fits(address.ss_family, endpoint);
}

typedef struct {
    uint64_t id;
    bool found;
} search;

static void search_context(szi_context *context, void *argument)
{
    search *s = argument;
    pthread_mutex_lock(&context->lock);
    SZI_EACH (socket, &context->sockets, szi_socket, link)
        SZI_EACH (e, &socket->endpoints, szi_endpoint, link)
            s->found = s->found || e->listener == s->id;
    pthread_mutex_unlock(&context->lock);
}

/* Two endpoints must not share a socket of the system: accept would block the
 * I/O thread that comes second. */
static bool is_used(uint64_t id)
{
    search s = {id, false};
    szi_context_each(search_context, &s);
    return s.found;
}

int szi_listener_lend(szi_socket *socket, const char *endpoint,
                      szi_listener *listener)
{
    int fd = -1;
    size_t size = sizeof fd;
    struct stat status;
    *listener = (szi_listener){-1, -1, 0};
    if (szi_endpoint_inproc(endpoint) ||
        zmq_getsockopt(socket->zmq, ZMQ_USE_FD, &fd, &size) != 0 || fd == -1)
        return 0;
    if (!listens(fd, endpoint) || fstat(fd, &status) != 0 ||
        is_used(status.st_ino))
        return SZ_ELISTENER;
    int lent = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (lent < 0)
        return szi_last_error();
    *listener = (szi_listener){fd, lent, status.st_ino};
    use(socket, lent);
    return 0;
}

void szi_listener_lent(szi_socket *socket, const szi_listener *listener,
                       bool bound)
{
    if (listener->given == -1)
        return;
    use(socket, bound ? -1 : listener->given);
    if (!bound)
        close(listener->lent);
}
