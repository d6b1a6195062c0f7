/* Makes calls of the kernel fail.  The calls are numbered from 1, in the order
 * in which they are made, by whatever thread. */
#ifndef INJECT_H
#define INJECT_H

#include <stdatomic.h>
#include <stdbool.h>

enum {
    MOST_POINTS = 20000,
    ANY = -1,      /* symbol */
    SHUTDOWN = -2, /* symbol: instead of a fault, interrupt() is called */
    FOR_EVER = -1  /* count */
};

/* Which calls fail: the first `count` that have the number `first` or a later
 * one, are of `symbol` and can fail with `error`. */
typedef struct {
    int first; /* 0: none */
    int count;
    int symbol;
    int error;
} fault_plan;

/* In memory that the parent shares. */
typedef struct {
    atomic_int calls;                      /* made so far */
    atomic_int made;                       /* faults */
    _Atomic unsigned char of[MOST_POINTS]; /* symbol of each call */
    _Atomic(const char *) doing;           /* the last call of the program */
} fault_log;

void inject(fault_plan plan, fault_log *log);

/* Given by the program: called in the middle of the kernel, before a call of
 * it goes on.  What this thread calls then is not counted. */
void interrupt(void);

/* No more faults, and no more counting. */
void inject_end(void);

const char *symbol_name(int symbol);

/* The error number `index` of a symbol, counted from 0; 0 past the end. */
int symbol_error(int symbol, int index);

/* Whether it is a call that moves messages, for which EAGAIN is no fault. */
bool symbol_moves(int symbol);

#endif
