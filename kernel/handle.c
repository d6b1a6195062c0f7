/* Handles: numbers that can be checked after their object is gone.
 *
 * An id consists, from its lowest bit, of 24 bits of slot index, 3 bits of
 * kind and 34 bits of generation.  The generation grows each time the slot is
 * used again. */

#include "handle.h"
#include "memory.h"

#include <pthread.h>

enum {
    GENERATION_SHIFT = SZI_INDEX_BITS + 3
};
#define GENERATION_MASK ((UINT64_C(1) << 34) - 1)
#define FORKED (UINT64_C(7) << SZI_KIND_SHIFT)

szi_slot *_Atomic szi_chunks[SZI_CHUNKS];
uint32_t szi_process = 1;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t used = 1; /* index 0 is never used, so no id is 0 */
static uint32_t first_free;

void szi_lock(void)
{
    pthread_mutex_lock(&lock);
}

void szi_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

static szi_slot *slot_at(uint32_t index)
{
    szi_slot *chunk = szi_chunks[index >> SZI_CHUNK_BITS];
    return &chunk[index & ((1u << SZI_CHUNK_BITS) - 1)];
}

/* Messages stay usable in the child.  All other handles become SZ_EFORKED. */
static void after_fork_in_child(void)
{
    szi_process++;
    for (uint32_t index = 1; index < used; index++) {
        szi_slot *slot = slot_at(index);
        uint64_t id = atomic_load(&slot->id);
        if (szi_kind_of(id) != 0 && szi_kind_of(id) != SZI_MESSAGE)
            atomic_store(&slot->id, id | FORKED);
    }
    szi_unlock();
}

/* Not under `lock`, which a fork in another thread takes while it holds that
 * of pthread_atfork. */
static int watch_forks(void)
{
    static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
    static atomic_bool watched;
    if (atomic_load(&watched))
        return 0;
    pthread_mutex_lock(&once);
    if (!atomic_load(&watched))
        atomic_store(&watched, pthread_atfork(szi_lock, szi_unlock,
                                              after_fork_in_child) == 0);
    pthread_mutex_unlock(&once);
    return atomic_load(&watched) ? 0 : SZ_ENOMEM;
}

/* An unused index, or 0.  The caller holds the lock. */
static uint32_t take_index(void)
{
    uint32_t index = first_free;
    if (index != 0) {
        first_free = slot_at(index)->next_free;
        return index;
    }
    if (used >= (1u << SZI_INDEX_BITS))
        return 0;
    if (szi_chunks[used >> SZI_CHUNK_BITS] == NULL) {
        szi_slot *chunk = szi_new(sizeof(szi_slot) << SZI_CHUNK_BITS);
        if (chunk == NULL)
            return 0;
        szi_chunks[used >> SZI_CHUNK_BITS] = chunk;
    }
    return used++;
}

int szi_handle_new(szi_kind kind, void *object, uint64_t *id)
{
    int code = watch_forks();
    if (code != 0)
        return code;
    szi_lock();
    uint32_t index = take_index();
    if (index == 0) {
        szi_unlock();
        return SZ_ENOMEM;
    }
    szi_slot *slot = slot_at(index);
    uint64_t generation = (atomic_load(&slot->id) >> GENERATION_SHIFT) + 1;
    uint64_t fresh = (generation & GENERATION_MASK) << GENERATION_SHIFT |
                     (uint64_t)kind << SZI_KIND_SHIFT | index;
    slot->object = object;
    atomic_store(&slot->id, fresh);
    szi_unlock();
    *id = fresh;
    return 0;
}

void szi_handle_free(uint64_t id)
{
    szi_lock();
    uint32_t index = (uint32_t)(id & ((1u << SZI_INDEX_BITS) - 1));
    szi_slot *slot = slot_at(index);
    if ((atomic_load(&slot->id) | FORKED) == (id | FORKED) &&
        szi_kind_of(id) != 0) {
        /* The next object of the slot needs the generation. */
        atomic_store(&slot->id, id >> GENERATION_SHIFT << GENERATION_SHIFT);
        slot->next_free = first_free;
        first_free = index;
    }
    szi_unlock();
}

int szi_handle_refuse(uint64_t id, szi_kind kind)
{
    uint32_t index = (uint32_t)(id & ((1u << SZI_INDEX_BITS) - 1));
    if (szi_kind_of(id) != kind || szi_chunks[index >> SZI_CHUNK_BITS] == NULL)
        return SZ_EHANDLE;
    szi_slot *slot = slot_at(index);
    uint64_t now = atomic_load(&slot->id);
    if (id >> GENERATION_SHIFT > now >> GENERATION_SHIFT || index == 0)
        return SZ_EHANDLE;
    return now == (id | FORKED) ? SZ_EFORKED : SZ_ECLOSED;
}
