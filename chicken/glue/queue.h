/* Lists in a field of a Scheme object, changed within one call.  A signal handler may run between
 * two calls of C, but never within one, so it does not see a list half changed, and no change of
 * its own is overwritten. */
#ifndef GLUE_QUEUE_H
#define GLUE_QUEUE_H

#include "word.h"

/* Puts a pair, whose car is the element, at the front or the end of the list. */
static inline void szg_list_add(C_word block, int place, C_word pair, bool front)
{
    C_word *at = &ITEM(block, place);
    while (!front && *at != C_SCHEME_END_OF_LIST)
        at = &C_u_i_cdr(*at);
    C_mutate(&C_u_i_cdr(pair), *at);
    C_mutate(at, pair);
}

/* Removes each pair with this element; false if there was none. */
static inline bool szg_list_remove(C_word block, int place, C_word element)
{
    bool found = false;
    for (C_word *at = &ITEM(block, place); *at != C_SCHEME_END_OF_LIST;) {
        C_word pair = *at;
        if (C_u_i_car(pair) == element) {
            C_mutate(at, C_u_i_cdr(pair));
            found = true;
        } else {
            at = &C_u_i_cdr(pair);
        }
    }
    return found;
}

/* Empties the list and returns what it was. */
static inline C_word szg_list_take(C_word block, int place)
{
    C_word list = ITEM(block, place);
    ITEM(block, place) = C_SCHEME_END_OF_LIST;
    return list;
}

#endif
