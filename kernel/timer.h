/* Times at which a poller reports something: a heap, the earliest on top.  A
 * poller owns one and is its only user. */
#ifndef SZI_TIMER_H
#define SZI_TIMER_H

#include "szmq.h"

#pragma GCC visibility push(hidden)

typedef struct {
    int64_t time;
    uint32_t slot;
} szi_timer;

/* `place` is where the slot's timer stands in the heap, or the next free slot.
 */
typedef struct {
    uint32_t place;
    uint32_t generation;
} szi_timer_slot;

/* Zeroed to begin with.  `slots` and `heap` have room for the same number. */
typedef struct {
    szi_timer *heap;
    szi_timer_slot *slots;
    uint32_t count, room, free_slot;
} szi_timers;

/* SZ_ENOMEM, and then nothing has changed.  An id does not come back before
 * 2^31 other uses of its slot. */
int szi_timers_add(szi_timers *timers, int64_t time, uint64_t *id);
bool szi_timers_remove(szi_timers *timers, uint64_t id);

/* The earliest time, or INT64_MAX.  _take removes that timer if it is due. */
int64_t szi_timers_next(const szi_timers *timers);
bool szi_timers_take(szi_timers *timers, int64_t now, uint64_t *id);

void szi_timers_free(szi_timers *timers);

#pragma GCC visibility pop

#endif
