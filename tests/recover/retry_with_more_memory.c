/*
 * With more_memory_percent each attempt that ended for lack of memory is followed by one with a larger cap, while attempts
 * are left; one that ended otherwise is not. When they are spent the verdict is out of memory, with as many attempts; and
 * a task that comes after it has the pool's cap again.
 * Broken by: a cap that grows twice for one death, for a crash, or stays with the host.
 */
#include "tasks.h"

#include <sys/mman.h>

enum { MIB = 1 << 20, CAP_MIB = 64, TAKE_MIB = 200 };

struct wish {
    word *started;
    uint32_t mib, crashes, is_shared;
};

/* Takes it all at once, and dies of the refusal; or is killed over it. */
static int take(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    const struct wish *wish = input;
    uint32_t mib = wish->mib, attempt = mortal_task_attempt(task), crashes = wish->crashes;
    word_add(wish->started, 1);
    if (attempt <= crashes)
        abort();
    int flags = wish->is_shared ? MAP_SHARED | MAP_ANONYMOUS : MAP_PRIVATE | MAP_ANONYMOUS;
    char *memory = mmap(NULL, (size_t)mib * MIB, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (memory == MAP_FAILED)
        abort();
    for (size_t at = 0; at < (size_t)mib * MIB; at += 4096)
        memory[at] = 1;
    if (wish->is_shared) /* over the cap for long enough to be seen */
        harness_sleep_ms(attempt < 3 ? 5000 : 300);
    munmap(memory, (size_t)mib * MIB);
    return mortal_task_reply(task, &attempt, sizeof attempt);
}

static void check(mortal_pool *pool, struct wish wish, mortal_task_options options, int outcome, uint32_t attempts)
{
    atomic_store(wish.started, 0);
    mortal_verdict verdict = wait_for(submit_like(pool, take, &wish, sizeof wish, options));
    CHECK_EQ(verdict.outcome, outcome);
    CHECK_EQ(verdict.attempts, attempts);
    CHECK_EQ(atomic_load(wish.started), attempts);
    check_pool_works(pool);
}

void test(void)
{
    word *started = harness_shared(sizeof *started);
    size_t cap = (size_t)CAP_MIB * MIB;
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .memory_bytes = cap}), *free_pool = pool_with(1);
    struct wish much = {started, TAKE_MIB, 0, 0}, shared = {started, TAKE_MIB, 0, 1}, crash = {started, TAKE_MIB, 1, 0},
                little = {started, CAP_MIB / 2, 0, 0};
    /* 64, 128, 256 */
    check(pool, much, (mortal_task_options){.attempts = 5, .more_memory_percent = 100}, MORTAL_DONE, 3);
    check(pool, shared, (mortal_task_options){.attempts = 5, .more_memory_percent = 100}, MORTAL_DONE, 3);
    check(free_pool, much, (mortal_task_options){.attempts = 5, .more_memory_percent = 100, .memory_bytes = cap}, MORTAL_DONE, 3);
    check(pool, much, (mortal_task_options){.attempts = 2, .more_memory_percent = 100}, MORTAL_OUT_OF_MEMORY, 2);
    check(pool, much, (mortal_task_options){.attempts = 3}, MORTAL_OUT_OF_MEMORY, 3);
    check(pool, much, (mortal_task_options){.attempts = 3, .more_memory_percent = 10}, MORTAL_OUT_OF_MEMORY, 3);
    check(pool, crash, (mortal_task_options){.attempts = 3, .more_memory_percent = 100}, MORTAL_OUT_OF_MEMORY, 3);
    check(pool, little, (mortal_task_options){.attempts = 1}, MORTAL_DONE, 1);
    /* Its own, for this task only. */
    check(pool, much, (mortal_task_options){.memory_bytes = 4 * cap}, MORTAL_DONE, 1);
    check(pool, much, (mortal_task_options){.attempts = 1}, MORTAL_OUT_OF_MEMORY, 1);
    check(free_pool, much, (mortal_task_options){.memory_bytes = cap}, MORTAL_OUT_OF_MEMORY, 1);
    check(free_pool, much, (mortal_task_options){.memory_bytes = 4 * cap}, MORTAL_DONE, 1);
    check(free_pool, much, (mortal_task_options){.attempts = 1}, MORTAL_DONE, 1);
    drain(pool);
    drain(free_pool);
}
