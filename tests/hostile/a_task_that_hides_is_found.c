/*
 * A task that makes its claim and its desk say that it does not run, or that it is condemned already, and then computes
 * or sleeps for ever: its future ends, by itself or by a kill, and its worker is given to the tasks that wait. So it is
 * where another worker of the same host is at work; that one's task may be lost with the host.
 * Broken by: a supervisor that knows who works only by what the workers say.
 */
#include "hostile.h"

enum way { OVERWRITTEN, DESK_CLEARED, INTENT_ASTRAY, CONDEMNED, WAYS };

struct plan {
    struct gate *gate;
    enum way way;
    bool sleeps;
};

static int hide(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    const struct plan plan = *(const struct plan *)input;
    const struct region *r = task->worker->region;
    struct desk *desk = task->worker->desk;
    uint64_t claim = task->word;
    if (plan.way != OVERWRITTEN)
        atomic_store(&desk->begun, plan.way == CONDEMNED ? claim : 0);
    if (plan.way == DESK_CLEARED)
        atomic_store(&desk->intent, 0);
    if (plan.way == INTENT_ASTRAY)
        atomic_store(&desk->intent, task->slot + 2);
    atomic_store(claim_of(r, task->slot), plan.way == CONDEMNED ? word_with_phase(claim, SLOT_DYING) : ~claim);
    word_add(&plan.gate->arrived, 1);
    while (plan.sleeps)
        pause();
    compute_for_ever();
}

static void check(mortal_pool *pool, struct gate *gate, enum way way, bool sleeps)
{
    memset(gate, 0, sizeof *gate);
    struct plan plan = {gate, way, sleeps};
    mortal_future hidden = submit(pool, hide, &plan, sizeof plan);
    word_await(&gate->arrived, 1);
    check_pool_works(pool); /* on the only worker */
    int outcome = kill_and_read(hidden);
    CHECK(outcome == MORTAL_LOST || outcome == MORTAL_KILLED);
    CHECK_OK(mortal_future_release(hidden));
}

static void check_kill(mortal_pool *pool, struct gate *gate)
{
    memset(gate, 0, sizeof *gate);
    struct plan plan = {gate, CONDEMNED, false};
    mortal_future hidden = submit(pool, hide, &plan, sizeof plan);
    word_await(&gate->arrived, 1);
    int outcome = kill_and_read(hidden);
    CHECK(outcome == MORTAL_LOST || outcome == MORTAL_KILLED);
    check_pool_works(pool);
}

static void check_beside_another(struct gate *gates)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .workers_per_host = 2});
    memset(gates, 0, 2 * sizeof *gates);
    mortal_future neighbour = submit_at(pool, task_endless, &gates[0]);
    word_await(&gates[0].arrived, 1);
    struct plan plan = {&gates[1], DESK_CLEARED, false};
    mortal_future hidden = submit(pool, hide, &plan, sizeof plan);
    CHECK_EQ(outcome_of(hidden), MORTAL_LOST);
    CHECK_EQ(outcome_of(neighbour), MORTAL_COLLATERAL);
    memset(gates, 0, sizeof *gates);
    mortal_future one = submit_at(pool, task_held, gates), other = submit_at(pool, task_held, gates);
    word_await(&gates->arrived, 2); /* both workers are there again */
    gate_open(gates);
    CHECK(outcome_of(one) == MORTAL_DONE && outcome_of(other) == MORTAL_DONE);
    drain(pool);
}

void test(void)
{
    struct gate *gates = gates_make(2);
    mortal_pool *pool = pool_with(1);
    for (enum way way = OVERWRITTEN; way < WAYS; way++)
        check(pool, &gates[0], way, false);
    check(pool, &gates[0], DESK_CLEARED, true);
    check_kill(pool, &gates[0]);
    drain(pool);
    check_beside_another(gates);
    CHECK_EQ(harness_children(), 0);
}
