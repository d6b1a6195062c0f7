/* Room for what is built: in the nursery, where CHICKEN makes new objects, and in its heap. The
 * nursery is a part of the stack; a minor collection copies what is alive into the heap and starts
 * again at the top. What is built there and dropped soon so has the memory, and the cache, of what
 * was built before it, and makes no major collection. */
#ifndef GLUE_ROOM_H
#define GLUE_ROOM_H

#include <chicken.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

enum {
    /* A quarter of the nursery that a program has if it asks for no other. */
    SMALL_IN_NURSERY = 262144,
    /* Up to this size the nursery is made larger for a string: received over tcp, 1 MiB takes 0.99
     * of raw C's processor time, and 1.35 in the heap. All other objects are made in the same
     * nursery, so it should not be much larger than a cache; valgrind takes jumps of more than 2 MB
     * for a change of the stack. */
    LARGEST_IN_NURSERY = 1572864,
    BESIDE_IN_NURSERY = 262144,
    STACK_BELOW_NURSERY = 524288, /* for calls of C, and handlers of signals */
    /* Up to this size the heap keeps room for another string. */
    LARGEST_KEPT_FREE = 67108864,
    BESIDE_IN_HEAP = 4194304 /* what CHICKEN keeps free by itself */
};

extern C_uword C_heap_half_min_free; /* of CHICKEN, which does not declare it */

static size_t nursery_size;

/* Whether the nursery can hold SMALL_IN_NURSERY only, or is still to be asked. */
static enum {
    NOT_ASKED,
    CAN_GROW,
    CANNOT_GROW
} growth;

static inline void szg_set_nursery_size(C_word size)
{
    nursery_size = (size_t)C_unfix(size);
}

/* The lowest address of the stack, or NULL if it is not known. */
static inline char *end_of_stack(void)
{
    char *end = NULL;
#ifdef __linux__
    pthread_attr_t attributes;
    void *lowest;
    size_t size;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return NULL;
    if (pthread_attr_getstack(&attributes, &lowest, &size) == 0)
        end = lowest;
    pthread_attr_destroy(&attributes);
#endif
    return end;
}

/* Memory of the stack is taken when it is touched, so a limit to all memory would end the process
 * there; so would one to the heap, when what is built is copied into it. */
static inline bool can_grow(void)
{
    struct rlimit limit;
    size_t most = LARGEST_IN_NURSERY + BESIDE_IN_NURSERY;
    if (most <= nursery_size)
        return true;
    char *end = end_of_stack();
    return C_STACK_GROWS_DOWNWARD && end != NULL &&
           (size_t)((char *)C_stack_hard_limit - end) > most - nursery_size + STACK_BELOW_NURSERY &&
           !C_heap_size_is_fixed && C_maximal_heap_size > SIZE_MAX / 4 &&
           getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY;
}

/* Whether the nursery can have room for so many bytes. */
static inline bool fits_nursery(size_t bytes)
{
    if (bytes <= SMALL_IN_NURSERY)
        return true;
    if (growth == NOT_ASKED)
        growth = can_grow() ? CAN_GROW : CANNOT_GROW;
    return growth == CAN_GROW && bytes <= LARGEST_IN_NURSERY;
}

/* Makes the nursery larger if it cannot hold so many words, which were said to fit. Nothing happens
 * if the program was given its size with -:s. */
static inline void fit_nursery(size_t words)
{
    size_t bytes = C_wordstobytes(words) + BESIDE_IN_NURSERY;
    if (growth != CAN_GROW || bytes <= nursery_size)
        return;
    C_word *limit = C_stack_hard_limit;
    C_resize_stack((C_word)bytes);
    if (C_stack_hard_limit == limit)
        growth = CANNOT_GROW;
    else
        nursery_size = bytes;
}

typedef enum {
    ROOM,
    NO_ROOM,
    COLLECT_FIRST /* the caller collects, and starts again */
} found_room;

/* Whether the last collection was made to have room, or early. */
static bool collected, collected_early;

/* A large string is built where the one before was, in a cache, if a collection is made before it.
 * That costs little where little is alive: received over tcp, 64 KiB take 1.03 of raw C's processor
 * time, and 1.18 if the whole nursery is gone through. After a collection that found more alive
 * there is none for a while. */
enum {
    LARGE_STRING = 32768,
    STRINGS_WITHOUT = 64
};
static C_byte *top_of_heap;
static int strings_without;

static inline bool should_collect_early(size_t bytes)
{
    size_t used = nursery_size - (size_t)((char *)C_stack_pointer - (char *)C_stack_hard_limit);
    if (bytes < LARGE_STRING || used < LARGE_STRING)
        return false;
    if (strings_without > 0) {
        strings_without--;
        return false;
    }
    top_of_heap = C_fromspace_top;
    return true;
}

/* A major collection leaves the top anywhere. */
static inline void end_early_collection(void)
{
    if (C_fromspace_top < top_of_heap || C_fromspace_top - top_of_heap > LARGE_STRING / 2)
        strings_without = STRINGS_WITHOUT;
    collected_early = false;
}

/* Looks for room for so many words, in a procedure of c arguments that has built nothing yet. If a
 * collection has not made it, there is none. The caller has asked whether they fit the nursery. */
static inline __attribute__((always_inline)) found_room look_for_room(size_t words, C_word c)
{
    if (C_demand(C_calculate_demand((C_word)words, c, 2))) {
        if (collected_early)
            end_early_collection();
        else if (!collected)
            collected_early = should_collect_early(C_wordstobytes(words));
        collected = false;
        return collected_early ? COLLECT_FIRST : ROOM;
    }
    collected = !collected;
    if (!collected)
        return NO_ROOM;
    fit_nursery(words);
    return COLLECT_FIRST;
}

/* Lets the heap keep room for another string of this size. CHICKEN else makes it smaller after ten
 * collections, and larger again for the next string: at 16 MiB over tcp that takes 1.22 of raw C's
 * processor time and 149 MB, and this 1.06 and 78 MB. */
static inline void szg_keep_room_in_heap(size_t size)
{
    if (size > SMALL_IN_NURSERY && size <= LARGEST_KEPT_FREE &&
        C_heap_half_min_free < size + BESIDE_IN_HEAP)
        C_heap_half_min_free = size + BESIDE_IN_HEAP;
}

#endif
