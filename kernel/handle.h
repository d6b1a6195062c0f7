/* Handles: one table of numbers for objects of all kinds.  The unit that makes
 * an object owns it and its handle.  Looking up any number is safe: a slot is
 * never returned to the system, and its id does not repeat before 2^34 reuses.
 * Lookups take no lock. */
#ifndef SZI_HANDLE_H
#define SZI_HANDLE_H

#include "szmq.h"

#include <stdatomic.h>

#pragma GCC visibility push(hidden)

typedef enum {
    SZI_CONTEXT = 1,
    SZI_SOCKET,
    SZI_MESSAGE,
    SZI_POLLER,
    SZI_MONITOR
} szi_kind;

enum {
    SZI_CHUNK_BITS = 12,
    SZI_INDEX_BITS = 24,
    SZI_CHUNKS = 1 << (SZI_INDEX_BITS - SZI_CHUNK_BITS),
    SZI_KIND_SHIFT = SZI_INDEX_BITS
};

/* `id` is that of the object.  The id of a free slot has kind 0.  The id of an
 * object that was inherited by fork has a kind that no lookup asks for. */
typedef struct {
    _Atomic uint64_t id;
    union {
        void *object;
        uint32_t next_free;
    };
} szi_slot;

extern szi_slot *_Atomic szi_chunks[SZI_CHUNKS];
extern uint32_t szi_process; /* counts the forks that led to this process */

int szi_handle_new(szi_kind kind, void *object, uint64_t *id);
void szi_handle_free(uint64_t id);

/* Why szi_handle_get returned NULL: SZ_EHANDLE, SZ_ECLOSED or SZ_EFORKED. */
int szi_handle_refuse(uint64_t id, szi_kind kind);

/* The lock of this table and of the list of contexts.  It is held across fork,
 * so that a child finds it free. */
void szi_lock(void);
void szi_unlock(void);

static inline szi_kind szi_kind_of(uint64_t id)
{
    return (id >> SZI_KIND_SHIFT) & 7;
}

/* The object of a handle, or NULL. */
static inline void *szi_handle_get(uint64_t id, szi_kind kind)
{
    szi_slot *chunk = szi_chunks[(id >> SZI_CHUNK_BITS) & (SZI_CHUNKS - 1)];
    if (chunk == NULL)
        return NULL;
    szi_slot *slot = &chunk[id & ((1u << SZI_CHUNK_BITS) - 1)];
    if (atomic_load_explicit(&slot->id, memory_order_relaxed) != id ||
        szi_kind_of(id) != kind)
        return NULL;
    void *object = slot->object;
    if (object == NULL)
        __builtin_unreachable();
    return object;
}

#pragma GCC visibility pop

#endif
