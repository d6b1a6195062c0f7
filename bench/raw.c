/* The baselines: what a careful C program does on libzmq itself.  Every call
 * is checked; the payload is copied into a message to send it, and out into a
 * fresh block when it is received.
 *
 *   raw WORK ARGUMENT...    one of the works at the end of this file
 */
#include "measure.h"

#include <pthread.h>
#include <zmq.h>

static void *context;

static void check(int succeeded, const char *what)
{
    if (succeeded)
        return;
    fprintf(stderr, "%s: %s\n", what, zmq_strerror(zmq_errno()));
    exit(1);
}

static void *make_socket(int type)
{
    void *made = zmq_socket(context, type);
    check(made != NULL, "zmq_socket");
    return made;
}

static void *bound(int type, const char *endpoint)
{
    void *made = make_socket(type);
    check(zmq_bind(made, endpoint) == 0, "zmq_bind");
    return made;
}

static void *connected(int type, const char *endpoint)
{
    void *made = make_socket(type);
    check(zmq_connect(made, endpoint) == 0, "zmq_connect");
    return made;
}

static const char *real_endpoint(void *socket)
{
    static char endpoint[256];
    size_t length = sizeof endpoint;
    check(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &length) == 0,
          "zmq_getsockopt");
    return endpoint;
}

static void send_copy(void *socket, const void *data, size_t size, int flags)
{
    zmq_msg_t message;
    check(zmq_msg_init_size(&message, size) == 0, "zmq_msg_init_size");
    memcpy(zmq_msg_data(&message), data, size);
    if (zmq_msg_send(&message, socket, flags) < 0) {
        int error = errno;
        zmq_msg_close(&message);
        errno = error;
        check(0, "zmq_msg_send");
    }
}

/* The caller frees what is returned. */
static void *receive_copy(void *socket, size_t *size)
{
    zmq_msg_t message;
    check(zmq_msg_init(&message) == 0, "zmq_msg_init");
    check(zmq_msg_recv(&message, socket, 0) >= 0, "zmq_msg_recv");
    *size = zmq_msg_size(&message);
    void *copy = malloc(*size > 0 ? *size : 1);
    must(copy != NULL, "malloc");
    memcpy(copy, zmq_msg_data(&message), *size);
    check(zmq_msg_close(&message) == 0, "zmq_msg_close");
    return copy;
}

static void receive_sized(void *socket, size_t size)
{
    size_t got;
    void *copy = receive_copy(socket, &got);
    must(got == size, "size");
    free(copy);
}

static char *payload(size_t size)
{
    char *data = malloc(size > 0 ? size : 1);
    must(data != NULL, "malloc");
    memset(data, 'x', size);
    return data;
}

/* --------------------------------------------------------------- works -- */

/* pair SIZE COUNT: one thread sends and receives over inproc. */
static void pair(char **argument)
{
    size_t size = strtoul(argument[0], NULL, 10);
    long count = atol(argument[1]);
    char *data = payload(size);
    pin(0);
    void *in = bound(ZMQ_PAIR, "inproc://pair");
    void *out = connected(ZMQ_PAIR, "inproc://pair");
    start();
    for (long i = 0; i < count; i++) {
        send_copy(out, data, size, 0);
        receive_sized(in, size);
    }
    stop();
    report((double)count);
}

/* batches SIZE COUNT: 64 are sent, then received and kept together, then
 * freed. */
static void batches(char **argument)
{
    enum {
        BATCH = 64
    };
    size_t size = strtoul(argument[0], NULL, 10), got;
    long count = atol(argument[1]) / BATCH;
    char *data = payload(size);
    void *copies[BATCH];
    pin(0);
    void *in = bound(ZMQ_PAIR, "inproc://pair");
    void *out = connected(ZMQ_PAIR, "inproc://pair");
    start();
    for (long i = 0; i < count; i++) {
        for (int j = 0; j < BATCH; j++)
            send_copy(out, data, size, 0);
        for (int j = 0; j < BATCH; j++) {
            copies[j] = receive_copy(in, &got);
            must(got == size, "size");
        }
        for (int j = 0; j < BATCH; j++)
            free(copies[j]);
    }
    stop();
    report((double)count * BATCH);
}

/* memory SIZE COUNT: as pair, and how much the memory grows after the first
 * tenth, in KB. */
static void memory(char **argument)
{
    size_t size = strtoul(argument[0], NULL, 10);
    long count = atol(argument[1]), before = 0;
    char *data = payload(size);
    pin(0);
    void *in = bound(ZMQ_PAIR, "inproc://pair");
    void *out = connected(ZMQ_PAIR, "inproc://pair");
    start();
    for (long i = 0; i < count; i++) {
        if (i == count / 10)
            before = resident_kilobytes();
        send_copy(out, data, size, 0);
        receive_sized(in, size);
    }
    stop();
    extra[0] = (double)(resident_kilobytes() - before);
    extras = 1;
    report((double)count);
}

/* parts PARTS SIZE COUNT: the same with messages of several parts. */
static void parts(char **argument)
{
    int many = atoi(argument[0]);
    size_t size = strtoul(argument[1], NULL, 10);
    long count = atol(argument[2]);
    char *data = payload(size);
    pin(0);
    void *in = bound(ZMQ_PAIR, "inproc://pair");
    void *out = connected(ZMQ_PAIR, "inproc://pair");
    start();
    for (long i = 0; i < count; i++) {
        for (int part = 1; part <= many; part++)
            send_copy(out, data, size, part < many ? ZMQ_SNDMORE : 0);
        int more = 1;
        while (more) {
            size_t length = sizeof more;
            receive_sized(in, size);
            check(zmq_getsockopt(in, ZMQ_RCVMORE, &more, &length) == 0,
                  "zmq_getsockopt");
        }
    }
    stop();
    report((double)count);
}

static void push(const char *endpoint, size_t size, long count)
{
    char *data = payload(size);
    void *out = connected(ZMQ_PUSH, endpoint);
    for (long i = 0; i <= count; i++)
        send_copy(out, data, size, 0);
}

/* The first message is the sign that all is connected. */
static void pull(void *in, size_t size, long count)
{
    receive_sized(in, size);
    start();
    for (long i = 0; i < count; i++)
        receive_sized(in, size);
    stop();
}

/* stream ENDPOINT SIZE COUNT: PUSH in one process, PULL in another. */
static void stream(char **argument)
{
    size_t size = strtoul(argument[1], NULL, 10);
    long count = atol(argument[2]);
    int second = split();
    context = zmq_ctx_new();
    if (second) {
        push(told(), size, count);
        await_end();
    }
    void *in = bound(ZMQ_PULL, argument[0]);
    tell(real_endpoint(in));
    pull(in, size, count);
    report((double)count);
}

static char **thread_argument;

static void *push_thread(void *unused)
{
    (void)unused;
    pin(1);
    push("inproc://stream", strtoul(thread_argument[0], NULL, 10),
         atol(thread_argument[1]));
    return NULL;
}

/* threads SIZE COUNT: PUSH in one thread, PULL in another, over inproc. */
static void threads(char **argument)
{
    pthread_t thread;
    thread_argument = argument;
    void *in = bound(ZMQ_PULL, "inproc://stream");
    pin(0);
    must(pthread_create(&thread, NULL, push_thread, NULL) == 0, "thread");
    pull(in, strtoul(argument[0], NULL, 10), atol(argument[1]));
    pthread_join(thread, NULL);
    report((double)atol(argument[1]));
}

/* latency ENDPOINT SIZE COUNT: REQ in one process, REP in another. */
static void latency(char **argument)
{
    size_t size = strtoul(argument[1], NULL, 10);
    long count = atol(argument[2]), warm = count / 10 + 10;
    char *data = payload(size);
    int second = split();
    context = zmq_ctx_new();
    if (second) {
        void *server = connected(ZMQ_REP, told());
        for (long i = 0; i < count + warm; i++) {
            size_t got;
            void *copy = receive_copy(server, &got);
            send_copy(server, copy, got, 0);
            free(copy);
        }
        await_end();
    }
    void *client = bound(ZMQ_REQ, argument[0]);
    tell(real_endpoint(client));
    make_times((size_t)count);
    for (long i = 0; i < count + warm; i++) {
        if (i >= warm)
            start();
        send_copy(client, data, size, 0);
        receive_sized(client, size);
        if (i >= warm) {
            stop();
            note_time();
        }
    }
    report((double)count);
}

/* publish SUBSCRIBERS COUNT: every second message goes to all subscribers,
 * the other to none.  A publisher that is told of its limit too late would
 * drop messages, so there is none. */
static void publish(char **argument)
{
    enum {
        MOST = 1000
    };
    int many = atoi(argument[0]);
    long count = atol(argument[1]);
    void *subscriber[MOST];
    pin(0);
    int unlimited = 0;
    void *out = make_socket(ZMQ_PUB);
    check(zmq_setsockopt(out, ZMQ_SNDHWM, &unlimited, sizeof unlimited) == 0 &&
              zmq_bind(out, "inproc://publish") == 0,
          "zmq_bind");
    for (int i = 0; i < many; i++) {
        char own[16];
        subscriber[i] = make_socket(ZMQ_SUB);
        snprintf(own, sizeof own, "own-%d", i);
        check(zmq_setsockopt(subscriber[i], ZMQ_RCVHWM, &unlimited,
                             sizeof unlimited) == 0 &&
                  zmq_connect(subscriber[i], "inproc://publish") == 0 &&
                  zmq_setsockopt(subscriber[i], ZMQ_SUBSCRIBE, "all", 3) ==
                      0 &&
                  zmq_setsockopt(subscriber[i], ZMQ_SUBSCRIBE, own,
                                 strlen(own)) == 0,
              "zmq_setsockopt");
    }
    /* Reading the events makes the publisher take the subscriptions. */
    int events;
    size_t length = sizeof events;
    usleep(20000);
    check(zmq_getsockopt(out, ZMQ_EVENTS, &events, &length) == 0,
          "zmq_getsockopt");
    start();
    for (long i = 0; i < count; i++) {
        send_copy(out, "all of you, hear this", 21, 0);
        send_copy(out, "nobody will hear this", 21, 0);
        for (int to = 0; to < many; to++)
            receive_sized(subscriber[to], 21);
    }
    stop();
    report((double)count);
}

/* poll WATCHED ACTIVE COUNT: rounds of zmq_poll; only it is timed. */
static void poll_sockets(char **argument)
{
    int watched = atoi(argument[0]), active = atoi(argument[1]);
    long count = atol(argument[2]);
    zmq_pollitem_t *items = calloc((size_t)watched, sizeof *items);
    void **out = calloc((size_t)active, sizeof *out);
    must(items != NULL && out != NULL, "calloc");
    raise_limits();
    check(zmq_ctx_set(context, ZMQ_MAX_SOCKETS, watched + active + 10) == 0,
          "zmq_ctx_set");
    pin(0);
    for (int i = 0; i < watched; i++) {
        char endpoint[32];
        snprintf(endpoint, sizeof endpoint, "inproc://%d", i);
        items[i].socket = bound(ZMQ_PULL, endpoint);
        items[i].events = ZMQ_POLLIN;
        if (i % (watched / active) == 0 && i / (watched / active) < active)
            out[i / (watched / active)] = connected(ZMQ_PUSH, endpoint);
    }
    for (long round = 0; round < count; round++) {
        for (int i = 0; i < active; i++)
            send_copy(out[i], "x", 1, 0);
        start();
        int found = zmq_poll(items, watched, -1);
        stop();
        check(found == active, "zmq_poll");
        for (int i = 0; i < watched; i++)
            if (items[i].revents != 0)
                receive_sized(items[i].socket, 1);
    }
    report((double)count);
}

static void *ends[2];

static void *forward(void *unused)
{
    (void)unused;
    zmq_proxy(ends[0], ends[1], NULL);
    return NULL;
}

/* What the second process does in `proxy': sends into one end and receives
 * from the other, with a few messages on the way. */
static void feed(const char *front, const char *back, size_t size, long count)
{
    enum {
        WINDOW = 8
    };
    void *out = connected(ZMQ_DEALER, front);
    void *in = connected(ZMQ_DEALER, back);
    char *data = payload(size);
    long warm = WINDOW, taken = -warm;
    for (long i = 0; i < WINDOW; i++)
        send_copy(out, data, size, 0);
    for (long i = 0; taken < count; taken++) {
        if (taken == 0)
            start();
        size_t got;
        free(receive_copy(in, &got)); /* the sender's name */
        receive_sized(in, size);
        if (i++ < count)
            send_copy(out, data, size, 0);
    }
    stop();
    tell_time(elapsed);
    await_end();
}

/* feed FRONT BACK SIZE COUNT FROM TO: the same for another program. */
static void feed_other(char **argument)
{
    to_child[0] = atoi(argument[4]);
    to_first[1] = atoi(argument[5]);
    feed(argument[0], argument[1], strtoul(argument[2], NULL, 10),
         atol(argument[3]));
}

/* proxy SIZE COUNT: zmq_proxy between a ROUTER and a DEALER over tcp, fed by
 * another process. */
static void proxy(char **argument)
{
    size_t size = strtoul(argument[0], NULL, 10);
    long count = atol(argument[1]);
    char front[256], back[256];
    pthread_t thread;
    int second = split();
    context = zmq_ctx_new();
    if (second) {
        snprintf(front, sizeof front, "%s", told());
        snprintf(back, sizeof back, "%s", told());
        feed(front, back, size, count);
    }
    ends[0] = bound(ZMQ_ROUTER, "tcp://127.0.0.1:*");
    tell(real_endpoint(ends[0]));
    ends[1] = bound(ZMQ_DEALER, "tcp://127.0.0.1:*");
    tell(real_endpoint(ends[1]));
    start();
    must(pthread_create(&thread, NULL, forward, NULL) == 0, "thread");
    take_time();
    report((double)count);
}

/* start: what a program costs that makes a socket and ends. */
static void begin(char **argument)
{
    (void)argument;
    void *socket = bound(ZMQ_PULL, "inproc://start");
    check(zmq_close(socket) == 0, "zmq_close");
    check(zmq_ctx_term(context) == 0, "zmq_ctx_term");
}

/* run COUNT PROGRAM ARGUMENT...: how long a program takes from its start to
 * its end. */
static void run(char **argument)
{
    long count = atol(argument[0]);
    pin(0);
    start();
    for (long i = 0; i < count; i++) {
        pid_t pid = fork();
        must(pid >= 0, "fork");
        if (pid == 0) {
            execv(argument[1], argument + 1);
            _exit(127);
        }
        int status;
        must(waitpid(pid, &status, 0) == pid && status == 0, argument[1]);
    }
    stop();
    report((double)count);
}

/* ---------------------------------------------------------------- main -- */

static const struct {
    const char *name;
    void (*work)(char **argument);
    int arguments;
} works[] = {
    {"pair", pair, 2},         {"memory", memory, 2},
    {"batches", batches, 2},   {"parts", parts, 3},
    {"stream", stream, 3},     {"threads", threads, 2},
    {"latency", latency, 3},   {"publish", publish, 2},
    {"poll", poll_sockets, 3}, {"proxy", proxy, 2},
    {"feed", feed_other, 6},   {"start", begin, 0},
    {"run", run, 2},
};

int main(int count, char **argument)
{
    for (size_t i = 0; i < sizeof works / sizeof *works && count > 1; i++) {
        if (strcmp(argument[1], works[i].name) != 0 ||
            count - 2 < works[i].arguments)
            continue;
        if (works[i].work != stream && works[i].work != latency &&
            works[i].work != proxy)
            context = zmq_ctx_new();
        works[i].work(argument + 2);
        return 0;
    }
    fprintf(stderr, "usage: raw WORK ARGUMENT...\n");
    return 2;
}
