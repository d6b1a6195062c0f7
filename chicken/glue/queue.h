/* Lists in a field of a Scheme object, changed within one call: a signal
 * handler runs between calls of C only, so it never sees a list half changed
 * and its own changes are never overwritten. */
#ifndef GLUE_QUEUE_H
#define GLUE_QUEUE_H

#include "word.h"

#pragma GCC visibility push(hidden)

/* Puts a pair, whose car is the element, at the front or the end of the list.
 */
void szg_list_add(C_word block, int place, C_word pair, bool front);

/* Removes each pair with this element; false if there was none. */
bool szg_list_remove(C_word block, int place, C_word element);

/* Empties the list and returns what it was. */
C_word szg_list_take(C_word block, int place);

#pragma GCC visibility pop

#endif
