/*
 * Tasks overwrite what they left to be done, and the cells, with numbers from the edges, and crash: each has its verdict,
 * whatever its clean-ups did; nobody reads out of bounds; a cell is a value, or an error with words, and is good again
 * when it was opened anew.
 * Broken by: a count, a length or a buffer's number that is believed.
 */
#include "forge.h"

#include "host/worker.h"
#include "region/cells.h"

enum { ROUNDS = 60, ROUNDS_LONG = 1000 };

struct plan {
    uint32_t seed;
    mortal_cell cell;
    word *cleaned;
};

static int clean(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task;
    const struct plan *plan = input;
    for (size_t i = 0; i < input_bytes; i++) /* all of it can be read */
        (void)*((const volatile char *)input + i);
    if (input_bytes == sizeof *plan)
        word_add(plan->cleaned, 1);
    return 0;
}

static void forge_cleanups(const mortal_task *task, uint32_t *seed)
{
    const struct region *r = task->worker->region;
    struct cleanups *left = cleanups_of(r, task->worker->host->place.life, 0);
    struct cleanup *one = &left->left[forge_next(seed) % CLEANUPS];
    switch (forge_next(seed) % 5) {
    case 0:
        atomic_store(&left->count, (uint32_t)forge_value(r, seed));
        break;
    case 1:
        atomic_store(&left->count, CLEANUPS); /* those that were never left too */
        break;
    case 2:
        one->input_bytes = (uint32_t)forge_value(r, seed);
        break;
    case 3:
        atomic_store(&one->function, forge_value(r, seed));
        break;
    default:
        atomic_store(&left->slot, (uint32_t)forge_value(r, seed));
    }
}

static int forger(mortal_task *task, const void *input, size_t input_bytes)
{
    struct plan plan = *(const struct plan *)input;
    const struct region *r = task->worker->region;
    for (unsigned i = 0; i < 3; i++)
        CHECK_OK(mortal_task_on_death(task, clean, input, input_bytes));
    forge_cleanups(task, &plan.seed);
    if (forge_next(&plan.seed) % 2)
        atomic_store(cell_word_of(r, (uint32_t)plan.cell.place), forge_value(r, &plan.seed));
    _exit(1);
}

static int add_one(void *value, void *argument)
{
    (void)argument;
    ++*(uint64_t *)value;
    return 0;
}

void test(void)
{
    struct bystanders bystanders = bystanders_make();
    word *cleaned = harness_shared(sizeof *cleaned);
    unsigned how[8] = {0}, bad = 0;
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .held_tasks = 256, .cleanup_ns = MS(200)});
    bystanders_begin(&bystanders, pool);
    for (uint32_t round = 1; round <= (TEST_LONG ? ROUNDS_LONG : ROUNDS); round++) {
        struct plan plan = {.seed = round * 2654435761u, .cleaned = cleaned};
        uint64_t value = 1;
        CHECK_OK(mortal_cell_open(pool, sizeof value, &value, &plan.cell));
        mortal_verdict verdict = wait_for(submit(pool, forger, &plan, sizeof plan));
        CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
        CHECK(verdict.cleanup >= 0 && verdict.cleanup <= MORTAL_CLEANUP_MISSED);
        how[verdict.cleanup]++;
        int error = mortal_cell_read(plan.cell, &value, sizeof value);
        CHECK(error == 0 || error == -EBADMSG);
        CHECK_EQ(mortal_cell_update(plan.cell, add_one, NULL), error);
        bad += error != 0;
        CHECK_OK(mortal_cell_close(plan.cell));
        CHECK_OK(mortal_future_release(verdict.future));
        check_pool_works(pool);
    }
    harness_note("clean-ups: %u none, %u done, %u crashed; cells overwritten: %u", how[0], how[MORTAL_CLEANUP_DONE],
                 how[MORTAL_CLEANUP_CRASHED], bad);
    CHECK(how[0] != 0 && how[MORTAL_CLEANUP_DONE] != 0 && how[MORTAL_CLEANUP_CRASHED] != 0 && bad != 0);
    bystanders_end(&bystanders);
    drain(pool);
}
