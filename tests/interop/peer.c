/* A peer of czmq.  tests/interop/README.md says what the arguments mean. */

#include <czmq.h>

#define LIMIT 10000

static _Noreturn void give_up(const char *what, const char *which)
{
    printf("%s %s\n", what, which);
    fflush(stdout);
    _exit(1);
}

static void quit(int number)
{
    (void)number;
    _exit(0);
}

static const struct {
    const char *name;
    int number;
} types[] = {
    {"push", ZMQ_PUSH},     {"pull", ZMQ_PULL}, {"pub", ZMQ_PUB},
    {"sub", ZMQ_SUB},       {"xpub", ZMQ_XPUB}, {"xsub", ZMQ_XSUB},
    {"req", ZMQ_REQ},       {"rep", ZMQ_REP},   {"dealer", ZMQ_DEALER},
    {"router", ZMQ_ROUTER}, {"pair", ZMQ_PAIR}, {"stream", ZMQ_STREAM},
};

static const struct {
    const char *name;
    int number;
    bool text;
} options[] = {
    {"routing-id", ZMQ_ROUTING_ID, true},
    {"subscribe", ZMQ_SUBSCRIBE, true},
    {"plain-server", ZMQ_PLAIN_SERVER, false},
    {"plain-username", ZMQ_PLAIN_USERNAME, true},
    {"plain-password", ZMQ_PLAIN_PASSWORD, true},
    {"curve-server", ZMQ_CURVE_SERVER, false},
    {"curve-publickey", ZMQ_CURVE_PUBLICKEY, true},
    {"curve-secretkey", ZMQ_CURVE_SECRETKEY, true},
    {"curve-serverkey", ZMQ_CURVE_SERVERKEY, true},
    {"zap-domain", ZMQ_ZAP_DOMAIN, true},
    {"heartbeat-ivl", ZMQ_HEARTBEAT_IVL, false},
    {"heartbeat-timeout", ZMQ_HEARTBEAT_TIMEOUT, false},
};

/* Decodes %XX in place and answers the length. */
static size_t decode(char *text)
{
    char *to = text;
    for (char *from = text; *from; from++) {
        unsigned byte = (unsigned char)*from;
        if (*from == '%' && sscanf(from + 1, "%2x", &byte) == 1)
            from += 2;
        *to++ = (char)byte;
    }
    *to = 0;
    return (size_t)(to - text);
}

static void set_option(zsock_t *socket, const char *name, char *value)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (!streq(options[i].name, name))
            continue;
        int number = atoi(value), code;
        if (options[i].text) {
            size_t size = decode(value);
            code = zmq_setsockopt(zsock_resolve(socket), options[i].number,
                                  value, size);
        } else {
            code = zmq_setsockopt(zsock_resolve(socket), options[i].number,
                                  &number, sizeof number);
        }
        if (code == 0)
            return;
    }
    give_up("cannot set", name);
}

/* auth-plain=NAME:PASSWORD, auth-curve=any or a folder, auth-deny=ADDRESS */
static void authenticate(zactor_t *auth, const char *name, const char *value)
{
    if (streq(name, "auth-plain")) {
        char path[] = "/tmp/peer-XXXXXX";
        FILE *file = fdopen(mkstemp(path), "w");
        const char *colon = strchr(value, ':');
        fprintf(file, "%.*s=%s\n", (int)(colon - value), value, colon + 1);
        fclose(file);
        zstr_sendx(auth, "PLAIN", path, NULL);
        zsock_wait(auth);
        unlink(path);
    } else if (streq(name, "auth-curve")) {
        zstr_sendx(auth, "CURVE",
                   streq(value, "any") ? CURVE_ALLOW_ANY : value, NULL);
        zsock_wait(auth);
    } else if (streq(name, "auth-deny")) {
        zstr_sendx(auth, "DENY", value, NULL);
        zsock_wait(auth);
    } else {
        give_up("no such rule:", name);
    }
}

/* certificate=FILE: own keys; server-certificate=FILE: the server's */
static void certify(zsock_t *socket, const char *name, const char *path)
{
    zcert_t *cert = zcert_load(path);
    if (!cert)
        give_up("cannot load", path);
    if (streq(name, "certificate"))
        zcert_apply(cert, socket);
    else
        zsock_set_curve_serverkey(socket, zcert_public_txt(cert));
    zcert_destroy(&cert);
}

/* The part that a word stands for. */
static zframe_t *part(const char *word, zmsg_t *last)
{
    if (streq(word, "@"))
        return zframe_dup(zmsg_first(last));
    if (*word == '#') {
        size_t size = (size_t)atol(word + 1);
        zframe_t *frame = zframe_new(NULL, size);
        byte *data = zframe_data(frame);
        for (size_t i = 0; i < size; i++)
            data[i] = (byte)(i + (i >> 8));
        return frame;
    }
    char *copy = strdup(word);
    zframe_t *frame = zframe_new(NULL, 0);
    size_t size = decode(copy);
    zframe_reset(frame, copy, size);
    free(copy);
    return frame;
}

/* The words between the bars, in place: how many. */
static size_t split(char *text, char *words[], size_t room)
{
    size_t count = 0;
    words[count++] = text;
    for (; *text; text++)
        if (*text == '|' && count < room) {
            *text = 0;
            words[count++] = text + 1;
        }
    return count;
}

static zmsg_t *receive(zsock_t *socket)
{
    zmsg_t *message = zmsg_recv(socket);
    if (!message)
        give_up("nothing", "came");
    return message;
}

static void expect(zmsg_t *message, char *words[], size_t count,
                   const char *step)
{
    if (zmsg_size(message) != count)
        give_up("not as many parts as in", step);
    zframe_t *frame = zmsg_first(message);
    for (size_t i = 0; i < count; i++, frame = zmsg_next(message)) {
        zframe_t *wanted = part(words[i], message);
        if (!streq(words[i], "*") && !zframe_eq(frame, wanted))
            give_up("not the part", words[i]);
        zframe_destroy(&wanted);
    }
}

static void perform(zsock_t *socket, const char *step)
{
    static zmsg_t *last;
    char *words[64], *copy = strdup(step), *colon = strchr(copy, ':');
    char *rest = colon ? colon + 1 : copy;
    if (colon)
        *colon = 0;
    if (streq(copy, "send") || streq(copy, "repeat")) {
        size_t count = split(rest, words, 64);
        do {
            zmsg_t *message = zmsg_new();
            for (size_t i = 0; i < count; i++) {
                zframe_t *frame = part(words[i], last);
                zmsg_append(message, &frame);
            }
            if (zmsg_send(&message, socket))
                give_up("cannot", step);
            if (streq(copy, "repeat"))
                zclock_sleep(10);
        } while (streq(copy, "repeat"));
    } else if (streq(copy, "get")) {
        size_t count = split(rest, words, 64);
        zmsg_destroy(&last);
        last = receive(socket);
        expect(last, words, count, step);
    } else if (streq(copy, "echo")) {
        for (int i = atoi(rest); i > 0; i--) {
            zmsg_t *message = receive(socket);
            if (zmsg_send(&message, socket))
                give_up("cannot", step);
        }
    } else if (streq(copy, "none")) {
        zpoller_t *poller = zpoller_new(socket, NULL);
        if (zpoller_wait(poller, atoi(rest)))
            give_up("something", "came");
        zpoller_destroy(&poller);
    } else if (streq(copy, "stay")) {
        for (;;)
            pause();
    }
    free(copy);
}

static bool is_step(const char *word)
{
    const char *colon = strchr(word, ':'), *equals = strchr(word, '=');
    return streq(word, "stay") || (colon && (!equals || colon < equals));
}

int main(int argc, char *argv[])
{
    zactor_t *auth = NULL;
    int type = -1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    zsys_handler_set(NULL);
    signal(SIGTERM, quit);
    signal(SIGALRM, SIG_DFL);
    alarm(40);
    if (argc < 4)
        give_up("arguments:", "TYPE bind|connect ENDPOINT ...");
    if (streq(argv[1], "certificate")) { /* certificate FOLDER NAME */
        zcert_t *cert = zcert_new();
        char *path = zsys_sprintf("%s/%s", argv[2], argv[3]);
        int code = zcert_save(cert, path);
        zstr_free(&path);
        zcert_destroy(&cert);
        return code ? 1 : 0;
    }
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (streq(types[i].name, argv[1]))
            type = types[i].number;
    zsock_t *socket = zsock_new(type);
    if (!socket)
        give_up("no such type:", argv[1]);
    zsock_set_rcvtimeo(socket, LIMIT);
    zsock_set_sndtimeo(socket, LIMIT);
    zsock_set_linger(socket, LIMIT);
    for (int i = 4; i < argc; i++) {
        if (is_step(argv[i]))
            continue;
        char *value = strchr(argv[i], '=');
        if (!value)
            give_up("no step and no option:", argv[i]);
        *value++ = 0;
        if (strncmp(argv[i], "auth-", 5) == 0) {
            if (!auth)
                auth = zactor_new(zauth, NULL);
            authenticate(auth, argv[i], value);
        } else if (strstr(argv[i], "certificate")) {
            certify(socket, argv[i], value);
        } else {
            set_option(socket, argv[i], value);
        }
        argv[i] = "";
    }
    if (streq(argv[2], "bind")) {
        if (zsock_bind(socket, "%s", argv[3]) < 0)
            give_up("cannot bind", argv[3]);
        puts(zsock_last_endpoint(socket));
    } else if (zsock_connect(socket, "%s", argv[3]) < 0) {
        give_up("cannot connect", argv[3]);
    }
    for (int i = 4; i < argc; i++)
        if (is_step(argv[i]))
            perform(socket, argv[i]);
    zsock_destroy(&socket);
    zactor_destroy(&auth);
    return 0;
}
