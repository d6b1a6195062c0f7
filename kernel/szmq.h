/* szmq: ZeroMQ for language bindings and small C programs.
 *
 * This header is the kernel's manual; what is not in it is not supported.
 *
 * Results.  Every function that can fail returns an int: zero or a count on
 * success, a negative sz_error otherwise.  Nothing is left in errno, nothing
 * is printed, nothing aborts.  Where libzmq itself would abort the process
 * (no descriptors left, a pending inproc connect at termination, ...), the
 * kernel checks first and returns an error; out of memory inside libzmq is
 * the one case it cannot prevent.
 *
 * Blocking.  Only the three functions under "Waiting for C programs and for
 * exit" block, and only until a deadline.  The others answer SZ_EAGAIN when
 * they would have to wait; then wait until the descriptor named in their
 * description is readable and call again.
 *
 * Handles.  Contexts, sockets, messages, pollers and monitors are handles:
 * numbers of at most 61 bits in a struct, passed by value.  They hold no
 * pointer, so a handle that was closed, or never was one, is refused
 * (SZ_ECLOSED, SZ_EHANDLE), and closing twice does nothing.  Zero is never a
 * handle.
 *
 * Threads.  A context may be used from any OS thread.  A socket and a poller
 * belong to one OS thread at a time; to hand one over takes a full fence,
 * which a mutex gives.  Terminating or dropping a context closes its sockets,
 * in the thread that calls it first: no other thread may then be using one of
 * them, or a poller that watches one.  Others may meanwhile terminate it too,
 * and make sockets, which are refused or closed with the rest.  Where others
 * still use sockets, shut the context down, which any thread may do at any
 * time, and terminate it when they have closed theirs.  The kernel's own
 * threads (they terminate contexts and read the events of monitored sockets)
 * block all signals and never touch a socket of the program's.
 *
 * fork.  Handles of contexts, sockets, pollers and monitors that a child
 * inherits are refused there (SZ_EFORKED), except for closing, which only
 * forgets them. Messages stay readable, and the child may make contexts of its
 * own.
 */
#ifndef SZMQ_H
#define SZMQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint64_t id;
} sz_context;
typedef struct {
    uint64_t id;
} sz_socket;
typedef struct {
    uint64_t id;
} sz_message;
typedef struct {
    uint64_t id;
} sz_poller;
typedef struct {
    uint64_t id;
} sz_monitor;

/* ------------------------------------------------------------- errors -- */

#include "error.def"
#include "event.def"

/* The kernel is linked into what uses it, so that calls need no table. */
#pragma GCC visibility push(hidden)

enum sz_error {
#define SZI_ENUM(name, symbol, text) SZ_##name = -(name),
    SZ_SYSTEM_ERRORS(SZI_ENUM)
#undef SZI_ENUM
#define SZI_ENUM(name, number, os, symbol, text) SZ_##name = -(number),
    SZ_OWN_ERRORS(SZI_ENUM)
#undef SZI_ENUM
};

/* The symbol of a code ("eaddrinuse", "closed"), its text, which says what
 * to do where that is known, and its errno number.  A code that is not in
 * the table is taken for a negated errno.  Static strings; never NULL. */
const char *sz_error_symbol(int code);
const char *sz_error_text(int code);
int sz_error_errno(int code);

/* ------------------------------------------------------------ library -- */

/* The version of the libzmq that runs, which may differ from its header. */
void sz_version(int version[3]);

/* Whether that libzmq was built with a capability: "ipc", "curve", ... */
bool sz_has(const char *capability);

/* Replaces the allocator of the kernel (not of libzmq): `resize` works as
 * realloc, `release` as free; NULL for both restores the C library's.  Call
 * it before anything else, or when nothing is allocated. */
void sz_set_allocator(void *(*resize)(void *, size_t),
                      void (*release)(void *));

/* ------------------------------------------------------- socket types -- */

/* What a socket type is: its place in libzmq's numbering, whether it sends
 * and receives, and whether this libzmq knows it only as a draft. */
typedef struct {
    const char *name;
    int number;
    bool sends, receives, draft;
} sz_type;

/* The type called `name` (`xreq` and `xrep` are names of dealer and router),
 * or NULL; the types in order of number, NULL past the end. */
const sz_type *sz_type_find(const char *name);
const sz_type *sz_type_at(size_t index);

/* The name of a type or of an option most like `name`, or NULL when none is
 * near: for error messages. */
const char *sz_type_near(const char *name);

/* ------------------------------------------------------------ options -- */

typedef enum {
    SZ_SOCKET_OPTION,
    SZ_CONTEXT_OPTION
} sz_scope;

/* How an option's value is given.  Up to SZ_FLAGS they are integers for
 * sz_..._integer; the others are bytes for sz_..._bytes. */
typedef enum {
    SZ_BOOLEAN, /* 0 or 1 */
    SZ_INTEGER, /* min to max */
    SZ_BITMAP,  /* 64 bits, as the int64_t that has them */
    SZ_ENUM,    /* an index into `symbols` */
    SZ_FLAGS,   /* bit n stands for word n of `symbols` */
    SZ_BYTES,   /* min to max bytes */
    SZ_STRING,  /* the same, without NUL */
    SZ_KEY      /* 32 bytes or 40 characters of Z85; read as Z85 */
} sz_value_type;

/* One row of option.def. */
typedef struct {
    const char *name;
    const char *alias_of; /* the option's own name if this is another name */
    sz_scope scope;
    bool secret; /* the value is not to be shown */
    bool live;   /* it works at once, not only for later endpoints */
    int number;  /* libzmq's */
    sz_value_type type;
    const char *access;  /* "r", "w" or "rw" */
    const char *unit;    /* as a word; "" where it has none */
    int64_t min, max;    /* of the value, or of its length */
    int64_t initial;     /* the default of an integer; bytes begin empty */
    uint32_t types;      /* bit n: socket type number n */
    const char *symbols; /* for SZ_ENUM and SZ_FLAGS, separated by spaces */
    const char *since;   /* first libzmq that has it */
    const char *needs;   /* capability, "draft", or "" */
    const char *text;    /* one line for people */
    int rule;            /* conversion from the old library; see option.c */
    int operand;
} sz_option;

const sz_option *sz_option_find(sz_scope scope, const char *name);
const sz_option *sz_option_at(size_t index);
size_t sz_option_index(const sz_option *option);
const char *sz_option_near(sz_scope scope, const char *name);

/* ----------------------------------------------------------- contexts -- */

/* A new context.  SZ_EMFILE, SZ_ENOMEM. */
int sz_context_new(sz_context *context);

/* 0, or why the context cannot be used: SZ_ECLOSED once it is terminated,
 * SZ_ETERM from the call of terminate or shutdown on, SZ_EFORKED. */
int sz_context_check(sz_context context);

/* Set and read an option of the table, in the table's units.
 * SZ_ERANGE, SZ_EREADONLY, SZ_EWRITEONLY, SZ_EUNSUPPORTED and SZ_EOLD as for
 * sockets, and SZ_ELATE for one that must be set before the context's first
 * socket. */
int sz_context_set(sz_context context, const sz_option *option, int64_t value);
int sz_context_get(sz_context context, const sz_option *option,
                   int64_t *value);

/* How many sockets of the context are open. */
int sz_context_sockets(sz_context context);

/* Makes every operation on the context's sockets answer SZ_ETERM.  They stay
 * open until they are closed. */
int sz_context_shutdown(sz_context context);

/* Closes the context's sockets, each by its linger, and terminates it: 0 when
 * it is gone, SZ_EAGAIN while it is going, which may take as long as the
 * longest linger.  Wait on sz_context_fd and call again.  A context that is
 * gone already is 0 too.  The descriptor is closed some time after one caller
 * got 0, so that several threads that wait do so for a bounded time. */
int sz_context_terminate(sz_context context);
int sz_context_fd(sz_context context);

/* The same without ever telling when it is done: for finalizers. */
void sz_context_drop(sz_context context);

/* ------------------------------------------------------------ sockets -- */

/* A new socket.  SZ_EDRAFT for a draft type, SZ_EDESCRIPTORS before
 * libzmq would abort for want of descriptors, SZ_ESOCKETS when max-sockets
 * are open, SZ_EAGAIN when sockets that were closed are still in the way of
 * that number (they are gone in a moment), SZ_ETERM, SZ_EFORKED, SZ_ENOMEM.
 * With linger -1 (libzmq's default) what was sent and nobody has taken keeps
 * the context alive. */
int sz_socket_new(sz_context context, const sz_type *type, sz_socket *socket);

/* Closes the socket; what was sent stays on its way for the time of linger.
 * The parts of a received message that nobody has taken are dropped. */
int sz_socket_close(sz_socket socket);

/* 0, or why the socket cannot be used: SZ_ECLOSED, SZ_EFORKED. */
int sz_socket_check(sz_socket socket);

/* The socket's type, or NULL where sz_socket_check is not 0. */
const sz_type *sz_socket_type(sz_socket socket);

/* Endpoints are `length` bytes, not NUL-terminated strings.  bind and connect
 * return in *real (may be NULL) the endpoint as libzmq completed it
 * ("tcp://127.0.0.1:*" with its port); the string stays valid until the next
 * call for this socket.  unbind and disconnect take what bind and connect
 * returned or were given.  bind resolves names and opens files at once; where
 * a socket was closed or unbound just before, its address may be in use for
 * another moment.  Of ipc, a path where nobody answers any more is free, and
 * one where somebody does, or that is no socket, is in use.
 * SZ_EENDPOINT, SZ_EPORT, SZ_ENUL, SZ_EPATH, SZ_EPROTONOSUPPORT,
 * SZ_ENOCOMPATPROTO, SZ_EDESCRIPTORS, SZ_EADDRINUSE, SZ_EADDRNOTAVAIL,
 * SZ_ENOENT, ... */
int sz_socket_bind(sz_socket socket, const char *endpoint, size_t length,
                   const char **real);
int sz_socket_connect(sz_socket socket, const char *endpoint, size_t length,
                      const char **real);
int sz_socket_unbind(sz_socket socket, const char *endpoint, size_t length);
int sz_socket_disconnect(sz_socket socket, const char *endpoint,
                         size_t length);

/* The endpoints the socket is bound or connected to, oldest first: *bound
 * tells which.  NULL past the end; valid until the next call. */
const char *sz_socket_endpoint(sz_socket socket, size_t index, bool *bound);

/* Options in the units of the table.  _integer up to SZ_FLAGS, _bytes for
 * the value types after it.  get_bytes sets *data to storage that is
 * valid until the next call for this socket.  A secret key is returned like
 * any other: the caller keeps it out of messages and logs, and wipes *data
 * when it has what it wants.
 * SZ_EREADONLY, SZ_EWRITEONLY, SZ_ERANGE, SZ_ELENGTH, SZ_ENUL, SZ_ETYPE when
 * the option is not for this socket type, SZ_EVALUE for the wrong kind of
 * value, SZ_EMANUAL for a subscription by hand where that is not on,
 * SZ_EPROPERTY, SZ_EKEY.  Whether libzmq has the option is found out when it
 * is used, of the libzmq that runs: SZ_EUNSUPPORTED where it was built without
 * it, SZ_EOLD where it came later. */
int sz_socket_set_integer(sz_socket socket, const sz_option *option,
                          int64_t value);
int sz_socket_get_integer(sz_socket socket, const sz_option *option,
                          int64_t *value);
int sz_socket_set_bytes(sz_socket socket, const sz_option *option,
                        const void *data, size_t size);
int sz_socket_get_bytes(sz_socket socket, const sz_option *option,
                        const void **data, size_t *size);

/* What can be done at once: SZ_IN, SZ_OUT or both, or an error. */
enum {
    SZ_IN = 1,
    SZ_OUT = 2,
    SZ_ERROR = 4
};
int sz_socket_events(sz_socket socket);

/* The descriptor that becomes readable when the events may have changed.  It
 * is edge-triggered: it is only worth waiting on after an operation, or
 * sz_socket_events, said that there was nothing to do, and any call for the
 * socket in between may take the signal.  Never read from it. */
int sz_socket_fd(sz_socket socket);

/* The socket's own rcvtimeo or sndtimeo in milliseconds, -1 for none: what a
 * wait for SZ_IN or SZ_OUT is bounded by where the caller names no time. */
int sz_socket_timeout(sz_socket socket, int direction);

/* ----------------------------------------------------------- messages -- */

/* A message part that stays in C, held by a handle, of `size` bytes copied
 * from `data`, or all zero where data is NULL.  SZ_ENOMEM. */
int sz_message_new(const void *data, size_t size, sz_message *message);

/* A real copy: it shares no storage with the first. */
int sz_message_copy(sz_message message, sz_message *copy);

/* The bytes, valid and unchanging until the handle is freed. */
int sz_message_data(sz_message message, const void **data, size_t *size);

/* What the connection that a message came through says of it: "Peer-Address",
 * "Socket-Type", "Routing-Id", "User-Id" after authentication, and what the
 * peer's option metadata has set, "X-...".  A string that is valid until the
 * handle is freed, without a length: libzmq cuts values at a NUL.  SZ_ENOENT
 * where there is none, as for a message that was made here, or came by inproc.
 * Sending the message on does not change it. */
int sz_message_property(sz_message message, const char *name,
                        const char **value);

/* The bytes of a message that was just made, to be filled in.  SZ_EBUSY once
 * it was sent: then they do not change any more. */
int sz_message_fill(sz_message message, void **data, size_t *size);

/* Frees the handle; the bytes live on while libzmq is sending them. */
void sz_message_free(sz_message message);

/* Bytes held by message handles now: to drive a garbage collector. */
size_t sz_message_held(void);

/* ----------------------------------------------------------- transfer -- */

/* One part of a message to be sent: a handle, or with id 0 the bytes. */
typedef struct {
    const void *data;
    size_t size;
    sz_message message;
} sz_part;

/* Sends a whole message of `count` >= 1 parts, all or nothing.  Bytes are
 * copied, handles shared; neither is consumed.  Never waits.  SZ_EAGAIN (wait
 * on sz_socket_fd), SZ_ENOTSUP, SZ_EFSM, SZ_EHOSTUNREACH, SZ_ETERM, SZ_ENOMEM,
 * SZ_EPARTS for several parts on a socket that takes one. */
int sz_send(sz_socket socket, const sz_part *parts, size_t count);

/* sz_send of one part that is bytes. */
int sz_send_bytes(sz_socket socket, const void *data, size_t size);

/* Sends `count` messages of one part each, in order, as sz_send does each of
 * them, and stops at the first that fails: how many were sent, or where the
 * first failed, why.  0 for none. */
int sz_send_each(sz_socket socket, const sz_part *messages, size_t count);

/* Receives a whole message and returns its number of parts, which stay with
 * the socket until sz_release or the next sz_receive.  Never waits.
 * SZ_EAGAIN (wait on sz_socket_fd), SZ_ENOTSUP, SZ_EFSM, SZ_ETERM, and
 * SZ_ENOMEM, after which the next call goes on with the same message. */
int sz_receive(sz_socket socket);

/* The same, but returns again a message that was not released: where a
 * signal's handler, say, may receive in between, nothing is lost so. */
int sz_receive_held(sz_socket socket);

/* The same, but waits, at most so many milliseconds, or without limit where
 * they are -1; the socket's rcvtimeo does not count.  SZ_EAGAIN after that,
 * and SZ_EINTR when a signal's handler has run; one that runs just before the
 * call is not noticed. */
int sz_receive_wait(sz_socket socket, int timeout);

/* SZ_IN or SZ_OUT if the last thing done with the socket was to receive or to
 * send, which would have had to wait: then its descriptor tells whatever
 * changes that, and who wants to wait for it need not try again.  Else 0, as
 * for a socket with a swap, and for none. */
int sz_socket_exhausted(sz_socket socket);

/* As sz_receive_held, and where the message has one part, which it returns as
 * 1, also the data and size of the part; else *part stays as it is.  A part of
 * at most `small` bytes is released already: its bytes are valid until the
 * next call for this socket.  So a small message costs one call. */
int sz_receive_part(sz_socket socket, size_t small, sz_part *part);

/* Receives messages of one part and at most `small` bytes one after the other,
 * and gives the bytes of each to the taker, which must not use the socket and
 * returns whether it wants another; they are valid so long.  Returns 0 if it
 * did not want another, or how many parts another message has, which is then
 * held as by sz_receive_held, whose errors are returned too. */
typedef bool sz_taker(void *argument, const void *data, size_t size);
int sz_receive_each(sz_socket socket, size_t small, sz_taker *take,
                    void *argument);

/* The bytes of a part received; valid until sz_release, sz_receive, or until
 * the part is taken. */
int sz_received(sz_socket socket, size_t index, const void **data,
                size_t *size);

/* Moves a part received into a handle, without a copy.  SZ_ENOMEM leaves it
 * where it is. */
int sz_take(sz_socket socket, size_t index, sz_message *message);

/* Moves all of the `count` parts received into handles, or none. */
int sz_take_all(sz_socket socket, sz_message *messages, size_t count);

/* Lets go of the parts received. */
void sz_release(sz_socket socket);

/* What a socket has done.  An operation that would have to wait counts as an
 * eagain; whoever waits then may count it with sz_socket_waited.  `drops` are
 * messages that the kernel itself gave up; what libzmq drops is not told. */
typedef struct {
    uint64_t sent, sent_bytes;
    uint64_t received, received_bytes;
    uint64_t send_eagains, receive_eagains;
    uint64_t waits, drops;
} sz_statistics;
int sz_socket_statistics(sz_socket socket, sz_statistics *found);
void sz_socket_waited(sz_socket socket);

/* -------------------------------------------------------------- proxy -- */

/* Moves messages from one socket to another, which may be the same, without
 * touching their bytes, and copies them to `capture` (id 0 for none): one
 * slice of at most 256 messages and about 200 microseconds.  Never waits.
 * Nothing is taken that cannot be passed on; should a peer go away in between,
 * the message is put back: the next to receive from the socket has it.  A
 * message for a peer that is not there (SZ_EHOSTUNREACH) is dropped.
 *
 * 0, and what was moved; or an error of one of the sockets, also SZ_ENOTSUP
 * where `from` does not receive, or `to` or `capture` does not send. */
typedef struct {
    uint64_t messages, bytes;
    uint64_t dropped;    /* not counted in `messages` */
    uint64_t uncaptured; /* the peer of `capture` went away */
    int wait;            /* what to wait for, 0 to call again at once */
} sz_moved;

enum {
    SZ_WAIT_INPUT = 1,   /* SZ_IN of `from` */
    SZ_WAIT_ROOM = 2,    /* SZ_OUT of `to` */
    SZ_WAIT_CAPTURE = 4, /* SZ_OUT of `capture` */
    SZ_WAIT_TIME = 8     /* some milliseconds: no event will tell */
};
int sz_proxy_move(sz_socket from, sz_socket to, sz_socket capture,
                  sz_moved *moved);

/* -------------------------------------------------------------- parts -- */

/* One message of all the parts, in the form of czmq's and cppzmq's encode:
 * before each part its size, as one byte below 255, else as 255 and four bytes
 * with the highest first.  `count` may be 0.  SZ_EMSGSIZE for a part of 4 GiB
 * or more, SZ_ENOMEM. */
int sz_parts_encode(const sz_part *parts, size_t count, sz_message *message);

/* Finds the part that begins at *offset (0 at first), sets *data and
 * *part_size to its bytes, which lie in `encoded`, moves *offset behind it and
 * returns 1; 0 at the end.  SZ_EMALFORMED where the part is cut off: then
 * *offset is where it begins. */
int sz_parts_decode(const void *encoded, size_t size, size_t *offset,
                    const void **data, size_t *part_size);

/* --------------------------------------------------------------- swap -- */

/* A socket whose option `swap` is above 0 holds what libzmq does not take,
 * in memory and then in a file, up to that many bytes: sz_send answers
 * SZ_EAGAIN only when that is full, too.  What was accepted reaches libzmq in
 * order, each message whole, at most once, while the process lives.  It does
 * not survive the process.
 *
 * push, dealer and pair hold any number of messages; req holds one request,
 * and its reply can be waited for at once; pub and xpub hold what a subscriber
 * cannot take, and drop what does not fit any more (swap-dropped counts it).
 * Other types have no swap (SZ_ESWAPTYPE).  What cannot go with it is refused
 * in either order: SZ_ESWAPHWM, SZ_ESWAPCONFLATE, SZ_ESWAPCURVE,
 * SZ_ESWAPNODROP.  Setting it to 0 is refused while messages wait
 * (SZ_ESWAPBUSY), setting its directory while it is on (SZ_ESWAPLATE).
 *
 * sz_send answers besides SZ_ESWAPSIZE for a message that is larger than the
 * whole swap, where libzmq does not take it at once; SZ_EIO and other errors
 * of the disk, where only that message was not accepted; and once SZ_ECORRUPT
 * after the disk did not give back what was written: swap-lost tells how many
 * messages are lost, none is sent that was damaged.
 *
 * SZ_OUT is told while there is room for a message of 64 KiB, or of an eighth
 * of the swap if that is less.  What a closed socket still holds leaves for
 * the time of its linger, by a thread of the kernel's. */

/* Moves what waits in the socket's swap to libzmq, for about 200 microseconds
 * at most.  *next is when to call again (sz_now; 0 for at once), -1 for when
 * messages wait again: see SZ_SWAP.  Every other call for the socket moves
 * some, too.  SZ_ETERM. */
int sz_socket_pump(sz_socket socket, int64_t *next);

/* Where the file of a swap is by default: $ZMQ_SWAP_DIR, $TMPDIR or
 * /var/tmp. */
const char *sz_swap_directory(void);

/* ------------------------------------------------------------ pollers -- */

/* A set of sockets and descriptors to watch, level-triggered for its user.
 * A round costs with what is ready or was used since the last one, not with
 * what is watched. */
int sz_poller_new(sz_poller *poller);
void sz_poller_free(sz_poller poller);

/* Watches a socket or a descriptor for `events` (SZ_IN | SZ_OUT | SZ_ERROR;
 * 0 only reports errors).  `tag` comes back with its events.  SZ_EEXIST when
 * it is watched already, SZ_ENOENT when it is not, SZ_EBADF.
 *
 * SZ_SIGNAL, alone, is for who waits beside pollers: it is reported once each
 * time that the socket's descriptor signals (where the system has only poll,
 * again and again until the signal is taken), or that a poller has read the
 * socket's events, which takes it.  No events are read for it, and what else
 * is done with the socket is not reported.  Waiting is then: do the operation;
 * on SZ_EAGAIN wait for the signal, or for a use of the socket by somebody
 * else; do it again. */
enum {
    SZ_SIGNAL = 8,
    SZ_SWAP = 16
};
/* SZ_SWAP, alone, is for who pumps: it is reported when messages begin to wait
 * in the socket's swap, and while they do, once each time that the descriptor
 * signals; then call sz_socket_pump. */
int sz_poller_add_socket(sz_poller poller, sz_socket socket, int events,
                         uint64_t tag);
int sz_poller_add_fd(sz_poller poller, int fd, int events, uint64_t tag);
int sz_poller_modify_socket(sz_poller poller, sz_socket socket, int events,
                            uint64_t tag);
int sz_poller_modify_fd(sz_poller poller, int fd, int events, uint64_t tag);
int sz_poller_remove_socket(sz_poller poller, sz_socket socket);
int sz_poller_remove_fd(sz_poller poller, int fd);

/* Whether a poller watches the socket for more than SZ_SIGNAL, and so may take
 * the signal of its descriptor. */
bool sz_socket_polled(sz_socket socket);

/* What is ready now: fills at most `max` >= 1 entries and returns how many.
 * After 0, wait on sz_poller_fd; it becomes readable, and stays so, until the
 * next check.  A socket that was closed is reported with SZ_ERROR. */
typedef struct {
    uint64_t tag;
    int events;
} sz_ready;
int sz_poller_check(sz_poller poller, sz_ready *ready, size_t max);
int sz_poller_fd(sz_poller poller);

/* Makes the poller's descriptor readable at a time of sz_now's clock, too;
 * one time at once, -1 for none.  sz_poller_check does not report it. */
int sz_poller_alarm(sz_poller poller, int64_t time);

/* Milliseconds of a clock that nobody sets (CLOCK_MONOTONIC). */
int64_t sz_now(void);

/* ------------------------------------------------------------- events -- */

/* What happens to the connections of a socket over tcp, ipc and their like;
 * inproc has no events. */
typedef enum {
    SZ_NOTHING,
    SZ_DESCRIPTOR,
    SZ_ERRNO,
    SZ_MILLISECONDS,
    SZ_PROTOCOL_ERROR, /* of SZ_PROTOCOL_ERRORS */
    SZ_ZAP_STATUS      /* of SZ_ZAP_STATUSES */
} sz_event_value;

enum sz_event_bit {
#define SZI_ENUM(name, bit, symbol, value, text) SZ_EVENT_##name = (bit),
    SZ_EVENTS(SZI_ENUM)
#undef SZI_ENUM
    SZ_EVENT_ALL = 0x7fff
};

enum sz_zap_status {
#define SZI_ENUM(name, status, symbol, text) SZ_ZAP_##name = (status),
    SZ_ZAP_STATUSES(SZI_ENUM)
#undef SZI_ENUM
};

/* One row of event.def. */
typedef struct {
    const char *name;
    int bit;
    sz_event_value value;
    const char *text;
} sz_event_type;

const sz_event_type *sz_event_find(const char *name);
const sz_event_type *sz_event_at(size_t index);
const char *sz_event_near(const char *name);

/* The symbol and the text of a value that is an errno, a protocol error or a
 * ZAP status; "unknown" for one that is not in the tables, and NULL for other
 * kinds of value. */
const char *sz_event_symbol(const sz_event_type *type, uint32_t value);
const char *sz_event_text(const sz_event_type *type, uint32_t value);

/* ----------------------------------------------------------- monitors -- */

/* Tells the events of a socket that are in `events` (SZ_EVENT_ bits) from now
 * on.  A socket can have several monitors; each is told everything it asked
 * for.  A monitor that nobody reads keeps the 1024 newest events and counts
 * the others: it holds up nothing.  To be called, like stop and close, where
 * the socket may be used.
 *
 * A thread of the kernel, one for each context, reads what libzmq tells, so
 * that libzmq never waits.  Each socket that is monitored costs a descriptor,
 * each monitor two.  SZ_ETYPE for events that are none, SZ_EDESCRIPTORS,
 * SZ_EAGAIN from pthread_create, SZ_ENOMEM, SZ_ETERM, SZ_ECLOSED,
 * SZ_EFORKED. */
int sz_monitor_new(sz_socket socket, int events, sz_monitor *monitor);

typedef struct {
    const sz_event_type *type;
    uint32_t value;
    uint64_t missed;      /* events before it that there was no room for */
    int64_t time;         /* of sz_now's clock */
    const char *endpoint; /* valid until the next call for the monitor */
} sz_event;

/* The next event.  SZ_EAGAIN: wait until sz_monitor_fd is readable, which it
 * stays as long as there is something to learn.  SZ_ECLOSED once the monitor
 * was stopped, or the socket is gone (closed, and its linger over) and
 * everything was told. */
int sz_monitor_receive(sz_monitor monitor, sz_event *event);
int sz_monitor_fd(sz_monitor monitor);

/* Ends the monitor and drops its events; its descriptor, which others may be
 * waiting for, becomes readable and stays open until sz_monitor_close.
 * Neither waits; both may be called in any order with closing the socket and
 * terminating its context, and twice. */
int sz_monitor_stop(sz_monitor monitor);
int sz_monitor_close(sz_monitor monitor);

/* What became of a socket's connections since it was first observed: from its
 * first monitor on, until the last one is closed; or with sz_observe_all from
 * the beginning. */
typedef struct {
    int64_t peers;     /* now, also over inproc */
    uint64_t accepted; /* handshakes that succeeded */
    uint64_t lost;     /* connections that ended after that */
    uint64_t retried;  /* connections tried again */
    uint64_t failed;   /* handshakes that failed */
    int64_t settled;   /* when what the peers sent at once is in: see below */
} sz_connections;

/* SZ_ENOENT for a socket that is not observed.
 *
 * A subscriber sends its subscriptions when its handshake is done, which the
 * publisher is not told of.  `settled` is the time (of sz_now's clock) when
 * each peer has had three times as long for it as its handshake took, and at
 * least 100 ms, at most 1 s; 0 where there is nothing to wait for. */
int sz_socket_connections(sz_socket socket, sz_connections *found);

/* From now on each socket is observed from its first endpoint with events on,
 * until it is closed; false for those that come later not to be.  Where that
 * cannot be begun, bind and connect answer what sz_monitor_new would. */
void sz_observe_all(bool all);

/* ----------------------------------------------------------- security -- */

/* Z85 writes 4 bytes as 5 printable characters; `text` and `data` have room
 * for all of them, and get no NUL.  Nothing is written to beyond the place of
 * an error: *place is the index of the wrong character (SZ_EZ85DIGIT), of the
 * group that is too large (SZ_EZ85RANGE), or the length (SZ_EZ85LENGTH).
 * SZ_EZ85SIZE. */
int sz_z85_encode(const void *data, size_t size, char *text);
int sz_z85_decode(const char *text, size_t length, void *data, size_t *place);

enum {
    SZ_KEY_SIZE = 32, /* bytes */
    SZ_KEY_TEXT = 40  /* characters of Z85 */
};

/* A key given as bytes or as Z85, as Z85 with a NUL; empty after an error.
 * SZ_EKEY, and those of sz_z85_decode. */
int sz_key_text(const void *key, size_t size, char text[SZ_KEY_TEXT + 1],
                size_t *place);

/* A new pair of CURVE keys, and the public key of a secret one, as Z85 with a
 * NUL.  SZ_EUNSUPPORTED where libzmq lacks CURVE; those of sz_key_text. */
int sz_curve_keypair(char public_key[SZ_KEY_TEXT + 1],
                     char secret_key[SZ_KEY_TEXT + 1]);
int sz_curve_public(const void *secret_key, size_t size,
                    char public_key[SZ_KEY_TEXT + 1], size_t *place);

/* Whether the bytes are the same, in a time that does not depend on them. */
bool sz_equal(const void *a, const void *b, size_t size);

/* Zeroes what was secret, also where the compiler sees that nobody reads it
 * again. */
void sz_wipe(void *data, size_t size);

/* A rule for addresses: "192.0.2.1", "192.0.2.0/24", "2001:db8::/32"; "ipc"
 * for all peers over ipc, "ipc:1000" for those of that user.  An IPv4 address
 * within IPv6 (::ffff:192.0.2.1) is the IPv4 address.  SZ_EADDRESS. */
typedef struct {
    unsigned char bytes[16];
    int bits;
    bool ipc;
    int64_t user; /* -1 for any */
} sz_network;
int sz_network_parse(const char *text, size_t length, sz_network *network);

/* Whether the rule holds for an address as libzmq tells it to a ZAP handler;
 * what is no address is in no network. */
bool sz_network_holds(const sz_network *network, const char *address,
                      size_t length);

/* Files of keys.  read answers the size; SZ_EKEYFILE for what is no regular
 * file or too large, and the system's errors.  save replaces the file at once
 * or not at all; a secret one is never readable for anybody but its owner.
 * Both take as long as the disk does. */
enum {
    SZ_KEYFILE_ROOM = 65536
};
int sz_keyfile_read(const char *path, char data[SZ_KEYFILE_ROOM]);
int sz_keyfile_save(const char *path, const void *data, size_t size,
                    bool secret);

/* What changes when a file or directory does; times in nanoseconds. */
typedef struct {
    uint64_t device, inode;
    int64_t size, modified, changed, regular;
} sz_stamp;
int sz_keyfile_stamp(const char *path, sz_stamp *stamp);

/* ----------------------- waiting for C programs and for exit ----------- */

/* Waits until one of `events` can be done: the events, or SZ_EAGAIN after
 * `timeout` milliseconds (-1: no limit), or SZ_EINTR. */
int sz_socket_wait(sz_socket socket, int events, int timeout);

/* Waits until a descriptor is readable: 0, SZ_EAGAIN or SZ_EINTR. */
int sz_wait(int fd, int timeout);

/* Closes everything that is open and gives what was sent `linger`
 * milliseconds to leave; a socket with a finite linger of its own keeps it.
 * 0 when everything left, SZ_EAGAIN when time ran out; then `report` (may be
 * NULL) is called for each endpoint of each socket that still held messages,
 * also of sockets that were closed before, and with NULL for a socket that
 * has none.  The last call of a process; does nothing in a forked child. */
typedef void sz_undelivered(const char *type, const char *endpoint,
                            void *argument);
int sz_exit(int linger, sz_undelivered *report, void *argument);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
