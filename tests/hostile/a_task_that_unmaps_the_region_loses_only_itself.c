/*
 * A task that unmaps what its host shares with the pool, makes it read-only, or puts memory of its own in its place: at
 * worst its host crashes, or goes on for ever until it is killed. Nobody else's memory changes.
 * Broken by: an owner or a supervisor that waits for a host's word.
 */
#include "hostile.h"

#include <sys/mman.h>

enum way { UNMAP, PROTECT, REPLACE, PUNCH, WAYS };
enum segment { ORDERS, CLAIMS, CONTROL, ARENA, SEGMENTS };

struct order_of_test {
    enum way way;
    enum segment segment;
};

static int spoil(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    const struct order_of_test what = *(const struct order_of_test *)input;
    const struct region *r = task->worker->region;
    uint8_t *const bases[] = {r->orders, r->claims, r->control, arena_of(r, task->worker->host->place.life)};
    const uint64_t sizes[] = {r->g.orders_bytes, r->g.claims_bytes, r->g.control_bytes, r->g.arena_bytes};
    uint8_t *base = bases[what.segment];
    uint64_t bytes = sizes[what.segment];
    switch (what.way) {
    case UNMAP: return munmap(base, bytes);
    case PROTECT: return mprotect(base, bytes, PROT_NONE);
    case REPLACE:
        return mmap(base, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) != base;
    default: return madvise(base, bytes, MADV_REMOVE);
    }
}

static int harm(mortal_pool *pool, enum way way, enum segment segment)
{
    struct order_of_test what = {way, segment};
    mortal_future future = submit(pool, spoil, &what, sizeof what);
    mortal_verdict verdict;
    int error = mortal_future_wait(future, MS(50), &verdict);
    if (error == 0)
        (void)read_whole(&verdict);
    int outcome = error == 0 ? verdict.outcome : kill_and_read(future);
    CHECK_OK(mortal_future_release(future));
    return outcome;
}

/* Nothing is promised for the tasks that this host still gets; but there is an end to it. */
static void until_it_works(mortal_pool *pool)
{
    mortal_verdict verdict;
    uint64_t number = 21;
    do {
        mortal_future future = submit(pool, task_double, &number, sizeof number);
        if (mortal_future_wait(future, SECONDS(3), &verdict) != 0)
            CHECK_OK(mortal_future_kill(future, 0, MORTAL_FOREVER, &verdict));
        (void)read_whole(&verdict);
        CHECK_OK(mortal_future_release(future));
    } while (verdict.outcome != MORTAL_DONE);
    check_pool_works(pool);
}

void test(void)
{
    unsigned outcomes[16] = {0};
    struct bystanders bystanders = bystanders_make();
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .held_tasks = 256, .results_bytes = 1 << 20});
    for (enum way way = UNMAP; way < WAYS; way++)
        for (enum segment segment = ORDERS; segment < SEGMENTS; segment++) {
            if (way == PUNCH && (segment == ORDERS || segment == CONTROL))
                continue; /* who asks the kernel to take away what is read-only is no accident any more */
            bool all_claims = way == PUNCH && segment == CLAIMS; /* that is everybody's record: the other one is lost too */
            if (!all_claims)
                bystanders_begin(&bystanders, pool);
            outcomes[harm(pool, way, segment)]++;
            until_it_works(pool);
            if (!all_claims)
                bystanders_end(&bystanders);
        }
    for (int i = 1; i <= MORTAL_LOST; i++)
        if (outcomes[i])
            harness_note("%s: %u", mortal_outcome_name(i), outcomes[i]);
    drain(pool);
    CHECK_EQ(harness_children(), 0);
}
