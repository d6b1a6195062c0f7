/* File descriptors and pipes.  Any thread may call this. */
#ifndef SZI_DESCRIPTOR_H
#define SZI_DESCRIPTOR_H

#include "szmq.h"

#pragma GCC visibility push(hidden)

/* Whether the process can open `count` more descriptors.  libzmq aborts where
 * it can not. */
bool szi_descriptors_free(int64_t count);

/* A pipe whose ends are closed on exec.  SZ_EMFILE, SZ_ENFILE. */
int szi_pipe(int fds[2]);

/* Closes the writing end of a pipe and makes the other end readable for good,
 * even while a forked child holds a copy of the writing end. */
void szi_pipe_end(int *fd);

/* A number that no other eventfd of the system has, or -1 if the descriptor is
 * no eventfd or the system has no such numbers. */
int64_t szi_descriptor_id(int fd);

#pragma GCC visibility pop

#endif
