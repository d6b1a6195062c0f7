/* Checks of endpoints and descriptors that libzmq leaves out: it accepts port
 * 99999, cuts at a NUL, and aborts where it finds no descriptor. */

#include "internal.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <unistd.h>

static bool begins(const char *text, size_t length, const char *prefix)
{
    size_t size = strlen(prefix);
    return length >= size && memcmp(text, prefix, size) == 0;
}

bool szi_endpoint_inproc(const char *endpoint)
{
    return begins(endpoint, strlen(endpoint), "inproc://");
}

/* The port behind the last colon of an address; a path may follow it. */
static int check_port(const char *address, size_t length, bool bound)
{
    const char *slash = memchr(address, '/', length);
    if (slash != NULL)
        length = (size_t)(slash - address);
    size_t i = length;
    while (i > 0 && address[i - 1] != ':')
        i--;
    if (i == 0)
        return SZ_EENDPOINT;
    if (bound && i + 1 == length && address[i] == '*')
        return 0;
    if (i == length)
        return SZ_EPORT;
    long port = 0;
    for (; i < length; i++) {
        if (address[i] < '0' || address[i] > '9')
            return SZ_EPORT;
        port = port * 10 + (address[i] - '0');
        if (port > 65535)
            return SZ_EPORT;
    }
    return port == 0 && !bound ? SZ_EPORT : 0;
}

int szi_endpoint_check(const char *endpoint, size_t length, bool bound)
{
    if (memchr(endpoint, '\0', length) != NULL)
        return SZ_ENUL;
    size_t i = 0;
    while (i + 2 < length && memcmp(endpoint + i, "://", 3) != 0)
        i++;
    if (i == 0 || i + 3 >= length)
        return SZ_EENDPOINT;
    const char *address = endpoint + i + 3;
    size_t rest = length - i - 3;
    if (begins(endpoint, length, "tcp://") ||
        begins(endpoint, length, "ws://") ||
        begins(endpoint, length, "wss://"))
        return check_port(address, rest, bound);
    if (begins(endpoint, length, "ipc://")) {
        const struct sockaddr_un *un = NULL;
        if (rest >= sizeof un->sun_path)
            return SZ_EPATH;
    }
    return 0;
}

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

int szi_pipe(int fds[2])
{
    if (pipe(fds) != 0)
        return szi_last_error();
    for (int i = 0; i < 2; i++)
        fcntl(fds[i], F_SETFD, FD_CLOEXEC);
    return 0;
}
