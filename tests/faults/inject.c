/* The functions that the kernel calls in place of those of the C library and
 * of libzmq.  All arguments and results are integers or pointers, so on a
 * system of 64 bits a function of six longs stands for any of them. */

#include "inject.h"
#include "fault.def"

#include <errno.h>
#include <netdb.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

_Static_assert(sizeof(long) == sizeof(void *) && sizeof(long) == 8,
               "the faults are made on systems of 64 bits");

typedef struct {
    const char *name;
    int errors[8];
} row;

static const row rows[] = {
#define ROW_F(name, failure, ...) {#name, {__VA_ARGS__}},
#define ROW(name, ...) {#name, {__VA_ARGS__}},
    FAULTS(ROW_F) CODES(ROW) SPECIAL(ROW)};

enum {
#define NUMBER(name, ...) N_##name,
    FAULTS(NUMBER) CODES(NUMBER) SPECIAL(NUMBER)
};

static fault_plan plan;
static fault_log *calls;
static atomic_bool active;

void inject(fault_plan wanted, fault_log *log)
{
    plan = wanted;
    calls = log;
    atomic_store(&log->calls, 0);
    atomic_store(&log->made, 0);
    atomic_store(&active, true);
}

void inject_end(void)
{
    atomic_store(&active, false);
}

const char *symbol_name(int symbol)
{
    return symbol == ANY        ? "all"
           : symbol == SHUTDOWN ? "shutdown"
                                : rows[symbol].name;
}

int symbol_error(int symbol, int index)
{
    const int count = sizeof rows / sizeof *rows;
    return symbol < count && index < 8 ? rows[symbol].errors[index] : 0;
}

bool symbol_moves(int symbol)
{
    return symbol == N_zmq_msg_recv || symbol == N_zmq_msg_send ||
           symbol == N_zmq_recv || symbol == N_zmq_send;
}

static bool can_fail(int symbol, int error)
{
    for (int i = 0; symbol_error(symbol, i) != 0; i++)
        if (symbol_error(symbol, i) == error)
            return true;
    return false;
}

/* The error by which this call fails, or 0. */
static int fault(int symbol)
{
    if (!atomic_load(&active))
        return 0;
    int number = atomic_fetch_add(&calls->calls, 1) + 1;
    if (number <= MOST_POINTS)
        atomic_store(&calls->of[number - 1], (unsigned char)symbol);
    if (plan.symbol == SHUTDOWN && number == plan.first) {
        atomic_store(&calls->made, 1);
        interrupt();
    }
    if (plan.first == 0 || number < plan.first || plan.symbol == SHUTDOWN ||
        (plan.symbol != ANY && plan.symbol != symbol) ||
        !can_fail(symbol, plan.error))
        return 0;
    if (plan.count != FOR_EVER && atomic_load(&calls->made) >= plan.count)
        return 0;
    atomic_fetch_add(&calls->made, 1);
    return plan.error;
}

#define ARGUMENTS long a, long b, long c, long d, long e, long f
#define PASSED a, b, c, d, e, f

#define DECLARE(name, ...)                                                    \
    long real_##name(ARGUMENTS) __asm__(#name);                               \
    long fault_##name(ARGUMENTS);
FAULTS(DECLARE)
CODES(DECLARE)
SPECIAL(DECLARE)

#define FAIL_F(name, failure, ...)                                            \
    long fault_##name(ARGUMENTS)                                              \
    {                                                                         \
        int error = fault(N_##name);                                          \
        if (error == 0)                                                       \
            return real_##name(PASSED);                                       \
        errno = error;                                                        \
        return failure;                                                       \
    }
FAULTS(FAIL_F)

#define FAIL_C(name, ...)                                                     \
    long fault_##name(ARGUMENTS)                                              \
    {                                                                         \
        int error = fault(N_##name);                                          \
        return error != 0 ? error : real_##name(PASSED);                      \
    }
CODES(FAIL_C)

/* A call that fails only if `condition` holds. */
#define FAIL_IF(name, condition)                                              \
    long fault_##name(ARGUMENTS)                                              \
    {                                                                         \
        int error = (condition) ? fault(N_##name) : 0;                        \
        if (error == 0)                                                       \
            return real_##name(PASSED);                                       \
        errno = error;                                                        \
        return -1;                                                            \
    }

enum {
    DUPLICATE = 1030, /* F_DUPFD_CLOEXEC */
    ADD = 1,          /* EPOLL_CTL_ADD */
    MODIFY = 3,       /* EPOLL_CTL_MOD */
    EVENTS = 15       /* ZMQ_EVENTS */
};

FAIL_IF(connect, true)
FAIL_IF(nice, true)
FAIL_IF(unlink, true)
FAIL_IF(fcntl, b == DUPLICATE)
/* Taking a descriptor out needs no memory. */
FAIL_IF(epoll_ctl, b == ADD || b == MODIFY)
FAIL_IF(zmq_getsockopt, b == EVENTS)

/* Over inproc libzmq needs nothing of the system. */
static bool needs_system(long endpoint)
{
    return plan.error == EINTR ||
           strncmp((const char *)endpoint, "inproc://", 9) != 0;
}

FAIL_IF(zmq_bind, needs_system(b))
FAIL_IF(zmq_connect, needs_system(b))

/* The descriptor is gone whatever close(2) reports. */
long fault_close(ARGUMENTS)
{
    int error = fault(N_close);
    long result = real_close(PASSED);
    if (error == 0 || result != 0)
        return result;
    errno = error;
    return -1;
}

/* Sockets that are in the middle of a message, where libzmq does not return
 * EAGAIN.  Two sockets may share a place: then there are fewer faults. */
static atomic_bool inside[2][256];

static atomic_bool *inside_of(long socket, int way)
{
    return &inside[way][(socket >> 4) % 256];
}

#define FAIL_MOVE(name, socket, way, more)                                    \
    long fault_##name(ARGUMENTS)                                              \
    {                                                                         \
        atomic_bool *is_inside = inside_of(socket, way);                      \
        int error = fault(N_##name);                                          \
        if (error == 0 || (error == EAGAIN && atomic_load(is_inside))) {      \
            long done = real_##name(PASSED);                                  \
            if ((int)done >= 0)                                               \
                atomic_store(is_inside, more);                                \
            return done;                                                      \
        }                                                                     \
        errno = error;                                                        \
        return -1;                                                            \
    }

/* ZMQ_SNDMORE is 2.  No part is received in pieces by zmq_recv. */
FAIL_MOVE(zmq_msg_send, b, 0, (c & 2) != 0)
FAIL_MOVE(zmq_send, a, 0, (d & 2) != 0)
FAIL_MOVE(zmq_recv, a, 1, false)
long more_parts(ARGUMENTS) __asm__("zmq_msg_more");
FAIL_MOVE(zmq_msg_recv, b, 1, (int)more_parts(a, 0, 0, 0, 0, 0) != 0)
