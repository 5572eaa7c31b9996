/*
 * Tasks that are killed, crash or time out while their results grow, or while parts of them wait, take no memory with
 * them: after thousands the pool has no more than a few hosts' worth, as the kernel counts it, and what was kept all
 * the while is whole. Those that are done release all they had.
 * Broken by: memory that is given back only after so many deaths, whatever lies in it; an arena that is forgotten; pages
 * behind those that the host noted before its death.
 */
#include "parts.h"

enum { TASKS = 400, TASKS_LONG = 6000, HEAP = 16 << 20, LARGE = 64 << 20, LARGE_TASKS = 100, KEPT = 100 << 10, WORKERS = 2 };

struct plan {
    word *grown; /* how often, of all tasks */
    uint32_t number;
};

/* By factors of two and in between, and each step is written to. */
static int grow_for_ever(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    struct plan plan = *(const struct plan *)input;
    for (size_t bytes = 100;; bytes = bytes * 3 / 2 + plan.number % 5) {
        unsigned char *result = mortal_task_result(task, bytes);
        if (result == NULL)
            bytes = 100;
        else
            memset(result, (int)plan.number, bytes);
        if (plan.number % 3 == 0)
            (void)mortal_task_emit(task, "part", 4, 0);
        word_add(plan.grown, 1);
        if (plan.number % 4 == 1 && bytes > (2 << 20))
            abort();
    }
}

static int ask_for_all(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    return mortal_task_result(task, LARGE) == NULL || grow_for_ever(task, input, input_bytes);
}

static int keep(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    unsigned char *result = mortal_task_result(task, KEPT);
    if (!result || mortal_task_emit(task, "kept", 5, 0) != 0)
        return 1;
    memset(result, 7, KEPT);
    return 0;
}

static void cut_one(mortal_pool *pool, word *grown, uint32_t number)
{
    struct plan plan = {grown, number};
    uint64_t deadline = number % 4 == 2 ? MS(3) : number % 4 == 1 ? SECONDS(20) : 0;
    uint32_t before = atomic_load(grown);
    mortal_future future = submit_like(pool, grow_for_ever, &plan, sizeof plan, (mortal_task_options){.deadline_ns = deadline});
    if (deadline == 0) {
        word_await(grown, before + 5 + number % 30);
        CHECK_OK(mortal_future_kill(future, 0, MORTAL_FOREVER, NULL));
    }
    int outcome = outcome_and_release(future);
    CHECK_EQ(outcome, number % 4 == 1 ? MORTAL_CRASHED : deadline != 0 ? MORTAL_TIMED_OUT : MORTAL_KILLED);
}

/* While pages of it are made, which takes milliseconds: here or there in it. */
static void cut_large(word *grown)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .results_bytes = LARGE});
    struct plan plan = {grown, 0};
    uint64_t most = 0;
    for (uint32_t i = 0; i < LARGE_TASKS; i++) {
        mortal_task_options options = {.deadline_ns = MS(1 + i % 10)};
        CHECK_EQ(outcome_and_release(submit_like(pool, ask_for_all, &plan, sizeof plan, options)), MORTAL_TIMED_OUT);
        uint64_t used = stats_of(pool).results_used_bytes;
        most = used > most ? used : most;
    }
    harness_note("of large ones at most %llu MiB at once", (unsigned long long)(most >> 20));
    CHECK(most < (32ull << 20) + 3 * (LARGE + (1ull << 20)));
    end(pool);
}

static void check_kept(mortal_future future)
{
    mortal_verdict verdict = wait_for(future);
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK_EQ(verdict.result_bytes, KEPT);
    for (size_t i = 0; i < KEPT; i++)
        CHECK(((const unsigned char *)verdict.result)[i] == 7);
    mortal_part part = part_of(future);
    CHECK_STR((const char *)part.data, "kept");
    CHECK_OK(mortal_future_release(future));
}

void test(void)
{
    word *grown = harness_shared(sizeof *grown);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = WORKERS, .results_bytes = HEAP});
    mortal_future kept = submit(pool, keep, NULL, 0);
    CHECK_EQ(outcome_of(kept), MORTAL_DONE);
    uint64_t most = 0;
    for (uint32_t i = 0; i < (TEST_LONG ? TASKS_LONG : TASKS); i++) {
        cut_one(pool, grown, i);
        uint64_t used = stats_of(pool).results_used_bytes;
        most = used > most ? used : most;
    }
    check_kept(kept);
    harness_note("at most %llu MiB at once", (unsigned long long)(most >> 20));
    /* What is given back together, and hosts that run, stand by or have just died, each with all it may have. */
    CHECK(most < (32ull << 20) + (2 * WORKERS + 3) * (HEAP + (1ull << 20)));
    drain(pool);
    cut_large(grown);
}
