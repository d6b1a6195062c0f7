/* Multicast endpoints.  libzmq finds most mistakes only in its own thread,
 * where it ends the process, so they are looked for here first. */

#include "multicast.h"
#include "descriptor.h"
#include "error.h"

#include <arpa/inet.h>
#include <limits.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PGM_PROTOCOL = 113,
    DESCRIPTORS = 24 /* a PGM or NORM engine opens fewer */
};

/* An endpoint without its transport: "" as interface is the system's
 * choice. */
typedef struct {
    char interface[64];
    char host[64];
    int port;
} place;

static bool copy(char to[64], const char *from, size_t length)
{
    if (length >= 64)
        return false;
    memcpy(to, from, length);
    to[length] = '\0';
    return true;
}

/* Parses "[interface;]host:port". */
static bool parse(const char *text, place *found)
{
    const char *semicolon = strchr(text, ';');
    size_t length = semicolon != NULL ? (size_t)(semicolon - text) : 0;
    if (!copy(found->interface, text, length))
        return false;
    const char *host = semicolon != NULL ? semicolon + 1 : text;
    const char *colon = strrchr(host, ':');
    if (colon == NULL || colon == host || colon[1] < '0' || colon[1] > '9' ||
        !copy(found->host, host, (size_t)(colon - host)))
        return false;
    char *end;
    long port = strtol(colon + 1, &end, 10);
    found->port = (int)port;
    return *end == '\0' && port > 0 && port <= 65535;
}

static int option(void *zmq, int number)
{
    int value = 0;
    size_t size = sizeof value;
    zmq_getsockopt(zmq, number, &value, &size);
    return value;
}

/* Whether a socket can be opened and, unless `port` is 0, bound to the
 * port. */
static int try_socket(int family, int type, int protocol, int port,
                      bool shared)
{
    int fd = socket(family, type | SOCK_CLOEXEC, protocol);
    if (fd < 0)
        return -errno;
    int on = 1, code = 0;
    struct sockaddr_in v4 = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
                              .sin6_port = htons((uint16_t)port)};
    if (shared) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
#ifdef SO_REUSEPORT
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
#endif
    }
    int failed = port == 0 ? 0
                 : family == AF_INET6
                     ? bind(fd, (struct sockaddr *)&v6, sizeof v6)
                     : bind(fd, (struct sockaddr *)&v4, sizeof v4);
    if (failed)
        code = -errno;
    close(fd);
    return code;
}

/* Whether the endpoint's interface, given by name or address, can join the
 * group. */
static int try_group(const place *at, struct in_addr group)
{
    struct ip_mreqn request = {.imr_multiaddr = group};
    if (at->interface[0] != '\0' &&
        inet_pton(AF_INET, at->interface, &request.imr_address) != 1) {
        request.imr_ifindex = (int)if_nametoindex(at->interface);
        if (request.imr_ifindex == 0)
            return SZ_ENODEV;
    }
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int code = 0;
    if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request,
                   sizeof request) != 0 ||
        setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &request,
                   sizeof request) != 0)
        code = -errno;
    close(fd);
    return code;
}

static int try_group6(const place *at, struct in6_addr group)
{
    struct ipv6_mreq request = {.ipv6mr_multiaddr = group};
    if (at->interface[0] != '\0') {
        request.ipv6mr_interface = if_nametoindex(at->interface);
        if (request.ipv6mr_interface == 0)
            return SZ_ENODEV;
    }
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int code = setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request,
                          sizeof request) == 0
                   ? 0
                   : -errno;
    close(fd);
    return code;
}

/* NORM would resolve names in libzmq's thread, so only numeric addresses are
 * accepted. */
static int check_norm(const char *address)
{
    place at;
    struct in_addr v4;
    struct in6_addr v6;
    const char *comma = strchr(address, ',');
    size_t digits = strspn(address, "0123456789");
    if (comma != NULL && (digits == 0 || address + digits != comma))
        return SZ_EMULTICAST;
    if (!parse(comma != NULL ? comma + 1 : address, &at))
        return SZ_EMULTICAST;
    bool six = inet_pton(AF_INET6, at.host, &v6) == 1;
    if (!six && inet_pton(AF_INET, at.host, &v4) != 1)
        return SZ_EMULTICAST;
    bool group = six ? v6.s6_addr[0] == 0xFF : IN_MULTICAST(ntohl(v4.s_addr));
    int code =
        try_socket(six ? AF_INET6 : AF_INET, SOCK_DGRAM, 0, at.port, group);
    if (code != 0 || !group)
        return code;
    return six ? try_group6(&at, v6) : try_group(&at, v4);
}

/* libzmq checks the address itself, in the calling thread. */
static int check_pgm(void *zmq, const char *address, bool raw)
{
    place at;
    if (!parse(address, &at))
        return SZ_EMULTICAST;
    int rate = option(zmq, ZMQ_RATE);
    if (rate > INT_MAX / 1000 ||
        rate * 125 < option(zmq, ZMQ_MULTICAST_MAXTPDU))
        return SZ_ERATE;
    return raw ? try_socket(AF_INET, SOCK_RAW, PGM_PROTOCOL, 0, true)
               : try_socket(AF_INET, SOCK_DGRAM, 0, at.port, true);
}

int szi_multicast_check(void *zmq, const char *endpoint)
{
    const char *address = strstr(endpoint, "://") + 3;
    bool norm = strncmp(endpoint, "norm://", 7) == 0;
    bool pgm = strncmp(endpoint, "pgm://", 6) == 0;
    bool epgm = strncmp(endpoint, "epgm://", 7) == 0;
    int type = option(zmq, ZMQ_TYPE);
    bool fits = type == ZMQ_PUB || type == ZMQ_SUB || type == ZMQ_XPUB ||
                type == ZMQ_XSUB;
    if (!(norm || pgm || epgm) || !fits || !sz_has(norm ? "norm" : "pgm"))
        return 0;
    int code = szi_descriptors_check(DESCRIPTORS);
    if (code != 0)
        return code;
    return norm ? check_norm(address) : check_pgm(zmq, address, pgm);
}
