/* The rows of option.def: checks before libzmq is called, and conversions
 * between the table's units and libzmq's.  It knows libzmq's numbers, but no
 * socket and no context. */
#ifndef SZI_OPTION_TABLE_H
#define SZI_OPTION_TABLE_H

#include "szmq.h"

#pragma GCC visibility push(hidden)

/* sz_option.rule.  Rules keep the meanings of the old library. */
enum {
    SZI_PLAIN,
    SZI_ALSO,    /* writing sets option number `operand` to the same value */
    SZI_SCALED,  /* our unit is `operand` of libzmq's */
    SZI_ZERO,    /* our 0 is libzmq's `operand` */
    SZI_AS_ZERO, /* the same, but `operand` is a value of ours too: the socket
                  * remembers which it was */
    SZI_KEPT,    /* libzmq cannot read it: the socket remembers it */
    SZI_SWAP,    /* an option of the swap: `operand` is a szi_swap_value */
    SZI_OWN,     /* another option of the kernel: `operand` is a
                  * szi_own_value */
    SZI_PREFIX,  /* a subscription, which is bounded */
    SZI_PARTIAL, /* libzmq accepts only some of the values in range */
    SZI_PROPERTY /* X-name:value */
};

enum szi_own_value {
    SZI_OWN_SUBSCRIPTION,
    SZI_OWN_SOCKS
};

enum szi_swap_value {
    SZI_SWAP_SIZE,
    SZI_SWAP_COUNT,
    SZI_SWAP_BYTES,
    SZI_SWAP_PEAK,
    SZI_SWAP_DROPPED,
    SZI_SWAP_LOST,
    SZI_SWAP_PLAINTEXT,
    SZI_SWAP_DIRECTORY,
    SZI_SWAP_ERROR
};

/* In `types` of a context's option: set it before the first socket. */
#define SZI_EARLY UINT32_C(1)

/* Check an option's scope, direction (`access` is 'r' or 'w'), kind of value
 * and version, and then its value. */
int szi_option_check(const sz_option *option, sz_scope scope, char access,
                     bool integer);
int szi_option_check_integer(const sz_option *option, int64_t value);
int szi_option_check_bytes(const sz_option *option, const void *data,
                           size_t size);

/* Convert a value from and to libzmq's unit; `width` is the size of libzmq's
 * type. */
int64_t szi_option_outward(const sz_option *option, int64_t value);
int64_t szi_option_inward(const sz_option *option, int64_t value);
size_t szi_option_width(const sz_option *option);

/* Whether libzmq may refuse a value that passed the checks. */
bool szi_option_partial(const sz_option *option);

#pragma GCC visibility pop

#endif
