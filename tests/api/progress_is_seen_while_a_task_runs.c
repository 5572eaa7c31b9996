/*
 * What a task tells of its progress is seen by who looks at it: as a whole, never half of one report and half of the
 * next, never that of the task before it; 0 of 0 while it has told nothing, and when it has ended.
 * Broken by: two words that are read one after the other while the task writes them; progress that outlives its task.
 */
#include "tasks.h"

struct scene {
    word may_end;
};

static int tell_pairs(mortal_task *task, const void *input, size_t input_bytes)
{
    struct scene *scene = *(struct scene *const *)input;
    (void)input_bytes;
    for (uint64_t i = 1; atomic_load(&scene->may_end) == 0; i++)
        mortal_task_progress(task, i, i * 3);
    return 0;
}

static int tell_once(mortal_task *task, const void *input, size_t input_bytes)
{
    struct gate *gate = *(struct gate *const *)input;
    (void)input_bytes;
    mortal_task_progress(NULL, 1, 2);
    mortal_task_log(NULL, "nobody");
    mortal_task_progress(task, UINT64_MAX, 0);
    gate_pass(gate);
    return 0;
}

static void check_pairs(mortal_pool *pool, struct scene *scene)
{
    mortal_future future = submit_at(pool, tell_pairs, scene);
    uint64_t last = 0;
    for (unsigned changes = 0; changes < 1000;) {
        mortal_look look = look_at(future);
        CHECK_EQ(look.total, look.done * 3);
        CHECK(look.done >= last);
        changes += look.done != last;
        last = look.done;
    }
    CHECK(last > 0);
    atomic_store(&scene->may_end, 1);
    CHECK_EQ(outcome_of(future), MORTAL_DONE);
    mortal_look look = look_at(future);
    CHECK_EQ(look.done, 0);
    CHECK_EQ(look.total, 0);
}

void test(void)
{
    struct scene *scene = harness_shared(sizeof *scene);
    struct gate *gates = gates_make(2);
    mortal_pool *pool = pool_with(1);
    check_pairs(pool, scene);

    mortal_future silent = submit_at(pool, task_held, &gates[0]);
    word_await(&gates[0].arrived, 1);
    CHECK_EQ(look_at(silent).done, 0);
    gate_open(&gates[0]);
    CHECK_EQ(outcome_of(silent), MORTAL_DONE);

    mortal_future once = submit_at(pool, tell_once, &gates[1]);
    word_await(&gates[1].arrived, 1);
    CHECK(look_at(once).done == UINT64_MAX);
    CHECK_EQ(look_at(once).total, 0);
    gate_open(&gates[1]);
    CHECK_EQ(outcome_of(once), MORTAL_DONE);
    drain(pool);
}
