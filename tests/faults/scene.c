/* What scenes are made of: see scene.h. */

#include "scene.h"

#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    MOST = 40,        /* objects of a kind */
    TRIES = 12,       /* more than a plan of several faults makes */
    LASTING = 3,      /* tries if the faults do not end */
    DEADLINE = 10000, /* milliseconds for what must happen */
    SHORT = 300       /* for what may never happen because of a fault */
};

sz_context context;
char directory[64];

static fault_plan plan;
static fault_log *events;
static jmp_buf left;
static bool calm; /* no more faults are made */

static sz_context contexts[MOST];
static sz_socket sockets[MOST];
static sz_poller pollers[MOST];
static sz_monitor monitors[MOST];
static channel *channels[MOST];
static int kept[MOST];
static int context_count, socket_count, poller_count, monitor_count,
    channel_count, kept_count;

static bool shuts_down(void)
{
    return plan.symbol == SHUTDOWN && atomic_load(&events->made) > 0;
}

void wrong(const char *format, ...)
{
    va_list arguments;
    /* Nothing else is expected of a context that is shut down. */
    if (shuts_down() && !calm)
        longjmp(left, 1);
    va_start(arguments, format);
    fprintf(stderr, "wrong: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, " (in %s)\n", atomic_load(&events->doing));
    va_end(arguments);
    fflush(stderr);
    _exit(1);
}

void note(const char *call)
{
    atomic_store(&events->doing, call);
}

bool disturbed(void)
{
    return plan.first != 0 && (!calm || atomic_load(&events->made) > 0);
}

static void *shut_down(void *argument)
{
    (void)argument;
    sz_context_shutdown(context);
    return NULL;
}

/* A thread that shuts the context down has to wait where the kernel holds a
 * lock, and then goes on later. */
void interrupt(void)
{
    static pthread_t thread;
    struct timespec soon;
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += 5000000;
    soon.tv_sec += soon.tv_nsec / 1000000000;
    soon.tv_nsec %= 1000000000;
    if (pthread_create(&thread, NULL, shut_down, NULL) == 0 &&
        pthread_timedjoin_np(thread, NULL, &soon) != 0)
        pthread_detach(thread);
}

static bool lasting(void)
{
    return !calm && (plan.count == FOR_EVER || shuts_down());
}

static void pause_briefly(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* Every error must have a name. */
static void check_error(int code, const char *call)
{
    if (strcmp(sz_error_symbol(code), "unknown") == 0)
        wrong("%s: error %d has no name", call, code);
    if (!disturbed())
        wrong("%s: %s without a fault", call, sz_error_symbol(code));
}

/* *tries counts waits, and above them errors. */
bool again(int code, int *tries, const char *call)
{
    enum {
        ERROR = 1 << 20
    };
    if (code >= 0)
        return false;
    bool waits = code == SZ_EAGAIN;
    if (!waits)
        check_error(code, call);
    *tries += waits ? 1 : ERROR;
    int most =
        lasting() ? (waits ? SHORT : LASTING) : (waits ? DEADLINE : TRIES);
    if ((waits ? *tries % ERROR : *tries / ERROR) > most) {
        if (!lasting())
            wrong("%s: still %s, %d times", call, sz_error_symbol(code), most);
        longjmp(left, 1);
    }
    if (waits)
        pause_briefly();
    return true;
}

void may(int code, int expected, const char *call)
{
    if (code < 0 && code != expected && code != SZ_EAGAIN)
        check_error(code, call);
}

/* ------------------------------------------------------------- objects -- */

static void limit(int count)
{
    if (count == MOST)
        abort();
}

sz_context new_context(void)
{
    sz_context made;
    limit(context_count);
    MUST(sz_context_new(&made));
    return contexts[context_count++] = made;
}

sz_socket new_socket_in(sz_context in, const char *type)
{
    sz_socket made;
    limit(socket_count);
    MUST(sz_socket_new(in, sz_type_find(type), &made));
    sockets[socket_count++] = made;
    /* What a scene that is left has sent must not keep its context. */
    set(made, "linger", 1000);
    return made;
}

sz_socket new_socket(const char *type)
{
    return new_socket_in(context, type);
}

sz_poller new_poller(void)
{
    sz_poller made;
    limit(poller_count);
    MUST(sz_poller_new(&made));
    return pollers[poller_count++] = made;
}

sz_monitor new_monitor(sz_socket socket, int wanted)
{
    sz_monitor made;
    limit(monitor_count);
    MUST(sz_monitor_new(socket, wanted, &made));
    return monitors[monitor_count++] = made;
}

void set(sz_socket socket, const char *option, int64_t value)
{
    const sz_option *row = sz_option_find(SZ_SOCKET_OPTION, option);
    MUST(sz_socket_set_integer(socket, row, value));
}

void set_bytes(sz_socket socket, const char *option, const void *data,
               size_t size)
{
    const sz_option *row = sz_option_find(SZ_SOCKET_OPTION, option);
    MUST(sz_socket_set_bytes(socket, row, data, size));
}

void set_text(sz_socket socket, const char *option, const char *text)
{
    set_bytes(socket, option, text, strlen(text));
}

int64_t get(sz_socket socket, const char *option)
{
    int64_t value = 0;
    const sz_option *row = sz_option_find(SZ_SOCKET_OPTION, option);
    MUST(sz_socket_get_integer(socket, row, &value));
    return value;
}

/* How many descriptors listen. */
static int listeners(void)
{
    int found = 0;
    for (int fd = 0; fd < 256; fd++) {
        int listening = 0;
        socklen_t size = sizeof listening;
        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0)
            found += listening != 0;
    }
    return found;
}

static int endpoints_of(sz_socket socket)
{
    bool bound;
    size_t count = 0;
    while (sz_socket_endpoint(socket, count, &bound) != NULL)
        count++;
    return (int)count;
}

/* A bind or connect that failed must have left nothing. */
static void check_undone(sz_socket socket, int endpoints, int listening)
{
    if (endpoints_of(socket) != endpoints)
        wrong("a failed call left an endpoint");
    for (int i = 0; listeners() != listening; i++) {
        if (i > DEADLINE)
            wrong("a failed bind still listens");
        pause_briefly();
    }
}

const char *bind_to(sz_socket socket, const char *endpoint)
{
    static char bound[256];
    const char *real = NULL;
    int tries = 0, endpoints = endpoints_of(socket), listening = listeners();
    note("sz_socket_bind");
    for (;;) {
        int code = sz_socket_bind(socket, endpoint, strlen(endpoint), &real);
        if (code >= 0)
            break;
        check_undone(socket, endpoints, listening);
        again(code, &tries, "sz_socket_bind");
    }
    if (strchr(real, '*') != NULL)
        wrong("%s is no real endpoint", real);
    snprintf(bound, sizeof bound, "%s", real);
    return bound;
}

void connect_to(sz_socket socket, const char *endpoint)
{
    int tries = 0, endpoints = endpoints_of(socket), listening = listeners();
    int before = sz_socket_events(socket);
    note("sz_socket_connect");
    while (again(sz_socket_connect(socket, endpoint, strlen(endpoint), NULL),
                 &tries, "sz_socket_connect")) {
        check_undone(socket, endpoints, listening);
        int ready = sz_socket_events(socket);
        if (endpoints == 0 && before == 0 && ready > 0 &&
            (ready & SZ_OUT) != 0 &&
            strcmp(sz_socket_type(socket)->name, "push") == 0)
            wrong("a failed connect left a queue");
    }
}

void unbind_from(sz_socket socket, const char *endpoint)
{
    MUST(sz_socket_unbind(socket, endpoint, strlen(endpoint)));
}

void disconnect_from(sz_socket socket, const char *endpoint)
{
    MUST(sz_socket_disconnect(socket, endpoint, strlen(endpoint)));
}

void close_socket(sz_socket socket)
{
    note("sz_socket_close");
    if (sz_socket_close(socket) != 0)
        wrong("sz_socket_close");
}

void close_context(sz_context which)
{
    MUST(sz_context_terminate(which));
}

int keep(int fd)
{
    limit(kept_count);
    return kept[kept_count++] = fd;
}

void close_kept(int fd)
{
    for (int i = 0; i < kept_count; i++)
        if (kept[i] == fd)
            kept[i--] = kept[--kept_count];
    close(fd);
}

void close_all(void)
{
    while (monitor_count > 0)
        sz_monitor_close(monitors[--monitor_count]);
    while (poller_count > 0)
        sz_poller_free(pollers[--poller_count]);
    while (socket_count > 0)
        close_socket(sockets[--socket_count]);
    for (int i = context_count; i > 0; i--)
        close_context(contexts[i - 1]);
    context_count = 0;
    while (kept_count > 0)
        close(kept[--kept_count]);
}

/* ------------------------------------------------------------ channels -- */

void open_channel(channel *c)
{
    limit(channel_count);
    channels[channel_count++] = c;
}

static void numbered(unsigned char *data, int size, unsigned number)
{
    memset(data, (int)(number & 0xff), (size_t)size);
    memcpy(data, &number, sizeof number);
}

static int try_send(channel *c)
{
    static unsigned char data[200000];
    sz_part parts[8];
    numbered(data, c->size, c->sent);
    for (int i = 0; i < c->parts; i++)
        parts[i] = (sz_part){.data = data, .size = (size_t)c->size};
    int code = c->parts == 1 ? sz_send_bytes(c->from, data, (size_t)c->size)
                             : sz_send(c->from, parts, (size_t)c->parts);
    c->sent += code == 0;
    return code;
}

static void check_message(channel *c, int parts)
{
    static unsigned char wanted[200000];
    const void *data;
    size_t size;
    unsigned number = 0;
    if (parts != c->parts)
        wrong("a message has %d parts", parts);
    for (int i = 0; i < parts; i++) {
        if (sz_received(c->to, (size_t)i, &data, &size) != 0 ||
            size != (size_t)c->size)
            wrong("a part has %zu bytes", size);
        memcpy(&number, data, sizeof number);
        numbered(wanted, c->size, number);
        if (memcmp(data, wanted, size) != 0)
            wrong("a part is damaged");
    }
    if (number >= c->sent)
        wrong("message %u of %u was not accepted", number, c->sent);
    unsigned expected = c->received + c->lost;
    /* Nobody can be told what the disk loses once a socket is closed. */
    bool may_lose = c->swaps || (plan.error == EIO && disturbed() &&
                                 sz_socket_check(c->from) != 0);
    if (number < expected || (number > expected && !may_lose))
        wrong("message %u arrived in place of %u", number, expected);
    c->lost += number - expected;
    c->received++;
}

static int try_receive(channel *c)
{
    int parts = sz_receive(c->to);
    if (parts <= 0)
        return parts;
    check_message(c, parts);
    sz_release(c->to);
    return 0;
}

void send_numbered(channel *c, int count)
{
    for (int i = 0; i < count; i++) {
        int tries = 0, code;
        note("send_numbered");
        while (again(code = try_send(c), &tries, "send_numbered"))
            if (code == SZ_EAGAIN)
                try_receive(c);
    }
}

int fill_channel(channel *c, int count)
{
    int n = 0, tries = 0, code = 0;
    note("fill_channel");
    while (n < count) {
        code = try_send(c);
        if (code == SZ_EAGAIN)
            break;
        again(code, &tries, "fill_channel");
        n += code == 0;
    }
    return n;
}

void receive_numbered(channel *c, int count)
{
    unsigned end = count < 0 ? c->sent : c->received + (unsigned)count;
    int tries = 0;
    note("receive_numbered");
    while (c->received + c->lost < end) {
        int code = try_receive(c);
        if (code == 0) {
            tries = 0;
            continue;
        }
        if (c->swaps) {
            int64_t next;
            may(sz_socket_pump(c->from, &next), 0, "sz_socket_pump");
            int64_t lost = 0;
            const sz_option *row =
                sz_option_find(SZ_SOCKET_OPTION, "swap-lost");
            if (code == SZ_EAGAIN && tries > SHORT && calm &&
                sz_socket_get_integer(c->from, row, &lost) == 0 &&
                c->received + c->lost + (unsigned)lost >= end)
                return;
        }
        again(code, &tries, "receive_numbered");
    }
    if (c->swaps && c->lost > 0 &&
        (int64_t)c->lost > get(c->from, "swap-lost"))
        wrong("%u messages were lost and not counted", c->lost);
}

void send_text(sz_socket socket, const char *text)
{
    MUST(sz_send_bytes(socket, text, strlen(text)));
}

void expect_text(sz_socket socket, const char *text)
{
    const void *data;
    size_t size;
    MUST(sz_receive_held(socket));
    MUST(sz_received(socket, 0, &data, &size));
    if (size != strlen(text) || memcmp(data, text, size) != 0)
        wrong("\"%.*s\" in place of \"%s\"", (int)size, (const char *)data,
              text);
    sz_release(socket);
}

int receive_any(sz_socket socket)
{
    int parts = 0;
    MUST(parts = sz_receive(socket));
    sz_release(socket);
    return parts;
}

void pause_for(int milliseconds)
{
    for (int i = 0; i < milliseconds; i++) {
        pause_briefly();
        for (int s = 0; s < socket_count; s++)
            may(sz_socket_events(sockets[s]), SZ_ECLOSED, "sz_socket_events");
    }
}

/* ---------------------------------------------------------------- play -- */

static int count_entries(const char *path)
{
    int count = 0;
    DIR *found = opendir(path);
    if (found == NULL)
        abort();
    while (readdir(found) != NULL)
        count++;
    closedir(found);
    return count;
}

static void run(const scene *played)
{
    if (setjmp(left) == 0) {
        context = new_context();
        played->run();
        close_all();
    }
}

static void clear_directory(void)
{
    char command[sizeof directory + 16];
    snprintf(command, sizeof command, "rm -rf %s", directory);
    if (system(command) != 0)
        abort();
}

void play(const scene *played, fault_plan wanted, fault_log *log)
{
    plan = wanted;
    events = log;
    snprintf(directory, sizeof directory, "/tmp/faults-XXXXXX");
    if (mkdtemp(directory) == NULL)
        abort();
    int threads = count_entries("/proc/self/task");
    int descriptors = count_entries("/proc/self/fd");
    inject(plan, log);
    run(played);
    inject_end();
    calm = true;
    if (setjmp(left) != 0)
        wrong("a call fails after the faults");
    for (int i = 0; i < channel_count && !shuts_down(); i++)
        if (sz_socket_check(channels[i]->from) == 0)
            receive_numbered(channels[i], -1);
    close_all();
    /* Contexts that were dropped when no thread could be started. */
    if (sz_exit(DEADLINE, NULL, NULL) != 0)
        wrong("sz_exit");
    note("the end");
    for (int i = 0; count_entries("/proc/self/task") != threads; i++) {
        if (i > DEADLINE)
            wrong("a thread is left");
        pause_briefly();
    }
    if (count_entries("/proc/self/fd") != descriptors)
        wrong("%d descriptors more",
              count_entries("/proc/self/fd") - descriptors);
    clear_directory();
    exit(0);
}
