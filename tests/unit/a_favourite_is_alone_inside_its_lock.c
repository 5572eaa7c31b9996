/*
 * A lock whose favour goes from thread to thread as often as can be: nobody is inside with another, and each finds what the last
 * one left. With one thread and with more than there can be favourites; with threads that end while they are the favourite, and
 * others that come in their place; in a process forked in the middle of it; and where membarrier is refused to who takes the
 * favour away.
 * Broken by: no barrier before the look whether the favourite is in, which is planted here and must be caught; a lock that
 * waits for a barrier that it cannot have.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#include "owner/lock.h"
#include "refuse.h"
#include "region/plant.h"

enum { TURNS = 200000, ROUNDS = 10000, ROUNDS_PLANTED = 5000000, THREADS_MOST = 12, LIVES = 20, TWO_INSIDE = 70 };

static struct lock lock;
static uint64_t entered;           /* changed inside */
static _Atomic uint32_t together;  /* how often somebody was not alone */
static _Alignas(64) _Atomic uintptr_t inside; /* who came in last; without an order of its own: it makes no barrier */
static _Atomic bool is_over;

struct hammer {
    uint32_t turns, row; /* so many in a row, then it makes way */
    bool gives_favours;
};

static void inside_once(const struct hammer *hammer)
{
    lock_enter(&lock);
    atomic_store_explicit(&inside, (uintptr_t)&lock_anchor, memory_order_relaxed);
    entered++;
    if (hammer->gives_favours)
        lock.wanted = 1; /* the next one in a row is the favourite */
    if (atomic_load_explicit(&inside, memory_order_relaxed) != (uintptr_t)&lock_anchor)
        atomic_fetch_add(&together, 1);
    lock_leave(&lock);
}

static void *hammer_on(void *argument)
{
    const struct hammer *hammer = argument;
    for (uint32_t turn = 0; turn < hammer->turns && !atomic_load_explicit(&is_over, memory_order_relaxed); turn++) {
        inside_once(hammer);
        if (turn % hammer->row != 0)
            continue;
        for (volatile uint32_t wait = turn % 128; wait != 0; wait--)
            ;
    }
    return NULL;
}

static void start_over(void)
{
    lock_reset(&lock);
    lock_allow_favours(&lock);
    entered = 0;
    atomic_store(&together, 0);
    atomic_store(&inside, 0);
    atomic_store(&is_over, false);
}

static void run_together(uint32_t count, struct hammer *hammer)
{
    pthread_t threads[THREADS_MOST];
    for (uint32_t i = 0; i < count; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, hammer_on, hammer), 0);
    for (uint32_t i = 0; i < count; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
}

static void check_alone(uint32_t threads)
{
    struct hammer hammer = {.turns = more_if_long(TURNS), .row = 50, .gives_favours = true};
    start_over();
    run_together(threads, &hammer);
    CHECK_EQ(atomic_load(&together), 0);
    CHECK_EQ(entered, (uint64_t)threads * hammer.turns);
}

/* As favourites as a rule: what they enter with was lent to threads that are gone. */
static void check_ends(void)
{
    struct hammer hammer = {.turns = 1000, .row = 1000, .gives_favours = true};
    start_over();
    for (uint32_t life = 0; life < LIVES; life++)
        run_together(1 + life % 3, &hammer);
    CHECK_EQ(atomic_load(&together), 0);
    CHECK_EQ(entered, (LIVES / 3 * 6 + 3) * (uint64_t)hammer.turns);
}

static void check_fork(void)
{
    struct hammer hammer = {.turns = UINT32_MAX, .row = 50, .gives_favours = true}, some = {.turns = 5000, .row = 50,
                            .gives_favours = true};
    pthread_t threads[2];
    start_over();
    for (uint32_t i = 0; i < COUNT(threads); i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, hammer_on, &hammer), 0);
    for (uint32_t fork_number = 0; fork_number < 20; fork_number++) {
        inside_once(&some);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) { /* whoever was inside is not here */
            start_over();
            hammer_on(&some);
            CHECK_EQ(entered, some.turns);
            _exit(0);
        }
        int status;
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 0);
    }
    atomic_store(&is_over, true);
    for (uint32_t i = 0; i < COUNT(threads); i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK_EQ(atomic_load(&together), 0);
}

static void *enter_without_barrier(void *hammer)
{
    refuse_system_call(SYS_membarrier);
    inside_once(hammer);
    return NULL;
}

static void check_refusal(void)
{
    struct hammer hammer = {.turns = 3, .row = 50, .gives_favours = true}, stranger = {.turns = 1, .row = 50};
    pthread_t thread;
    start_over();
    hammer_on(&hammer);
    bool had_favourite = atomic_load(&lock.favourite) != NULL; /* not where this kernel has no membarrier */
    CHECK_EQ(pthread_create(&thread, NULL, enter_without_barrier, &stranger), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(entered, 4);
    CHECK(!had_favourite || (atomic_load(&lock.favourite) == NULL && lock.wanted == 0));
}

static _Atomic uint32_t gates[2], strangers;
static uint64_t *far; /* memory that is in no cache: stores to it hold up those that follow */
enum { FAR_WORDS = 1 << 22 };

static void meet(uint32_t me, uint32_t round)
{
    atomic_store(&gates[me], round);
    for (uint32_t turn = 1; (int32_t)(atomic_load(&gates[1 - me]) - round) < 0; turn++)
        if (turn % 4096 == 0)
            sched_yield();
}

/* Takes the favour away just when the favourite enters. */
static void *come_by(void *rounds)
{
    for (uint32_t round = 0; round < 2 * *(const uint32_t *)rounds; round += 2) {
        meet(1, round + 1);
        for (volatile uint32_t wait = round % 64; wait != 0; wait--)
            ;
        lock_enter(&lock);
        atomic_fetch_add(&strangers, 1);
        lock_leave(&lock);
        meet(1, round + 2);
    }
    return NULL;
}

/* True: it was inside by favour, and so was somebody else. */
static bool enter_beside_a_stranger(void)
{
    uint32_t before = atomic_load_explicit(&strangers, memory_order_relaxed);
    for (volatile uint32_t wait = below(100); wait != 0; wait--)
        ;
    for (uint32_t i = 0; i < 16; i++)
        far[below(FAR_WORDS)] = before;
    if (!lock_try_favourite(&lock))
        return false;
    for (volatile uint32_t wait = 1000; wait != 0; wait--)
        ;
    bool is_alone = atomic_load(&strangers) == before && lock.by != NULL;
    if (is_alone)
        lock_leave(&lock);
    return !is_alone;
}

static bool is_ever_beside_a_stranger(uint32_t rounds)
{
    const struct hammer favourite = {.turns = 3, .row = 1000, .gives_favours = true};
    pthread_t thread;
    start_over();
    atomic_store(&gates[0], 0);
    atomic_store(&gates[1], 0);
    CHECK_EQ(pthread_create(&thread, NULL, come_by, &rounds), 0);
    for (uint32_t round = 0; round < 2 * rounds; round += 2) {
        if (planted_bug != PLANT_NONE && round % 1024 == 0)
            alarm(5);
        hammer_on((void *)(uintptr_t)&favourite);
        CHECK(atomic_load(&lock.favourite) != NULL);
        meet(0, round + 1);
        if (enter_beside_a_stranger()) {
            harness_note("round %u: two inside", round / 2);
            return true;
        }
        meet(0, round + 2);
    }
    pthread_join(thread, NULL);
    return false;
}

/* What two leave behind that were inside together is no lock any more, and they may wait for ever at the next one: so this
 * is a process of its own. */
static void check_planted(void)
{
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        planted_bug = PLANT_NO_BARRIER;
        _exit(is_ever_beside_a_stranger(ROUNDS_PLANTED) ? TWO_INSIDE : 0);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    bool is_stuck = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    harness_note("without the barrier: %s", is_stuck ? "nobody comes in any more" : "caught, or not");
    CHECK(is_stuck || (WIFEXITED(status) && WEXITSTATUS(status) == TWO_INSIDE));
}

void test(void)
{
    for (uint32_t threads = 1; threads <= THREADS_MOST; threads += threads < 3 ? 1 : 9)
        check_alone(threads);
    check_ends();
    check_fork();
    check_refusal();
    start_over();
    if (lock.wanted == 0)
        return; /* this kernel has no membarrier, and the lock no favourite */
    far = calloc(FAR_WORDS, sizeof *far);
    CHECK(far != NULL);
    CHECK(!is_ever_beside_a_stranger(more_if_long(ROUNDS)));
    if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
        check_planted();
    free(far);
}
