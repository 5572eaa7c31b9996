/*
 * What a process uses, as it is read of it: its private memory, shared memory that it maps alone and none that others map
 * too, processor time, and the processes below it; and a number behind a name in a file.
 */
#include "tasks.h"

#include <sys/mman.h>
#include <sys/prctl.h>

#include "system/usage.h"

enum { MIB = 1 << 20, PRIVATE_MIB = 20, SHARED_MIB = 30, COMMON_MIB = 40, BELOW = 5 };

static char *map(int flags, size_t mib)
{
    char *memory = mmap(NULL, mib * MIB, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    for (size_t at = 0; at < mib * MIB; at += 4096)
        memory[at] = 1;
    return memory;
}

static uint64_t near(uint64_t bytes, uint64_t mib)
{
    return bytes / MIB >= mib && bytes / MIB <= mib + 4;
}

static void check_memory(pid_t child, word *stage, const struct usage_range *others, int count)
{
    struct usage before, after, glance;
    uint64_t own, shared, own_before, shared_before;
    const struct usage_range none = {0, 0};
    word_await(stage, 1);
    CHECK(usage_read(child, &before));
    CHECK(usage_own_bytes(child, others, count, &none, &own_before, &shared_before));
    word_set(stage, 2);
    word_await(stage, 3);
    CHECK(usage_read(child, &after) && usage_glance(child, &glance));
    CHECK(usage_own_bytes(child, others, count, &none, &own, &shared));
    CHECK(near(after.data_bytes - before.data_bytes, PRIVATE_MIB));
    CHECK(near(after.anon_bytes - before.anon_bytes, PRIVATE_MIB));
    CHECK(near(glance.anon_bytes - before.anon_bytes + MIB, PRIVATE_MIB));
    CHECK(near(glance.shared_bytes - before.shared_bytes + MIB, SHARED_MIB + COMMON_MIB));
    CHECK(near(shared - shared_before, SHARED_MIB)); /* not what its parent maps too, touched by it or not */
    CHECK(near(own - own_before, PRIVATE_MIB + SHARED_MIB));
}

static void check_processes(pid_t child, word *stage)
{
    uint32_t count;
    CHECK(usage_processes(child, 100, &count));
    CHECK_EQ(count, 0);
    word_set(stage, 4);
    word_await(stage, 5 + BELOW - 1);
    CHECK(usage_processes(child, 100, &count));
    CHECK_EQ(count, BELOW);
    CHECK(usage_processes(child, 3, &count));
    CHECK_EQ(count, 3);
    /* Those below who is killed belong to the child from then on. */
    POLL_UNTIL(usage_kill_below(child, 100, &count) && count == 0);
}

static _Noreturn void be_child(word *stage, char *common)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    signal(SIGCHLD, SIG_IGN);
    word_set(stage, 1);
    word_await(stage, 2);
    map(MAP_PRIVATE, PRIVATE_MIB);
    map(MAP_SHARED, SHARED_MIB);
    for (size_t at = 0; at < (size_t)COMMON_MIB * MIB; at += 4096)
        common[at] = 1;
    word_set(stage, 3);
    word_await(stage, 4);
    for (int i = 0; i < BELOW; i++) /* each below the other */
        if (fork() != 0)
            break;
        else
            word_add(stage, 1);
    for (;;)
        pause();
}

static void check_numbers(void)
{
    FILE *file = fopen("numbers", "we");
    CHECK(file != NULL);
    fputs("low 1\noom_kill_disable 0\noom_kill 17\n", file);
    fclose(file);
    CHECK_EQ(usage_number_in("numbers", "oom_kill "), 17);
    CHECK_EQ(usage_number_in("numbers", "low "), 1);
    CHECK_EQ(usage_number_in("numbers", "high "), -1);
    CHECK_EQ(usage_number_in("no such file", "low "), -1);
    CHECK_EQ(unlink("numbers"), 0);
}

void test(void)
{
    word *stage = harness_shared(sizeof *stage);
    char *common = mmap(NULL, (size_t)COMMON_MIB * MIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(common != MAP_FAILED);
    struct usage_range *others = NULL;
    int count = usage_shared_ranges(&others);
    CHECK(count > 0);
    pid_t child = fork();
    if (child == 0)
        be_child(stage, common);
    check_memory(child, stage, others, count);
    check_processes(child, stage);
    uint64_t ns = 0, thread_ns = 0;
    CHECK(usage_cpu_of_process(child, &ns) && ns > 0);
    CHECK(usage_cpu_of_thread(child, child, &thread_ns) && thread_ns <= ns);
    CHECK(usage_own_cpu(true) > 0 && usage_own_cpu(false) > 0);
    CHECK_EQ(kill(child, SIGKILL), 0);
    CHECK_EQ(waitpid(child, NULL, 0), child);
    struct usage usage;
    CHECK(!usage_read(child, &usage) && !usage_glance(child, &usage) && !usage_cpu_of_process(child, &ns));
    CHECK_EQ(usage_data_left(), UINT64_MAX);
    CHECK_OK(usage_limit_data(0, 1ull << 50));
    CHECK(usage_data_left() <= 1ull << 50);
    check_numbers();
    free(others);
    munmap(common, (size_t)COMMON_MIB * MIB);
}
