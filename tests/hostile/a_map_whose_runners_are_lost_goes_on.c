/*
 * Items of an open map overwrite the claim word of their own runner and die, so that nobody will ever know how that ended, more
 * often than the map has places for runners: each item has a verdict, and the map goes on with items that do no harm.
 * Broken by: a place on the board that nobody is given again, after as many as there are.
 */
#include "hostile.h"

#include "openmap.h"

enum { ITEMS = 20, HARMLESS = 100 };

static int forge_own_word(mortal_task *task, const void *item, void *result)
{
    uint64_t number = *(const uint64_t *)item;
    const struct region *r = task->worker->region;
    (void)result;
    if (number >= ITEMS)
        return 0;
    atomic_store(claim_of(r, task->slot), word_make(word_generation(task->word) + 1, SLOT_RUNNING, 0, 0));
    raise(SIGKILL);
    return 0;
}

void test(void)
{
    mortal_pool *pool = pool_with(2);
    mortal_map *map = map_like(pool, forge_own_word, (mortal_map_options){.item_bytes = sizeof(uint64_t), .window = 1});
    for (uint64_t i = 0; i < ITEMS + HARMLESS; i++) {
        put_number(map, i);
        mortal_map_entry entry = take(map);
        CHECK_EQ(entry.number, i);
        CHECK_EQ(entry.verdict.outcome, i < ITEMS ? MORTAL_LOST : MORTAL_DONE);
    }
    end_map(map);
    end(pool);
}
