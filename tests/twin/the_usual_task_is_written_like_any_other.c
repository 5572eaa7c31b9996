/*
 * A submit that is usual in every way has a short way of its own. What it leaves in the region and in the owner's ledger is, byte
 * for byte, what the long way leaves for the same task, whatever its slot held before.
 * Broken by: a word that one of the two ways forgets.
 */
#include "by_hand.h"

enum { SIZES = 6 };

struct left {
    struct order order;
    struct care care;
    struct entry entry;
    uint64_t claim, ring;
    mortal_future future;
};

/* What differs by nature is not looked at: how many there were before, and what is undefined with an input that size. */
static void picture(const struct pool *pool, mortal_future future, size_t bytes, struct left *left)
{
    struct region *r = pool->region;
    uint32_t slot = (uint32_t)future.place;
    uint64_t tail = atomic_load(&orders_head(r)->tail);
    memset(left, 0, sizeof *left);
    memcpy(&left->order, order_of(r, slot), offsetof(struct order, input));
    memcpy(left->order.input, order_of(r, slot)->input, bytes > 8 ? bytes : 0);
    memcpy(&left->care, care_of(r, slot), offsetof(struct care, told));
    memcpy(&left->entry, &pool->entries[slot], offsetof(struct entry, outcome));
    CHECK_EQ(left->entry.life, future.life & LIFE_MASK);
    CHECK_EQ(atomic_load(&left->order.ticket), left->entry.ticket);
    CHECK_EQ(left->entry.ticket, atomic_load(&orders_head(r)->tickets) - 1);
    CHECK_EQ(atomic_load(&left->care.position), tail - 1);
    CHECK_EQ(atomic_load(lane_entry(r, LANE_NORMAL, tail - 1)), queue_entry(slot, (uint32_t)left->entry.life));
    CHECK_EQ(atomic_load(claim_of(r, slot)), word_make((uint32_t)left->entry.life, SLOT_PENDING, 0, 0));
    atomic_store(&left->order.ticket, 0);
    atomic_store(&left->care.position, 0);
    left->entry.life = left->entry.ticket = 0;
}

/* Of a task with all that a usual one has not, so that its slot, which is the next one's, holds other values everywhere. */
static void leave_traces(mortal_pool *pool)
{
    mortal_group *group = NULL;
    CHECK_OK(mortal_group_open(&group, pool));
    static const uint8_t input[INLINE_INPUT_BYTES] = {1, 2, 3};
    mortal_task_options options = {.size = sizeof options, .tag = &options, .name = "traces", .deadline_ns = 1000000000000,
                                   .within_ns = 2000000000000, .soft_deadline_ns = 1000000, .attempts = 7, .group = group};
    mortal_future future;
    CHECK_OK(mortal_pool_submit(pool, task_nothing, input, sizeof input, &options, &future));
    CHECK(worker_step(&by_hand.worker));
    CHECK_EQ(outcome_and_release(future), MORTAL_DONE);
    CHECK_OK(mortal_group_close(group));
}

static void submit_and_look(mortal_pool *pool, size_t bytes, const mortal_task_options *options, struct left *left)
{
    static const uint8_t input[INLINE_INPUT_BYTES] = {11, 12, 13, 14, 15, 16, 17, 18, 19, 20};
    mortal_future future;
    leave_traces(pool);
    CHECK_OK(mortal_pool_submit(pool, task_nothing, bytes != 0 ? input : NULL, bytes, options, &future));
    picture(twin.pool, future, bytes, left);
    CHECK(worker_step(&by_hand.worker));
    CHECK_EQ(outcome_and_release(future), MORTAL_DONE);
}

/* Byte by byte, what lies between members too: what is not written there is not written in one way only. */
#define CHECK_SAME(a, b) CHECK_EQ(memcmp((const uint8_t *)&(a), (const uint8_t *)&(b), sizeof(a)), 0)

/* Twice by the short way, once by the long one: nor do two that went the same way differ. */
void test(void)
{
    static const size_t sizes[SIZES] = {0, 1, 7, 8, 9, INLINE_INPUT_BYTES};
    static struct left left[3];
    const mortal_task_options plain = {.size = sizeof plain};
    mortal_pool *pool = by_hand_open((mortal_pool_options){.held_tasks = 64});
    for (uint32_t i = 0; i < 100; i++) /* until this thread is the lock's favourite */
        CHECK_OK(mortal_pool_stats(pool, &(mortal_stats){0}));
    for (uint32_t i = 0; i < SIZES; i++) {
        submit_and_look(pool, sizes[i], NULL, &left[0]);
        submit_and_look(pool, sizes[i], &plain, &left[1]);
        submit_and_look(pool, sizes[i], NULL, &left[2]);
        CHECK_SAME(left[0].order, left[1].order);
        CHECK_SAME(left[0].care, left[1].care);
        CHECK_SAME(left[0].entry, left[1].entry);
        CHECK_SAME(left[0], left[2]);
    }
    by_hand_close(pool);
}
