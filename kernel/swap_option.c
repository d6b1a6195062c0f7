/* The options of a socket's swap, and those that restrict it. */

#include "swap_option.h"
#include "error.h"
#include "memory.h"
#include "swap_socket.h"

#include <stdlib.h>
#include <string.h>

static bool is_encrypted(szi_socket *socket)
{
    return szi_socket_value(socket, ZMQ_MECHANISM) >= ZMQ_CURVE;
}

/* Why the socket in its present state can have no swap, or 0. */
static int why_not(szi_socket *socket)
{
    switch (socket->type->number) {
    case ZMQ_PUSH:
    case ZMQ_DEALER:
    case ZMQ_PAIR:
    case ZMQ_REQ:
    case ZMQ_PUB:
    case ZMQ_XPUB:
        break;
    default:
        return SZ_ESWAPTYPE;
    }
    if (szi_socket_value(socket, ZMQ_SNDHWM) == 0)
        return SZ_ESWAPHWM;
    if (szi_socket_value(socket, ZMQ_CONFLATE) != 0)
        return SZ_ESWAPCONFLATE;
    if (!socket->swap_plaintext && is_encrypted(socket))
        return SZ_ESWAPCURVE;
    return 0;
}

int szi_swap_option_allows(const szi_socket *socket, const sz_option *option,
                           int64_t value)
{
    switch (option->number) {
    case ZMQ_SNDHWM:
        return value == 0 ? SZ_ESWAPHWM : 0;
    case ZMQ_CONFLATE:
        return value != 0 ? SZ_ESWAPCONFLATE : 0;
    case ZMQ_XPUB_NODROP:
        return value == 0 ? SZ_ESWAPNODROP : 0;
    case ZMQ_CURVE_SERVER:
    case ZMQ_GSSAPI_SERVER:
        return value != 0 && !socket->swap_plaintext ? SZ_ESWAPCURVE : 0;
    case ZMQ_CURVE_PUBLICKEY:
    case ZMQ_CURVE_SECRETKEY:
    case ZMQ_CURVE_SERVERKEY:
    case ZMQ_GSSAPI_PRINCIPAL:
    case ZMQ_GSSAPI_SERVICE_PRINCIPAL:
        return !socket->swap_plaintext ? SZ_ESWAPCURVE : 0;
    default:
        return 0;
    }
}

const char *sz_swap_directory(void)
{
    static const char *const names[] = {"ZMQ_SWAP_DIR", "TMPDIR"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *directory = getenv(names[i]);
        if (directory != NULL && *directory != '\0')
            return directory;
    }
    return "/var/tmp";
}

static const char *directory_of(const szi_socket *socket)
{
    return socket->swap_directory != NULL ? socket->swap_directory
                                          : sz_swap_directory();
}

static int explain(int code)
{
    return code == SZ_ENOENT ? SZ_ESWAPDIRECTORY : code;
}

static int set_nodrop(szi_socket *socket, int nodrop)
{
    if (!szi_publishes(socket))
        return 0;
    return zmq_setsockopt(socket->zmq, ZMQ_XPUB_NODROP, &nodrop,
                          sizeof nodrop) == 0
               ? 0
               : szi_last_error();
}

static int turn_on(szi_socket *socket, uint64_t size)
{
    int code = why_not(socket);
    if (code != 0)
        return code;
    szi_swap_socket *o = szi_new(sizeof *o);
    if (o == NULL)
        return SZ_ENOMEM;
    code = szi_swap_new(&szi_disk_system, directory_of(socket), size,
                        SZI_SWAP_BUFFER, &o->queue);
    if (code == 0) {
        code = set_nodrop(socket, 1);
        if (code != 0)
            szi_swap_free(o->queue);
    }
    if (code != 0) {
        szi_free(o);
        return explain(code);
    }
    o->size = size;
    socket->swap = o;
    return 0;
}

static int turn_off(szi_socket *socket)
{
    szi_swap_socket_nudge(socket);
    if (!szi_swap_socket_empty(socket->swap))
        return SZ_ESWAPBUSY;
    int code = set_nodrop(socket, socket->nodrop);
    if (code == 0)
        szi_swap_socket_free(socket);
    return code;
}

static int set_size(szi_socket *socket, int64_t size)
{
    if (socket->swap == NULL)
        return size > 0 ? turn_on(socket, (uint64_t)size) : 0;
    if (size == 0)
        return turn_off(socket);
    socket->swap->size = (uint64_t)size;
    szi_swap_resize(socket->swap->queue, (uint64_t)size);
    return 0;
}

int szi_swap_option_set(szi_socket *socket, const sz_option *option,
                        int64_t value)
{
    if (option->operand == SZI_SWAP_SIZE)
        return set_size(socket, value);
    if (value == 0 && socket->swap != NULL && is_encrypted(socket))
        return SZ_ESWAPCURVE;
    socket->swap_plaintext = value != 0;
    return 0;
}

int64_t szi_swap_option_get(const szi_socket *socket, const sz_option *option)
{
    const szi_swap_socket *o = socket->swap;
    if (option->operand == SZI_SWAP_PLAINTEXT)
        return socket->swap_plaintext;
    if (o == NULL)
        return 0;
    szi_swap_state state = szi_swap_look(o->queue);
    switch (option->operand) {
    case SZI_SWAP_SIZE:
        return (int64_t)o->size;
    case SZI_SWAP_COUNT:
        return (int64_t)state.messages;
    case SZI_SWAP_BYTES:
        return (int64_t)state.bytes;
    case SZI_SWAP_PEAK:
        return (int64_t)state.peak;
    case SZI_SWAP_DROPPED:
        return (int64_t)o->dropped;
    default:
        return (int64_t)state.lost;
    }
}

int szi_swap_option_set_directory(szi_socket *socket, const char *text,
                                  size_t length)
{
    if (socket->swap != NULL)
        return SZ_ESWAPLATE;
    char *copy = NULL;
    if (length > 0) {
        copy = szi_copy_text(text, length);
        if (copy == NULL)
            return SZ_ENOMEM;
        int code = szi_disk_try(&szi_disk_system, copy);
        if (code != 0) {
            szi_free(copy);
            return explain(code);
        }
    }
    szi_free(socket->swap_directory);
    socket->swap_directory = copy;
    return 0;
}

const char *szi_swap_option_text(const szi_socket *socket,
                                 const sz_option *option)
{
    if (option->operand == SZI_SWAP_DIRECTORY)
        return socket->swap_directory != NULL ? socket->swap_directory : "";
    int error =
        socket->swap != NULL ? szi_swap_look(socket->swap->queue).error : 0;
    return error != 0 ? sz_error_symbol(error) : "";
}
