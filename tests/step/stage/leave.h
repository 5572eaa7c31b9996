/*
 * leave.h - what a task leaves while it runs: clean-ups, progress and lines; and a critical section in between
 *
 * Before each of these the truth says what may be there from now on, and after it what must be.
 */
#ifndef STEP_LEAVE_H
#define STEP_LEAVE_H

#include "stage.h"

/* By the task itself, on the thread of its worker; by another it leaves nothing. */
void leave(mortal_task *task, struct truth *truth);

/* Which clean-up that is, as a bit; 0: it is none, or not whole. */
uint8_t leave_bit(uint64_t function, const void *input, size_t input_bytes);

/* Progress and lines as a death leaves them are those that the truth admits. Null, or what is wrong with them. */
const char *leave_flaw(const struct region *r, uint32_t slot, uint64_t word, const struct truth *truth);

#endif
