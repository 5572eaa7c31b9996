/*
 * A task that runs longer than its soft_deadline_ns, counted from each start of it, is asked to stop and may go on; what it
 * answers is kept. Later its hard deadline ends it.
 * Broken by: a task that is not asked, one that is ended, one that is asked because an earlier one, or an earlier start of
 * itself, was; a soft deadline that is counted from the submit.
 */
#include "tasks.h"

static int work_until_asked(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    if (mortal_task_should_stop(task))
        return 1;
    while (!mortal_task_should_stop(task))
        ;
    return mortal_task_reply(task, "half of it", 11);
}

static int was_asked(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    return mortal_task_should_stop(task);
}

/* Input: a gate. Each start tells whether it was asked by something before it, and waits until it is asked or ended. */
static int asked_anew(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    struct gate *gate = *(struct gate *const *)input;
    if (mortal_task_should_stop(task))
        word_add(&gate->passed, 1);
    while (!mortal_task_should_stop(task))
        ;
    word_add(&gate->arrived, 1);
    compute_for_ever();
}

/* Some are asked before their first instruction: what is to be seen is that others are asked later. */
static void it_is_asked_and_answers(mortal_pool *pool)
{
    unsigned answers = 0;
    for (unsigned i = 0; i < 20 || answers == 0; i++) {
        mortal_task_options soon = {.soft_deadline_ns = MS(i % 4), .deadline_ns = LIMIT};
        if (soon.soft_deadline_ns == 0)
            soon.soft_deadline_ns = 1;
        mortal_future future = submit_like(pool, work_until_asked, NULL, 0, soon);
        mortal_verdict verdict = wait_for(future);
        CHECK(verdict.outcome == MORTAL_DONE || verdict.outcome == MORTAL_FAILED);
        answers += verdict.outcome == MORTAL_DONE;
        if (verdict.outcome == MORTAL_DONE)
            CHECK_STR((const char *)verdict.result, "half of it");
        CHECK_OK(mortal_future_release(future));
        mortal_task_options late = {.soft_deadline_ns = LIMIT};
        CHECK_EQ(outcome_and_release(submit(pool, was_asked, NULL, 0)), MORTAL_DONE);
        CHECK_EQ(outcome_and_release(submit_like(pool, was_asked, NULL, 0, late)), MORTAL_DONE);
    }
    CHECK_EQ(stats_of(pool).host_kills, 0);
}

/* With twice the time until no start comes so late to its first look that it was asked by its own. */
static void each_start_has_its_own(mortal_pool *pool, struct gate *gate)
{
    for (uint64_t soft_ns = MS(20);; soft_ns *= 2) {
        mortal_task_options options = {.soft_deadline_ns = soft_ns, .deadline_ns = 2 * soft_ns, .attempts = 3};
        atomic_store(&gate->arrived, 0);
        atomic_store(&gate->passed, 0);
        CHECK_EQ(outcome_and_release(submit_like(pool, asked_anew, &gate, sizeof gate, options)), MORTAL_TIMED_OUT);
        CHECK(atomic_load(&gate->arrived) <= 3);
        if (atomic_load(&gate->passed) == 0)
            return;
        CHECK(soft_ns < LIMIT / 8);
    }
}

/* Pending for longer than its soft deadline. */
static void it_counts_from_the_start(mortal_pool *pool, struct gate *gate)
{
    mortal_future held = submit_at(pool, task_held, gate);
    word_await(&gate->arrived, 1);
    mortal_future patient = submit_like(pool, was_asked, NULL, 0, (mortal_task_options){.soft_deadline_ns = MS(500)});
    mortal_future clock = submit_like(pool, task_nothing, NULL, 0, (mortal_task_options){.within_ns = MS(600)});
    CHECK_EQ(outcome_of(clock), MORTAL_EXPIRED);
    gate_open(gate);
    CHECK_EQ(outcome_of(held), MORTAL_DONE);
    CHECK_EQ(outcome_of(patient), MORTAL_DONE);
}

/* Later than the hard one: it makes no difference, and is no error. */
static void a_soft_one_behind_the_hard_one(mortal_pool *pool)
{
    mortal_task_options options = {.soft_deadline_ns = LIMIT, .deadline_ns = MS(5)};
    CHECK_EQ(outcome_of(submit_like(pool, work_until_asked, NULL, 0, options)), MORTAL_TIMED_OUT);
}

static void of_the_pool_or_none(void)
{
    mortal_task_options defaults = {.size = sizeof defaults, .soft_deadline_ns = 1};
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .task = &defaults});
    int outcome = outcome_of(submit_like(pool, work_until_asked, NULL, 0, (mortal_task_options){.soft_deadline_ns = MS(1)}));
    CHECK(outcome == MORTAL_DONE || outcome == MORTAL_FAILED);
    mortal_verdict verdict = wait_for(submit(pool, work_until_asked, NULL, 0));
    CHECK(verdict.outcome == MORTAL_DONE || verdict.outcome == MORTAL_FAILED);
    mortal_task_options never = {.soft_deadline_ns = MORTAL_FOREVER, .deadline_ns = MS(5)};
    CHECK_EQ(outcome_of(submit_like(pool, work_until_asked, NULL, 0, never)), MORTAL_TIMED_OUT);
    drain(pool);
}

void test(void)
{
    struct gate *gates = gates_make(2);
    mortal_pool *pool = pool_with(1);
    it_is_asked_and_answers(pool);
    each_start_has_its_own(pool, &gates[0]);
    it_counts_from_the_start(pool, &gates[1]);
    a_soft_one_behind_the_hard_one(pool);
    check_pool_works(pool);
    drain(pool);
    of_the_pool_or_none();
}
