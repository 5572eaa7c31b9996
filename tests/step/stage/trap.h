/*
 * trap.h - run a function one instruction at a time, in the thread that calls
 *
 * The processor's trap flag raises SIGTRAP after each instruction. A kill stops a thread between two instructions: all
 * its stores before are in the region, none after. So what the hook sees is exactly what a kill at that moment leaves.
 */
#ifndef STEP_TRAP_H
#define STEP_TRAP_H

#include <stdbool.h>
#include <stdint.h>

struct trap {
    uint64_t    count;    /* instructions so far, from 1 */
    uintptr_t   next;     /* address of the instruction that comes next */
    uintptr_t   argument; /* the first argument, where the next instruction is the first of a function */
    const void *woken;    /* the futex that the instruction just done woke, or null */
    const void *waits;    /* the futex on which the next instruction would sleep, its value being the expected one; or null */
    bool        briefly;  /* it would sleep for a limited time only */
};

/* Called after each instruction, with the flag off. It may not call what the stepped code may be in the middle of. */
typedef void trap_hook(const struct trap *at, void *context);

/* For the hook, where the next instruction would sleep: let it not, and say that it ended with that error. */
void trap_rouse(int error);

/* For the hook: the rest is not stepped. */
void trap_stop(void);

const char *trap_impossible(void); /* why not here, or null */
uint64_t    trap_run(void (*body)(void *), void *argument, trap_hook *hook, void *context); /* returns the instructions */

#endif
