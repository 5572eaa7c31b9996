/*
 * In a stream of tiny tasks one is killed, at every moment of its life; the ones around it are never hit, and the verdict
 * agrees with how far the task itself says that it came.
 * Broken by: a kill that is decided by looking and carried out later, when the host already runs somebody else.
 */
#include "hits.h"
#include "tasks.h"

#include <sched.h>
#include <time.h>

enum { HUNTED = 1000, FROZEN = 200, LONG_FACTOR = 10, PATIENCE = 20, BATCH = 3000 };
enum { LENGTH_NS = 30000, DELAY_MOST_NS = 1000000 };

/* Outside of the pool: what the task itself says. */
struct story {
    word begun, returned;
    word held; /* until it is 0 again the task stays just behind its first line */
};

struct part {
    struct story *story;
    uint64_t length_ns;
};

static uint32_t random_state = 1;

static uint32_t below(uint32_t limit)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(random_state >> 8) * limit >> 24);
}

/* Offers the processor to the others all the time: on a busy machine they may have no other one. */
static void spin_for(uint64_t duration_ns)
{
    for (uint64_t end = mortal_now_ns() + duration_ns; mortal_now_ns() < end;)
        sched_yield();
}

static void spin_until(word *w, uint32_t value)
{
    while (atomic_load(w) != value)
        sched_yield();
}

static int spin(mortal_task *task, const void *input, size_t input_bytes)
{
    const struct part *part = input;
    (void)task, (void)input_bytes;
    atomic_fetch_add(&part->story->begun, 1);
    spin_until(&part->story->held, 0);
    if (part->length_ns != 0)
        spin_for(part->length_ns);
    atomic_fetch_add(&part->story->returned, 1);
    return 0;
}

static mortal_future submit_part(mortal_pool *pool, struct story *story, uint64_t length_ns, bool held)
{
    struct part part = {story, length_ns};
    atomic_store(&story->held, held);
    atomic_store(&story->begun, 0);
    atomic_store(&story->returned, 0);
    return submit(pool, spin, &part, sizeof part);
}

/* A task may be killed after its start was decided and before its own first line: then it says less than the verdict. */
static void check_story(const struct story *story, int outcome)
{
    CHECK(outcome == MORTAL_CANCELLED || outcome == MORTAL_DONE || outcome == MORTAL_KILLED);
    CHECK(atomic_load(&story->begun) <= 1);
    if (outcome == MORTAL_CANCELLED)
        CHECK_EQ(atomic_load(&story->begun), 0);
    if (outcome == MORTAL_DONE)
        CHECK_EQ(atomic_load(&story->returned), 1);
}

static void check_spared(mortal_future future, const struct story *story)
{
    CHECK_EQ(outcome_and_release(future), MORTAL_DONE);
    CHECK_EQ(atomic_load(&story->begun), 1);
    CHECK_EQ(atomic_load(&story->returned), 1);
}

static enum hit one_round(mortal_pool *pool, struct story *stories, uint64_t delay_ns)
{
    mortal_verdict verdict = {0};
    mortal_future before = submit_part(pool, &stories[0], LENGTH_NS, true);
    mortal_future victim = submit_part(pool, &stories[1], LENGTH_NS, false);
    mortal_future after = submit_part(pool, &stories[2], 0, false);
    spin_until(&stories[0].begun, 1);
    atomic_store(&stories[0].held, 0);
    spin_for(delay_ns);
    int phase = look_at(victim).phase;
    CHECK_OK(mortal_future_kill(victim, 0, MORTAL_FOREVER, &verdict));
    bool had_returned = atomic_load(&stories[1].returned) != 0;
    check_story(&stories[1], verdict.outcome);
    check_spared(before, &stories[0]);
    check_spared(after, &stories[2]);
    CHECK_EQ(atomic_load(&stories[1].returned), had_returned); /* nothing of it goes on */
    CHECK_OK(mortal_future_release(victim));
    return hit_of(phase, verdict.outcome, had_returned);
}

/* A little later if it was early, a little earlier if it was late. Where the worker has no processor to run on the moment is
 * lost, and looked for from the start. */
static uint64_t next_delay(uint64_t delay_ns, bool was_early, uint64_t most_ns)
{
    uint64_t step_ns = 1u << below(14);
    if (!was_early)
        return delay_ns > step_ns ? delay_ns - step_ns : 0;
    return delay_ns + step_ns > most_ns ? 0 : delay_ns + step_ns;
}

/* Hunts for the instant at which the victim begins, or for the one at which it ends: a kill that met it before comes a
 * little later the next time, one that came after it a little earlier. */
static void hunt(mortal_pool *pool, struct story *stories, bool its_end, unsigned rounds, struct hits *all)
{
    struct hits hits = {{0}};
    unsigned meant = its_end ? 1u << HIT_RUNNING | 1u << HIT_FINISHED : 1u << HIT_PENDING | 1u << HIT_RUNNING;
    uint64_t delay_ns = 0;
    for (unsigned round = 0; round < rounds || (!hits_cover(&hits, meant) && round < rounds * PATIENCE); round++) {
        enum hit hit = one_round(pool, stories, delay_ns);
        bool was_early = hit <= (its_end ? HIT_RETURNED : HIT_CLAIMED);
        hits.of[hit]++;
        delay_ns = next_delay(delay_ns, was_early, DELAY_MOST_NS);
    }
    hits_check(its_end ? "kills about the end" : "kills about the begin", &hits, meant);
    hits_add(all, &hits);
}

/* Every thread of the process is stopped: what it did so far stays as it is. */
static bool is_stopped(pid_t pid)
{
    char path[64], who[400];
    bool all = true;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *dir = opendir(path);
    CHECK(dir != NULL);
    for (struct dirent *entry; all && (entry = readdir(dir));) {
        snprintf(who, sizeof who, "%d/task/%s", (int)pid, entry->d_name);
        all = entry->d_name[0] == '.' || state_of(who) == 'T';
    }
    closedir(dir);
    return all;
}

/* Which of them is the worker about, if any: else the first that waits, else the last that ended. */
static unsigned choose(const mortal_future *futures, int *phase)
{
    unsigned waits = BATCH;
    for (unsigned i = 0; i < BATCH; i++) {
        *phase = look_at(futures[i]).phase;
        if (*phase == MORTAL_RUNNING)
            return i;
        if (*phase == MORTAL_PENDING && waits == BATCH)
            waits = i;
    }
    *phase = waits < BATCH ? MORTAL_PENDING : MORTAL_ENDED;
    return waits < BATCH ? waits : BATCH - 1;
}

/* Asleep and not awake: the clock's interrupt then falls into the stream wherever it is, also where the worker has to
 * share a processor with this process. */
static void rest_for(uint64_t duration_ns)
{
    struct timespec rest = {.tv_nsec = (long)duration_ns};
    (void)nanosleep(&rest, NULL);
}

/* The host is stopped in the middle of the stream, so that it is known where it was when the kill decided. */
static enum hit one_frozen(mortal_pool *pool, struct story *stories, pid_t *host, uint64_t *delay_ns)
{
    mortal_future futures[BATCH];
    mortal_verdict verdict = {0};
    uint64_t kills = stats_of(pool).host_kills;
    int phase;
    for (unsigned i = 0; i < BATCH; i++)
        futures[i] = submit_part(pool, &stories[i], 0, i == 0);
    spin_until(&stories[0].begun, 1);
    atomic_store(&stories[0].held, 0);
    rest_for(*delay_ns);
    CHECK_OK(kill(*host, SIGSTOP));
    POLL_UNTIL(is_stopped(*host));
    unsigned victim = choose(futures, &phase);
    *delay_ns = next_delay(*delay_ns, phase != MORTAL_ENDED && victim < BATCH / 2, DELAY_MOST_NS);
    bool had_begun = atomic_load(&stories[victim].begun) != 0, had_returned = atomic_load(&stories[victim].returned) != 0;
    CHECK_OK(mortal_future_kill(futures[victim], 0, MORTAL_FOREVER, &verdict));
    check_story(&stories[victim], verdict.outcome);
    CHECK_EQ(atomic_load(&stories[victim].begun), had_begun);
    CHECK_EQ(atomic_load(&stories[victim].returned), had_returned);
    if (phase == MORTAL_PENDING)
        CHECK_EQ(verdict.outcome, MORTAL_CANCELLED);
    else if (phase == MORTAL_ENDED)
        CHECK_EQ(verdict.outcome, MORTAL_DONE);
    else if (had_begun)
        CHECK_EQ(verdict.outcome, MORTAL_KILLED);
    else
        CHECK(verdict.outcome == MORTAL_KILLED || verdict.outcome == MORTAL_CANCELLED);
    CHECK_EQ(stats_of(pool).host_kills, kills + (phase == MORTAL_RUNNING));
    if (phase != MORTAL_RUNNING)
        CHECK_OK(kill(*host, SIGCONT));
    for (unsigned i = 0; i < BATCH; i++)
        if (i != victim)
            check_spared(futures[i], &stories[i]);
    CHECK_OK(mortal_future_release(futures[victim]));
    *host = phase == MORTAL_RUNNING ? 0 : *host;
    return hit_of(phase, verdict.outcome, had_returned);
}

static void freeze(mortal_pool *pool, struct story *stories, struct gate *gate, unsigned rounds, struct hits *all)
{
    struct hits hits = {{0}};
    unsigned meant = 1u << HIT_PENDING | 1u << HIT_CLAIMED | 1u << HIT_RUNNING | 1u << HIT_RETURNED | 1u << HIT_ENDED;
    pid_t host = 0;
    uint64_t delay_ns = 0;
    for (unsigned round = 0; round < rounds || (!hits_cover(&hits, meant) && round < rounds * PATIENCE); round++) {
        if (host == 0)
            host = host_when_idle(pool, gate);
        hits.of[one_frozen(pool, stories, &host, &delay_ns)]++;
    }
    hits_check("kills of what stands still", &hits, meant);
    hits_add(all, &hits);
}

void test(void)
{
    struct story *stories = harness_shared(BATCH * sizeof *stories);
    struct gate *gate = gates_make(1);
    struct hits all = {{0}};
    unsigned factor = TEST_LONG ? LONG_FACTOR : 1;
    mortal_pool *pool = pool_with(1);
    hunt(pool, stories, false, HUNTED * factor, &all);
    hunt(pool, stories, true, HUNTED * factor, &all);
    freeze(pool, stories, gate, FROZEN * factor, &all);
    mortal_stats stats = stats_of(pool);
    CHECK_EQ(stats.ended[MORTAL_KILLED], all.of[HIT_RUNNING] + all.of[HIT_RETURNED]);
    CHECK_EQ(stats.ended[MORTAL_CANCELLED], all.of[HIT_PENDING] + all.of[HIT_CLAIMED]);
    CHECK(stats.host_kills >= stats.ended[MORTAL_KILLED]);
    CHECK(stats.host_kills <= stats.ended[MORTAL_KILLED] + all.of[HIT_CLAIMED]);
    drain(pool);
}
