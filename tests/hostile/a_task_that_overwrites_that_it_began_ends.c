/*
 * A task that overwrites its host's note that it began, with nothing or with anything, has a verdict all the same, also if
 * it does so each time that it starts.
 * Broken by: believing the note: what had not begun starts again, uncharged, for ever.
 */
#include "forge.h"

struct way {
    uint64_t note, deadline_ns;
    int      outcome;
    bool     crashes;
};

static int overwrite(mortal_task *task, const void *input, size_t input_bytes)
{
    const struct way *way = input;
    (void)input_bytes;
    atomic_store(&task->worker->desk->begun, way->note);
    if (way->crashes)
        raise(SIGSEGV);
    compute_for_ever();
}

void test(void)
{
    static const struct way ways[] = {
        {0, 0, MORTAL_CRASHED, true},         {0x857c8408aa4c5036, 0, MORTAL_CRASHED, true},
        {0, MS(20), MORTAL_TIMED_OUT, false}, {0x857c8408aa4c5036, MS(20), MORTAL_TIMED_OUT, false},
        {0, 0, MORTAL_LOST, false},           {0x857c8408aa4c5036, 0, MORTAL_LOST, false},
    };
    mortal_pool *pool = pool_with(1);
    for (unsigned i = 0; i < COUNT(ways); i++) {
        mortal_future future = submit_like(pool, overwrite, &ways[i], sizeof ways[i],
                                           (mortal_task_options){.deadline_ns = ways[i].deadline_ns});
        mortal_future behind = submit(pool, task_nothing, NULL, 0); /* work waits: who serves nobody is looked for */
        CHECK_EQ(outcome_and_release(future), ways[i].outcome);
        CHECK_EQ(outcome_and_release(behind), MORTAL_DONE);
        check_pool_works(pool);
    }
    end(pool);
}
