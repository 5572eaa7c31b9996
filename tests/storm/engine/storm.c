/* storm.c - one pool in a storm, from its open to its close */
#include "storm.h"

#include <stdarg.h>
#include <sys/stat.h>
#include <time.h>

enum { PHASES = 3, SLACK_KB = 4096, FAULTS_TOLD = 5 };

/* AddressSanitizer keeps what was freed for a while, in whoever frees most. */
#ifdef __SANITIZE_ADDRESS__
#define OWN_SLACK_KB 300000
#else
#define OWN_SLACK_KB SLACK_KB
#endif

/* What may not grow from the first third to the last. */
struct use {
    unsigned descriptors, own_descriptors, children;
    long memory_kb, own_memory_kb, segments_kb;
};

uint64_t dice_mix(uint64_t value)
{
    value += 0x9e3779b97f4a7c15u;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
    value = (value ^ value >> 27) * 0x94d049bb133111ebu;
    return value ^ value >> 31;
}

struct dice dice_for(uint64_t seed, uint64_t who, uint64_t number)
{
    return (struct dice){dice_mix(dice_mix(seed + who) + number)};
}

uint32_t dice_below(struct dice *dice, uint32_t limit)
{
    dice->state = dice_mix(dice->state);
    return (uint32_t)((dice->state >> 32) * limit >> 32);
}

uint64_t storm_seed(void)
{
    const char *given = getenv("MORTAL_TEST_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : dice_mix(mortal_now_ns() + (uint64_t)getpid());
    harness_note("seed: MORTAL_TEST_SEED=0x%llx", (unsigned long long)seed);
    return seed;
}

void storm_rest(long duration_ns)
{
    const struct timespec rest = {.tv_nsec = duration_ns};
    if (duration_ns != 0)
        (void)nanosleep(&rest, NULL);
}

void storm_fault(struct storm *storm, const char *format, ...)
{
    char text[FAULT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    uint32_t before = atomic_fetch_add(&storm->wrong, 1);
    if (before == 0)
        memcpy(storm->first_fault, text, sizeof text);
    if (storm->shape->planted)
        atomic_store(&storm->gave_up, true);
    else if (before < FAULTS_TOLD)
        harness_note("wrong: %s", text);
}

/* Memory behind the segments that a process holds a descriptor of: nothing else of a pool is a memfd. */
static long segments_kb(pid_t pid)
{
    char path[64], name[400];
    long blocks = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *dir = opendir(path);
    CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char target[64] = "";
        struct stat status;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (readlink(name, target, sizeof target - 1) > 0 && strstr(target, "memfd:") != NULL && stat(name, &status) == 0)
            blocks += status.st_blocks;
    }
    closedir(dir);
    return blocks / 2;
}

/* When all hosts are there again, and everything that tasks had left is gone. */
static struct use measure(struct storm *storm)
{
    const struct storm_shape *shape = storm->shape;
    uint32_t hosts = shape->workers / shape->workers_per_host, standby = shape->standby;
    pid_t supervisor = supervisor_of(storm->pool), children[64];
    mortal_stats stats;
    do {
        harness_sleep_ms(1);
        stats = stats_of(storm->pool);
    } while (stats.hosts != hosts || stats.standby != standby || stats.dying != 0);
    POLL_UNTIL(killer_children(supervisor, children, COUNT(children)) == hosts + standby);
    return (struct use){
        descriptors_of(supervisor), descriptors_of(getpid()), hosts + standby, status_of(supervisor, "VmRSS:"),
        status_of(getpid(), "VmRSS:"), segments_kb(supervisor),
    };
}

static void check_flat(struct storm *storm, const struct use *first, const struct use *last)
{
    if (!storm->shape->planted)
        harness_note("supervisor %ld KiB, owner %ld KiB, segments %ld KiB; after a third %ld, %ld, %ld", last->memory_kb,
                     last->own_memory_kb, last->segments_kb, first->memory_kb, first->own_memory_kb, first->segments_kb);
    if (last->descriptors != first->descriptors || last->own_descriptors != first->own_descriptors)
        storm_fault(storm, "descriptors leak");
    if (last->memory_kb > first->memory_kb + SLACK_KB || last->own_memory_kb > first->own_memory_kb + OWN_SLACK_KB)
        storm_fault(storm, "memory grows");
    if (last->segments_kb > first->segments_kb + 2 * SLACK_KB)
        storm_fault(storm, "segments grow");
}

static mortal_pool *open_pool(const struct storm_shape *shape)
{
    return pool_like((mortal_pool_options){
        .workers = shape->workers, .workers_per_host = shape->workers_per_host,
        .standby = shape->standby == 0 ? MORTAL_NONE : shape->standby, .queue_tasks = shape->queue_tasks, .held_tasks = 64,
        .results_bytes = 1 << 20, .inputs_bytes = 1 << 20,
    });
}

static void blow(struct storm *storm, uint64_t kills)
{
    atomic_store(&storm->stop, false);
    atomic_store(&storm->producing, storm->shape->producers);
    for (unsigned i = 0; i < storm->shape->producers; i++)
        CHECK_OK(pthread_create(&storm->producers[i].thread, NULL, producer_run, &storm->producers[i]));
    killer_run(storm, kills);
    for (unsigned i = 0; i < storm->shape->producers; i++)
        CHECK_OK(pthread_join(storm->producers[i].thread, NULL));
}

static struct storm_result sum_up(struct storm *storm, const mortal_stats *stats)
{
    struct storm_result result = {.tasks = stats->submitted, .kills = killer_count(storm, stats),
                                  .wrong = atomic_load(&storm->wrong)};
    for (unsigned i = 0; i < storm->shape->producers; i++)
        hits_add(&result.hits, &storm->producers[i].hits);
    memcpy(result.first_fault, storm->first_fault, sizeof result.first_fault);
    return result;
}

struct storm_result storm_run(const struct storm_shape *shape, uint64_t seed, uint32_t kills)
{
    static struct scene *scene;
    static struct storm storm;
    struct use uses[PHASES] = {{0}};
    if (scene == NULL)
        scene = harness_shared(sizeof *scene);
    memset(scene, 0, sizeof *scene);
    memset(&storm, 0, sizeof storm);
    until_single_threaded();
    storm = (struct storm){.shape = shape, .seed = seed, .scene = scene, .pool = open_pool(shape)};
    killer_install(&storm);
    for (unsigned i = 0; i < shape->producers; i++)
        producer_open(&storm.producers[i], &storm, i);
    for (unsigned i = 0; i < PHASES && !atomic_load(&storm.gave_up); i++) {
        blow(&storm, (uint64_t)kills * (i + 1) / PHASES);
        if (!atomic_load(&storm.gave_up))
            uses[i] = measure(&storm);
    }
    killer_remove();
    mortal_stats stats = stats_of(storm.pool);
    if (!atomic_load(&storm.gave_up)) {
        judge_scene(&storm, &stats);
        check_flat(&storm, &uses[0], &uses[PHASES - 1]);
    }
    struct storm_result result = sum_up(&storm, &stats);
    CHECK_OK(mortal_pool_close(storm.pool, MORTAL_CLOSE_KILL, 0, NULL));
    return result;
}

void storm_over(const struct storm_shape *shapes, size_t count, uint32_t kills_each)
{
    struct storm_result all = {0};
    uint64_t seed = storm_seed();
    for (size_t i = 0; i < count; i++) {
        uint64_t began = mortal_now_ns();
        struct storm_result one = storm_run(&shapes[i], seed + i, kills_each);
        harness_note("%u workers, %u in a host, %u standby, %u producers: %llu tasks, %llu kills, %.2f ms each",
                     shapes[i].workers, shapes[i].workers_per_host, shapes[i].standby, shapes[i].producers,
                     (unsigned long long)one.tasks, (unsigned long long)one.kills,
                     (double)(mortal_now_ns() - began) / 1e6 / (double)(one.kills ? one.kills : 1));
        all.tasks += one.tasks;
        all.kills += one.kills;
        all.wrong += one.wrong;
        hits_add(&all.hits, &one.hits);
    }
    harness_sum("kills survived: %llu, wrong verdicts: %llu", (unsigned long long)all.kills, (unsigned long long)all.wrong);
    hits_check("kills that named their task,", &all.hits,
               1u << HIT_PENDING | 1u << HIT_RUNNING | 1u << HIT_FINISHED | 1u << HIT_ENDED);
    CHECK_EQ(all.wrong, 0);
    CHECK(all.kills >= (uint64_t)kills_each * count);
}
