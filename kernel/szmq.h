/* szmq: ZeroMQ for language bindings and small C programs.
 *
 * This header is the reference of the kernel.  What it does not state is not
 * part of the interface.  doc/kernel.md is the introduction.
 *
 * Contracts.  The comment of a function describes its arguments and then
 * states, in this order:
 *
 *   Result     what the function returns on success; absent for void
 *   Errors     every error that it returns, by name; "none" if there are none
 *   Threads    who may call it, and whether it may block
 *   Ownership  what it takes or gives, and how long returned pointers are
 *              valid
 *
 * A comment holds for all functions that follow it without an empty line.
 * Pointer arguments must be valid, and must not be NULL unless the contract
 * allows it.  The kernel does not check them.
 *
 * Results and errors.  A function that can fail returns an int: zero or more
 * on success, a negative sz_error on failure.  errno is not part of the
 * interface, and the kernel prints nothing.  If a function fails, results that
 * it returns through pointers are undefined unless the contract says
 * otherwise.  These names stand for more than one error:
 *
 *   handle errors: SZ_EHANDLE (the number never was a handle of this kind; 0
 *     never is one), SZ_ECLOSED (it was closed), SZ_EFORKED (it belongs to the
 *     parent process).
 *   message errors: SZ_EHANDLE, SZ_ECLOSED (as above; messages survive a
 *     fork).
 *   file errors: SZ_ENOENT, SZ_EACCES, SZ_EPERM, SZ_EEXIST, SZ_ENOTDIR,
 *     SZ_EISDIR, SZ_ELOOP, SZ_ENAMETOOLONG, SZ_EINVAL, SZ_EBUSY, SZ_ENXIO,
 *     SZ_ENODEV, SZ_EMFILE, SZ_ENFILE, SZ_ENOMEM, SZ_ENOSPC, SZ_EFBIG,
 *     SZ_EROFS, SZ_EDQUOT, SZ_EIO, SZ_EINTR (as open(2), read(2), write(2),
 *     fsync(2) and rename(2) describe them; a file system may add others,
 *     which have no name here and come back as the negated errno, for example
 *     -ESTALE).
 *
 * SZ_EAGAIN means that the function would have to wait.  SZ_EINTR means that a
 * signal handler ran while the function waited; nothing was done, and the
 * caller calls again.  Functions that do not wait are not interrupted, and
 * neither are those that wait with a timeout of 0.  SZ_ETERM means that the
 * context was shut down or terminated.
 *
 * Aborts.  libzmq ends the process with abort(3) in some situations.  The
 * kernel checks for those that it knows and returns an error instead.  It
 * cannot prevent two of them: libzmq runs out of memory, and libzmq cannot
 * start one of its threads.
 *
 * Blocking.  A function does not block unless its Threads part says "may
 * block".  These block for as long as their argument says:
 *
 *   sz_receive_wait, sz_socket_wait, sz_wait, sz_exit
 *
 * These can take as long as a lookup of a host name, in the cases that their
 * contracts state:
 *
 *   sz_socket_bind, sz_socket_connect
 *
 * These can take as long as a disk: the functions on key files; with a swap,
 * also sz_socket_pump and every function that uses the socket.  The kernel's
 * locks are held for bounded work only.
 *
 * Handles.  Contexts, sockets, messages, pollers and monitors are handles:
 * numbers of at most 61 bits in a struct, passed by value.  A handle contains
 * no pointer.  So a handle that was closed, and a number that never was a
 * handle, are refused whenever they are used, and closing twice does nothing.
 * Zero is never a handle.
 *
 * Threads.  The contracts use three words:
 *
 *   any    every thread, at any time, also while others call the kernel
 *   owner  the thread that owns the object.  A socket, a poller, a message or
 *          a monitor has one owner at a time.  A full memory fence, such as a
 *          mutex, hands it to another thread.  A poller and the sockets that
 *          it watches must have the same owner, and so must a socket and its
 *          monitors, except where sz_monitor_receive says otherwise.
 *   setup  one thread, while no other thread calls the kernel
 *
 * No function may be called from a signal handler.  The kernel starts threads
 * of its own: they terminate contexts, read the events of monitored sockets,
 * send what the swap of a closed socket holds, and wait for descriptors on
 * systems that have only poll(2).  They block all signals and call no function
 * of the program, except the allocator.
 *
 * Ownership.  "None" means that the kernel reads the memory that a pointer
 * argument refers to, or writes results there, during the call only, and that
 * no handle changes hands.  "Static" means that the result is constant, valid
 * until the process ends, and not to be freed.
 *
 * fork(2).  In the child, inherited contexts, sockets, pollers and monitors
 * are refused (SZ_EFORKED).  Closing one there invalidates the handle and
 * nothing else: memory and descriptors of the parent's object stay.  Messages
 * remain usable, and the child may make contexts of its own. */
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

/* Hidden, so that a shared object that contains the kernel does not export
 * it, and calls need no procedure linkage table. */
#pragma GCC visibility push(hidden)

/* One constant for each row of error.def.  Errors of the system are negated
 * errno values, so SZ_EAGAIN equals -EAGAIN.  Errors of the kernel itself are
 * below all of libzmq's. */
enum sz_error {
#define SZI_ENUM(name, symbol, text) SZ_##name = -(name),
    SZ_SYSTEM_ERRORS(SZI_ENUM)
#undef SZI_ENUM
#define SZI_ENUM(name, number, os, symbol, text) SZ_##name = -(number),
    SZ_OWN_ERRORS(SZI_ENUM)
#undef SZI_ENUM
};

/* The symbol of the error `code`, in lower case: "eaddrinuse", "closed".
 *
 * Result: the symbol; "unknown" if error.def has no such code; never NULL.
 * Errors: none.
 * Threads: any.  Ownership: static. */
const char *sz_error_symbol(int code);

/* A text for people.  It names the remedy if one is known.  For a code that
 * error.def does not have, the text is that of zmq_strerror(3) for -code.
 *
 * Result: the text; "unknown error" if there is none; never NULL.
 * Errors: none.
 * Threads: any.  Ownership: static. */
const char *sz_error_text(int code);

/* The errno value that `code` stands for, for programs that know only errno:
 * ENOTSOCK for SZ_ECLOSED, EINVAL for SZ_ERANGE.
 *
 * Result: the errno value; -code if error.def does not have the code.
 * Errors: none.
 * Threads: any.  Ownership: none. */
int sz_error_errno(int code);

/* ------------------------------------------------------------ library -- */

/* Stores major, minor and patch number of the libzmq that runs in `version`.
 * It can differ from the one whose header the kernel was compiled with.  See
 * zmq_version(3).
 *
 * Errors: none.
 * Threads: any.  Ownership: none. */
void sz_version(int version[3]);

/* Whether the libzmq that runs was built with `capability`, a string such as
 * "ipc", "curve" or "draft".  See zmq_has(3).
 *
 * Result: true if it was.
 * Errors: none.
 * Threads: any.  Ownership: none. */
bool sz_has(const char *capability);

/* Replaces the allocator of the kernel; libzmq's stays.  `resize` behaves as
 * realloc(3) and `release` as free(3), and both may be called from any thread.
 * If one of them is NULL, realloc and free are used again.  The call is
 * allowed before any other function of the kernel, or when the kernel holds no
 * memory.
 *
 * Errors: none.
 * Threads: setup.  Ownership: none; both functions must stay valid. */
void sz_set_allocator(void *(*resize)(void *, size_t),
                      void (*release)(void *));

/* ------------------------------------------------------- socket types -- */

/* A row of the table of socket types; see zmq_socket(3). */
typedef struct {
    const char *name;     /* "pair", "pub", ... */
    int number;           /* libzmq's */
    bool sends, receives; /* what sockets of this type can do */
    bool draft;           /* sz_socket_new refuses it */
} sz_type;

/* The type that is called `name`.  "xreq" and "xrep" are names of "dealer" and
 * "router".
 *
 * Result: the row; NULL if there is no such type.
 * Errors: none.
 * Threads: any.  Ownership: static. */
const sz_type *sz_type_find(const char *name);

/* The row number `index` of the table, counted from 0, in the order of
 * libzmq's numbers.
 *
 * Result: the row; NULL past the end.
 * Errors: none.
 * Threads: any.  Ownership: static. */
const sz_type *sz_type_at(size_t index);

/* The name of a type that is spelled almost as `name`, for error messages.
 *
 * Result: the name; NULL if no name is similar.
 * Errors: none.
 * Threads: any.  Ownership: static. */
const char *sz_type_near(const char *name);

/* ------------------------------------------------------------ options -- */

typedef enum {
    SZ_SOCKET_OPTION,
    SZ_CONTEXT_OPTION
} sz_scope;

/* The kind of an option's value.  Kinds up to SZ_FLAGS are integers, for the
 * functions that take an int64_t.  The others are bytes. */
typedef enum {
    SZ_BOOLEAN, /* 0 or 1 */
    SZ_INTEGER, /* min to max */
    SZ_BITMAP,  /* 64 bits, as the int64_t with the same bits */
    SZ_ENUM,    /* an index into `symbols` */
    SZ_FLAGS,   /* bit n stands for word n of `symbols` */
    SZ_BYTES,   /* min to max bytes */
    SZ_STRING,  /* min to max bytes, none of them NUL */
    SZ_KEY      /* 32 bytes or 40 characters of Z85; read as Z85 */
} sz_value_type;

/* A row of option.def.  libzmq's options are described in zmq_setsockopt(3),
 * zmq_getsockopt(3), zmq_ctx_set(3) and zmq_ctx_get(3). */
typedef struct {
    const char *name;
    const char *alias_of; /* the main name; equal to `name` for most */
    sz_scope scope;
    bool secret; /* the value must not be shown */
    bool live;   /* takes effect at once; the others, for later endpoints */
    int number;  /* libzmq's; 0 for the kernel's own */
    sz_value_type type;
    const char *access;  /* "r", "w" or "rw" */
    const char *unit;    /* a word, or "" */
    int64_t min, max;    /* bounds of the value, or of its length in bytes */
    int64_t initial;     /* default of an integer; bytes are empty at first */
    uint32_t types;      /* bit n is set for the socket type number n */
    const char *symbols; /* for SZ_ENUM and SZ_FLAGS, separated by spaces */
    const char *since;   /* first version of libzmq that has it */
    const char *needs;   /* a capability as for sz_has, or "" */
    const char *text;    /* one line for people */
    int rule;            /* private */
    int operand;         /* private */
} sz_option;

/* The option of `scope` that is called `name`.
 *
 * Result: the row; NULL if there is no such option.
 * Errors: none.
 * Threads: any.  Ownership: static. */
const sz_option *sz_option_find(sz_scope scope, const char *name);

/* The row number `index` of the table, counted from 0.
 *
 * Result: the row; NULL past the end.
 * Errors: none.
 * Threads: any.  Ownership: static. */
const sz_option *sz_option_at(size_t index);

/* The index of a row that sz_option_find or sz_option_at returned as `option`.
 *
 * Result: the index.
 * Errors: none.
 * Threads: any.  Ownership: none. */
size_t sz_option_index(const sz_option *option);

/* The name of an option of `scope` that is spelled almost as `name`.
 *
 * Result: the name; NULL if no name is similar.
 * Errors: none.
 * Threads: any.  Ownership: static. */
const char *sz_option_near(sz_scope scope, const char *name);

/* Errors of the functions that set and read options:
 *
 *   option errors: SZ_EVALUE (`option` is NULL, of the other scope, or of
 *     another kind of value), SZ_EUNSUPPORTED (the libzmq that runs was built
 *     without the option, or refuses it), SZ_EOLD (the libzmq that runs is
 *     older than the option). */

/* ----------------------------------------------------------- contexts -- */

/* Makes a context; see zmq_ctx_new(3).  It takes three descriptors.
 *
 * Result: 0; *context is the handle.
 * Errors: SZ_EMFILE, SZ_ENFILE, SZ_ENOMEM.
 * Threads: any.  Ownership: the caller terminates or drops the context. */
int sz_context_new(sz_context *context);

/* Whether `context` can be used.
 *
 * Result: 0 if it can.
 * Errors: handle errors (SZ_ECLOSED once it is terminated), SZ_ETERM (it was
 *   shut down, or its termination has begun).
 * Threads: any.  Ownership: none. */
int sz_context_check(sz_context context);

/* Sets an `option` of `context` to `value`, in the unit of its row.
 *
 * Result: 0.
 * Errors: handle errors, option errors, SZ_EREADONLY, SZ_ERANGE (outside `min`
 *   to `max`), SZ_ELATE (it must precede the first socket of the context),
 *   SZ_ECPU, SZ_ESCHEDULE, SZ_ETHREAD (thread-affinity-cpu-add and
 *   thread-sched-policy, which a thread of the kernel tries: it was refused,
 * or no thread can be started), SZ_EINVAL (thread-affinity-cpu-remove: the CPU
 * was not added), SZ_ETERM (termination has begun). Threads: any.  Ownership:
 * none. */
int sz_context_set(sz_context context, const sz_option *option, int64_t value);

/* Reads an `option` of `context` into *value, in the unit of its row.
 *
 * Result: 0.
 * Errors: handle errors, option errors, SZ_EWRITEONLY, SZ_ETERM (termination
 *   has begun).
 * Threads: any.  Ownership: none. */
int sz_context_get(sz_context context, const sz_option *option,
                   int64_t *value);

/* How many sockets of `context` are open.
 *
 * Result: the number, 0 or more.
 * Errors: handle errors.
 * Threads: any.  Ownership: none. */
int sz_context_sockets(sz_context context);

/* Makes operations on the sockets of `context` fail with SZ_ETERM, also those
 * that are blocked in another thread; see zmq_ctx_shutdown(3).  The sockets
 * stay open until they are closed.  Shutting down twice does nothing, and
 * neither does shutting down a context that is being terminated.
 *
 * Result: 0.
 * Errors: handle errors.
 * Threads: any.  Ownership: none. */
int sz_context_shutdown(sz_context context);

/* Closes the sockets of `context` and terminates it, without waiting.
 * zmq_ctx_term(3) blocks until all messages were sent or the linger of their
 * sockets is over, so a thread of the kernel calls it.  On SZ_EAGAIN wait
 * until sz_context_fd is readable, then call again.
 *
 * The first call closes the sockets, in its own thread.  No other thread may
 * then be using one of them, or a poller that watches one.  If other threads
 * still use sockets, shut the context down, wait until they have closed
 * theirs, then terminate.  Other threads may terminate the context at the same
 * time, and may try to make sockets: those are refused, or closed with the
 * rest.
 *
 * Result: 0 once the context is gone, also if it was gone before.  In a forked
 *   child 0, and the handle is closed.
 * Errors: SZ_EHANDLE, SZ_EAGAIN (the context is not gone yet), SZ_ETHREAD
 *   (no thread can be started; nothing has begun, and the caller may try
 *   again).
 * Threads: any, under the condition above.  Ownership: closes the sockets, and
 *   the handle on 0. */
int sz_context_terminate(sz_context context);

/* A descriptor that becomes readable when `context` is gone, and stays so.  It
 * is closed some time after the first sz_context_terminate that returns 0, so
 * threads that wait for the same context should wait with a time limit.  Never
 * read from it.
 *
 * Result: the descriptor.
 * Errors: handle errors.
 * Threads: any.  Ownership: the descriptor belongs to the context. */
int sz_context_fd(sz_context context);

/* Terminates `context` as sz_context_terminate does, for callers that do not
 * wait for the end, such as finalizers.  If no thread can be started, a later
 * sz_context_drop or sz_exit goes on.
 *
 * Errors: none.
 * Threads: as for sz_context_terminate.  Ownership: closes the sockets now,
 *   and the handle when the context is gone. */
void sz_context_drop(sz_context context);

/* ------------------------------------------------------------ sockets -- */

/* Makes a socket of `type`, a row of the table, in `context`; see
 * zmq_socket(3).  By default linger is -1: the context cannot end while a
 * message that was sent has not left.
 *
 * Result: 0; *socket is the handle.
 * Errors: handle errors, SZ_EDRAFT (of a draft type), SZ_ESOCKETS (max-sockets
 *   are open), SZ_EAGAIN (libzmq has not freed closed sockets yet: try again
 *   in a moment; no descriptor reports it), SZ_EDESCRIPTORS (libzmq would
 *   abort for lack of descriptors), SZ_ESCHEDULE (the first socket of the
 *   context: the system refuses thread-sched-policy with thread-priority),
 *   SZ_ETHREAD (they cannot be tried), SZ_EVALUE (`type` is NULL, as
 *   sz_type_find returns it), SZ_ENFILE, SZ_ENOMEM, SZ_ETERM.
 * Threads: any.  Ownership: the calling thread owns the socket, and closes
 *   it. */
int sz_socket_new(sz_context context, const sz_type *type, sz_socket *socket);

/* Closes `socket`; see zmq_close(3).  Messages that were sent go on leaving
 * for the time of its linger, also those in its swap, and over ipc until their
 * peer has read them.  The parts of a received message that were not taken are
 * freed.  Pollers report the socket once more, with SZ_ERROR.
 *
 * Result: 0, also if it was closed before.  In a forked child 0.
 * Errors: SZ_EHANDLE.
 * Threads: owner.  Ownership: closes the handle; pointers into the socket's
 *   storage become invalid. */
int sz_socket_close(sz_socket socket);

/* Whether `socket` is open.
 *
 * Result: 0 if it is.
 * Errors: handle errors.
 * Threads: any.  Ownership: none. */
int sz_socket_check(sz_socket socket);

/* The type of `socket`.
 *
 * Result: the row; NULL if sz_socket_check is not 0.
 * Errors: none.
 * Threads: owner.  Ownership: static. */
const sz_type *sz_socket_type(sz_socket socket);

/* Endpoints are `length` bytes, not NUL-terminated strings, of the form
 * transport://address; see zmq_tcp(7), zmq_ipc(7), zmq_inproc(7), zmq_pgm(7).
 * The functions that open them share this list:
 *
 *   endpoint errors: SZ_EENDPOINT (not of this form), SZ_EPORT, SZ_ENUL,
 *     SZ_EUSER (user@host), SZ_EANYHOST (connect: host *), SZ_ESOURCE
 *     (connect: the source address of tcp), SZ_EABSTRACT (ipc://@), SZ_EHOST
 *     (ws: the host is not known), SZ_EPATH, SZ_EPROTONOSUPPORT (libzmq does
 *     not know the transport), SZ_ENOCOMPATPROTO (not for this type of
 *     socket), SZ_EWSGSSAPI, SZ_EMULTICAST, SZ_ETIPC, SZ_ERATE (multicast:
 *     the option rate), SZ_EHANDSHAKE (the option maxmsgsize: no peer
 *     could connect), SZ_EZAPDOMAIN (zap-enforce-domain without zap-domain),
 *     SZ_ESECRETKEY, SZ_ESERVERKEY, SZ_EKEYPAIR (CURVE, not over inproc),
 *     SZ_ELISTENER (bind: the option use-fd), SZ_EMTHREAD (no I/O thread),
 *     SZ_EINVAL (libzmq does not understand the address), SZ_ENODEV (no such
 *     interface), SZ_EADDRINUSE, SZ_EADDRNOTAVAIL, SZ_EAFNOSUPPORT,
 *     SZ_EACCES, SZ_EPERM (pgm needs privileges), SZ_ENOBUFS,
 *     SZ_EDESCRIPTORS, SZ_EMFILE, SZ_ENFILE, SZ_ENOMEM, SZ_ETERM,
 *     SZ_ESOCKETS, SZ_ETHREAD (both only after sz_observe_all, as for
 *     sz_monitor_new). */

/* Binds `socket` to the `length` bytes at `endpoint`; see zmq_bind(3).  A host
 * must be an interface, a numeric address or *.  After a socket was closed or
 * unbound, its address can remain in use for a moment, except over inproc.
 * For ipc, a path at which no process listens any more is replaced; a path at
 * which one listens, or that is not a socket, is in use.
 *
 * The option use-fd names a descriptor that listens, for one bind.  libzmq
 * gets a duplicate: the caller keeps its descriptor, and closes it.  The bind
 * sets the option back to -1.
 *
 * Result: 0; if `real` is not NULL, *real is the endpoint as libzmq completed
 *   it, a string: "tcp://127.0.0.1:*" with the port that the system chose.
 * Errors: handle errors, endpoint errors, file errors (ipc), SZ_EPAIR (a PAIR
 *   would reject a ROUTER or REP that waits at the inproc name, which makes
 *   libzmq abort), SZ_EWELCOME (so would a welcome to a connect that was
 *   undone).
 * Threads: owner; may block on a name lookup for pgm and epgm.
 * Ownership: *real belongs to the socket, and is valid until the next call for
 *   it. */
int sz_socket_bind(sz_socket socket, const char *endpoint, size_t length,
                   const char **real);

/* Connects `socket` to the `length` bytes at `endpoint`; see zmq_connect(3).
 * libzmq makes the connection later, in its own thread, and retries until it
 * succeeds.  So 0 does not mean that the peer exists.
 *
 * The option connect-routing-id names the peer that is connected next.  If a
 * peer has the name already, the connect is refused and the name stays set;
 * if that peer chose the name itself and is connected, it receives an empty
 * message, as from the option probe-router.  A name is free some time after
 * its peer was disconnected, and after everything from it was received; on a
 * socket with router-raw it is never free again, and none is if router-raw was
 * set after an endpoint.  A peer that takes the name in the very moment of the
 * connect still makes libzmq abort.
 *
 * Result: 0; if `real` is not NULL, *real is the endpoint as libzmq completed
 *   it, a string.
 * Errors: handle errors, endpoint errors, SZ_EPAIRED (a PAIR that has a peer:
 *   libzmq would let nothing flow; not with the option immediate), SZ_EAGAIN
 *   (a PAIR whose peer is just leaving: try again in a moment; no descriptor
 *   reports it), SZ_ENAMED, SZ_EHANDOVER (the inproc name is not bound, and
 *   router-handover is set), SZ_ESOCKETS (libzmq could
 *   not make the socket that the kernel needs: for inproc connects that
 *   precede their bind, and to try a name).
 * Threads: owner; may block on a name lookup for ws, wss, pgm and epgm.
 * Ownership: *real belongs to the socket, and is valid until the next call for
 *   it. */
int sz_socket_connect(sz_socket socket, const char *endpoint, size_t length,
                      const char **real);

/* Undoes a bind or a connect of `socket`; see zmq_unbind(3) and
 * zmq_disconnect(3).  `endpoint`, `length` bytes, is what was given to
 * sz_socket_bind or sz_socket_connect or what it returned; of tcp and ws, also
 * another way to write the same numeric address.  No name is looked up.
 * sz_socket_disconnect ends all connections to the endpoint at once.  What was
 * sent by an inproc connect before its bind stays for the one who binds.  One
 * message that had arrived remains, to be received.
 *
 * Result: 0.
 * Errors: handle errors, SZ_ENOENT (the socket has no such endpoint), SZ_ENUL,
 *   SZ_EINVAL (not an endpoint), SZ_EPROTONOSUPPORT, SZ_ENOCOMPATPROTO,
 *   SZ_EPENDING (an inproc connect of a ROUTER or REP, or with conflate, that
 *   waits for its bind beside others), SZ_EHELD (disconnect: the socket holds
 *   a message, and others can be received), SZ_ENOMEM, SZ_ETERM.
 * Threads: owner.
 * Ownership: none; endpoint strings of the socket become invalid. */
int sz_socket_unbind(sz_socket socket, const char *endpoint, size_t length);
int sz_socket_disconnect(sz_socket socket, const char *endpoint,
                         size_t length);

/* The endpoint number `index` of `socket`, counted from 0, oldest first, as
 * libzmq completed it.
 *
 * Result: the endpoint, a string, and *bound tells whether it is bound (or
 *   connected); NULL past the end and if sz_socket_check is not 0, and then
 *   *bound is unchanged.
 * Errors: none.
 * Threads: owner.  Ownership: the string belongs to the socket, and is valid
 *   until the next call for it. */
const char *sz_socket_endpoint(sz_socket socket, size_t index, bool *bound);

/* The option subscription-limit at first, and at most: bytes of a prefix.
 * libzmq uses 80 bytes of stack for each when it takes a subscription back, in
 * the thread that uses the socket: 640 KiB for the first, 5 MiB for the most.
 * On s390x each byte takes at least 160 bytes of stack, so less is allowed. */
enum {
    SZ_SUBSCRIPTION = 8192,
#ifdef __s390x__
    SZ_SUBSCRIPTION_MOST = 32768
#else
    SZ_SUBSCRIPTION_MOST = 65536
#endif
};

/* Sets an `option` of `socket`, of a kind up to SZ_FLAGS, to `value`, in the
 * unit of its row; see zmq_setsockopt(3).
 *
 * Result: 0.
 * Errors: handle errors, option errors, SZ_EREADONLY, SZ_ETYPE (not for
 *   sockets of this type), SZ_ERANGE (outside `min` to `max`), SZ_EATTACHED
 *   (hwm, sndhwm and rcvhwm: the socket has or had an endpoint),
 *   SZ_EHANDOVER (router-handover and router-raw: an inproc connect with
 *   connect-routing-id waits for its bind), SZ_ERAW (router-raw excludes
 *   probe-router, and cannot be taken back), SZ_ESUBCONFLATE
 *   (conflate: a SUB has several subscriptions), SZ_EMANUALOFF (turning
 *   xpub-manual off: the socket has or had an endpoint), SZ_ETERM,
 *   SZ_ESWAPTYPE, SZ_ESWAPHWM, SZ_ESWAPCONFLATE, SZ_ESWAPCURVE,
 *   SZ_ESWAPNODROP, SZ_ESWAPBUSY (see "swap" below), SZ_ENOMEM, file errors
 *   (turning a swap on tries to write to its directory).
 * Threads: owner.  Ownership: none. */
int sz_socket_set_integer(sz_socket socket, const sz_option *option,
                          int64_t value);

/* Reads an `option` of `socket`, of a kind up to SZ_FLAGS, into *value, in the
 * unit of its row; see zmq_getsockopt(3).
 *
 * Result: 0.
 * Errors: handle errors, option errors, SZ_EWRITEONLY, SZ_ETYPE, SZ_ETERM.
 * Threads: owner.  Ownership: none. */
int sz_socket_get_integer(sz_socket socket, const sz_option *option,
                          int64_t *value);

/* Sets an `option` of `socket`, of a kind after SZ_FLAGS, to the `size` bytes
 * at `data`.  An empty SZ_STRING clears the option if libzmq can.
 *
 * Result: 0.
 * Errors: handle errors, option errors, SZ_EREADONLY, SZ_ETYPE (not for
 *   sockets of this type), SZ_ELENGTH (outside `min` to `max`), SZ_ENUL,
 *   SZ_EKEY, SZ_EZ85DIGIT, SZ_EZ85RANGE, SZ_EPROPERTY, SZ_ERESERVED (for
 *   connect-routing-id), SZ_ESUBSCRIPTION (subscribe and unsubscribe: longer
 *   than subscription-limit), SZ_ESUBCONFLATE (a second subscription of a SUB
 *   with conflate), SZ_ESOCKS (socks-proxy without socks-proxy-unsafe),
 *   SZ_EMANUAL (subscribing by an xpub socket without xpub-manual), SZ_EINVAL
 *   (libzmq refuses the value), SZ_ESWAPCURVE, SZ_ETERM, SZ_ESWAPLATE,
 *   SZ_ENOMEM, file errors (these three for swap-directory; setting it tries
 *   to write there).
 * Threads: owner.  Ownership: none. */
int sz_socket_set_bytes(sz_socket socket, const sz_option *option,
                        const void *data, size_t size);

/* Reads an `option` of `socket`, of a kind after SZ_FLAGS: the value is *size
 * bytes at *data.  A secret key is returned like any other value: the caller
 * keeps it out of messages and logs, and wipes *data after use.
 *
 * Result: 0.
 * Errors: handle errors, option errors, SZ_EWRITEONLY, SZ_ETYPE, SZ_ENOMEM,
 *   SZ_ETERM.
 * Threads: owner.  Ownership: *data belongs to the socket, and is valid until
 *   the next call for it. */
int sz_socket_get_bytes(sz_socket socket, const sz_option *option,
                        const void **data, size_t *size);

enum {
    SZ_IN = 1,   /* a message can be received */
    SZ_OUT = 2,  /* a message can be sent */
    SZ_ERROR = 4 /* only from pollers */
};

/* What can be done with `socket` without waiting; see ZMQ_EVENTS in
 * zmq_getsockopt(3).  Reading the events makes libzmq process what has
 * arrived, and consumes the edge of the descriptor.
 *
 * Result: SZ_IN, SZ_OUT, both, or 0.
 * Errors: handle errors, SZ_ETERM.
 * Threads: owner.  Ownership: none. */
int sz_socket_events(sz_socket socket);

/* The descriptor of `socket`, which becomes readable when its events may have
 * changed, for sending as well as for receiving; see ZMQ_FD in
 * zmq_getsockopt(3).  It is edge-triggered: wait for it only directly after an
 * operation or sz_socket_events reported that nothing can be done.  Any call
 * for the socket in between may consume the edge.  Never read from it.
 *
 * Result: the descriptor.
 * Errors: handle errors.
 * Threads: owner.  Ownership: the descriptor belongs to the socket. */
int sz_socket_fd(sz_socket socket);

/* The option rcvtimeo of `socket` if `direction` is SZ_IN, else sndtimeo: how
 * long a caller should wait that names no time limit.  The kernel itself uses
 * these options nowhere.
 *
 * Result: milliseconds, or -1 for no limit.
 * Errors: handle errors (all of them are below -1).
 * Threads: owner.  Ownership: none. */
int sz_socket_timeout(sz_socket socket, int direction);

/* ----------------------------------------------------------- messages -- */

/* Makes a message part that a handle holds: `size` bytes copied from `data`,
 * or zero bytes if `data` is NULL.
 *
 * Result: 0; *message is the handle.
 * Errors: SZ_ENOMEM.
 * Threads: any.  Ownership: the calling thread owns the message, and frees
 *   it. */
int sz_message_new(const void *data, size_t size, sz_message *message);

/* Makes a message with the bytes of `message` and storage of its own, unlike
 * zmq_msg_copy(3).  Properties are not copied.
 *
 * Result: 0; *copy is the handle.
 * Errors: message errors, SZ_ENOMEM.
 * Threads: owner.  Ownership: the caller frees the copy. */
int sz_message_copy(sz_message message, sz_message *copy);

/* The bytes of `message`: *size bytes at *data, which do not change.
 *
 * Result: 0.
 * Errors: message errors.
 * Threads: owner; several threads may read at once while none makes another
 *   call for the message.
 * Ownership: *data belongs to the message, and is valid until it is freed. */
int sz_message_data(sz_message message, const void **data, size_t *size);

/* The property `name` of a received `message`, which the connection that it
 * came by determines: "Peer-Address", "Socket-Type", "Routing-Id", "User-Id"
 * after authentication, and "X-..." from the option metadata of the peer.  See
 * zmq_msg_gets(3).  libzmq cuts values at a NUL.  Sending the message on does
 * not change its properties.
 *
 * Result: 0; *value is a string.
 * Errors: message errors, SZ_ENOENT (no such property: the message was made
 *   here, or came by inproc).
 * Threads: owner.  Ownership: *value belongs to the message, and is valid
 *   until it is freed. */
int sz_message_property(sz_message message, const char *name,
                        const char **value);

/* The bytes of a `message` that sz_message_new made, to be written in place:
 * *size bytes at *data.  They may be written until the message is sent for the
 * first time or handed to another thread.
 *
 * Result: 0.
 * Errors: message errors, SZ_EBUSY (it was given to a send).
 * Threads: owner.  Ownership: *data belongs to the message. */
int sz_message_fill(sz_message message, void **data, size_t *size);

/* Frees `message`; see zmq_msg_close(3).  If libzmq is still sending the
 * bytes, it frees them later.  A message that was freed before, or never was
 * one, is ignored.
 *
 * Errors: none.
 * Threads: owner.  Ownership: closes the handle; pointers into the message
 *   become invalid. */
void sz_message_free(sz_message message);

/* How many bytes the message handles of the process hold, so that a language
 * binding can decide when to run its garbage collector.
 *
 * Result: the number.
 * Errors: none.
 * Threads: any.  Ownership: none. */
size_t sz_message_held(void);

/* ----------------------------------------------------------- transfer -- */

/* A part of a message to be sent: the message if its id is not 0, else `size`
 * bytes at `data`, which may be NULL if `size` is 0. */
typedef struct {
    const void *data;
    size_t size;
    sz_message message;
} sz_part;

/* Errors of the functions that send and receive; see zmq_msg_send(3) and
 * zmq_msg_recv(3).
 *
 *   send errors: SZ_EAGAIN (no room: wait for SZ_OUT), SZ_EFSM (a REQ or REP
 *     socket whose turn is to receive), SZ_EHOSTUNREACH (a ROUTER with
 *     router-mandatory, or a STREAM, has no such peer, or has it no more: also
 *     while something that it sent is not received yet), SZ_ENOTSUP (the type
 *     does not send), SZ_ETWOPARTS (a STREAM or a raw ROUTER sends the name
 *     of a peer and bytes), SZ_ESUBSCRIPTION (an XSUB: any part that libzmq
 *     would take for a subscription, or for its end, and whose prefix is
 *     longer than the option subscription-limit), SZ_EZEROPART (an XSUB: a
 *     part that begins with a zero byte, among several), SZ_EPARTSIZE (a part
 *     is larger than max-msgsz of the context when the socket was made),
 *     SZ_ENOMEM, SZ_ETERM, SZ_ESWAPSIZE, SZ_ECORRUPT, file errors (these three
 *     only with a swap).
 *   receive errors: SZ_EAGAIN (no message: wait for SZ_IN), SZ_EFSM (a REQ or
 *     REP socket whose turn is to send), SZ_ENOTSUP (the type does not
 *     receive), SZ_ECONFLATE (a peer sent several parts to a socket with
 *     conflate, which receives no more), SZ_ENOMEM, SZ_ETERM (after these two,
 *     the next call continues with a message that was received in part).
 *
 * A failed send leaves the socket as it was.  An XPUB drops and counts the
 * subscriptions of peers that are longer than its option subscription-limit.
 * So SZ_IN does not promise a message of an XPUB. */

/* Sends a message of the `count` parts at `parts`, all or none, without
 * waiting, by `socket`.  `count` is 1 or more.
 *
 * Result: 0: libzmq or the swap has accepted the message.
 * Errors: handle errors (also of a part's message), send errors, SZ_EPARTS
 *   (`count` is 0, or more than 1 with conflate), SZ_EVALUE (the bytes of a
 *   part are NULL, and their size is not 0), SZ_EZEROPART (several parts by an
 *   XSUB, one of which begins with a zero byte).
 * Threads: owner, of the messages too.
 * Ownership: none; bytes are copied, and a message keeps its handle and shares
 *   its bytes with libzmq. */
int sz_send(sz_socket socket, const sz_part *parts, size_t count);

/* Sends a message of one part, the `size` bytes at `data`, by `socket`, as
 * sz_send does.  `data` may be NULL if `size` is 0.
 *
 * Result: 0.
 * Errors: handle errors, send errors.
 * Threads: owner.  Ownership: none. */
int sz_send_bytes(sz_socket socket, const void *data, size_t size);

/* Receives a whole message, without waiting.  The socket then holds its parts
 * for sz_received, sz_take and sz_take_all.  Parts that it held before are
 * freed.
 *
 * Result: the number of parts, 1 or more.
 * Errors: handle errors, receive errors.
 * Threads: owner.  Ownership: the parts belong to the socket, until
 *   sz_release or the next sz_receive. */
int sz_receive(sz_socket socket);

/* As sz_receive, but if `socket` holds a message, returns that one again.  So
 * no message is lost if the caller is interrupted after it received.
 *
 * Result: the number of parts, 1 or more.
 * Errors: handle errors, receive errors.
 * Threads: owner.  Ownership: the parts belong to the socket, until
 *   sz_release or the next sz_receive. */
int sz_receive_held(sz_socket socket);

/* As sz_receive_held, but waits at most `timeout` milliseconds for a message,
 * or without limit if it is -1.  The option rcvtimeo is not used.  A signal
 * handler that runs just before the call does not end it.
 *
 * Result: the number of parts, 1 or more.
 * Errors: handle errors, receive errors (SZ_EAGAIN after the timeout),
 *   SZ_EINTR.
 * Threads: owner; may block, up to `timeout`.
 * Ownership: the parts belong to the socket, until sz_release or the next
 *   sz_receive. */
int sz_receive_wait(sz_socket socket, int timeout);

/* Whether the last call for `socket` was to receive or to send and failed with
 * SZ_EAGAIN.  Then the descriptor reports any change from now on, so a caller
 * that wants to wait for it need not try again first.
 *
 * Result: SZ_IN after receiving, SZ_OUT after sending; 0 otherwise, if the
 *   socket has a swap, and if sz_socket_check is not 0.
 * Errors: none.
 * Threads: owner.  Ownership: none. */
int sz_socket_armed(sz_socket socket);

/* As sz_receive_held, in one call for small messages.  If the message has one
 * part, part->data and part->size are its bytes; otherwise *part is unchanged.
 * A single part of at most `small` bytes is released at once.
 *
 * Result: the number of parts, 1 or more.
 * Errors: handle errors, receive errors.
 * Threads: owner.
 * Ownership: part->data belongs to the socket, and is valid until the next
 *   call for it if the part was released, else as after sz_receive. */
int sz_receive_part(sz_socket socket, size_t small, sz_part *part);

/* Called by sz_receive_each with its `argument`, for a message of `size` bytes
 * at `data`, which are valid during the call.  Must not use the socket.
 * Returns whether to receive another. */
typedef bool sz_taker(void *argument, const void *data, size_t size);

/* Receives messages one after the other, without waiting, and passes each that
 * has one part of at most `small` bytes to `take`, with `argument`.  Stops at
 * the first other message, which `socket` then holds as after sz_receive_held,
 * at any message of an XPUB, at an error, or when `take` returns false.  If
 * the socket holds a message at the start, nothing is received.
 *
 * Result: 0 if `take` returned false; otherwise the number of parts of the
 *   message that the socket holds.
 * Errors: handle errors, receive errors.
 * Threads: owner.  Ownership: the parts that are held belong to the socket,
 *   until sz_release or the next sz_receive. */
int sz_receive_each(sz_socket socket, size_t small, sz_taker *take,
                    void *argument);

/* The bytes of the part number `index`, counted from 0, of the message that
 * `socket` holds: *size bytes at *data.
 *
 * Result: 0.
 * Errors: handle errors, SZ_ENOENT (no such part).
 * Threads: owner.  Ownership: *data belongs to the socket, and is valid until
 *   the part is taken, sz_release or the next sz_receive. */
int sz_received(sz_socket socket, size_t index, const void **data,
                size_t *size);

/* Moves the part number `index` of the message that `socket` holds into
 * *message, without copying large parts.  An empty part remains in its place,
 * and the socket goes on holding the message until sz_release.
 *
 * Result: 0.
 * Errors: handle errors, SZ_ENOENT (no such part), SZ_ENOMEM (the part remains
 *   where it is).
 * Threads: owner.  Ownership: the caller frees *message. */
int sz_take(sz_socket socket, size_t index, sz_message *message);

/* Moves all parts of the message that `socket` holds into handles, or none,
 * and releases the message.  `messages` has room for `count` handles, which is
 * the number of parts.
 *
 * Result: 0.
 * Errors: handle errors, SZ_ENOENT (the socket holds another number of parts),
 *   SZ_ENOMEM (the parts remain where they are).
 * Threads: owner.  Ownership: the caller frees the messages. */
int sz_take_all(sz_socket socket, sz_message *messages, size_t count);

/* Frees the parts that `socket` holds, if any.  A socket that is not open is
 * ignored, and so is a message that was received only in part.
 *
 * Errors: none.
 * Threads: owner.  Ownership: pointers from sz_received become invalid. */
void sz_release(sz_socket socket);

/* Puts the message that `socket` holds back, if it is whole: the socket is
 * readable again for polls and waits, and the next receive returns the message
 * again.  A socket that is not open is ignored.
 *
 * Errors: none.
 * Threads: owner.  Ownership: the parts remain with the socket. */
void sz_put_back(sz_socket socket);

/* What a socket has done since it was made.  Messages that libzmq drops are
 * not known to the kernel. */
typedef struct {
    uint64_t sent, sent_bytes;              /* messages, and their bytes */
    uint64_t received, received_bytes;      /* likewise */
    uint64_t send_eagains, receive_eagains; /* operations that would block */
    uint64_t waits;                         /* calls of sz_socket_waited */
    uint64_t drops; /* messages that the kernel dropped: of a proxy, whose
                     * peer had gone, long subscriptions of peers, and of a
                     * publisher with a full swap */
} sz_statistics;

/* Copies the counts of `socket` to *found.
 *
 * Result: 0.
 * Errors: handle errors.
 * Threads: owner.  Ownership: none. */
int sz_socket_statistics(sz_socket socket, sz_statistics *found);

/* Counts in `socket` that a caller waits for it, in `waits` of sz_statistics.
 * A socket that is not open is ignored.
 *
 * Errors: none.
 * Threads: owner.  Ownership: none. */
void sz_socket_waited(sz_socket socket);

/* -------------------------------------------------------------- proxy -- */

/* What one call of sz_proxy_move has done. */
typedef struct {
    uint64_t messages, bytes; /* moved */
    uint64_t dropped;    /* for peers that do not exist, or longer than may be
                          * sent; not in `messages` */
    uint64_t uncaptured; /* moved, but not copied to `capture` */
    int wait;            /* what to wait for; 0 to call again at once */
} sz_moved;

enum {
    SZ_WAIT_INPUT = 1,   /* SZ_IN of `from` */
    SZ_WAIT_ROOM = 2,    /* SZ_OUT of `to` */
    SZ_WAIT_CAPTURE = 4, /* SZ_OUT of `capture` */
    SZ_WAIT_TIME = 8     /* some milliseconds: no event reports it */
};

/* Moves messages from the socket `from` to the socket `to`, which may be the
 * same, without copying large parts, and sends copies to `capture` unless its
 * id is 0.  One call moves at most 256 messages and takes about 200
 * microseconds.  It does not wait.  A proxy is a loop that calls it for both
 * directions and waits for what *moved says; compare zmq_proxy(3).
 *
 * No message is received that cannot be sent on.  If the peer goes away
 * meanwhile, `from` holds the message, and the next to receive from it gets
 * it.  A message for a peer that does not exist (SZ_EHOSTUNREACH) is dropped,
 * and so is one that `to` may not send (SZ_ESUBSCRIPTION, SZ_EPARTSIZE,
 * SZ_EZEROPART).
 *
 * Result: 0; *moved is what was done.  It is valid after an error too.
 * Errors: handle errors (of any socket), SZ_ENOTSUP (the type of `from` does
 *   not receive, or that of `to` or `capture` does not send), SZ_ETWOPARTS
 *   (`to` is a STREAM or raw ROUTER), SZ_EPARTS (`to` has conflate),
 *   SZ_ECONFLATE (`from`), SZ_ENOMEM, SZ_ETERM, SZ_ECORRUPT, file errors (both
 *   only if `to` has a swap).
 * Threads: owner of all sockets.  Ownership: none. */
int sz_proxy_move(sz_socket from, sz_socket to, sz_socket capture,
                  sz_moved *moved);

/* -------------------------------------------------------------- parts -- */

/* Makes one message of the `count` parts at `parts`, in the form that czmq and
 * cppzmq use: each part is preceded by its size, one byte if it is below 255,
 * else the byte 255 and four bytes, the highest first.  `count` may be 0.
 *
 * Result: 0; *message is the handle.
 * Errors: message errors (of a part), SZ_EMSGSIZE (a part of 4 GiB or more),
 *   SZ_ENOMEM.
 * Threads: owner of the messages.  Ownership: the caller frees *message. */
int sz_parts_encode(const sz_part *parts, size_t count, sz_message *message);

/* Finds the part that begins at *offset in the `size` bytes at `encoded`, and
 * moves *offset behind it.  *offset is 0 for the first part.
 *
 * Result: 1, and the part is *part_size bytes at *data; 0 at the end.
 * Errors: SZ_EMALFORMED (the part is cut off; *offset is unchanged).
 * Threads: any.  Ownership: *data points into `encoded`. */
int sz_parts_decode(const void *encoded, size_t size, size_t *offset,
                    const void **data, size_t *part_size);

/* --------------------------------------------------------------- swap -- */

/* If the option `swap` of a socket is above 0, the socket has a swap of that
 * many bytes.  Messages that libzmq does not accept wait there, first in
 * memory and then in a file, and sending fails with SZ_EAGAIN only if the swap
 * is full too.  Accepted messages reach libzmq in order, each whole and at
 * most once.  They do not survive the process.
 *
 *   push, dealer, pair   hold any number of messages
 *   req                  holds one request; the reply can be waited for
 *   pub, xpub            hold what a subscriber cannot take yet; what does not
 *                        fit is dropped, and the option swap-dropped counts it
 *   others               have no swap: SZ_ESWAPTYPE
 *
 * Some options exclude a swap.  Setting the second of both fails, in either
 * order: sndhwm 0 (SZ_ESWAPHWM), conflate (SZ_ESWAPCONFLATE), encryption
 * without swap-plaintext (SZ_ESWAPCURVE), and xpub-nodrop 0 (SZ_ESWAPNODROP).
 * `swap` cannot be set to 0 while messages wait (SZ_ESWAPBUSY), nor
 * swap-directory while the swap is on (SZ_ESWAPLATE).
 *
 * With a swap, sending has more errors.  SZ_ESWAPSIZE: the message is larger
 * than the whole swap, and libzmq does not accept it at once.  File errors:
 * the disk refused this message; the others remain.  SZ_ECORRUPT, once:
 * messages that waited could not be read back as they were written.  The
 * option swap-lost counts them.  A damaged message is never sent.  Once the
 * socket is closed, nobody can be told of either.
 *
 * SZ_OUT is reported while there is room for a message of 64 KiB, or of an
 * eighth of the swap if that is less.  When a socket is closed, a thread of
 * the kernel goes on sending what waits, for the time of its linger.  If no
 * thread can be started, the messages wait: the next call that makes or closes
 * a socket of the context tries again, and its termination sends them. */

/* Moves messages that wait in the swap of `socket` to libzmq, for about 200
 * microseconds at most.  Every other call that uses the socket moves some,
 * too.  Without a swap it does nothing.
 *
 * Result: 0; *next says when to call again: a time of sz_now, 0 for at once,
 *   -1 when messages begin to wait again, which SZ_SWAP reports.  After an
 *   error it is -1.
 * Errors: handle errors, SZ_EFSM, SZ_ETERM.
 * Threads: owner.  Ownership: none. */
int sz_socket_pump(sz_socket socket, int64_t *next);

/* The directory of swaps whose option swap-directory is not set: the
 * environment variable ZMQ_SWAP_DIR, else TMPDIR, else "/var/tmp".
 *
 * Result: the directory; never NULL.
 * Errors: none.
 * Threads: any, while no thread changes the environment.
 * Ownership: the string belongs to the environment, and is valid until that
 *   changes. */
const char *sz_swap_directory(void);

/* ------------------------------------------------------------ pollers -- */

/* Makes a poller: a set of sockets and descriptors to watch.  To its user it
 * is level-triggered: what is ready and not read is reported again.  The time
 * of a check is proportional to the number of entries that are ready or were
 * used since the last check, not to the number of entries; where the system
 * has only poll(2), to the latter.
 *
 * Result: 0; *poller is the handle.
 * Errors: SZ_EMFILE, SZ_ENFILE, SZ_ENOSPC (the limit of epoll(7)), SZ_ENOMEM.
 * Threads: any.  Ownership: the calling thread owns the poller, and frees
 *   it. */
int sz_poller_new(sz_poller *poller);

/* Frees `poller`.  One that was freed before, or never was one, is ignored.
 *
 * Errors: none.
 * Threads: owner.  Ownership: closes the handle and the descriptor; sockets
 *   and descriptors that it watched stay open. */
void sz_poller_free(sz_poller poller);

/* What a poller can watch a socket for besides SZ_IN and SZ_OUT.  Each is used
 * alone.
 *
 * SZ_SIGNAL is for threads that wait beside the poller.  It is reported once
 * for each edge of the socket's descriptor (with poll(2), repeatedly until the
 * edge is consumed), and once when a poller has consumed the edge by reading
 * the socket's events.  Other calls for the socket are not reported.  To wait:
 * try the operation; on SZ_EAGAIN wait for SZ_SIGNAL, or until another thread
 * has used the socket; try again.
 *
 * SZ_SWAP is for a thread that calls sz_socket_pump.  It is reported when
 * messages begin to wait in the socket's swap, and while they wait, once for
 * each edge of its descriptor.
 *
 * SZ_TIMER is reported for timers: see sz_poller_add_timer. */
enum {
    SZ_SIGNAL = 8,
    SZ_SWAP = 16,
    SZ_TIMER = 32
};

/* Makes `poller` watch `socket` for `events`: SZ_IN, SZ_OUT, both, or 0 for
 * errors only; or SZ_SIGNAL or SZ_SWAP.  sz_poller_check returns `tag` with
 * what is ready.
 *
 * Result: 0.
 * Errors: handle errors (of either), SZ_EEXIST (it is watched already),
 *   SZ_ENOSPC (the limit of epoll(7)), SZ_ENOMEM.
 * Threads: owner of both.  Ownership: none; closing the socket is allowed. */
int sz_poller_add_socket(sz_poller poller, sz_socket socket, int events,
                         uint64_t tag);

/* Makes `poller` watch the descriptor `fd` for `events`: SZ_IN, SZ_OUT, both,
 * or 0 for errors only.  sz_poller_check returns `tag` with what is ready.
 * Regular files are always ready.  Remove a descriptor before it is closed.
 *
 * Result: 0.
 * Errors: handle errors, SZ_EEXIST (it is watched already), SZ_EBADF (not
 *   open), SZ_EINVAL (the poller's own descriptor), SZ_ELOOP, SZ_ENOSPC (the
 *   limit of epoll(7)), SZ_ENOMEM.
 * Threads: owner.  Ownership: none; the descriptor stays the caller's. */
int sz_poller_add_fd(sz_poller poller, int fd, int events, uint64_t tag);

/* Replaces `events` and `tag` of an entry, `socket` or `fd`, of `poller`.
 *
 * Result: 0.
 * Errors: handle errors (of `poller`), SZ_ENOENT (not watched), SZ_EBADF (`fd`
 *   is not open any more), SZ_ENOMEM.
 * Threads: owner.  Ownership: none. */
int sz_poller_modify_socket(sz_poller poller, sz_socket socket, int events,
                            uint64_t tag);
int sz_poller_modify_fd(sz_poller poller, int fd, int events, uint64_t tag);

/* Removes an entry, `socket` or `fd`, from `poller`.  Either may have been
 * closed before.
 *
 * Result: 0.
 * Errors: handle errors (of `poller`), SZ_ENOENT (not watched).
 * Threads: owner.  Ownership: none. */
int sz_poller_remove_socket(sz_poller poller, sz_socket socket);
int sz_poller_remove_fd(sz_poller poller, int fd);

/* Whether `socket` is a sub that has no subscription, and so receives nothing.
 *
 * Result: true if it is; false also if sz_socket_check is not 0.
 * Errors: none.
 * Threads: owner.  Ownership: none. */
bool sz_socket_deaf(sz_socket socket);

/* Whether a poller watches `socket` for anything but SZ_SIGNAL, and so may
 * consume the edge of its descriptor.
 *
 * Result: true if one does; false also if sz_socket_check is not 0.
 * Errors: none.
 * Threads: owner.  Ownership: none. */
bool sz_socket_polled(sz_socket socket);

/* An entry that is ready: its tag, and the events, SZ_ERROR among them. */
typedef struct {
    uint64_t tag;
    int events;
} sz_ready;

/* Stores what is ready in `poller` in the array `ready` of `max` entries, 1 or
 * more, without waiting.  If more are ready, the next check reports them.  A
 * socket that was closed, or whose events cannot be read, is reported with
 * SZ_ERROR.
 *
 * Result: the number of entries stored; 0 if nothing is ready, and then wait
 *   for sz_poller_fd.
 * Errors: handle errors.
 * Threads: owner.  Ownership: none. */
int sz_poller_check(sz_poller poller, sz_ready *ready, size_t max);

/* A descriptor that becomes readable when a check has something to report, and
 * stays so until the next check.  Its number does not change.  sz_poller_check
 * can replace what it stands for, if a descriptor was closed before it was
 * removed: who has it in an epoll(7) set of his own must then add it again.
 * Never read from it.
 *
 * Result: the descriptor.
 * Errors: handle errors.
 * Threads: owner.  Ownership: the descriptor belongs to the poller. */
int sz_poller_fd(sz_poller poller);

/* Adds a timer: at `time`, in milliseconds of sz_now, the descriptor of
 * `poller` becomes readable and sz_poller_check reports SZ_TIMER, once, with
 * *id as the tag.
 *
 * Result: 0; *id is set.
 * Errors: handle errors, SZ_EMFILE, SZ_ENFILE, SZ_ENOSPC, SZ_ENODEV,
 *   SZ_ENOMEM.
 * Threads: owner.  Ownership: the timer belongs to the poller. */
int sz_poller_add_timer(sz_poller poller, int64_t time, uint64_t *id);

/* Removes the timer `id` from `poller`.
 *
 * Result: 0.
 * Errors: handle errors, SZ_ENOENT (it was reported or removed).
 * Threads: owner.  Ownership: none. */
int sz_poller_remove_timer(sz_poller poller, uint64_t id);

/* Makes the descriptor of `poller` readable until the next sz_poller_check.
 *
 * Result: 0.
 * Errors: handle errors.
 * Threads: owner.  Ownership: none. */
int sz_poller_wake(sz_poller poller);

/* The time of a clock that is never set, CLOCK_MONOTONIC.
 *
 * Result: milliseconds since some moment in the past.
 * Errors: none.
 * Threads: any.  Ownership: none. */
int64_t sz_now(void);

/* ------------------------------------------------------------- events -- */

/* Events of the connections of a socket over tcp, ipc and similar transports;
 * see zmq_socket_monitor(3).  inproc has no events. */

/* What the value of an event is. */
typedef enum {
    SZ_NOTHING,
    SZ_DESCRIPTOR,
    SZ_ERRNO,
    SZ_MILLISECONDS,
    SZ_PROTOCOL_ERROR, /* of SZ_PROTOCOL_ERRORS in event.def */
    SZ_ZAP_STATUS      /* of SZ_ZAP_STATUSES in event.def */
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

/* A row of event.def. */
typedef struct {
    const char *name;
    int bit; /* SZ_EVENT_... */
    sz_event_value value;
    const char *text;
} sz_event_type;

/* The event that is called `name`, for example "handshake-succeeded".
 *
 * Result: the row; NULL if there is no such event.
 * Errors: none.
 * Threads: any.  Ownership: static. */
const sz_event_type *sz_event_find(const char *name);

/* The row number `index` of the table, counted from 0, in the order of the
 * bits.
 *
 * Result: the row; NULL past the end.
 * Errors: none.
 * Threads: any.  Ownership: static. */
const sz_event_type *sz_event_at(size_t index);

/* The name of an event that is spelled almost as `name`.
 *
 * Result: the name; NULL if no name is similar.
 * Errors: none.
 * Threads: any.  Ownership: static. */
const char *sz_event_near(const char *name);

/* The symbol and the text of a `value` of an event of `type`, if it is an
 * errno value, a protocol error or a status of ZAP.
 *
 * Result: the string; "unknown" (of an errno value also "unknown error") if
 *   the tables do not have the value; NULL for other kinds of value.
 * Errors: none.
 * Threads: any.  Ownership: static. */
const char *sz_event_symbol(const sz_event_type *type, uint32_t value);
const char *sz_event_text(const sz_event_type *type, uint32_t value);

/* ----------------------------------------------------------- monitors -- */

/* Makes a monitor, which reports the events of `socket` whose bits are in
 * `events` (SZ_EVENT_...), from now on.  A socket can have several monitors;
 * each receives all events that it asked for.  If a monitor is not read, it
 * keeps the 1024 newest events and counts the others; libzmq does not wait for
 * it, because one thread of the kernel for each context reads the events.  A
 * monitored socket takes one descriptor, and each monitor two.
 *
 * Result: 0; *monitor is the handle.
 * Errors: handle errors, SZ_ERANGE (`events` has other bits), SZ_EDESCRIPTORS,
 *   SZ_ESOCKETS (libzmq cannot make the socket that reads events), SZ_EMFILE,
 *   SZ_ENFILE, SZ_ETHREAD (no thread can be started), SZ_ENOMEM,
 *   SZ_ETERM.
 * Threads: owner.  Ownership: the calling thread owns the monitor, and closes
 *   it.  Monitor, socket and context may be closed in any order. */
int sz_monitor_new(sz_socket socket, int events, sz_monitor *monitor);

/* An event. */
typedef struct {
    const sz_event_type *type;
    uint32_t value;
    uint64_t missed; /* events before it that were dropped */
    int64_t time;    /* of sz_now */
    const char *endpoint;
} sz_event;

/* Stores the next event of `monitor` in *event, without waiting.
 *
 * Result: 0.
 * Errors: handle errors, SZ_EAGAIN (no event: wait for sz_monitor_fd),
 *   SZ_ECLOSED (also when the monitor was stopped, or when the socket is
 *   closed, its linger is over and every event was received), SZ_ENOMEM
 *   (once: there was no memory for the last event, which the next counts).
 * Threads: one at a time, which may be another than the socket's owner, but
 *   not at the same time as sz_monitor_close.
 * Ownership: event->endpoint belongs to the monitor, and is valid until the
 *   next call for it. */
int sz_monitor_receive(sz_monitor monitor, sz_event *event);

/* A descriptor that is readable while `monitor` has something to report, which
 * includes its end.  Never read from it.
 *
 * Result: the descriptor.
 * Errors: handle errors.
 * Threads: as for sz_monitor_receive.
 * Ownership: the descriptor belongs to the monitor, and is open until
 *   sz_monitor_close. */
int sz_monitor_fd(sz_monitor monitor);

/* Ends `monitor` and drops its events.  Its descriptor becomes readable and
 * stays open, so that threads that wait for it wake.
 *
 * Result: 0, also if it was stopped or closed before.  In a forked child 0.
 * Errors: SZ_EHANDLE.
 * Threads: owner of the socket while that is open, then any.
 * Ownership: none; event->endpoint of the last event becomes invalid. */
int sz_monitor_stop(sz_monitor monitor);

/* Stops `monitor` and closes it.
 *
 * Result: 0, also if it was closed before.  In a forked child 0.
 * Errors: SZ_EHANDLE.
 * Threads: owner of the socket while that is open, then any.
 * Ownership: closes the handle and the descriptor. */
int sz_monitor_close(sz_monitor monitor);

/* What became of the connections of a socket while it was observed: from its
 * first monitor until the last one is closed, or with sz_observe_all from its
 * first endpoint until it is closed. */
typedef struct {
    int64_t peers;     /* connected now, those over inproc included */
    uint64_t accepted; /* handshakes that succeeded */
    uint64_t lost;     /* connections that ended after their handshake */
    uint64_t retried;  /* attempts to connect again */
    uint64_t failed;   /* handshakes that failed */
    int64_t settled;   /* see sz_socket_connections */
} sz_connections;

/* Copies the counts of `socket` to *found.
 *
 * A subscriber sends its subscriptions after its handshake, and libzmq does
 * not report their arrival to the publisher.  found->settled is an estimate: a
 * time of sz_now, when each peer has had three times as long as its handshake
 * took, at least 100 milliseconds and at most 1 second; 0 if no handshake was
 * seen.
 *
 * Result: 0.
 * Errors: handle errors, SZ_ENOENT (the socket is not observed, and has no
 *   endpoint or one that is not inproc).
 * Threads: owner.  Ownership: none. */
int sz_socket_connections(sz_socket socket, sz_connections *found);

/* If `all` is true, sockets are observed from their next bind or connect that
 * is not inproc, until they are closed.  If that cannot be started, the bind
 * or connect fails as sz_monitor_new would.  If it is false, sockets that are
 * not observed yet will not be.
 *
 * Errors: none.
 * Threads: any.  Ownership: none. */
void sz_observe_all(bool all);

/* Writes lines to the descriptor `fd` about the connections of sockets that
 * are bound or connected from now on, except over inproc: each handshake that
 * succeeds; and each one that fails, each connection that is lost and each
 * that cannot be made, once for an endpoint and a cause until a handshake
 * succeeds.  A line has the time of sz_now in seconds, "zmq-monitor", the type
 * of the socket and the last 24 bits of its handle, the event, the endpoint
 * and a text.  Such sockets are observed, if that can be started.  If `fd` is
 * -1, no more lines are written.
 *
 * Errors: none.
 * Threads: any.  Ownership: `fd` must stay open until -1 is given, and a write
 *   to it that waits holds up monitors and the closing of sockets. */
void sz_trace_connections(int fd);

/* ----------------------------------------------------------- security -- */

/* Writes the `size` bytes at `data`, a multiple of 4, as Z85 to `text`: 5
 * characters for 4 bytes, and no NUL.  See zmq_z85_encode(3).
 *
 * Result: 0.
 * Errors: SZ_EZ85SIZE (`size` is not a multiple of 4).
 * Threads: any.  Ownership: none; `text` has room for size / 4 * 5
 *   characters. */
int sz_z85_encode(const void *data, size_t size, char *text);

/* Reads the `length` characters of Z85 at `text`, a multiple of 5, into
 * `data`.  Nothing is written beyond the place of an error.
 *
 * Result: 0.
 * Errors: SZ_EZ85LENGTH (`length` is not a multiple of 5, and is *place),
 *   SZ_EZ85DIGIT (*place is the index of a wrong character), SZ_EZ85RANGE
 *   (*place is the index of a group above 32 bits).
 * Threads: any.  Ownership: none; `data` has room for length / 5 * 4 bytes. */
int sz_z85_decode(const char *text, size_t length, void *data, size_t *place);

enum {
    SZ_KEY_SIZE = 32, /* bytes */
    SZ_KEY_TEXT = 40  /* characters of Z85 */
};

/* Errors of the functions that take a key, of `size` bytes: 32 bytes, or 40
 * characters of Z85.
 *
 *   key errors: SZ_EKEY (another size), SZ_EZ85DIGIT, SZ_EZ85RANGE (*place as
 *     for sz_z85_decode). */

/* Writes the `key` of `size` bytes as Z85 to `text`, with a NUL.
 *
 * Result: 0; *place is undefined.  After an error `text` is empty.
 * Errors: key errors.
 * Threads: any.  Ownership: none. */
int sz_key_text(const void *key, size_t size, char text[SZ_KEY_TEXT + 1],
                size_t *place);

/* Makes a pair of CURVE keys and writes them as Z85, with a NUL, to
 * `public_key` and `secret_key`.  See zmq_curve_keypair(3).
 *
 * Result: 0.
 * Errors: SZ_EUNSUPPORTED (libzmq was built without CURVE), SZ_ENOTSUP (libzmq
 *   says so itself).
 * Threads: any.  Ownership: none; the caller wipes the secret key. */
int sz_curve_keypair(char public_key[SZ_KEY_TEXT + 1],
                     char secret_key[SZ_KEY_TEXT + 1]);

/* Writes the public key of `secret_key`, of `size` bytes, as Z85, with a NUL,
 * to `public_key`.  See zmq_curve_public(3).
 *
 * Result: 0; *place is undefined.
 * Errors: key errors, SZ_EUNSUPPORTED (libzmq was built without CURVE),
 *   SZ_ENOTSUP (libzmq says so itself).
 * Threads: any.  Ownership: none. */
int sz_curve_public(const void *secret_key, size_t size,
                    char public_key[SZ_KEY_TEXT + 1], size_t *place);

/* Whether the `size` bytes at `a` and at `b` are equal, in a time that does
 * not depend on their values.
 *
 * Result: true if they are.
 * Errors: none.
 * Threads: any.  Ownership: none. */
bool sz_equal(const void *a, const void *b, size_t size);

/* Zeroes the `size` bytes at `data`.  The compiler does not remove the call.
 *
 * Errors: none.
 * Threads: any.  Ownership: none. */
void sz_wipe(void *data, size_t size);

/* A rule for addresses of peers; the members are private. */
typedef struct {
    unsigned char bytes[16];
    int bits;
    bool ipc;
    int64_t user;
} sz_network;

/* Reads a rule from the `length` characters at `text` into *network:
 * "192.0.2.1", "192.0.2.0/24" or "2001:db8::/32" for addresses, "ipc" for all
 * peers over ipc, "ipc:1000" for those of one user.
 *
 * Result: 0.
 * Errors: SZ_EADDRESS.
 * Threads: any.  Ownership: none. */
int sz_network_parse(const char *text, size_t length, sz_network *network);

/* Whether `network` contains the `length` characters at `address`, in the form
 * in which libzmq passes an address to a ZAP handler.  An IPv4 address within
 * IPv6, ::ffff:192.0.2.1, is the IPv4 address.
 *
 * Result: true if it does; false also if `address` is not an address.
 * Errors: none.
 * Threads: any.  Ownership: none. */
bool sz_network_holds(const sz_network *network, const char *address,
                      size_t length);

enum {
    SZ_KEYFILE_ROOM = 65536 /* bytes; a key file is smaller */
};

/* Reads the file at `path`, a string, into `data`.  Links are followed.
 *
 * Result: the size of the file, 0 to 65535 bytes.
 * Errors: SZ_EKEYFILE (not a regular file, or too large), file errors.
 * Threads: any; may block on the disk.  Ownership: none. */
int sz_keyfile_read(const char *path, char data[SZ_KEYFILE_ROOM]);

/* Reads the file at `path` into `data` as sz_keyfile_read does.  *exposed
 * tells whether a user other than the caller and root can read or change it:
 * by its mode, or because it is his.
 *
 * Result: the size of the file, 0 to 65535 bytes.
 * Errors: SZ_EKEYFILE (not a regular file, or too large), file errors.
 * Threads: any; may block on the disk.  Ownership: none. */
int sz_keyfile_load(const char *path, char data[SZ_KEYFILE_ROOM],
                    bool *exposed);

/* Replaces the file at `path`, a string, by the `size` bytes at `data`, or
 * leaves it as it was.  If `secret` is true, only its owner can read the file,
 * at any moment; otherwise its mode is 0644.
 *
 * Result: 0.
 * Errors: SZ_EKEYFILE (sz_keyfile_read takes fewer bytes), file errors.
 * Threads: any; may block on the disk.  Ownership: none. */
int sz_keyfile_save(const char *path, const void *data, size_t size,
                    bool secret);

/* What changes when a file or a directory changes: device, inode, size in
 * bytes, the times of modification and change in nanoseconds, and whether it
 * is a regular file. */
typedef struct {
    uint64_t device, inode;
    int64_t size, modified, changed, regular;
} sz_stamp;

/* Stores the stamp of the file at `path`, a string, in *stamp; see stat(2).
 * Links are followed.
 *
 * Result: 0.  After an error *stamp is all zero.
 * Errors: file errors.
 * Threads: any; may block on the disk.  Ownership: none. */
int sz_keyfile_stamp(const char *path, sz_stamp *stamp);

/* ------------------------------------------------------- waiting, exit -- */

/* Waits until one of `events`, SZ_IN, SZ_OUT or both, can be done with
 * `socket`, at most `timeout` milliseconds, or without limit if it is -1.  The
 * options rcvtimeo and sndtimeo are not used.  See zmq_poll(3).
 *
 * Result: those of `events` that can be done.
 * Errors: handle errors, SZ_EAGAIN (after the timeout), SZ_EINTR, SZ_ETERM.
 * Threads: owner; may block, up to `timeout`.  Ownership: none. */
int sz_socket_wait(sz_socket socket, int events, int timeout);

/* Waits until the descriptor `fd` is readable, at end of file or in error, at
 * most `timeout` milliseconds, or without limit if it is -1.  See poll(2).
 *
 * Result: 0.
 * Errors: SZ_EAGAIN (after the timeout), SZ_EINTR, SZ_EBADF (not open, or
 *   negative), SZ_ENOMEM.
 * Threads: any; may block, up to `timeout`.  Ownership: none. */
int sz_wait(int fd, int timeout);

/* Called by sz_exit with its `argument`, for an `endpoint` of a socket of
 * `type`, both strings that are valid during the call.  `endpoint` is NULL if
 * the socket has none.  No lock is held; it must not call sz_exit. */
typedef void sz_undelivered(const char *type, const char *endpoint,
                            void *argument);

/* Closes everything that is open and waits until all messages have left, at
 * most `linger` milliseconds, or as long as a socket's own linger if that is
 * finite, and 100 milliseconds in any case.  It is the last call of a process.
 * In a forked child it leaves the contexts of the parent alone.
 *
 * On SZ_EAGAIN it calls `report`, if that is not NULL, with `argument`, once
 * for each endpoint of each socket that still holds messages, sockets that
 * were closed before included.  Which sockets those are is known only on
 * Linux, with /proc, and if a descriptor was free when the socket was closed.
 * Other sockets count until their context is gone or their descriptor closed.
 *
 * Result: 0 if all messages left.
 * Errors: SZ_EAGAIN (the time is up), SZ_ETHREAD (no thread can be started to
 *   terminate a context), SZ_ENOMEM (nothing was closed).
 * Threads: any, while no other thread uses a socket or a poller; may block,
 *   for the time above.
 * Ownership: closes all contexts and sockets. */
int sz_exit(int linger, sz_undelivered *report, void *argument);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
