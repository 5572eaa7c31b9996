/*
 * Items that forge the board of their open map (words of runners, notes, outcomes, the pace) can spoil that map only: each item
 * has one verdict that is one, in order, other tasks and the next map do not notice.
 * Broken by: a number of the board that is an index unchecked, an item that is waited for since its outcome was undone.
 */
#include "region/feed.h"

#include "forge.h"

enum { ROUNDS = 10, ROUNDS_LONG = 300, ITEMS = 3000, WINDOW = 150 };

static uint64_t strange(const struct region *r, const struct feed_plan *plan, uint32_t *state)
{
    const uint64_t edges[] = {plan->cells, plan->cells + 1, plan->runs, 0, feed_word(1, false, 1, 0), feed_word(0, true, 1, 1),
                              feed_word(2, false, 0xfffff, 0), feed_word(3, false, 1, 5), UINT64_MAX};
    uint32_t kind = forge_next(state) % (2 * COUNT(edges));
    return kind < COUNT(edges) ? edges[kind] : forge_value(r, state);
}

static int forge_board(mortal_task *task, const void *item, void *result)
{
    const struct feed_runner *runner = (const void *)task->order->input;
    const struct region      *r = task->worker->region;
    uint32_t                  state = (uint32_t)*(const uint64_t *)item * 2654435761u + 1;
    void                     *plan_at, *board_at;
    (void)result;
    if (forge_next(&state) % 30 != 0)
        return 0;
    CHECK_OK(mortal_task_buffer(task, runner->plan, &plan_at, NULL));
    const struct feed_plan *plan = plan_at;
    CHECK_OK(mortal_task_buffer(task, plan->board, &board_at, NULL));
    uint8_t           *bytes = board_at;
    struct feed_board *board = board_at;
    struct feed_run   *run = (struct feed_run *)(void *)(bytes + plan->board_runs) +
                           (forge_next(&state) % 2 == 0 ? runner->run : forge_next(&state) % plan->runs);
    uint64_t value = strange(r, plan, &state), seen = atomic_load(&run->word);
    for (unsigned i = 0; i < 3; i++) {
        switch (forge_next(&state) % 7) {
        case 0: atomic_store(&board->pace_ns, value); break;
        case 1: atomic_store(&run->word, value); break;
        case 2: atomic_store(&run->word, feed_word(feed_name_of(seen), value & 1, feed_top_of(seen), feed_at_of(value))); break;
        case 3: atomic_store(&run->note.begun, value); break;
        case 4: atomic_store(&run->note.started_ns, value); break;
        case 5: memcpy(bytes + plan->board_statuses + 4 * (forge_next(&state) % plan->cells), &value, 4); break;
        default: bytes[plan->board_outcomes + forge_next(&state) % plan->cells] = (uint8_t)value; break;
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

static mortal_map *open_map(mortal_pool *pool, mortal_map_function *function, mortal_map_options options)
{
    mortal_map *map = NULL;
    options.size = sizeof options;
    options.window = WINDOW;
    CHECK_OK(mortal_map_open(&map, pool, function, &options));
    return map;
}

static void flow(mortal_map *map, bool in_order, unsigned *seen)
{
    static uint8_t taken[ITEMS];
    unsigned put = 0;
    memset(taken, 0, sizeof taken);
    for (unsigned i = 0; i < ITEMS; i++) {
        mortal_map_entry entry;
        while (put < ITEMS && mortal_map_put(map, NULL, NULL, 0) == 0)
            put++;
        CHECK_OK(mortal_map_next(map, LIMIT, &entry));
        CHECK(entry.number < put && !taken[entry.number]);
        CHECK(!in_order || entry.number == i);
        CHECK(entry.verdict.outcome >= MORTAL_DONE && entry.verdict.outcome <= MORTAL_LOST);
        taken[entry.number] = 1;
        seen[entry.verdict.outcome]++;
        if (entry.verdict.result != NULL)
            CHECK_EQ(*(const uint64_t *)entry.verdict.result, entry.number + 1);
    }
    CHECK_OK(mortal_map_close(map));
}

void test(void)
{
    unsigned            seen[16] = {0}, clean[16] = {0};
    struct bystanders   bystanders = bystanders_make();
    mortal_task_options task = {.size = sizeof task, .deadline_ns = MS(500)};
    mortal_pool        *pool = pool_with(3);
    bystanders_begin(&bystanders, pool);
    for (unsigned round = 0; round < (TEST_LONG ? ROUNDS_LONG : ROUNDS); round++) {
        task.attempts = round % 3;
        flow(open_map(pool, forge_board, (mortal_map_options){.order = (int)round % 2, .task = &task}), round % 2 == 0, seen);
    }
    for (unsigned i = 1; i <= MORTAL_LOST; i++)
        if (seen[i] != 0)
            harness_note("%s: %u", mortal_outcome_name((int)i), seen[i]);
    flow(open_map(pool, count_one, (mortal_map_options){.result_bytes = sizeof(uint64_t)}), true, clean);
    CHECK_EQ(clean[MORTAL_DONE], ITEMS);
    bystanders_end(&bystanders);
    end(pool);
}
