/*
 * A kill of a group ends its tasks and no others, and each verdict arrives in the group.
 * Broken by: a scope that is the pool's, or a host that is killed although it runs a task of somebody else.
 */
#include "tasks.h"

enum { EACH = 2, PENDING = 6 };

static void submit_both(mortal_pool *pool, mortal_group *group, struct gate *gate, word *count, mortal_future *others)
{
    mortal_task_options mine = {.group = group};
    unsigned other = 0;
    for (unsigned i = 0; i < EACH; i++) {
        submit_like(pool, task_held, &gate, sizeof gate, mine);
        others[other++] = submit_at(pool, task_held, gate);
    }
    for (unsigned i = 0; i < PENDING; i++) {
        submit_like(pool, task_count, &count, sizeof count, mine);
        others[other++] = submit_at(pool, task_count, count);
    }
    word_await(&gate->arrived, 2 * EACH);
}

static void take_verdicts(mortal_group *group)
{
    unsigned outcomes[16] = {0};
    mortal_verdict verdict;
    while (mortal_group_next(group, 0, &verdict) == 0) {
        CHECK(verdict.outcome > 0 && verdict.outcome < 16);
        outcomes[verdict.outcome]++;
        CHECK_OK(mortal_future_release(verdict.future));
    }
    CHECK_EQ(outcomes[MORTAL_KILLED], EACH);
    CHECK_EQ(outcomes[MORTAL_CANCELLED], PENDING);
    CHECK_ERR(mortal_group_next(group, 0, &verdict), -ENOENT);
}

void test(void)
{
    struct gate *gate = gates_make(1);
    word *count = harness_shared(sizeof *count);
    mortal_pool *pool = pool_with(2 * EACH);
    mortal_group *group = NULL;
    mortal_future others[EACH + PENDING];
    mortal_kill_report report = {0};
    CHECK_OK(mortal_group_open(&group, pool));
    submit_both(pool, group, gate, count, others);

    CHECK_OK(mortal_group_kill(group, MORTAL_UNENDED, 0, MORTAL_FOREVER, &report));
    CHECK_EQ(report.killed, EACH);
    CHECK_EQ(report.never_started, PENDING);
    CHECK_EQ(report.still_dying, 0);
    CHECK_EQ(report.hosts, EACH);
    take_verdicts(group);
    CHECK_ERR(mortal_group_kill(group, 0, 0, 0, NULL), -EINVAL);
    CHECK_ERR(mortal_group_kill(NULL, MORTAL_UNENDED, 0, 0, NULL), -EINVAL);

    gate_open(gate);
    for (unsigned i = 0; i < EACH + PENDING; i++)
        CHECK_EQ(outcome_of(others[i]), MORTAL_DONE);
    CHECK_EQ(atomic_load(count), PENDING);
    CHECK_EQ(atomic_load(&gate->passed), EACH);
    drain(pool);
}
