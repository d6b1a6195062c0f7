/* A checksum after Fletcher: sums of all words of 32 bits, and sums of those
 * sums, which weigh each word by its place, in 64 bits and four lanes.  Any
 * error within two words changes it.  It is as fast as copying, where CRC-32C
 * by its instruction takes as long as writing to the page cache does.
 *
 * The last block is filled up with zeros: who compares checksums knows the
 * size. */

#include "swap.h"

#include <string.h>

enum {
    BLOCK = 16
};

typedef uint64_t pair __attribute__((vector_size(BLOCK)));

typedef struct {
    pair low, high; /* the sums of the words at even and at odd places */
    pair low_sums, high_sums;
} lanes;

_Static_assert(sizeof(lanes) == sizeof((szi_checksum *)0)->lanes,
               "the lanes are kept as integers");

static void add(szi_checksum *sum, unsigned char *to,
                const unsigned char *from, size_t blocks)
{
    const pair half = {UINT32_MAX, UINT32_MAX};
    lanes l;
    memcpy(&l, sum->lanes, sizeof l);
    for (; blocks > 0; blocks--, from += BLOCK) {
        pair words;
        memcpy(&words, from, BLOCK);
        if (to != NULL) {
            memcpy(to, &words, BLOCK);
            to += BLOCK;
        }
        l.low += words & half;
        l.high += words >> 32;
        l.low_sums += l.low;
        l.high_sums += l.high;
    }
    memcpy(sum->lanes, &l, sizeof l);
}

void szi_checksum_begin(szi_checksum *sum, uint64_t seed)
{
    memset(sum->lanes, 0, sizeof sum->lanes);
    sum->lanes[0] = seed;
    sum->carried = 0;
}

/* Bytes that fill no block wait in `carry`. */
static size_t carry(szi_checksum *sum, const unsigned char *from, size_t size)
{
    size_t space = BLOCK - sum->carried;
    if (size > space)
        size = space;
    memcpy(sum->carry + sum->carried, from, size);
    sum->carried += size;
    if (sum->carried == BLOCK) {
        add(sum, NULL, sum->carry, 1);
        sum->carried = 0;
    }
    return size;
}

void szi_checksum_copy(szi_checksum *sum, void *to, const void *from,
                       size_t size)
{
    const unsigned char *source = from;
    unsigned char *target = to;
    if (size == 0)
        return;
    if (sum->carried > 0) {
        size_t first = carry(sum, source, size);
        if (target != NULL) {
            memcpy(target, source, first);
            target += first;
        }
        source += first;
        size -= first;
    }
    size_t whole = size / BLOCK * BLOCK;
    add(sum, target, source, whole / BLOCK);
    if (size == whole)
        return;
    if (target != NULL)
        memcpy(target + whole, source + whole, size - whole);
    carry(sum, source + whole, size - whole);
}

uint32_t szi_checksum_end(szi_checksum *sum)
{
    if (sum->carried > 0) {
        memset(sum->carry + sum->carried, 0, BLOCK - sum->carried);
        add(sum, NULL, sum->carry, 1);
    }
    uint64_t mixed = 0;
    for (size_t i = 0; i < sizeof sum->lanes / sizeof *sum->lanes; i++)
        mixed = (mixed ^ mixed >> 29 ^ sum->lanes[i]) *
                UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(mixed >> 32);
}
