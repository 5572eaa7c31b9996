/*
 * A null function, and an address that is no code, are refused at submit: nothing is queued, no host dies of it.
 * Broken by: an address that is only looked at when a host jumps to it.
 */
#include "tasks.h"

#include <sys/mman.h>

static int data = 1;

void test(void)
{
    int local = 1;
    mortal_future future = {0, 0};
    mortal_pool *pool = pool_with(1);
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void *const places[] = {&data, &local, page, (void *)1, (void *)UINTPTR_MAX};
    CHECK_ERR(mortal_pool_submit(pool, NULL, NULL, 0, NULL, &future), -EINVAL);
    CHECK_ERR(mortal_pool_try_submit(pool, NULL, NULL, 0, NULL, &future), -EINVAL);
    for (unsigned i = 0; i < COUNT(places); i++) {
        mortal_function *function;
        memcpy(&function, &places[i], sizeof function);
        CHECK_ERR(mortal_pool_submit(pool, function, NULL, 0, NULL, &future), -ENOEXEC);
    }
    CHECK(future.place == 0 && future.life == 0);
    CHECK_EQ(stats_of(pool).submitted, 0);
    check_pool_works(pool);
    munmap(page, 4096);
    drain(pool);
}
