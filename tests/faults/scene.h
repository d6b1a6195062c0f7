/* Scenes: programs that use a part of the kernel, in which calls are made to
 * fail.
 *
 * A scene makes its objects by the functions below, which keep them, and tries
 * each call again after an error: MUST.  A call that goes on failing after its
 * fault was made has left a trace, and the scene fails.  If the faults do not
 * end, the scene is left, and what was made must still be usable and be closed
 * when they have ended. */
#ifndef SCENE_H
#define SCENE_H

#include "inject.h"
#include "szmq.h"

#include <errno.h>

typedef struct {
    const char *name;
    void (*run)(void);
} scene;

/* Ends with a row without a name. */
extern const scene scenes[];

/* Runs a scene in this process, which it ends: with 0 if all is well. */
void play(const scene *played, fault_plan plan, fault_log *log)
    __attribute__((noreturn));

/* Ends the process with a message. */
void wrong(const char *format, ...)
    __attribute__((noreturn, format(printf, 1, 2)));

/* Whether a call that returned `code` is to be made again.  Leaves the scene
 * if it has failed too often. */
bool again(int code, int *tries, const char *call);

void note(const char *call);

/* Calls until there is no error. */
#define MUST(call)                                                            \
    do {                                                                      \
        int must_tries = 0;                                                   \
        note(#call);                                                          \
        while (again((call), &must_tries, #call))                             \
            ;                                                                 \
    } while (0)

/* Calls once: success, or `code`, or an error of a fault. */
void may(int code, int expected, const char *call);
#define MAY(call, expected) (note(#call), may((call), (expected), #call))

#define CHECK(condition)                                                      \
    do {                                                                      \
        if (!(condition))                                                     \
            wrong("line %d of %s: %s", __LINE__, __FILE__, #condition);       \
    } while (0)

/* True while faults are made, or may have been made. */
bool disturbed(void);

/* ------------------------------------------------------------- objects -- */

extern sz_context context; /* made at the beginning of each scene */
extern char directory[];   /* for files, empty at first */

sz_context new_context(void);
sz_socket new_socket(const char *type);
sz_socket new_socket_in(sz_context in, const char *type);
sz_poller new_poller(void);
sz_monitor new_monitor(sz_socket socket, int events);
void set(sz_socket socket, const char *option, int64_t value);
void set_bytes(sz_socket socket, const char *option, const void *data,
               size_t size);
void set_text(sz_socket socket, const char *option, const char *text);
int64_t get(sz_socket socket, const char *option);

/* The endpoint as libzmq completed it, valid until the next bind. */
const char *bind_to(sz_socket socket, const char *endpoint);
void connect_to(sz_socket socket, const char *endpoint);
void unbind_from(sz_socket socket, const char *endpoint);
void disconnect_from(sz_socket socket, const char *endpoint);

void close_socket(sz_socket socket);
void close_context(sz_context which);

/* A descriptor of the scene, which is closed when it ends. */
int keep(int fd);
void close_kept(int fd);

/* Forgets all objects, and closes them. */
void close_all(void);

/* ------------------------------------------------------------ channels -- */

/* Numbered messages from a socket to another, of which none may be lost that
 * was accepted, nor arrive twice or in another order. */
typedef struct {
    sz_socket from, to;
    int parts;
    int size; /* bytes of each part, 4 or more */
    bool swaps;
    unsigned sent, received, lost;
} channel;

/* Begins to watch a channel: from now on all that is accepted must arrive. */
void open_channel(channel *c);
void send_numbered(channel *c, int count);
/* Receives `count` messages, or what was sent if it is -1. */
void receive_numbered(channel *c, int count);
/* Sends without waiting until it would block, at most `count`. */
int fill_channel(channel *c, int count);

/* Sends and receives one message of one part, which has a bounded time. */
void send_text(sz_socket socket, const char *text);
void expect_text(sz_socket socket, const char *text);
/* Receives a message of any content: its number of parts. */
int receive_any(sz_socket socket);

/* Reads the events of all sockets for some milliseconds. */
void pause_for(int milliseconds);

#endif
