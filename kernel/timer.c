#include "timer.h"
#include "memory.h"

enum {
    SLOT_BITS = 28,
    FIRST_ROOM = 16
};

static void put(szi_timers *timers, uint32_t place, szi_timer timer)
{
    timers->heap[place] = timer;
    timers->slots[timer.slot].place = place;
}

static void rise(szi_timers *timers, uint32_t place, szi_timer timer)
{
    while (place > 0 && timer.time < timers->heap[(place - 1) / 2].time) {
        put(timers, place, timers->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(timers, place, timer);
}

static void sink(szi_timers *timers, uint32_t place, szi_timer timer)
{
    for (;;) {
        uint32_t child = 2 * place + 1;
        if (child + 1 < timers->count &&
            timers->heap[child + 1].time < timers->heap[child].time)
            child++;
        if (child >= timers->count || timers->heap[child].time >= timer.time)
            break;
        put(timers, place, timers->heap[child]);
        place = child;
    }
    put(timers, place, timer);
}

static int grow(szi_timers *timers)
{
    uint32_t room = timers->room == 0 ? FIRST_ROOM : 2 * timers->room;
    if (room > UINT32_C(1) << SLOT_BITS)
        return SZ_ENOMEM;
    szi_timer *heap = szi_resize(timers->heap, room * sizeof *heap);
    if (heap == NULL)
        return SZ_ENOMEM;
    timers->heap = heap;
    szi_timer_slot *slots = szi_resize(timers->slots, room * sizeof *slots);
    if (slots == NULL)
        return SZ_ENOMEM;
    for (uint32_t i = timers->room; i < room; i++)
        slots[i] = (szi_timer_slot){.place = i + 1};
    timers->slots = slots;
    timers->free_slot = timers->room;
    timers->room = room;
    return 0;
}

int szi_timers_add(szi_timers *timers, int64_t time, uint64_t *id)
{
    if (timers->count == timers->room && grow(timers) != 0)
        return SZ_ENOMEM;
    uint32_t slot = timers->free_slot;
    timers->free_slot = timers->slots[slot].place;
    rise(timers, timers->count++, (szi_timer){time, slot});
    *id = (uint64_t)timers->slots[slot].generation << SLOT_BITS | slot;
    return 0;
}

static void remove_at(szi_timers *timers, uint32_t place)
{
    szi_timer last = timers->heap[--timers->count];
    szi_timer_slot *freed = &timers->slots[timers->heap[place].slot];
    uint32_t slot = timers->heap[place].slot;
    if (place < timers->count) {
        rise(timers, place, last);
        sink(timers, timers->slots[last.slot].place, last);
    }
    freed->generation = (freed->generation + 1) & INT32_MAX;
    freed->place = timers->free_slot;
    timers->free_slot = slot;
}

bool szi_timers_remove(szi_timers *timers, uint64_t id)
{
    uint32_t slot = (uint32_t)(id & ((UINT32_C(1) << SLOT_BITS) - 1));
    if (slot >= timers->room ||
        timers->slots[slot].generation != id >> SLOT_BITS)
        return false;
    uint32_t place = timers->slots[slot].place;
    if (place >= timers->count || timers->heap[place].slot != slot)
        return false;
    remove_at(timers, place);
    return true;
}

int64_t szi_timers_next(const szi_timers *timers)
{
    return timers->count > 0 ? timers->heap[0].time : INT64_MAX;
}

bool szi_timers_take(szi_timers *timers, int64_t now, uint64_t *id)
{
    if (szi_timers_next(timers) > now)
        return false;
    uint32_t slot = timers->heap[0].slot;
    *id = (uint64_t)timers->slots[slot].generation << SLOT_BITS | slot;
    remove_at(timers, 0);
    return true;
}

void szi_timers_free(szi_timers *timers)
{
    szi_free(timers->heap);
    szi_free(timers->slots);
    *timers = (szi_timers){0};
}
