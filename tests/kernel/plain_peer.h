/* A peer that speaks ZMTP 3.0 itself, over a plain TCP connection. */
#ifndef PLAIN_PEER_H
#define PLAIN_PEER_H

#include "support.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* Connects to a tcp endpoint, and sends greeting and READY of a peer of this
 * type.  The answers are left to be read. */
static inline int plain_peer(const char *endpoint, const char *type)
{
    static const char greeting[64] = "\xff\0\0\0\0\0\0\0\1\x7f\3\0NULL";
    static const char head[] = "\5READY\xbSocket-Type\0\0\0";
    char ready[64] = {4};
    size_t size = 2 + sizeof head - 1, length = strlen(type);
    memcpy(ready + 2, head, sizeof head - 1);
    ready[size++] = (char)length;
    memcpy(ready + size, type, length);
    size += length;
    ready[1] = (char)(size - 2);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct timeval patience = {.tv_sec = DEADLINE / 1000};
    to.sin_port = htons((uint16_t)atoi(strrchr(endpoint, ':') + 1));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience),
        0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(write(fd, greeting, sizeof greeting), sizeof greeting);
    assert_int_equal(write(fd, ready, size), size);
    return fd;
}

#endif
