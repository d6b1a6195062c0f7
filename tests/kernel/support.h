/* What the kernel's tests share: sockets made in one line, waits that end,
 * children that are watched, and an allocator that fails on demand. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include "szmq.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Sanitizers end a test at the first fault, but answer NULL to sizes beyond
 * all memory, as the C library does. */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

const char *__ubsan_default_options(void)
{
    return "halt_on_error=1:print_stacktrace=1";
}

/* Milliseconds after which what should have happened never will; and those by
 * which a wait may seem shorter than it was, as libzmq's clock is coarse. */
enum {
    DEADLINE = 20000,
    GRAIN = 10
};

/* Loops are short by default; SZ_TEST_LOOPS multiplies them. */
static inline size_t loops(size_t modest)
{
    const char *factor = getenv("SZ_TEST_LOOPS");
    long times = factor != NULL ? strtol(factor, NULL, 10) : 1;
    return times > 1 ? modest * (size_t)times : modest;
}

/* Exhaustive loops are long by default; SZ_TEST_SCALE divides them where a
 * checker makes each step slow. */
static inline size_t scaled(size_t many)
{
    const char *divisor = getenv("SZ_TEST_SCALE");
    long by = divisor != NULL ? strtol(divisor, NULL, 10) : 1;
    return by > 1 && many > (size_t)by ? many / (size_t)by : many;
}

static inline int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline void pause_briefly(void)
{
    struct timespec t = {.tv_nsec = 1000000};
    nanosleep(&t, NULL);
}

/* This thread, for await_sleep. */
static inline int this_thread(void)
{
    return (int)syscall(SYS_gettid);
}

/* Waits until a thread of this process sleeps in the system, or has ended. */
static inline void await_sleep(int thread)
{
    char path[64], state = '?';
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
    int64_t end = now() + DEADLINE;
    while (state != 'S' && now() < end) {
        FILE *file = fopen(path, "r");
        if (file == NULL)
            return;
        if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
            state = '?';
        fclose(file);
        if (state != 'S')
            pause_briefly();
    }
}

/* ------------------------------------------------------------- results -- */

static inline void check_code(int got, int wanted, const char *what,
                              const char *file, int line)
{
    if (got == wanted)
        return;
    print_error("%s gave %d (%s), not %d (%s)\n", what, got,
                got < 0 ? sz_error_text(got) : "success", wanted,
                wanted < 0 ? sz_error_text(wanted) : "success");
    _fail(file, line);
}

/* Like assert_int_equal, but says what the codes mean. */
#define assert_code(call, wanted)                                             \
    check_code(call, wanted, #call, __FILE__, __LINE__)

/* Refused, with whatever code. */
#define assert_refused(call) assert_true((call) < 0)

/* ------------------------------------------------ contexts and sockets -- */

static inline sz_context make_context(void)
{
    sz_context made = {0};
    assert_code(sz_context_new(&made), 0);
    return made;
}

/* The context of the test that runs, where make_socket makes sockets.  A child
 * that forks from the test has none before it makes one. */
static sz_context context;

static inline const sz_option *option(const char *name)
{
    const sz_option *found = sz_option_find(SZ_SOCKET_OPTION, name);
    assert_non_null(found);
    return found;
}

static inline const sz_option *context_option(const char *name)
{
    const sz_option *found = sz_option_find(SZ_CONTEXT_OPTION, name);
    assert_non_null(found);
    return found;
}

static inline void set(sz_socket socket, const char *name, int64_t value)
{
    assert_code(sz_socket_set_integer(socket, option(name), value), 0);
}

static inline int64_t get(sz_socket socket, const char *name)
{
    int64_t value = INT64_MIN;
    assert_code(sz_socket_get_integer(socket, option(name), &value), 0);
    return value;
}

/* A socket with linger 0, so that no test waits for what it left behind. */
static inline sz_socket make_socket_in(sz_context its, const char *type)
{
    sz_socket socket = {0};
    assert_code(sz_socket_new(its, sz_type_find(type), &socket), 0);
    set(socket, "linger", 0);
    return socket;
}

static inline sz_socket make_socket(const char *type)
{
    return make_socket_in(context, type);
}

static inline int bind_to(sz_socket socket, const char *endpoint)
{
    return sz_socket_bind(socket, endpoint, strlen(endpoint), NULL);
}

/* To bind, and the endpoint that became of it. */
#define anywhere "tcp://127.0.0.1:*"

static inline const char *real_endpoint(sz_socket socket)
{
    bool bound;
    return sz_socket_endpoint(socket, 0, &bound);
}

static inline int connect_to(sz_socket socket, const char *endpoint)
{
    return sz_socket_connect(socket, endpoint, strlen(endpoint), NULL);
}

/* An ipc endpoint that no other process has; it leaves no file behind. */
static inline void make_endpoint(char endpoint[64])
{
    static int serial;
    snprintf(endpoint, 64, "ipc://@szmq-%d-%d", (int)getpid(), serial++);
}

/* Two sockets over inproc, the first one bound. */
static inline void make_pair(const char *bound, sz_socket *a,
                             const char *connected, sz_socket *b)
{
    static int serial;
    char endpoint[40];
    snprintf(endpoint, sizeof endpoint, "inproc://pair-%d", serial++);
    *a = make_socket(bound);
    *b = make_socket(connected);
    assert_code(bind_to(*a, endpoint), 0);
    assert_code(connect_to(*b, endpoint), 0);
}

static inline void subscribe(sz_socket socket, const char *prefix)
{
    assert_code(sz_socket_set_bytes(socket, option("subscribe"), prefix,
                                    strlen(prefix)),
                0);
}

/* Terminates, and waits until it is done. */
static inline void finish(sz_context ending)
{
    int64_t end = now() + DEADLINE;
    int code = sz_context_terminate(ending);
    while (code == SZ_EAGAIN && now() < end) {
        sz_wait(sz_context_fd(ending), 100);
        code = sz_context_terminate(ending);
    }
    assert_code(code, 0);
}

/* For the next round of a test: ends its context, and begins another. */
static inline void renew_context(void)
{
    finish(context);
    context = make_context();
}

/* ------------------------------------------------------------ transfer -- */

/* sz_receive that waits. */
static inline int receive_soon(sz_socket socket)
{
    int64_t end = now() + DEADLINE;
    int count = sz_receive(socket);
    while (count == SZ_EAGAIN && now() < end) {
        sz_socket_wait(socket, SZ_IN, 100);
        count = sz_receive(socket);
    }
    return count;
}

/* sz_send that waits. */
static inline int send_soon(sz_socket socket, const sz_part *parts,
                            size_t count)
{
    int64_t end = now() + DEADLINE;
    int code = sz_send(socket, parts, count);
    while (code == SZ_EAGAIN && now() < end) {
        sz_socket_wait(socket, SZ_OUT, 100);
        code = sz_send(socket, parts, count);
    }
    return code;
}

static inline sz_part text_part(const char *text)
{
    sz_part part = {.data = text, .size = strlen(text)};
    return part;
}

static inline int send_text(sz_socket socket, const char *text)
{
    sz_part part = text_part(text);
    return send_soon(socket, &part, 1);
}

static inline void check_received(sz_socket socket, size_t index,
                                  const char *text, const char *file, int line)
{
    const void *data = NULL;
    size_t size = 0;
    check_code(sz_received(socket, index, &data, &size), 0, "sz_received",
               file, line);
    if (size != strlen(text) || memcmp(data, text, size) != 0) {
        print_error("part %zu is \"%.*s\", not \"%s\"\n", index,
                    size < 80 ? (int)size : 80, (const char *)data, text);
        _fail(file, line);
    }
}

#define assert_received(socket, index, text)                                  \
    check_received(socket, index, text, __FILE__, __LINE__)

/* The next message has one part, which is `text`. */
#define assert_next(socket, text)                                             \
    do {                                                                      \
        assert_code(receive_soon(socket), 1);                                 \
        assert_received(socket, 0, text);                                     \
    } while (0)

static inline void check_message(sz_message message, const void *expected,
                                 size_t length, const char *file, int line)
{
    const void *data = NULL;
    size_t size = 0;
    check_code(sz_message_data(message, &data, &size), 0, "sz_message_data",
               file, line);
    if (size != length || memcmp(data, expected, length) != 0) {
        print_error("the message has %zu bytes, not the %zu expected, "
                    "or others\n",
                    size, length);
        _fail(file, line);
    }
}

#define assert_message(message, text)                                         \
    check_message(message, text, strlen(text), __FILE__, __LINE__)

/* ---------------------------------------------------------- directories -- */

static inline void make_directory(char path[32])
{
    strcpy(path, "/tmp/szmq-XXXXXX");
    assert_non_null(mkdtemp(path));
}

static inline void remove_directory(const char *path)
{
    DIR *directory = opendir(path);
    assert_non_null(directory);
    struct dirent *entry;
    while ((entry = readdir(directory)) != NULL)
        unlinkat(dirfd(directory), entry->d_name, 0);
    closedir(directory);
    assert_int_equal(rmdir(path), 0);
}

/* --------------------------------------------------------- descriptors -- */

static inline int count_entries(const char *path)
{
    DIR *directory = opendir(path);
    assert_non_null(directory);
    int count = 0;
    struct dirent *entry;
    while ((entry = readdir(directory)) != NULL)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

/* Descriptors that are open, and one more to count them. */
static inline int count_descriptors(void)
{
    return count_entries("/proc/self/fd");
}

/* Waits until no more than `most` are open: libzmq closes its own a moment
 * later, and until then it may open others. */
static inline void assert_descriptors_closed(int most)
{
    int64_t end = now() + DEADLINE;
    while (count_descriptors() > most) {
        assert_true(now() < end);
        pause_briefly();
    }
}

/* Only the soft limit: valgrind does not lower the hard one. */
static inline void limit_descriptors(rlim_t most)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = most;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* -------------------------------------------------------------- threads -- */

/* An emulator of the processor has threads of its own. */
static int threads_at_start;

__attribute__((constructor)) static void count_threads_at_start(void)
{
    threads_at_start = count_entries("/proc/self/task");
}

/* Waits for the threads of contexts and swaps, which end just after they have
 * said that they did: leak checkers would report what they have, here or in a
 * child that is forked. */
static inline void await_threads(void)
{
    int64_t end = now() + DEADLINE;
    while (count_entries("/proc/self/task") > threads_at_start && now() < end)
        pause_briefly();
    assert_int_equal(count_entries("/proc/self/task"), threads_at_start);
}

/* Waits until no other thread runs: a child inherits the locks that they hold,
 * a sanitizer's while a thread starts. */
static inline void await_quiet(void)
{
    DIR *directory = opendir("/proc/self/task");
    assert_non_null(directory);
    struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        int thread = (int)strtol(entry->d_name, NULL, 10);
        if (thread > 0 && thread != this_thread())
            await_sleep(thread);
    }
    closedir(directory);
}

/* ------------------------------------------------------------- children -- */

typedef struct {
    enum {
        EXITED,
        KILLED,
        LATE
    } how;
    int number; /* exit status or signal */
} outcome;

/* What cmocka's assertions do in a child is abort, not go on with the
 * parent's tests; and its handlers must not make a crash look like an exit. */
static inline void become_child(void)
{
    const int caught[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS};
    const struct rlimit none = {0, 0};
    for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
        signal(caught[i], SIG_DFL);
    setrlimit(RLIMIT_CORE, &none);
    setenv("CMOCKA_TEST_ABORT", "1", 1);
}

static inline pid_t start_child(int (*body)(void *), void *argument)
{
    await_quiet();
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        become_child();
        _exit(body(argument));
    }
    return pid;
}

/* How the child ended; one that does not end is killed, after the deadlines
 * of what it waits for, so that it says itself what did not happen. */
static inline outcome await_child(pid_t pid)
{
    int status = 0;
    int64_t end = now() + 3 * DEADLINE;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (now() > end) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            return (outcome){LATE, 0};
        }
        pause_briefly();
    }
    if (WIFSIGNALED(status))
        return (outcome){KILLED, WTERMSIG(status)};
    return (outcome){EXITED, WEXITSTATUS(status)};
}

static inline void check_child(outcome got, const char *what, const char *file,
                               int line)
{
    static const char *const words[] = {"exited with", "was killed by signal",
                                        "did not end"};
    if (got.how == EXITED && got.number == 0)
        return;
    print_error("the child %s %s %d\n", what, words[got.how], got.number);
    _fail(file, line);
}

/* A child that runs body(argument) returns 0 from it. */
#define assert_child(body, argument)                                          \
    check_child(await_child(start_child(body, argument)), #body, __FILE__,    \
                __LINE__)

/* A child that does nothing, with copies of all our descriptors. */
static inline pid_t start_sleeper(void)
{
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        sleep(60);
        _exit(0);
    }
    return pid;
}

static inline void end_sleeper(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* --------------------------------------------------------------- tests -- */

/* A test; `context` is open while it runs. */
#define TEST(name) static void name(void **state __attribute__((unused)))

static inline int begin_test(void **state)
{
    (void)state;
    context = make_context();
    return 0;
}

static inline int end_test(void **state)
{
    (void)state;
    finish(context);
    await_threads();
    return 0;
}

/* Runs a group of tests, each between begin_test and end_test. */
static inline int run_group(const char *name, const struct CMUnitTest *tests,
                            size_t count)
{
    struct CMUnitTest *framed = calloc(count, sizeof *framed);
    for (size_t i = 0; i < count; i++) {
        framed[i] = tests[i];
        framed[i].setup_func = begin_test;
        framed[i].teardown_func = end_test;
    }
    int failed = _cmocka_run_group_tests(name, framed, count, NULL, NULL);
    free(framed);
    return failed;
}

#define run_all(name, tests)                                                  \
    run_group(name, tests, sizeof(tests) / sizeof *(tests))

#endif
