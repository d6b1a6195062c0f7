/* The queue of objects that the collector has found to be garbage and that wait for their
 * finalizer: a vector of their number, and then each object with its finalizer. The collector
 * queues at most C_max_pending_finalizers, and does not look at the length of the vector. */
#ifndef GLUE_FINALIZER_H
#define GLUE_FINALIZER_H

#include <chicken.h>

/* Moves the queue to a vector that is longer, and returns the longer one of both. The caller stores
 * it before anything is collected. */
static inline C_word szg_larger_queue(C_word queue, C_word longer)
{
    C_uword length = C_header_size(queue);
    if (C_header_size(longer) <= length)
        return queue;
    for (C_uword i = 0; i < length; i++)
        C_mutate(&C_block_item(longer, i), C_block_item(queue, i));
    return longer;
}

/* Lets the collector queue as many as the vector has room for. */
static inline void szg_fit_finalizers(C_word queue)
{
    C_word room = ((C_word)C_header_size(queue) - 1) / 2;
    if (room > C_max_pending_finalizers)
        C_resize_pending_finalizers(C_fix(room));
}

#endif
