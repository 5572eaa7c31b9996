/*
 * A deadline that falls into a critical section of a task with shield_ns waits for the end of the section, where the task
 * ends timed out; at most shield_ns. Without shield_ns deadlines do not wait. It is so from start and from submit.
 * Broken by: a deadline that cuts a section, one that waits where nobody allowed it, one that waits for ever, a task that
 * goes on behind its section or is told to have been killed.
 */
#include "tasks.h"

enum { STAGES = 64 };

struct stage {
    word entered, whole, behind;
};

static struct stage *stages;

/* Inside until its time is over, and then some. */
static int overstay(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    struct stage *stage = &stages[*(const uint32_t *)input];
    CHECK_OK(mortal_task_shield(task, true));
    word_add(&stage->entered, 1);
    while (!mortal_task_should_stop(task)) /* it is told that its deadline waits */
        ;
    word_add(&stage->whole, 1);
    CHECK_OK(mortal_task_shield(task, false));
    word_add(&stage->behind, 1);
    compute_for_ever();
}

static int stay_inside(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    CHECK_OK(mortal_task_shield(task, true));
    word_add(&stages[*(const uint32_t *)input].entered, 1);
    compute_for_ever();
}

static int return_inside(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    return mortal_task_shield(task, true);
}

static int stay_outside(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    word_add(&stages[*(const uint32_t *)input].entered, 1);
    compute_for_ever();
}

static uint32_t stage_next;

/* With twice the time until each attempt comes so far that it has entered. */
static struct stage *run(mortal_pool *pool, mortal_function *function, mortal_task_options options)
{
    uint32_t attempts = options.attempts > 1 ? options.attempts : 1, number;
    mortal_verdict verdict;
    for (;;) {
        number = stage_next++;
        CHECK(number < STAGES);
        verdict = wait_for(submit_like(pool, function, &number, sizeof number, options));
        if (atomic_load(&stages[number].entered) == attempts)
            break;
        options.deadline_ns *= 2;
        options.within_ns *= 2;
    }
    CHECK_EQ(verdict.outcome, MORTAL_TIMED_OUT);
    CHECK_EQ(verdict.attempts, attempts);
    return &stages[number];
}

void test(void)
{
    stages = harness_shared(STAGES * sizeof *stages);
    mortal_pool *pool = pool_with(1);
    struct stage *stage = run(pool, overstay, (mortal_task_options){.deadline_ns = MS(50), .shield_ns = MORTAL_FOREVER});
    CHECK_EQ(atomic_load(&stage->whole), 1);
    CHECK_EQ(atomic_load(&stage->behind), 0);
    stage = run(pool, overstay, (mortal_task_options){.within_ns = MS(50), .shield_ns = LIMIT});
    CHECK_EQ(atomic_load(&stage->whole), 1);
    CHECK_EQ(atomic_load(&stage->behind), 0);
    stage = run(pool, overstay, (mortal_task_options){.deadline_ns = MS(50), .shield_ns = LIMIT, .attempts = 2});
    CHECK_EQ(atomic_load(&stage->entered), 2);
    CHECK_EQ(atomic_load(&stage->whole), 2);
    CHECK_EQ(atomic_load(&stage->behind), 0);

    stage = run(pool, overstay, (mortal_task_options){.deadline_ns = MS(50)}); /* never told, never over */
    CHECK_EQ(atomic_load(&stage->whole), 0);
    (void)run(pool, stay_inside, (mortal_task_options){.deadline_ns = MS(50), .shield_ns = MS(50)});
    (void)run(pool, stay_inside, (mortal_task_options){.within_ns = MS(50), .shield_ns = MS(50)});
    CHECK_EQ(outcome_of(submit(pool, return_inside, NULL, 0)), MORTAL_DONE); /* and took its section with it */
    (void)run(pool, stay_outside, (mortal_task_options){.deadline_ns = MS(50), .shield_ns = MORTAL_FOREVER});
    check_pool_works(pool);
    drain(pool);
}
