/*
 * 64 pools can be open at once; the next is refused with -EMFILE, and closing one makes room.
 * Broken by: a pool table that overflows, or a place that is never given back.
 */
#include "tasks.h"

enum { POOLS = 64 };

void test(void)
{
    mortal_pool *pools[POOLS], *more = NULL;
    mortal_pool_options small = {.size = sizeof small, .workers = 1, .standby = MORTAL_NONE, .queue_tasks = 8,
                                 .held_tasks = 16, .inputs_bytes = 1 << 20, .results_bytes = 1 << 20};
    for (unsigned i = 0; i < POOLS; i++)
        CHECK_OK(mortal_pool_open(&pools[i], &small));
    CHECK_ERR(mortal_pool_open(&more, &small), -EMFILE);
    CHECK(more == NULL);
    check_pool_works(pools[0]);
    check_pool_works(pools[POOLS - 1]);
    drain(pools[7]);
    CHECK_OK(mortal_pool_open(&pools[7], &small));
    check_pool_works(pools[7]);
    CHECK_ERR(mortal_pool_open(&more, &small), -EMFILE);
    for (unsigned i = 0; i < POOLS; i++)
        drain(pools[i]);
}
