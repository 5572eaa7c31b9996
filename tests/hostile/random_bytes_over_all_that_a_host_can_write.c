/*
 * A task that writes random bytes over everything that its process can write to (heaps, stacks, the data of every
 * library, this one's too, its host's records and everybody's claims) loses its own host and those whose claims it hit;
 * all that was submitted ends, verdicts taken before stay, and the pool works.
 * Broken by: an owner or a supervisor that needs a host to be in its right mind.
 */
#include "forge.h"

enum { ROUNDS = 20, ROUNDS_LONG = 500, MAPS = 256, HITS = 4000 };

struct range {
    unsigned char *from, *to;
};

/* All but what the test shares with its tasks to watch them: anonymous and shared. */
static unsigned find_ranges(struct range *ranges)
{
    char line[512];
    unsigned count = 0;
    unsigned long from, to;
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps && count < MAPS && fgets(line, sizeof line, maps)) {
        bool writable = strstr(line, " rw-p ") || (strstr(line, " rw-s ") && strstr(line, "memfd:mortal"));
        if (writable && sscanf(line, "%lx-%lx", &from, &to) == 2)
            ranges[count++] = (struct range){(unsigned char *)from, (unsigned char *)to};
    }
    if (maps)
        fclose(maps);
    return count;
}

static int scribble(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    static struct range ranges[MAPS];
    struct forgery forgery = *(const struct forgery *)input;
    unsigned count = find_ranges(ranges);
    if (count == 0)
        return 1;
    for (unsigned i = 0; i < HITS; i++) {
        const struct range range = ranges[forge_next(&forgery.seed) % count];
        size_t bytes = (size_t)(range.to - range.from);
        size_t at = forge_next(&forgery.seed) % (bytes < 1 << 20 ? bytes : 1 << 20);
        range.from[at] = (unsigned char)forge_next(&forgery.seed);
    }
    return forge_finish(&forgery);
}

void test(void)
{
    unsigned outcomes[16] = {0};
    word *done = harness_shared(sizeof *done);
    mortal_future taken[FORGE_TAKEN];
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .held_tasks = 256, .queue_tasks = 128,
                                                        .results_bytes = 1 << 20});
    forge_take(pool, taken);
    for (uint32_t round = 0; round < (TEST_LONG ? ROUNDS_LONG : ROUNDS); round++) {
        struct forged forged = forge(pool, scribble, done, round, NULL);
        CHECK_OK(mortal_pool_kill(pool, MORTAL_RUNNING, 0, MORTAL_FOREVER, NULL));
        forge_end(&forged, false, outcomes);
        check_pool_works(pool);
    }
    forge_check_taken(taken);
    forge_note(outcomes);
    drain(pool);
    CHECK_EQ(harness_children(), 0);
}
