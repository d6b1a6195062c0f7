/* The options of sockets: the rows of option.def, applied by libzmq. */

#include "error.h"
#include "inproc.h"
#include "memory.h"
#include "option_table.h"
#include "peer_name.h"
#include "socket.h"
#include "subscription.h"
#include "swap_option.h"
#include "use.h"

#include <errno.h>
#include <string.h>

static int read_key(szi_socket *socket, int number, const void **data,
                    size_t *size)
{
    enum {
        ROOM = SZ_KEY_TEXT + 1 /* libzmq returns Z85 only to exactly this */
    };
    char *larger = szi_resize(socket->scratch, ROOM);
    if (larger == NULL)
        return SZ_ENOMEM;
    socket->scratch = larger;
    *data = larger;
    *size = ROOM;
    int failed = zmq_getsockopt(socket->zmq, number, larger, size);
    return failed ? szi_last_error() : 0;
}

static int read_bytes(szi_socket *socket, const sz_option *option,
                      const void **data, size_t *size)
{
    return option->type == SZ_KEY
               ? read_key(socket, option->number, data, size)
               : szi_socket_read(socket, option->number, data, size);
}

/* What an error of libzmq means after our own checks.  EINVAL means that this
 * libzmq does not have the option, unless the checks cannot see every wrong
 * value.  Then reading the option tells which it is. */
static int explain(szi_socket *socket, const sz_option *option, char access,
                   int code)
{
    const void *data;
    size_t size;
    if (code != SZ_EINVAL)
        return code;
    if (access == 'w' && socket->type->number == ZMQ_XPUB &&
        (option->number == ZMQ_SUBSCRIBE || option->number == ZMQ_UNSUBSCRIBE))
        return SZ_EMANUAL;
    if (access == 'r' || !szi_option_partial(option) ||
        option->rule == SZI_PROPERTY || strcmp(option->needs, "draft") == 0)
        return SZ_EUNSUPPORTED;
    if (strchr(option->access, 'r') != NULL &&
        read_bytes(socket, option, &data, &size) == SZ_EINVAL)
        return SZ_EUNSUPPORTED;
    return option->type == SZ_KEY ? SZ_EKEY : code;
}

static int write_integer(szi_socket *socket, const sz_option *option,
                         int number, int64_t value)
{
    int narrow = (int)value;
    size_t width = szi_option_width(option);
    const void *from = width == sizeof narrow ? (const void *)&narrow : &value;
    if (zmq_setsockopt(socket->zmq, number, from, width) != 0)
        return explain(socket, option, 'w', szi_last_error());
    return 0;
}

/* Options that are SZI_AS_ZERO have numbers below 64. */
static uint64_t zero_bit(const sz_option *option)
{
    return option->rule == SZI_AS_ZERO ? UINT64_C(1) << option->number : 0;
}

/* Whether setting the option sets this number. */
static bool sets(const sz_option *option, int number)
{
    return option->number == number ||
           (option->rule == SZI_ALSO && option->operand == number);
}

/* Records what the kernel later needs without asking libzmq. */
static void remember(szi_socket *socket, const sz_option *option,
                     int64_t value)
{
    if (socket->kept != 0 && sets(option, socket->kept))
        socket->kept_mark = (int)value;
    socket->zeros &= ~zero_bit(option);
    if (value == 0)
        socket->zeros |= zero_bit(option);
    switch (option->number) {
    case ZMQ_LINGER:
        socket->linger = (int)value;
        break;
    case ZMQ_RCVTIMEO:
        socket->receive_timeout = (int)value;
        break;
    case ZMQ_SNDTIMEO:
        socket->send_timeout = (int)value;
        break;
    case ZMQ_REQ_RELAXED:
        socket->relaxed = value != 0;
        break;
    case ZMQ_ROUTER_MANDATORY:
        socket->router_mandatory = value != 0;
        break;
    case ZMQ_ROUTER_HANDOVER:
        socket->router_handover = value != 0;
        break;
    case ZMQ_ROUTER_RAW:
        /* It cannot be taken back: libzmq keeps it for later connections. */
        socket->router_raw |= value != 0;
        socket->checked = socket->router_raw;
        socket->router_mixed |= value != 0 && socket->attached;
        break;
    case ZMQ_PROBE_ROUTER:
        socket->probe_router = value != 0;
        break;
    case ZMQ_XPUB_MANUAL:
    case SZI_XPUB_MANUAL_LAST_VALUE:
        socket->manual = value != 0;
        break;
    case SZI_ONLY_FIRST_SUBSCRIBE:
        socket->only_first = value != 0;
        break;
    case ZMQ_CONFLATE:
        socket->conflate = value != 0;
        break;
    case ZMQ_XPUB_NODROP:
        socket->nodrop = value != 0;
        break;
    default:
        if (option->rule == SZI_KEPT)
            socket->multicast_loop = value != 0;
    }
}

/* The socket, if the option may be used on it in this way; else NULL and
 * why. */
static szi_socket *prepare(sz_socket handle, const sz_option *option,
                           char access, bool integer, int *code)
{
    szi_socket *socket = szi_socket_get(handle);
    if (socket == NULL) {
        *code = szi_socket_refuse(handle);
        return NULL;
    }
    *code = szi_option_check(option, SZ_SOCKET_OPTION, access, integer);
    if (*code == 0 && (option->types >> socket->type->number & 1) == 0)
        *code = SZ_ETYPE;
    return *code == 0 ? socket : NULL;
}

/* A raw connection cannot carry the empty message of probe-router, nor any
 * other once libzmq no longer looks for it: it would abort. */
static bool is_raw(const szi_socket *socket, const sz_option *option,
                   bool value)
{
    if (option->number == ZMQ_PROBE_ROUTER)
        return value && socket->router_raw;
    return option->number == ZMQ_ROUTER_RAW &&
           (value ? socket->probe_router : socket->router_raw);
}

/* libzmq tells new marks to the other end of each connection, and does not
 * notice that one whose peer has left is freed. */
static bool is_late(const szi_socket *socket, const sz_option *option)
{
    return socket->attached &&
           (option->number == ZMQ_SNDHWM || option->number == ZMQ_RCVHWM);
}

/* Whether the option says that a socket which is no server of a mechanism is
 * none.  libzmq would change the mechanism: a CURVE client would send in
 * clear, and gssapi-server would turn GSSAPI on. */
static bool is_no_server_already(szi_socket *socket, const sz_option *option,
                                 int64_t value)
{
    int server;
    return value == 0 &&
           (option->number == ZMQ_PLAIN_SERVER ||
            option->number == ZMQ_CURVE_SERVER ||
            option->number == ZMQ_GSSAPI_SERVER) &&
           szi_socket_integer(socket, option->number, &server) == 0 &&
           server == 0;
}

/* libzmq has -1, for the interval, only until another value is set.  After
 * that, the timeout is set along with the interval. */
static int set_heartbeat(szi_socket *socket, const sz_option *option,
                         int64_t value)
{
    bool timeout = option->number == ZMQ_HEARTBEAT_TIMEOUT;
    bool follows = timeout ? value == -1 : socket->heartbeat_follows;
    int now = -1;
    int code = 0;
    if (timeout && follows) {
        code = szi_socket_integer(socket, ZMQ_HEARTBEAT_TIMEOUT, &now);
        if (code != 0 || now == -1)
            return code;
        code = szi_socket_integer(socket, ZMQ_HEARTBEAT_IVL, &now);
        value = now;
    }
    if (code == 0)
        code = write_integer(socket, option, option->number, value);
    if (code == 0 && !timeout && follows)
        code = write_integer(socket, option, ZMQ_HEARTBEAT_TIMEOUT, value);
    if (code == 0)
        socket->heartbeat_follows = follows;
    return code;
}

static void set_own(szi_socket *socket, const sz_option *option, int64_t value)
{
    if (option->operand == SZI_OWN_SOCKS)
        socket->socks_unsafe = value != 0;
    else
        socket->subscription_limit = (size_t)value;
}

static int64_t get_own(const szi_socket *socket, const sz_option *option)
{
    return option->operand == SZI_OWN_SOCKS
               ? socket->socks_unsafe
               : (int64_t)socket->subscription_limit;
}

static int write_mark(szi_socket *socket, const sz_option *option, int number,
                      int64_t value)
{
    if (number == socket->kept)
        value = szi_subscription_mark(number, (int)value);
    return write_integer(socket, option, number, value);
}

/* Both marks, or neither. */
static int write_marks(szi_socket *socket, const sz_option *option,
                       int64_t value)
{
    int before;
    int code = szi_socket_integer(socket, option->number, &before);
    if (code == 0)
        code = write_mark(socket, option, option->number, value);
    if (code != 0)
        return code;
    code = write_mark(socket, option, option->operand, value);
    if (code != 0)
        write_integer(socket, option, option->number, before);
    return code;
}

static int write_value(szi_socket *socket, const sz_option *option,
                       int64_t value)
{
    return option->rule == SZI_ALSO
               ? write_marks(socket, option, value)
               : write_mark(socket, option, option->number, value);
}

/* libzmq forgets what a peer subscribed to by hand only while the option is
 * on.  What is left then is freed by a recursion of a level for each byte. */
static bool ends_manual(const szi_socket *socket, const sz_option *option)
{
    return socket->manual && socket->attached &&
           (option->number == ZMQ_XPUB_MANUAL ||
            option->number == SZI_XPUB_MANUAL_LAST_VALUE);
}

int sz_socket_set_integer(sz_socket handle, const sz_option *option,
                          int64_t value)
{
    int code;
    szi_socket *socket = prepare(handle, option, 'w', true, &code);
    if (socket == NULL)
        return code;
    code = szi_option_check_integer(option, value);
    if (code == 0 && option->rule == SZI_SWAP) {
        code = szi_swap_option_set(socket, option, value);
        szi_socket_touched(socket);
        return code;
    }
    if (code == 0 && is_late(socket, option))
        code = SZ_EATTACHED;
    if (code == 0 && is_raw(socket, option, value != 0))
        code = SZ_ERAW;
    if (code == 0 && value != 0 &&
        (option->number == ZMQ_ROUTER_HANDOVER ||
         option->number == ZMQ_ROUTER_RAW) &&
        szi_inproc_names(socket))
        code = SZ_EHANDOVER;
    if (code == 0 && value == 0 && ends_manual(socket, option))
        code = SZ_EMANUALOFF;
    if (code == 0 && option->number == ZMQ_CONFLATE)
        code = szi_subscription_count(socket, value != 0, 0);
    if (code == 0 && socket->swap != NULL)
        code = szi_swap_option_allows(socket, option, value);
    if (code != 0 || is_no_server_already(socket, option, value))
        return code;
    if (option->number == ZMQ_HEARTBEAT_TIMEOUT ||
        option->number == ZMQ_HEARTBEAT_IVL) {
        code = set_heartbeat(socket, option, value);
        szi_socket_touched(socket);
        return code;
    }
    if (option->rule == SZI_OWN) {
        set_own(socket, option, value);
        return 0;
    }
    code = write_value(socket, option, szi_option_inward(option, value));
    if (code == 0)
        remember(socket, option, value);
    szi_socket_touched(socket);
    return code;
}

int sz_socket_get_integer(sz_socket handle, const sz_option *option,
                          int64_t *value)
{
    int code;
    szi_socket *socket = prepare(handle, option, 'r', true, &code);
    if (socket == NULL)
        return code;
    if (option->rule == SZI_KEPT) {
        *value = socket->multicast_loop;
        return 0;
    }
    if (option->rule == SZI_SWAP) {
        *value = szi_swap_option_get(socket, option);
        return 0;
    }
    if (option->rule == SZI_OWN) {
        *value = get_own(socket, option);
        return 0;
    }
    if (socket->kept != 0 && option->number == socket->kept) {
        *value = socket->kept_mark;
        return 0;
    }
    if (socket->zeros & zero_bit(option)) {
        *value = 0;
        return 0;
    }
    if (option->number == ZMQ_HEARTBEAT_TIMEOUT && socket->heartbeat_follows) {
        *value = -1;
        return 0;
    }
    if (socket->swap != NULL && option->number == ZMQ_EVENTS) {
        code = szi_socket_state(socket);
        *value = code;
        return code < 0 ? code : 0;
    }
    int narrow = 0;
    int64_t wide = 0;
    size_t size = szi_option_width(option);
    bool is_narrow = size == sizeof narrow;
    void *to = is_narrow ? (void *)&narrow : &wide;
    int failed;
    SZI_UNINTERRUPTED(failed,
                      zmq_getsockopt(socket->zmq, option->number, to, &size));
    if (failed)
        code = explain(socket, option, 'r', szi_last_error());
    else
        *value = szi_option_outward(option, is_narrow ? narrow : wide);
    if (code == 0 && option->number == ZMQ_EVENTS && szi_put_back(socket))
        *value |= SZ_IN;
    szi_socket_touched(socket);
    return code;
}

int sz_socket_set_bytes(sz_socket handle, const sz_option *option,
                        const void *data, size_t size)
{
    int code;
    szi_socket *socket = prepare(handle, option, 'w', false, &code);
    if (socket == NULL)
        return code;
    if (option->rule == SZI_PREFIX)
        code = szi_subscription_check(socket, size);
    if (code == 0 && option->number == ZMQ_SUBSCRIBE)
        code = szi_subscription_count(socket, socket->conflate, 1);
    if (code == 0)
        code = szi_option_check_bytes(option, data, size);
    if (code == 0 && option->rule == SZI_SWAP)
        return szi_swap_option_set_directory(socket, data, size);
    if (code == 0 && socket->swap != NULL)
        code = szi_swap_option_allows(socket, option, 1);
    if (code == 0 && option->number == ZMQ_SOCKS_PROXY && size > 0 &&
        !socket->socks_unsafe)
        code = SZ_ESOCKS;
    if (code == 0 && option->number == ZMQ_CONNECT_ROUTING_ID)
        return szi_name_set(socket, data, size);
    if (code != 0)
        return code;
    char key[SZ_KEY_TEXT + 1];
    if (option->type == SZ_KEY && size == 40) {
        /* libzmq reads Z85 up to a NUL, which the caller's bytes lack. */
        memcpy(key, data, 40);
        key[40] = '\0';
        data = key;
        size = sizeof key;
    }
    /* An empty value must be NULL where that clears the option, and must not
     * be NULL where libzmq copies it. */
    bool clears = size == 0 && option->type == SZ_STRING;
    if (zmq_setsockopt(socket->zmq, option->number, clears ? NULL : data,
                       size) != 0)
        code = explain(socket, option, 'w', szi_last_error());
    else if (option->number == ZMQ_XPUB_WELCOME_MSG)
        socket->welcomes = size > 0;
    sz_wipe(key, sizeof key);
    if (code == 0 && option->number == ZMQ_SUBSCRIBE)
        socket->subscriptions++;
    else if (code == 0 && option->number == ZMQ_UNSUBSCRIBE &&
             socket->subscriptions > 0)
        socket->subscriptions--;
    szi_socket_touched(socket);
    return code;
}

int sz_socket_get_bytes(sz_socket handle, const sz_option *option,
                        const void **data, size_t *size)
{
    int code;
    szi_socket *socket = prepare(handle, option, 'r', false, &code);
    if (socket == NULL)
        return code;
    if (option->rule == SZI_SWAP) {
        *data = szi_swap_option_text(socket, option);
        *size = strlen(*data);
        return 0;
    }
    code =
        explain(socket, option, 'r', read_bytes(socket, option, data, size));
    /* libzmq counts the NUL behind a string. */
    if (code == 0 && option->type != SZ_BYTES && *size > 0)
        --*size;
    szi_socket_touched(socket);
    return code;
}
