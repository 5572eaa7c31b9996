/*
 * Where pidfd_open is refused, as in some sandboxes, no death would be certain: no pool opens, the reason names the call, and
 * nothing is left of the try.
 * Broken by: an error that speaks of descriptors, which the program has plenty of.
 */
#include "tasks.h"

#include "refuse.h"

void test(void)
{
    mortal_pool *pool = NULL;
    mortal_pool_options options = {.size = sizeof options, .workers = 1};
    refuse_system_call(SYS_pidfd_open);
    CHECK_ERR(mortal_pool_open(&pool, &options), -ENOTSUP);
    CHECK(pool == NULL);
    CHECK(strstr(mortal_why(), "pidfd_open") != NULL);
    CHECK_EQ(harness_children(), 0);
}
