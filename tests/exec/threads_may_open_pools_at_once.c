/*
 * Several threads open, use and close pools of their own at the same time, the first pool of the process among them.
 *
 * Broken by: setting up the table of pools without a lock.
 */
#include "board.h"

#include <pthread.h>

static void *open_use_close(void *unused)
{
    for (int i = 0; i < 4; i++) {
        mortal_pool_options options = {.workers = 1, .standby = MORTAL_NONE};
        mortal_pool *pool = exec_pool(&options);
        check_pool_works(pool);
        drain(pool);
    }
    return unused;
}

void test(void)
{
    pthread_t threads[4];
    for (size_t i = 0; i < COUNT(threads); i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, open_use_close, NULL), 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
}
