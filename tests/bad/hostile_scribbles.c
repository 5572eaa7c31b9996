/*
 * A task that writes random bytes over all shared memory it can reach may lose its own host's tasks and those whose
 * record it overwrote; the owner neither crashes nor hangs, no verdict already taken changes, and new tasks run.
 * Broken by: an owner or supervisor that believes what stands in memory which hosts can write.
 */
#include "tasks.h"

enum { ROUNDS = 10, ROUNDS_LONG = 200, PENDING = 30, FINISHED = 5, MAPS = 64 };

struct range {
    unsigned char *from, *to;
};

struct scene {
    word pid, finished;
};

struct order {
    uint32_t seed;
    bool returns;
    struct scene *scene;
};

static uint32_t random_next(uint32_t *state)
{
    *state ^= *state << 13, *state ^= *state >> 17, *state ^= *state << 5;
    return *state;
}

/* What of the library's own memory this process may write to. */
static unsigned find_ranges(struct range *ranges)
{
    char line[512];
    unsigned count = 0;
    unsigned long from, to;
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps && count < MAPS && fgets(line, sizeof line, maps))
        if (strstr(line, " rw-s ") && strstr(line, "memfd:mortal") && sscanf(line, "%lx-%lx", &from, &to) == 2)
            ranges[count++] = (struct range){(unsigned char *)from, (unsigned char *)to};
    if (maps)
        fclose(maps);
    return count;
}

/* Most structures stand at the beginning, so most hits do. */
static void hit(const struct range *range, uint32_t *random)
{
    size_t bytes = (size_t)(range->to - range->from), reach = random_next(random) % 4 ? 65536 : bytes;
    size_t at = random_next(random) % (reach < bytes ? reach : bytes);
    switch (random_next(random) % 3) {
    case 0:
        range->from[at] = (unsigned char)random_next(random);
        break;
    case 1:
        *(uint64_t *)(range->from + (at & ~(size_t)7)) = (uint64_t)random_next(random) << 32 | random_next(random);
        break;
    default:
        memset(range->from + (at & ~(size_t)63), random_next(random) % 2 ? 0xff : (int)random_next(random), 64);
    }
}

static int scribble(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    struct range ranges[MAPS];
    struct order order = *(const struct order *)input;
    unsigned count = find_ranges(ranges);
    if (count == 0)
        return 1;
    atomic_store(&order.scene->pid, (uint32_t)getpid());
    for (unsigned i = 0; i < 3000; i++)
        hit(&ranges[random_next(&order.seed) % count], &order.seed);
    atomic_store(&order.scene->finished, 1);
    if (!order.returns)
        compute_for_ever();
    return 0;
}

static void finish_some(mortal_pool *pool, mortal_future *finished)
{
    for (unsigned i = 0; i < FINISHED; i++)
        CHECK_EQ(outcome_of(finished[i] = submit(pool, task_echo, "taken before", 13)), MORTAL_DONE);
}

static void check_finished(mortal_future *finished)
{
    for (unsigned i = 0; i < FINISHED; i++) {
        mortal_verdict verdict = wait_for(finished[i]);
        CHECK_EQ(verdict.outcome, MORTAL_DONE);
        CHECK_EQ(verdict.result_bytes, 13);
        CHECK_STR((const char *)verdict.result, "taken before");
        CHECK_OK(mortal_future_release(finished[i]));
    }
}

static void read_whole(const mortal_verdict *verdict)
{
    const volatile unsigned char *result = verdict->result;
    unsigned sum = 0;
    for (size_t i = 0; i < verdict->result_bytes; i++)
        sum += result[i];
    CHECK(verdict->outcome >= MORTAL_DONE && verdict->outcome <= MORTAL_LOST);
}

/* Whatever they say: they all end, and what they point to can be read. */
static void everybody_ends(mortal_pool *pool, mortal_future scribbler, mortal_future *pending, unsigned *outcomes)
{
    CHECK_OK(mortal_pool_kill(pool, MORTAL_RUNNING, 0, MORTAL_FOREVER, NULL));
    for (unsigned i = 0; i <= PENDING; i++) {
        mortal_future future = i < PENDING ? pending[i] : scribbler;
        mortal_verdict verdict = wait_for(future);
        read_whole(&verdict);
        outcomes[verdict.outcome]++;
        CHECK_OK(mortal_future_release(future));
    }
}

/* Its record may be lost long before it has done; what counts is that nobody scribbles any more. */
static bool is_scribbled(struct scene *scene)
{
    pid_t pid = (pid_t)atomic_load(&scene->pid);
    return atomic_load(&scene->finished) || (pid != 0 && harness_process_gone(pid));
}

static void one_round(mortal_pool *pool, struct scene *scene, uint32_t round, unsigned *outcomes)
{
    mortal_future finished[FINISHED], pending[PENDING];
    mortal_stats stats;
    struct order order = {round * 2654435761u + 1, round % 2, scene};
    atomic_store(&scene->pid, 0);
    atomic_store(&scene->finished, 0);
    finish_some(pool, finished);
    mortal_future scribbler = submit(pool, scribble, &order, sizeof order);
    for (unsigned i = 0; i < PENDING; i++)
        pending[i] = submit(pool, i % 2 ? task_echo : task_nothing, "pending", 8);
    POLL_UNTIL(is_scribbled(scene));
    CHECK_OK(mortal_pool_stats(pool, &stats));
    everybody_ends(pool, scribbler, pending, outcomes);
    check_finished(finished);
    check_pool_works(pool);
}

void test(void)
{
    unsigned outcomes[16] = {0}, rounds = TEST_LONG ? ROUNDS_LONG : ROUNDS;
    struct scene *scene = harness_shared(sizeof *scene);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .held_tasks = 256, .queue_tasks = 128,
                                                        .inputs_bytes = 1 << 20, .results_bytes = 1 << 20});
    for (uint32_t round = 0; round < rounds; round++)
        one_round(pool, scene, round, outcomes);
    for (int i = 1; i <= MORTAL_LOST; i++)
        if (outcomes[i])
            harness_note("%s: %u", mortal_outcome_name(i), outcomes[i]);
    end(pool);
}
