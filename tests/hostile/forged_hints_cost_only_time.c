/*
 * A task that forges what only makes things fast (the queue's cursor, who sleeps, who searches, who is deputy, whether
 * tasks are brisk, every bell) delays others; none of them is lost, and all that waited is done.
 * Broken by: a hint that is believed for ever, or that sends a waker to a worker that is not there.
 */
#include "forge.h"

enum { ROUNDS = 12, ROUNDS_LONG = 300 };

static void forge_hint(const struct region *r, uint32_t field, uint64_t value)
{
    struct claims_head *head = claims_head(r);
    uint64_t tail = atomic_load(&orders_head(r)->tail);
    switch (field) {
    case 0: atomic_store(&head->head, value); break;
    case 1: atomic_store(&head->head, tail + value % 4); break;
    case 2: atomic_store(&head->head, tail - value % 64); break;
    case 3: atomic_store(&head->head, tail + r->g.ring_entries - value % 3); break;
    case 4: atomic_store(&head->brisk, (uint32_t)value); break;
    case 5: atomic_store(&head->deputy, (uint32_t)value); break;
    case 6: atomic_store(idle_word(r, (uint32_t)value % r->g.idle_words), value); break;
    case 7: atomic_store(searching_word(r, (uint32_t)value % r->g.idle_words), value); break;
    case 8: atomic_store(&head->room_bell, (uint32_t)value); break;
    case 9: atomic_store(&head->group_bell[value % GROUPS_MAX], (uint32_t)value); break;
    case 10: atomic_store(&head->other_head[value % 2], value); break;
    case 11: case 12: {
        enum lane lane = field == 11 ? LANE_HIGH : LANE_LOW;
        atomic_store(lane_head(r, lane), atomic_load(lane_tail(r, lane)) + value % 5 - 2);
        break;
    }
    case 13: atomic_store(&head->turn, (uint32_t)value); break;
    default: atomic_store(bell_of(r, (uint32_t)value % r->g.berths, 0), (uint32_t)(value >> 32)); break;
    }
}

static int forge_hints(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    struct forgery forgery = *(const struct forgery *)input;
    const struct region *r = task->worker->region;
    for (unsigned i = 0; i < 50; i++) {
        uint32_t field = forge_next(&forgery.seed) % 15;
        forge_hint(r, field, forge_value(r, &forgery.seed));
    }
    return forge_finish(&forgery);
}

void test(void)
{
    unsigned outcomes[16] = {0};
    struct bystanders bystanders = bystanders_make();
    word *done = harness_shared(sizeof *done);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 3, .held_tasks = 256, .queue_tasks = 40,
                                                        .results_bytes = 1 << 16});
    bystanders_begin(&bystanders, pool);
    for (uint32_t round = 0; round < (TEST_LONG ? ROUNDS_LONG : ROUNDS); round++) {
        struct forged forged = forge(pool, forge_hints, done, round, NULL);
        forge_end(&forged, true, outcomes);
    }
    CHECK_EQ(stats_of(pool).pending, 0);
    forge_note(outcomes);
    bystanders_end(&bystanders);
    drain(pool);
    CHECK_EQ(harness_children(), 0);
}
