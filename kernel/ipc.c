#include "ipc.h"
#include "endpoint.h"
#include "memory.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/sockios.h> /* SIOCOUTQ */
#endif

static const char scheme[] = "ipc://";

static bool is_ipc(const szi_endpoint *endpoint)
{
    return strncmp(endpoint->real, scheme, sizeof scheme - 1) == 0;
}

bool szi_ipc_any(const szi_list *endpoints)
{
    SZI_EACH (e, endpoints, szi_endpoint, link)
        if (is_ipc(e))
            return true;
    return false;
}

bool szi_ipc_connecting(const szi_ipc *ipc, const szi_list *endpoints)
{
    int wanted = 0;
    SZI_EACH (e, endpoints, szi_endpoint, link) {
        if (e->bound)
            return false;
        wanted += is_ipc(e);
    }
    return ipc->count / 2 < wanted;
}

static bool same_file(int a, int b)
{
    struct stat x, y;
    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
}

/* The peer may have written the directory in another way. */
static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* Whether the address is that of the endpoint's path.  In the address of
 * "@name" a NUL stands for the "@". */
static bool names(const struct sockaddr_un *address, socklen_t length,
                  const char *path)
{
    size_t size = length - offsetof(struct sockaddr_un, sun_path);
    char name[sizeof address->sun_path + 1] = {0};
    if (length <= offsetof(struct sockaddr_un, sun_path))
        return false;
    memcpy(name, address->sun_path, size);
    if (name[0] == '\0')
        name[0] = '@';
    return strcmp(last_name(name), last_name(path)) == 0;
}

/* An accepted connection has the address of its listener, one that was
 * connected has none of its own. */
static bool belongs(int fd, const szi_list *endpoints)
{
    struct sockaddr_un own, peer;
    socklen_t own_length = sizeof own, peer_length = sizeof peer;
    if (getsockname(fd, (struct sockaddr *)&own, &own_length) != 0 ||
        own.sun_family != AF_UNIX ||
        getpeername(fd, (struct sockaddr *)&peer, &peer_length) != 0)
        return false;
    SZI_EACH (e, endpoints, szi_endpoint, link) {
        const char *path = e->real + sizeof scheme - 1;
        if (is_ipc(e) && (e->bound ? names(&own, own_length, path)
                                   : names(&peer, peer_length, path)))
            return true;
    }
    return false;
}

static bool is_held(const szi_ipc *ipc, int fd)
{
    for (int i = 0; i < ipc->count; i += 2)
        if (same_file(fd, ipc->held[i + 1]))
            return true;
    return false;
}

static void hold(szi_ipc *ipc, int fd)
{
    if (ipc->count == ipc->room) {
        int room = 2 * ipc->room + 8;
        int *larger = szi_resize(ipc->held, (size_t)room * sizeof *larger);
        if (larger == NULL)
            return;
        ipc->held = larger;
        ipc->room = room;
    }
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        return;
    ipc->held[ipc->count++] = fd;
    ipc->held[ipc->count++] = copy;
}

void szi_ipc_hold(szi_ipc *ipc, const szi_list *endpoints)
{
    DIR *all = opendir("/proc/self/fd");
    if (all == NULL)
        return;
    struct dirent *entry;
    while ((entry = readdir(all)) != NULL) {
        int fd = atoi(entry->d_name);
        if (belongs(fd, endpoints) && !is_held(ipc, fd))
            hold(ipc, fd);
    }
    closedir(all);
}

/* Whether the peer has not read all yet.  Until it has, the bytes that were
 * sent count as in the queue. */
static bool is_unread(int fd)
{
#ifdef SIOCOUTQ
    int size;
    return ioctl(fd, SIOCOUTQ, &size) == 0 && size > 0;
#else
    (void)fd;
    return false;
#endif
}

int szi_ipc_unread(szi_ipc *ipc, bool gone)
{
    int left = 0;
    for (int i = 0; i < ipc->count; i += 2) {
        int fd = ipc->held[i], copy = ipc->held[i + 1];
        if (same_file(fd, copy) ? gone : !is_unread(copy)) {
            close(copy);
            continue;
        }
        ipc->held[left++] = fd;
        ipc->held[left++] = copy;
    }
    ipc->count = left;
    return left / 2;
}

void szi_ipc_free(szi_ipc *ipc)
{
    for (int i = 0; i < ipc->count; i += 2)
        close(ipc->held[i + 1]);
    szi_free(ipc->held);
    *ipc = (szi_ipc){0};
}
