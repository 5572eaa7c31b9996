/*
 * The deadline of a task counts from its own start, also where an earlier task of the same worker was seen running: the
 * first uses of two slots by one worker have equal claim words.
 * Broken by: a supervisor that knows what it saw by the word alone.
 */
#include "tasks.h"

/* Each submit with a shorter limit than all before makes the supervisor look at what runs. */
static void make_supervisor_look(mortal_pool *pool, uint64_t limit)
{
    mortal_future pending = submit_like(pool, task_nothing, NULL, 0, (mortal_task_options){.within_ns = limit});
    CHECK_EQ(outcome_of(pending), MORTAL_EXPIRED); /* not released: the next task is the first in its slot, too */
}

static mortal_future held_with_limit(mortal_pool *pool, struct gate *gate)
{
    mortal_task_options limit = {.deadline_ns = SECONDS(2)};
    mortal_future held = submit_like(pool, task_held, &gate, sizeof gate, limit);
    word_await(&gate->arrived, 1);
    return held;
}

void test(void)
{
    struct gate *gates = gates_make(3);
    mortal_pool *pool = pool_with(1);
    mortal_future first = held_with_limit(pool, &gates[0]);
    make_supervisor_look(pool, MS(1));
    gate_open(&gates[0]);
    CHECK_EQ(outcome_of(first), MORTAL_DONE);

    mortal_future between = submit_at(pool, task_held, &gates[1]);
    word_await(&gates[1].arrived, 1);
    make_supervisor_look(pool, SECONDS(2));
    gate_open(&gates[1]);
    CHECK_EQ(outcome_of(between), MORTAL_DONE);

    mortal_future second = held_with_limit(pool, &gates[2]);
    make_supervisor_look(pool, MS(1));
    gate_open(&gates[2]);
    CHECK_EQ(outcome_of(second), MORTAL_DONE);
    drain(pool);
}
