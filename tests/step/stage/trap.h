/*
 * trap.h - run a function one instruction at a time, in this very thread
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
};

/* Called after each instruction, with the flag off. It may not call what the stepped code may be in the middle of. */
typedef void trap_hook(const struct trap *at, void *context);

const char *trap_impossible(void); /* why not here, or null */
uint64_t    trap_run(void (*body)(void *), void *argument, trap_hook *hook, void *context); /* returns the instructions */

#endif
