/*
 * Items that forge the board of their map (words of blocks, notes, outcomes, the cursor, the order to stop) can spoil that
 * map only: it comes to its end, each outcome is one, other tasks and the next map do not notice.
 * Broken by: a number of the board that is an index unchecked, a search that goes on as long as somebody undoes it.
 */
#include "region/map.h"

#include "forge.h"

enum { ROUNDS = 30, ROUNDS_LONG = 600, ITEMS = 3000 };

static uint64_t strange(const struct region *r, const struct map_plan *plan, uint32_t *state)
{
    const uint64_t edges[] = {plan->count, plan->count + 1, plan->blocks, plan->blocks + 1, plan->per_block,
                              map_word(1, plan->per_block, 0), map_word(0, plan->per_block, 0), map_word(2, 0xfffff, 0),
                              map_word(1, 1, 5), map_word(0, 0, 0)};
    uint32_t kind = forge_next(state) % (2 * COUNT(edges));
    return kind < COUNT(edges) ? edges[kind] : forge_value(r, state);
}

static int forge_board(mortal_task *task, const void *item, void *result)
{
    const struct map_runner *runner = (const void *)task->order->input;
    const struct region     *r = task->worker->region;
    uint32_t                 state = (uint32_t)*(const uint64_t *)item * 2654435761u + 1;
    void                    *plan_at, *board_at;
    (void)result;
    if (forge_next(&state) % 40 != 0)
        return 0;
    CHECK_OK(mortal_task_buffer(task, runner->plan, &plan_at, NULL));
    const struct map_plan *plan = plan_at;
    CHECK_OK(mortal_task_buffer(task, plan->board, &board_at, NULL));
    uint8_t          *bytes = board_at;
    struct map_board *board = board_at;
    struct map_cell  *cell = (struct map_cell *)(void *)(bytes + plan->board_cells) + forge_next(&state) % plan->cells;
    struct map_block *blocks = (struct map_block *)(void *)(bytes + plan->board_blocks);
    uint64_t          value = strange(r, plan, &state);
    for (unsigned i = 0; i < 3; i++) {
        switch (forge_next(&state) % 7) {
        case 0: atomic_store(&board->next, value); break;
        case 1: atomic_store(&board->stop, (uint32_t)value); break;
        case 2: atomic_store(&cell->begun, value); break;
        case 3: atomic_store(&cell->block, value); break;
        case 4: atomic_store(&cell->started_ns, value); break;
        case 5: atomic_store(&blocks[forge_next(&state) % plan->blocks].word, value); break;
        default: bytes[plan->board_outcomes + forge_next(&state) % plan->count] = (uint8_t)value; break;
        }
    }
    if (forge_next(&state) % 4 == 0)
        raise(SIGKILL);
    return 0;
}

static int count_one(mortal_task *task, const void *item, void *result)
{
    (void)task;
    *(uint64_t *)result = *(const uint64_t *)item + 1;
    return 0;
}

void test(void)
{
    static uint8_t      outcomes[ITEMS];
    static uint64_t     results[ITEMS];
    unsigned            seen[16] = {0};
    struct bystanders   bystanders = bystanders_make();
    mortal_task_options options = {.size = sizeof options, .deadline_ns = MS(500)};
    mortal_pool        *pool = pool_with(3);
    bystanders_begin(&bystanders, pool);
    for (unsigned round = 0; round < (TEST_LONG ? ROUNDS_LONG : ROUNDS); round++) {
        size_t done = 0;
        options.attempts = round % 3;
        memset(outcomes, 0, sizeof outcomes);
        int error = mortal_pool_map(pool, forge_board, NULL, 0, NULL, 0, ITEMS - round, &options, outcomes, &done);
        CHECK(error == 0 || error == -EIO || error == -ENOBUFS);
        for (unsigned i = 0; i < ITEMS; i++) {
            CHECK(outcomes[i] <= MORTAL_LOST);
            CHECK(error != 0 || (outcomes[i] != 0) == (i < ITEMS - round));
            seen[outcomes[i]]++;
        }
    }
    for (unsigned i = 1; i <= MORTAL_LOST; i++)
        if (seen[i] != 0)
            harness_note("%s: %u", mortal_outcome_name((int)i), seen[i]);
    size_t done = 0;
    CHECK_OK(mortal_pool_map(pool, count_one, NULL, 0, results, sizeof *results, ITEMS, NULL, NULL, &done));
    CHECK_EQ(done, ITEMS);
    for (unsigned i = 0; i < ITEMS; i++)
        CHECK_EQ(results[i], i + 1);
    bystanders_end(&bystanders);
    end(pool);
}
