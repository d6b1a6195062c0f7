/* File descriptors and pipes.  Any thread may call this. */
#ifndef SZI_DESCRIPTOR_H
#define SZI_DESCRIPTOR_H

#include "szmq.h"

#pragma GCC visibility push(hidden)

/* 0 if the process can open `count` more descriptors; else SZ_EDESCRIPTORS,
 * SZ_ENFILE or SZ_ENOMEM.  libzmq aborts where it can not. */
int szi_descriptors_check(int64_t count);

/* Why libzmq has made no socket, by errno: SZ_ESOCKETS if all places of the
 * context are taken, SZ_EDESCRIPTORS, or another error. */
int szi_socket_missing(void);

/* A pipe whose ends are closed on exec.  SZ_EMFILE, SZ_ENFILE. */
int szi_pipe(int fds[2]);

/* Closes the writing end of a pipe and makes the other end readable for good,
 * even while a forked child holds a copy of the writing end. */
void szi_pipe_end(int *fd);

/* A number that no other eventfd of the system has; or one of these, the
 * second if it cannot be read now, or the system has no such numbers. */
enum {
    SZI_NO_EVENTFD = -1, /* closed, or another kind of descriptor */
    SZI_UNKNOWN = -2
};
int64_t szi_descriptor_id(int fd);

#pragma GCC visibility pop

#endif
