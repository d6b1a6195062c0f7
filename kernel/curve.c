/* The CURVE keys of a socket.  libzmq's are zero until they are set: everybody
 * knows the public key of a server with such a secret key, and a client with
 * such keys never connects. */

#include "curve.h"
#include "error.h"

#include <string.h>

static int read_key(szi_socket *socket, int option, char key[SZ_KEY_TEXT + 1])
{
    size_t size = SZ_KEY_TEXT + 1;
    return zmq_getsockopt(socket->zmq, option, key, &size) == 0
               ? 0
               : szi_last_error();
}

static bool is_set(const char key[SZ_KEY_TEXT + 1])
{
    return strspn(key, "0") < SZ_KEY_TEXT;
}

/* The public key must be the one of the secret key. */
static int check_pair(szi_socket *socket, const char *secret)
{
    char given[SZ_KEY_TEXT + 1], real[SZ_KEY_TEXT + 1];
    size_t place;
    int code = sz_curve_public(secret, SZ_KEY_TEXT, real, &place);
    if (code == 0)
        code = read_key(socket, ZMQ_CURVE_PUBLICKEY, given);
    if (code != 0)
        return code;
    if (is_set(given))
        return strcmp(given, real) == 0 ? 0 : SZ_EKEYPAIR;
    return zmq_setsockopt(socket->zmq, ZMQ_CURVE_PUBLICKEY, real,
                          sizeof real) == 0
               ? 0
               : szi_last_error();
}

static int check_secret(szi_socket *socket)
{
    char secret[SZ_KEY_TEXT + 1];
    int code = read_key(socket, ZMQ_CURVE_SECRETKEY, secret);
    if (code == 0)
        code = is_set(secret) ? check_pair(socket, secret) : SZ_ESECRETKEY;
    sz_wipe(secret, sizeof secret);
    return code;
}

static int check_server_key(szi_socket *socket)
{
    char key[SZ_KEY_TEXT + 1];
    int server = 0;
    int code = szi_socket_integer(socket, ZMQ_CURVE_SERVER, &server);
    if (code != 0 || server)
        return code;
    code = read_key(socket, ZMQ_CURVE_SERVERKEY, key);
    return code == 0 && !is_set(key) ? SZ_ESERVERKEY : code;
}

int szi_curve_check(szi_socket *socket)
{
    if (szi_socket_value(socket, ZMQ_MECHANISM) != ZMQ_CURVE)
        return 0;
    int code = check_server_key(socket);
    return code == 0 ? check_secret(socket) : code;
}
