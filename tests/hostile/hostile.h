/*
 * hostile.h - what tests of hostile tasks share: bystanders that must not notice, and the way into the region
 *
 * A hostile task runs beside a task in another host that is held at a gate, and after a task whose verdict was taken. In
 * the end the first is done at its first attempt, the second's verdict is as it was, and the pool works.
 *
 * They link the static library, so that a task knows where in its host's memory the region is.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include "host/worker.h"

#include "tasks.h" /* last: it has a type by the name of word */

struct bystanders {
    mortal_pool *pool;
    struct gate *gate;
    mortal_future held, taken;
};

/* Before the pool is opened. */
HELPER struct bystanders bystanders_make(void)
{
    return (struct bystanders){.gate = gates_make(1)};
}

HELPER void bystanders_begin(struct bystanders *b, mortal_pool *pool)
{
    b->pool = pool;
    memset(b->gate, 0, sizeof *b->gate);
    b->taken = submit(pool, task_echo, "taken before", 13);
    CHECK_EQ(outcome_of(b->taken), MORTAL_DONE);
    b->held = submit_at(pool, task_held, b->gate);
    word_await(&b->gate->arrived, 1);
}

HELPER void bystanders_end(struct bystanders *b)
{
    gate_open(b->gate);
    mortal_verdict held = wait_for(b->held), taken = wait_for(b->taken);
    CHECK_EQ(held.outcome, MORTAL_DONE);
    CHECK_EQ(held.attempts, 1);
    CHECK_EQ(taken.outcome, MORTAL_DONE);
    CHECK_EQ(taken.result_bytes, 13);
    CHECK_STR((const char *)taken.result, "taken before");
    CHECK_OK(mortal_future_release(b->held));
    CHECK_OK(mortal_future_release(b->taken));
    for (unsigned i = 0; i < 20; i++)
        check_pool_works(b->pool);
}

/* All that a verdict says can be read, whatever it is. */
HELPER int read_whole(const mortal_verdict *verdict)
{
    const volatile unsigned char *result = verdict->result;
    unsigned sum = 0;
    for (size_t i = 0; i < verdict->result_bytes; i++)
        sum += result[i];
    CHECK(verdict->outcome >= MORTAL_DONE && verdict->outcome <= MORTAL_LOST);
    return verdict->outcome;
}

/* Killed, and certainly dead. */
HELPER int kill_and_read(mortal_future future)
{
    mortal_verdict verdict;
    CHECK_OK(mortal_future_kill(future, 0, MORTAL_FOREVER, &verdict));
    return read_whole(&verdict);
}

#endif
