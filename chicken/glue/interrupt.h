/* Whether a continuation leads back into code that a signal interrupted. */
#ifndef GLUE_INTERRUPT_H
#define GLUE_INTERRUPT_H

#include "word.h"

#pragma GCC visibility push(hidden)

/* To call a signal handler, CHICKEN (runtime.c, handle_interrupt) saves what
 * it interrupted in a vector, whose first element is a C function in a byte
 * vector.  The handler's continuation holds that vector.  No other object has
 * this shape. */
bool szg_interrupted_continuation(C_word continuation);

#pragma GCC visibility pop

#endif
