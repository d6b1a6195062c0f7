/* Whether a continuation leads back into code that a signal interrupted. */
#ifndef GLUE_INTERRUPT_H
#define GLUE_INTERRUPT_H

#include "word.h"

/* The search follows closures, breadth first, so that it reaches the end of a chain of
 * continuations before it gets lost in what they refer to. */
enum {
    MOST_SEEN = 4096
};

static inline bool is_saved_state(C_word x)
{
    if (!IS(x, C_VECTOR_TYPE) || C_block_header(x) & C_SPECIALBLOCK_BIT || C_header_size(x) == 0)
        return false;
    C_word first = ITEM(x, 0);
    return !C_immediatep(first) &&
           C_block_header(first) == (C_header)(C_VECTOR_TYPE | C_BYTEBLOCK_BIT | sizeof(C_word));
}

static inline bool seen_before(const C_word *seen, size_t count, C_word x)
{
    size_t look = count < 64 ? count : 64;
    for (size_t i = count - look; i < count; i++)
        if (seen[i] == x)
            return true;
    return false;
}

/* To call a signal handler, CHICKEN (runtime.c, handle_interrupt) saves what it interrupted in a
 * vector, whose first element is a C function in a byte vector. The handler's continuation holds
 * that vector. No other object has this shape. */
static inline bool szg_interrupted_continuation(C_word continuation)
{
    static C_word seen[MOST_SEEN];
    size_t count = 1;
    seen[0] = continuation;
    for (size_t next = 0; next < count; next++) {
        C_word closure = seen[next];
        for (C_uword i = 1; i < C_header_size(closure); i++) {
            C_word x = ITEM(closure, i);
            if (is_saved_state(x))
                return true;
            if (!C_immediatep(x) && C_header_bits(x) == C_CLOSURE_TYPE && count < MOST_SEEN &&
                !seen_before(seen, count, x))
                seen[count++] = x;
        }
    }
    return false;
}

#endif
