#include "queue.h"

void szg_list_add(C_word block, int place, C_word pair, bool front)
{
    C_word *at = &ITEM(block, place);
    while (!front && *at != C_SCHEME_END_OF_LIST)
        at = &C_u_i_cdr(*at);
    C_mutate(&C_u_i_cdr(pair), *at);
    C_mutate(at, pair);
}

bool szg_list_remove(C_word block, int place, C_word element)
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

C_word szg_list_take(C_word block, int place)
{
    C_word list = ITEM(block, place);
    ITEM(block, place) = C_SCHEME_END_OF_LIST;
    return list;
}
