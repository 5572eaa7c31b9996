/*
 * Opening and closing a pool again and again costs nothing that stays: no descriptor, mapping, memory, process or
 * place.
 * Broken by: a leak per pool, or a table of pools that fills up.
 */
#include "tasks.h"

enum { ROUNDS = 150, WARM = 10 };

#if defined(__SANITIZE_ADDRESS__)
enum { SLACK_KB = 300 * 1024 }; /* it keeps freed memory for a while, to see who still uses it */
#else
enum { SLACK_KB = 2048 };
#endif

static unsigned mappings(void)
{
    unsigned count = 0;
    int byte;
    FILE *file = fopen("/proc/self/maps", "re");
    CHECK(file != NULL);
    while ((byte = getc(file)) != EOF)
        count += byte == '\n';
    fclose(file);
    return count;
}

static void open_use_close(unsigned round)
{
    static const int ways[] = {MORTAL_CLOSE_DRAIN, MORTAL_CLOSE_CANCEL, MORTAL_CLOSE_KILL};
    mortal_group *group = NULL;
    int fd;
    uint32_t standby = round % 3 ? 1 : MORTAL_NONE;
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1 + round % 2, .standby = standby});
    CHECK_OK(mortal_group_open(&group, pool));
    if (round % 2)
        CHECK_OK(mortal_group_fd(group, &fd));
    for (unsigned i = 0; i < 10; i++)
        submit_like(pool, task_nothing, NULL, 0, (mortal_task_options){.group = group});
    check_pool_works(pool);
    CHECK_OK(mortal_pool_close(pool, ways[round % 3], MORTAL_FOREVER, NULL));
}

void test(void)
{
    unsigned descriptors = 0, maps = 0;
    long memory = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        open_use_close(round);
        if (round == WARM) {
            descriptors = entries_of("/proc/self/fd");
            maps = mappings();
            memory = status_of(getpid(), "VmRSS:");
        }
    }
    CHECK_EQ(entries_of("/proc/self/fd"), descriptors);
    CHECK(mappings() <= maps + 4);
    CHECK(status_of(getpid(), "VmRSS:") <= memory + SLACK_KB);
    CHECK_EQ(harness_children(), 0);
}
