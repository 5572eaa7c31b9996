/*
 * A task can write neither its order nor anybody else's, whatever it tries with the mapping, nor make holes in them.
 * Broken by: a mapping that is only protected: whoever may protect may unprotect.
 */
#include "tasks.h"

#include <sys/mman.h>

static int try_all(mortal_task *task, const void *input, size_t input_bytes)
{
    uintptr_t page = (uintptr_t)input / 4096 * 4096;
    (void)task;
    CHECK_EQ(input_bytes, 5);
    CHECK(mprotect((void *)page, 4096, PROT_READ | PROT_WRITE) < 0);
    CHECK(madvise((void *)page, 4096, MADV_REMOVE) < 0);
    *(volatile char *)(uintptr_t)input = 'X';
    return 0;
}

void test(void)
{
    mortal_pool   *pool = pool_with(1);
    mortal_future  future = submit(pool, try_all, "hello", 5);
    mortal_verdict verdict = wait_for(future);
    CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
    CHECK_EQ(verdict.signal, SIGSEGV);
    CHECK_OK(mortal_future_release(future));
    check_pool_works(pool);
    end(pool);
}
