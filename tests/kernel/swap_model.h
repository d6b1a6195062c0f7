/* The swap against a plain list: bytes are read as operations on both.  Used
 * by the tests, with bytes of a random generator, and by the fuzzer.  MODEL is
 * how the includer checks. */
#ifndef SWAP_MODEL_H
#define SWAP_MODEL_H

#include "swap_disk.h"

enum {
    MODEL_MESSAGES = 256,
    MODEL_PARTS = 12
};

typedef struct {
    size_t count, sizes[MODEL_PARTS];
    unsigned char first; /* byte n of all parts is first + n */
} model_message;

typedef struct {
    const uint8_t *bytes;
    size_t left;
    memory_disk memory;
    szi_disk disk;
    szi_swap *swap;
    uint64_t limit, held, peak, lost;
    bool resized, faulty, damaged;
    model_message queue[MODEL_MESSAGES];
    size_t head, count;
    unsigned char next;
    unsigned char *scratch;
    size_t scratch_room;
} model;

static unsigned model_byte(model *m)
{
    if (m->left == 0)
        return 0;
    m->left--;
    return *m->bytes++;
}

static unsigned char *model_scratch(model *m, size_t size)
{
    if (size >= m->scratch_room) {
        m->scratch_room = 2 * size + 1;
        m->scratch = realloc(m->scratch, m->scratch_room);
    }
    return m->scratch;
}

static uint64_t model_size(const model_message *message, size_t *bytes)
{
    *bytes = 0;
    for (size_t i = 0; i < message->count; i++)
        *bytes += message->sizes[i];
    return *bytes + 24 + (message->count > 1 ? 8 * message->count : 0);
}

/* The allocator, where it is to fail. */
static unsigned model_allocations_left = UINT32_MAX;

static void *model_resize(void *old, size_t size)
{
    if (model_allocations_left == 0)
        return NULL;
    if (model_allocations_left != UINT32_MAX)
        model_allocations_left--;
    return realloc(old, size);
}

/* ---------------------------------------------------------- operations -- */

static void model_look(model *m)
{
    szi_swap_state state = szi_swap_look(m->swap);
    MODEL(state.messages == m->count);
    MODEL(state.bytes == m->held);
    MODEL(state.peak == m->peak);
    MODEL(state.lost == m->lost);
    uint64_t room = szi_swap_room(m->swap);
    uint64_t ideal = m->limit > m->held ? m->limit - m->held : 0;
    MODEL(m->resized ? room <= ideal : room == ideal);
}

static void model_append(model *m)
{
    model_message message = {.count = 1 + model_byte(m) % 3, .first = m->next};
    unsigned shape = model_byte(m);
    if (shape % 16 == 15)
        message.count = MODEL_PARTS;
    for (size_t i = 0; i < message.count; i++)
        message.sizes[i] = model_byte(m) % (shape < 128 ? 24 : 256);
    size_t bytes;
    uint64_t size = model_size(&message, &bytes);
    unsigned char *content = model_scratch(m, bytes);
    for (size_t i = 0; i < bytes; i++)
        content[i] = (unsigned char)(message.first + i);
    szi_bytes parts[MODEL_PARTS];
    for (size_t i = 0, at = 0; i < message.count; i++) {
        parts[i] = (szi_bytes){content + at, message.sizes[i]};
        at += message.sizes[i];
    }
    uint64_t room = szi_swap_room(m->swap);
    if (m->count == MODEL_MESSAGES)
        return;
    int code = szi_swap_append(m->swap, parts, message.count);
    if (code == SZ_EMSGSIZE)
        MODEL(size > m->limit);
    else if (code != 0 && !m->faulty)
        MODEL(code == SZ_EAGAIN && size > room);
    if (code != 0)
        return;
    MODEL(size <= room);
    m->queue[(m->head + m->count++) % MODEL_MESSAGES] = message;
    m->held += size;
    if (m->held > m->peak)
        m->peak = m->held;
    m->next = (unsigned char)(m->next + 37);
}

static void model_pop(model *m)
{
    size_t bytes;
    m->held -= model_size(&m->queue[m->head], &bytes);
    m->head = (m->head + 1) % MODEL_MESSAGES;
    m->count--;
}

/* What was lost was at the front: one message, or all. */
static void model_lost(model *m)
{
    uint64_t lost = szi_swap_look(m->swap).lost - m->lost;
    MODEL(m->damaged || m->faulty);
    MODEL(lost == 1 || lost == m->count);
    m->lost += lost;
    while (lost-- > 0)
        model_pop(m);
}

static int model_front(model *m)
{
    size_t count = 0;
    const uint64_t *sizes = NULL;
    int code = szi_swap_front(m->swap, &count, &sizes);
    if (code == SZ_ECORRUPT)
        model_lost(m);
    else if (code == SZ_EAGAIN)
        MODEL(m->count == 0);
    else if (code != 0)
        MODEL(m->faulty && code == SZ_ENOMEM);
    if (code != 0)
        return code;
    MODEL(m->count > 0);
    const model_message *front = &m->queue[m->head];
    size_t bytes;
    model_size(front, &bytes);
    if (!m->damaged || count == front->count) {
        MODEL(count == front->count);
        for (size_t i = 0; i < count && !m->damaged; i++)
            MODEL(sizes[i] == front->sizes[i]);
    }
    return 0;
}

static void model_take(model *m)
{
    if (model_front(m) != 0)
        return;
    const model_message *front = &m->queue[m->head];
    size_t bytes, at = 0;
    model_size(front, &bytes);
    unsigned char *to = model_scratch(m, bytes);
    size_t piece = 1 + model_byte(m);
    const unsigned char *view = piece % 2 == 0 ? szi_swap_view(m->swap) : NULL;
    if (view != NULL) {
        MODEL(front->count == 1 && szi_swap_view(m->swap) == view);
        for (size_t i = 0; i < bytes; i++)
            MODEL(view[i] == (unsigned char)(front->first + i));
        if (piece % 4 == 0)
            return; /* another time */
        szi_swap_drop(m->swap);
        model_pop(m);
        return;
    }
    while (at < bytes) {
        size_t n = bytes - at < piece ? bytes - at : piece;
        int code = szi_swap_read(m->swap, to + at, n);
        if (code != 0) {
            MODEL(code == SZ_ECORRUPT);
            model_lost(m);
            return;
        }
        at += n;
    }
    int code = szi_swap_check(m->swap);
    if (code != 0) {
        MODEL(code == SZ_ECORRUPT);
        model_lost(m);
        return;
    }
    for (size_t i = 0; i < bytes; i++)
        MODEL(to[i] == (unsigned char)(front->first + i));
    model_look(m);
    szi_swap_drop(m->swap);
    model_pop(m);
}

static void model_resize_swap(model *m)
{
    m->limit = 24 + (model_byte(m) << (model_byte(m) % 5));
    m->resized = true;
    szi_swap_resize(m->swap, m->limit);
}

static void model_fault(model *m)
{
    static const int codes[] = {SZ_EIO, SZ_ENOSPC, SZ_EINTR, SZ_EFBIG};
    unsigned how = model_byte(m);
    m->memory.failure = codes[how % 4];
    m->memory.fail_from = m->memory.calls + 1 + how / 4 % 8;
    m->memory.fail_count = how < 128 ? 1 : UINT32_MAX;
    m->faulty = true;
}

static void model_heal(model *m)
{
    m->memory.fail_from = 0;
    m->memory.most = model_byte(m) % 40;
    m->memory.capacity = 0;
    model_allocations_left = UINT32_MAX;
}

static void model_damage(model *m)
{
    unsigned at = model_byte(m) << 4, bit = model_byte(m);
    if (m->memory.length == 0)
        return;
    uint64_t place = (at + bit / 8) % m->memory.length;
    m->memory.data[place] ^= (unsigned char)(1 << bit % 8);
    m->damaged = true;
}

static void model_step(model *m)
{
    unsigned what = model_byte(m);
    if (what < 110)
        model_append(m);
    else if (what < 210)
        model_take(m);
    else if (what < 220)
        model_front(m);
    else if (what < 228)
        model_resize_swap(m);
    else if (what < 234)
        szi_swap_trim(m->swap);
    else if (what < 238)
        model_heal(m);
    else if (what < 242)
        m->memory.most = model_byte(m) % 40;
    else if (what < 244)
        model_fault(m);
    else if (what < 246)
        model_damage(m);
    else if (what < 248) {
        m->memory.capacity = 1 + model_byte(m) * 8;
        m->faulty = true;
    } else if (what < 250) {
        model_allocations_left = model_byte(m) % 3;
        m->faulty = true;
    } else if (what < 252 && m->memory.length > 0) {
        m->memory.length = model_byte(m) * 4 % m->memory.length;
        m->damaged = true;
    }
    model_look(m);
}

/* Without damage and faults, all that is left comes out. */
static void run_model(const uint8_t *bytes, size_t size)
{
    model *m = calloc(1, sizeof *m);
    m->bytes = bytes;
    m->left = size;
    m->disk = disk_of(&m->memory);
    m->limit = 24 + (model_byte(m) << (model_byte(m) % 5));
    size_t buffer = 1 + model_byte(m);
    sz_set_allocator(model_resize, free);
    MODEL(szi_swap_new(&m->disk, "", m->limit, buffer, &m->swap) == 0);
    while (m->left > 0)
        model_step(m);
    m->memory.fail_from = 0;
    model_allocations_left = UINT32_MAX;
    while (m->count > 0)
        model_take(m);
    while (szi_swap_trim(m->swap))
        ;
    MODEL(m->memory.length == 0);
    szi_swap_free(m->swap);
    MODEL(!m->memory.open);
    sz_set_allocator(NULL, NULL);
    free(m->memory.data);
    free(m->scratch);
    free(m);
}

#endif
