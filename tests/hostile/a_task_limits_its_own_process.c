/*
 * A task that takes its own process's means away (memory, descriptors, processes, file size, stack, processor time)
 * harms at most what comes after it in this host; when that has been killed or has crashed the next host has all of them.
 * Broken by: a host that needs something of the kernel to publish, to be killed, or to be followed by another.
 */
#include "hostile.h"

#include <sys/mman.h>
#include <sys/resource.h>

static const int limits[] = {RLIMIT_AS,      RLIMIT_DATA, RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_FSIZE,
                             RLIMIT_MEMLOCK, RLIMIT_CORE, RLIMIT_STACK,  RLIMIT_SIGPENDING};

static int limit_all(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    const struct rlimit nothing = {0, 0};
    for (unsigned i = 0; i < COUNT(limits); i++)
        if (setrlimit(limits[i], &nothing) != 0)
            return 1;
    return 0;
}

/* The kernel sends SIGXCPU after a second of computing: less cannot be asked for. */
static int limit_time(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    const struct rlimit second = {1, 2};
    if (setrlimit(RLIMIT_CPU, &second) != 0)
        return 1;
    compute_for_ever();
}

/* 0 where memory and descriptors are to be had, as in any host that was not limited. */
static int has_means(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    void *memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return memory == MAP_FAILED || munmap(memory, 1 << 20) != 0 || fd < 0;
}

void test(void)
{
    static char large[100000];
    struct bystanders bystanders = bystanders_make();
    struct gate *gate = gates_make(1);
    mortal_pool *pool = pool_with(2);
    bystanders_begin(&bystanders, pool);
    CHECK_EQ(outcome_of(submit(pool, limit_all, NULL, 0)), MORTAL_DONE);
    CHECK_EQ(outcome_of(submit(pool, has_means, NULL, 0)), MORTAL_FAILED);
    for (unsigned i = 0; i < 20; i++)
        check_pool_works(pool); /* small results need nothing */
    mortal_verdict verdict = wait_for(submit(pool, task_echo, large, sizeof large));
    CHECK(verdict.outcome == MORTAL_DONE || verdict.outcome == MORTAL_FAILED); /* this one may find no room */
    mortal_future endless = submit_at(pool, task_endless, gate);
    word_await(&gate->arrived, 1);
    CHECK_EQ(kill_and_read(endless), MORTAL_KILLED);
    CHECK_EQ(outcome_of(submit(pool, has_means, NULL, 0)), MORTAL_DONE);
    verdict = wait_for(submit(pool, limit_time, NULL, 0));
    CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
    CHECK_EQ(verdict.signal, SIGXCPU);
    CHECK_EQ(outcome_of(submit(pool, has_means, NULL, 0)), MORTAL_DONE);
    bystanders_end(&bystanders);
    drain(pool);
    CHECK_EQ(harness_children(), 0);
}
