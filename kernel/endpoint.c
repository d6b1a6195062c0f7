/* Checks of endpoints.  libzmq accepts port 99999, cuts an endpoint at a NUL,
 * and removes any file at the path of an ipc endpoint that is bound. */

#include "endpoint.h"
#include "error.h"
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char ipc[] = "ipc://";

void szi_endpoints_free(szi_list *endpoints)
{
    szi_endpoint *endpoint;
    while ((endpoint = SZI_FIRST(endpoints, szi_endpoint, link)) != NULL) {
        szi_list_remove(endpoints, &endpoint->link);
        szi_free(endpoint->given);
        szi_free(endpoint);
    }
}

static bool begins(const char *text, size_t length, const char *prefix)
{
    size_t size = strlen(prefix);
    return length >= size && memcmp(text, prefix, size) == 0;
}

bool szi_endpoint_inproc(const char *endpoint)
{
    return begins(endpoint, strlen(endpoint), "inproc://");
}

bool szi_endpoint_connected(const char *endpoint)
{
    size_t length = strlen(endpoint);
    return szi_endpoint_addressed(endpoint) || begins(endpoint, length, ipc) ||
           begins(endpoint, length, "tipc://");
}

static bool is_websocket(const char *endpoint, size_t length)
{
    return begins(endpoint, length, "ws://") ||
           begins(endpoint, length, "wss://");
}

bool szi_endpoint_websocket(const char *endpoint)
{
    return is_websocket(endpoint, strlen(endpoint));
}

static bool has_port(const char *endpoint, size_t length)
{
    return begins(endpoint, length, "tcp://") ||
           is_websocket(endpoint, length);
}

bool szi_endpoint_addressed(const char *endpoint)
{
    return has_port(endpoint, strlen(endpoint));
}

/* The number of bytes before the last colon; `length` if there is none. */
static size_t host_length(const char *address, size_t length)
{
    size_t i = length;
    while (i > 0 && address[i - 1] != ':')
        i--;
    return i == 0 ? length : i - 1;
}

/* The port of a text of digits; -1 if it is none. */
static long parse_port(const char *text, size_t length)
{
    long port = length == 0 ? -1 : 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        port = port * 10 + (text[i] - '0');
        if (port > 65535)
            return -1;
    }
    return port;
}

/* libzmq finds out about the source address whenever it tries to connect. */
static int check_source(const char *source, size_t length)
{
    size_t host = host_length(source, length);
    if (host == length || host == 0)
        return SZ_ESOURCE;
    const char *port = source + host + 1;
    size_t digits = length - host - 1;
    bool any = digits == 1 && *port == '*';
    return any || parse_port(port, digits) >= 0 ? 0 : SZ_ESOURCE;
}

/* Checks host:port.  A path may follow, and a source address stand before. */
static int check_host(const char *address, size_t length, bool bound)
{
    const char *slash = memchr(address, '/', length);
    if (slash != NULL)
        length = (size_t)(slash - address);
    if (memchr(address, '@', length) != NULL)
        return SZ_EUSER;
    const char *semicolon = bound ? NULL : memchr(address, ';', length);
    if (semicolon != NULL) {
        size_t source = (size_t)(semicolon - address);
        int code = check_source(address, source);
        if (code < 0)
            return code;
        address += source + 1;
        length -= source + 1;
    }
    size_t host = host_length(address, length);
    if (!bound && host == 1 && *address == '*')
        return SZ_EANYHOST;
    if (host == length || host == 0)
        return SZ_EENDPOINT;
    const char *port = address + host + 1;
    size_t digits = length - host - 1;
    if (bound && digits == 1 && *port == '*')
        return 0;
    long number = parse_port(port, digits);
    return number < (bound ? 0 : 1) ? SZ_EPORT : 0;
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
    if (has_port(endpoint, length))
        return check_host(address, rest, bound);
    if (begins(endpoint, length, ipc)) {
        const struct sockaddr_un *un = NULL;
        if (rest >= sizeof un->sun_path)
            return SZ_EPATH;
        if (rest == 1 && *address == '@')
            return SZ_EABSTRACT;
    }
    return 0;
}

/* Why no file can be made at the path of an ipc endpoint. */
static int explain_path(const char *endpoint)
{
    const char *path = endpoint + sizeof ipc - 1;
    const char *slash = strrchr(path, '/');
    char directory[sizeof((struct sockaddr_un *)NULL)->sun_path] = "./";
    if (strlen(path) >= sizeof directory)
        return SZ_ENAMETOOLONG;
    if (slash != NULL)
        snprintf(directory, sizeof directory, "%.*s", (int)(slash - path) + 1,
                 path);
    return access(directory, W_OK | X_OK) == 0 ? SZ_EENDPOINT
                                               : szi_last_error();
}

int szi_endpoint_explain(const char *endpoint, int code)
{
    size_t length = strlen(endpoint);
    if (begins(endpoint, length, "tipc://"))
        return code == SZ_EAGAIN || code == SZ_EINVAL ? SZ_ETIPC : code;
    if (code == SZ_EINVAL && is_websocket(endpoint, length))
        return SZ_EHOST;
    if (code != SZ_EAGAIN)
        return code;
    return begins(endpoint, length, ipc) ? explain_path(endpoint) : SZ_ENODEV;
}

/* An address that libzmq may write otherwise. */
typedef struct {
    struct sockaddr_in6 at; /* IPv4 as mapped; 0.0.0.0 as :: */
    const char *path;       /* of ws */
} numeric;

static bool put_address(const struct sockaddr *from, struct sockaddr_in6 *to)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct sockaddr_in four;
    memset(to, 0, sizeof *to);
    if (from->sa_family == AF_INET6) {
        struct sockaddr_in6 six;
        memcpy(&six, from, sizeof six);
        to->sin6_addr = six.sin6_addr;
        to->sin6_port = six.sin6_port;
        to->sin6_scope_id = six.sin6_scope_id;
        return true;
    }
    if (from->sa_family != AF_INET)
        return false;
    memcpy(&four, from, sizeof four);
    to->sin6_port = four.sin_port;
    if (four.sin_addr.s_addr != htonl(INADDR_ANY)) {
        memcpy(&to->sin6_addr, mapped, sizeof mapped);
        memcpy((char *)&to->sin6_addr + sizeof mapped, &four.sin_addr,
               sizeof four.sin_addr);
    }
    return true;
}

/* Reads an address of numbers, behind transport://.  No name is looked up. */
static bool read_numeric(const char *address, numeric *found)
{
    char host[128];
    size_t length = strcspn(address, "/");
    if (length >= sizeof host)
        return false;
    memcpy(host, address, length);
    host[length] = '\0';
    char *port = strrchr(host, ':'), *start = host;
    if (port == NULL)
        return false;
    *port = '\0';
    if (*host == '[' && port > host + 1 && port[-1] == ']') {
        port[-1] = '\0';
        start++;
    }
    struct addrinfo *list, hints = {.ai_socktype = SOCK_STREAM};
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    if (getaddrinfo(strcmp(start, "*") == 0 ? "0.0.0.0" : start, port + 1,
                    &hints, &list) != 0)
        return false;
    bool known = put_address(list->ai_addr, &found->at);
    freeaddrinfo(list);
    found->path = address[length] != '\0' ? address + length : "/";
    return known;
}

bool szi_endpoint_same(const char *a, const char *b)
{
    numeric x, y;
    size_t scheme = strcspn(a, ":") + 3;
    if (strcmp(a, b) == 0)
        return true;
    return szi_endpoint_addressed(a) && strncmp(a, b, scheme) == 0 &&
           read_numeric(a + scheme, &x) && read_numeric(b + scheme, &y) &&
           memcmp(&x.at, &y.at, sizeof x.at) == 0 &&
           strcmp(x.path, y.path) == 0;
}

/* Whether a process accepts connections at the address.  The socket of a
 * process that has ended refuses them. */
static bool answers(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0)
        return false;
    bool ready = fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
                 fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
    int done =
        ready ? connect(fd, (const struct sockaddr *)address, sizeof *address)
              : -1;
    bool answered = done == 0 || (ready && errno == EAGAIN);
    close(fd);
    return answered;
}

int szi_ipc_check(const char *endpoint)
{
    const char *path = endpoint + sizeof ipc - 1;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat found;
    if (!begins(endpoint, strlen(endpoint), ipc) || *path == '@' ||
        *path == '*' || strlen(path) >= sizeof address.sun_path ||
        lstat(path, &found) != 0)
        return 0;
    strcpy(address.sun_path, path);
    bool replaced = S_ISSOCK(found.st_mode) || S_ISLNK(found.st_mode);
    return replaced && !answers(&address) ? 0 : SZ_EADDRINUSE;
}
