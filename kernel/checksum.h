/* A checksum for errors of the disk.  It does not protect against an attacker.
 * Owned by its caller. */
#ifndef SZI_CHECKSUM_H
#define SZI_CHECKSUM_H

#include "szmq.h"

#pragma GCC visibility push(hidden)

typedef struct {
    uint64_t lanes[16];
    size_t carried;
    unsigned char carry[32];
} szi_checksum;

void szi_checksum_begin(szi_checksum *sum, uint64_t seed);

/* Adds bytes, and copies them if `to` is not NULL.  The result does not depend
 * on how the bytes are divided into calls. */
void szi_checksum_copy(szi_checksum *sum, void *to, const void *from,
                       size_t size);
uint32_t szi_checksum_end(szi_checksum *sum);

/* The checksum of two numbers. */
uint32_t szi_checksum_pair(uint64_t a, uint64_t b);

/* Selects the code without wide instructions.  The results are the same. */
void szi_checksum_portable(bool portable);

#pragma GCC visibility pop

#endif
