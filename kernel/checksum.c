/* A checksum after Fletcher: sums of all words of 32 bits, and sums of those
 * sums, which weigh each word by its position, in 64 bits and eight lanes.  It
 * detects every error within two words.  It runs at the speed of memcpy;
 * CRC-32C, even by the processor's instruction, takes as long as writing to
 * the page cache.
 *
 * The last block is padded with zeros: the comparison of two checksums relies
 * on equal sizes. */

#include "checksum.h"

#include <stdatomic.h>
#include <string.h>

enum {
    BLOCK = 32
};

/* Vectors of lanes of 64 bits. */
typedef uint64_t pair __attribute__((vector_size(16)));
typedef uint64_t quad __attribute__((vector_size(32)));

typedef void adding(uint64_t *lanes, unsigned char *to,
                    const unsigned char *from, size_t blocks);

/* lanes: 4 sums of the words at even positions and 4 of those at odd ones,
 * then 4 and 4 sums of these sums.  The vectors are separate variables so that
 * the compiler keeps them in registers. */
static void add_pairs(uint64_t *lanes, unsigned char *to,
                      const unsigned char *from, size_t blocks)
{
    const pair half = {UINT32_MAX, UINT32_MAX};
    pair a, b, c, d, aa, bb, cc, dd;
    memcpy(&a, lanes, sizeof a);
    memcpy(&b, lanes + 2, sizeof b);
    memcpy(&c, lanes + 4, sizeof c);
    memcpy(&d, lanes + 6, sizeof d);
    memcpy(&aa, lanes + 8, sizeof aa);
    memcpy(&bb, lanes + 10, sizeof bb);
    memcpy(&cc, lanes + 12, sizeof cc);
    memcpy(&dd, lanes + 14, sizeof dd);
    for (; blocks > 0; blocks--, from += BLOCK) {
        pair v, w;
        memcpy(&v, from, sizeof v);
        memcpy(&w, from + sizeof v, sizeof w);
        if (to != NULL) {
            memcpy(to, &v, sizeof v);
            memcpy(to + sizeof v, &w, sizeof w);
            to += BLOCK;
        }
        a += v & half;
        b += w & half;
        c += v >> 32;
        d += w >> 32;
        aa += a;
        bb += b;
        cc += c;
        dd += d;
    }
    memcpy(lanes, &a, sizeof a);
    memcpy(lanes + 2, &b, sizeof b);
    memcpy(lanes + 4, &c, sizeof c);
    memcpy(lanes + 6, &d, sizeof d);
    memcpy(lanes + 8, &aa, sizeof aa);
    memcpy(lanes + 10, &bb, sizeof bb);
    memcpy(lanes + 12, &cc, sizeof cc);
    memcpy(lanes + 14, &dd, sizeof dd);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void
add_quads(uint64_t *lanes, unsigned char *to, const unsigned char *from,
          size_t blocks)
{
    const quad half = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
    quad a, c, aa, cc;
    memcpy(&a, lanes, sizeof a);
    memcpy(&c, lanes + 4, sizeof c);
    memcpy(&aa, lanes + 8, sizeof aa);
    memcpy(&cc, lanes + 12, sizeof cc);
    for (; blocks > 0; blocks--, from += BLOCK) {
        quad v;
        memcpy(&v, from, sizeof v);
        if (to != NULL) {
            memcpy(to, &v, sizeof v);
            to += BLOCK;
        }
        a += v & half;
        c += v >> 32;
        aa += a;
        cc += c;
    }
    memcpy(lanes, &a, sizeof a);
    memcpy(lanes + 4, &c, sizeof c);
    memcpy(lanes + 8, &aa, sizeof aa);
    memcpy(lanes + 12, &cc, sizeof cc);
}

#define FAST add_quads
#define CAPABLE __builtin_cpu_supports("avx2")
#else
#define FAST add_pairs
#define CAPABLE false
#endif

static void add_first(uint64_t *lanes, unsigned char *to,
                      const unsigned char *from, size_t blocks);

static adding *_Atomic add = add_first;

static void add_blocks(uint64_t *lanes, unsigned char *to,
                       const unsigned char *from, size_t blocks)
{
    adding *chosen = atomic_load_explicit(&add, memory_order_relaxed);
    chosen(lanes, to, from, blocks);
}

void szi_checksum_portable(bool portable)
{
    atomic_store(&add, CAPABLE && !portable ? FAST : add_pairs);
}

/* Chooses the function on the first call.  Threads that race here choose the
 * same. */
static void add_first(uint64_t *lanes, unsigned char *to,
                      const unsigned char *from, size_t blocks)
{
    szi_checksum_portable(false);
    add_blocks(lanes, to, from, blocks);
}

void szi_checksum_begin(szi_checksum *sum, uint64_t seed)
{
    memset(sum->lanes, 0, sizeof sum->lanes);
    sum->lanes[0] = seed;
    sum->carried = 0;
}

/* Collects bytes in `carry` until they fill a block. */
static size_t carry(szi_checksum *sum, const unsigned char *from, size_t size)
{
    size_t space = BLOCK - sum->carried;
    if (size > space)
        size = space;
    memcpy(sum->carry + sum->carried, from, size);
    sum->carried += size;
    if (sum->carried == BLOCK) {
        add_blocks(sum->lanes, NULL, sum->carry, 1);
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
    add_blocks(sum->lanes, target, source, whole / BLOCK);
    if (size == whole)
        return;
    if (target != NULL)
        memcpy(target + whole, source + whole, size - whole);
    carry(sum, source + whole, size - whole);
}

#define FACTOR UINT64_C(0x9e3779b97f4a7c15)

static uint32_t fold(uint64_t mixed)
{
    mixed = (mixed ^ mixed >> 32) * FACTOR;
    return (uint32_t)(mixed >> 32);
}

uint32_t szi_checksum_pair(uint64_t a, uint64_t b)
{
    return fold(a * FACTOR + fold(a) + b * (FACTOR + 2));
}

uint32_t szi_checksum_end(szi_checksum *sum)
{
    if (sum->carried > 0) {
        memset(sum->carry + sum->carried, 0, BLOCK - sum->carried);
        add_blocks(sum->lanes, NULL, sum->carry, 1);
    }
    uint64_t mixed = 0;
    for (uint64_t i = 0; i < sizeof sum->lanes / sizeof *sum->lanes; i++)
        mixed += sum->lanes[i] * (FACTOR + 2 * i);
    return fold(mixed);
}
