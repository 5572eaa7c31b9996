/*
 * A task that forges its host's own records (which task it runs and since when, what it completed, its last words, its
 * life lines) loses nothing of others: those that wait are done, also where a group's verdicts are gathered by the
 * completion log, and a deadline ends what it should.
 * Broken by: a log that is believed, a stamp that puts off a deadline, a desk that names whom to bury.
 */
#include "forge.h"

enum { ROUNDS = 12, ROUNDS_LONG = 300 };

static void forge_field(struct desk *desk, struct host_head *head, uint32_t field, uint64_t value)
{
    switch (field) {
    case 0: atomic_store(&desk->intent, (uint32_t)value); break;
    case 1: atomic_store(&desk->begun, value); break;
    case 2: atomic_store(&desk->started_ns, value); break;
    case 3: atomic_store(&desk->log_tail, (uint32_t)value); break;
    case 4: atomic_store(&desk->log[value % LOG_ENTRIES], (uint32_t)(value >> 32)); break;
    case 5: atomic_store(&head->words, (uint32_t)value % 8); break;
    case 6: head->worker = (uint32_t)value; break;
    case 7: atomic_store(&head->heap_top, value); break;
    case 8: atomic_store(&head->words_taken, (uint32_t)value); break;
    default: atomic_store(&desk->log_tail, atomic_load(&desk->log_tail) + (uint32_t)value % 3000); break;
    }
}

static int forge_desk(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    struct forgery forgery = *(const struct forgery *)input;
    const struct region *r = task->worker->region;
    struct host_head *head = host_head(r, task->worker->host->place.life);
    for (unsigned i = 0; i < 30; i++) {
        uint32_t field = forge_next(&forgery.seed) % 10;
        forge_field(task->worker->desk, head, field, forge_value(r, &forgery.seed));
    }
    return forge_finish(&forgery);
}

/* Its stamp says that it starts only in a thousand years. */
static int forge_stamp(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    for (;;)
        atomic_store(&task->worker->desk->started_ns, UINT64_MAX / 2);
    return 0;
}

static void gather(mortal_group *group)
{
    mortal_verdict verdict;
    for (unsigned i = 0; i < PENDING + 1; i++) {
        int error = mortal_group_next(group, LIMIT, &verdict);
        CHECK(error == 0 && verdict.outcome >= MORTAL_DONE && verdict.outcome <= MORTAL_LOST);
    }
    CHECK_ERR(mortal_group_next(group, 0, &verdict), -ENOENT);
}

void test(void)
{
    unsigned outcomes[16] = {0};
    struct bystanders bystanders = bystanders_make();
    word *done = harness_shared(sizeof *done);
    mortal_group *group;
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 3, .held_tasks = 256, .results_bytes = 1 << 16});
    CHECK_OK(mortal_group_open(&group, pool));
    bystanders_begin(&bystanders, pool);
    for (uint32_t round = 0; round < (TEST_LONG ? ROUNDS_LONG : ROUNDS); round++) {
        struct forged forged = forge(pool, forge_desk, done, round, group);
        outcomes[kill_and_read(forged.forger)]++;
        gather(group);
        forge_end(&forged, true, outcomes);
    }
    mortal_future late = submit_like(pool, forge_stamp, NULL, 0, (mortal_task_options){.deadline_ns = MS(20)});
    CHECK_EQ(outcome_of(late), MORTAL_TIMED_OUT);
    forge_note(outcomes);
    CHECK_OK(mortal_group_close(group));
    bystanders_end(&bystanders);
    drain(pool);
    CHECK_EQ(harness_children(), 0);
}
