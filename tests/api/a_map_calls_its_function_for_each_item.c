/*
 * A map calls its function once for each item, whatever their number and wherever they lie, and tells how each ended; a
 * second call goes on where a first one ended. Kills, crashes and deadlines take along the items in hand and no other.
 * Broken by: a block that two runners own, one that nobody takes again, an item that is begun twice or never.
 */
#include "tasks.h"

#include <pthread.h>

enum { MANY = 100000, SOME = 3000 };

static _Atomic unsigned char *calls; /* by item */
static word *steps;
static mortal_pool *the_pool;

static int square(mortal_task *task, const void *item, void *result)
{
    uint32_t number = *(const uint32_t *)item;
    (void)task;
    atomic_fetch_add(&calls[number], 1);
    *(uint64_t *)result = (uint64_t)number * number;
    return number % 7 == 3;
}

static int note(mortal_task *task, const void *item, void *result)
{
    uint64_t number = *(const uint64_t *)item;
    (void)task;
    CHECK(result == NULL);
    atomic_fetch_add(&calls[number], 1);
    return 0;
}

static void calls_are(unsigned from, unsigned to, unsigned each)
{
    for (unsigned i = from; i < to; i++)
        CHECK_EQ(atomic_load(&calls[i]), each);
}

static void check_squares(mortal_pool *pool, uint32_t *items, uint64_t *results, unsigned count)
{
    uint8_t *outcomes = calloc(count + 1, 1);
    size_t   done = 99, expected = 0;
    memset((void *)calls, 0, MANY);
    for (unsigned i = 0; i < count; i++)
        items[i] = i;
    CHECK_OK(mortal_pool_map(pool, square, items, sizeof *items, results, sizeof *results, count, NULL, outcomes, &done));
    for (unsigned i = 0; i < count; i++) {
        CHECK_EQ(outcomes[i], i % 7 == 3 ? MORTAL_FAILED : MORTAL_DONE);
        CHECK_EQ(results[i], (uint64_t)i * i);
        expected += i % 7 != 3;
    }
    CHECK_EQ(done, expected);
    calls_are(0, count, 1);
    CHECK_EQ(outcomes[count], 0);
    free(outcomes);
}

static void anywhere(mortal_pool *pool)
{
    static const unsigned counts[] = {0, 1, 2, 511, 513, SOME, MANY};
    uint32_t *items = calloc(MANY, sizeof *items);
    uint64_t *results = calloc(MANY, sizeof *results);
    for (unsigned i = 0; i < COUNT(counts); i++)
        check_squares(pool, items, results, counts[i]);
    free(items);
    free(results);
    mortal_buffer given, shared;
    void         *given_at, *shared_at;
    CHECK_OK(mortal_buffer_open(&given, pool, MANY * sizeof(uint32_t), MORTAL_BUFFER_GIVEN));
    CHECK_OK(mortal_buffer_open(&shared, pool, MANY * sizeof(uint64_t), 0));
    CHECK_OK(mortal_buffer_view(given, &given_at, NULL));
    CHECK_OK(mortal_buffer_view(shared, &shared_at, NULL));
    for (unsigned i = 0; i < COUNT(counts); i++)
        check_squares(pool, given_at, shared_at, counts[i]);
    CHECK_OK(mortal_buffer_close(given));
    CHECK_OK(mortal_buffer_close(shared));
}

static void goes_on(mortal_pool *pool)
{
    static uint8_t outcomes[SOME];
    size_t done;
    memset((void *)calls, 0, MANY);
    for (unsigned i = 0; i < SOME; i += 3)
        outcomes[i] = i % 2 ? MORTAL_DONE : MORTAL_KILLED;
    CHECK_OK(mortal_pool_map(pool, note, NULL, 0, NULL, 0, SOME, NULL, outcomes, &done));
    for (unsigned i = 0; i < SOME; i++) {
        CHECK_EQ(atomic_load(&calls[i]), i % 3 != 0);
        CHECK_EQ(outcomes[i], i % 3 ? MORTAL_DONE : i % 2 ? MORTAL_DONE : MORTAL_KILLED);
    }
}

static int trouble(mortal_task *task, const void *item, void *result)
{
    uint64_t number = *(const uint64_t *)item;
    (void)task, (void)result;
    atomic_fetch_add(&calls[number], 1);
    if (number % 100 == 17)
        raise(SIGSEGV);
    if (number % 100 == 50)
        compute_for_ever();
    return 0;
}

static void deaths(mortal_pool *pool, unsigned attempts)
{
    static uint8_t      outcomes[200];
    mortal_task_options options = {.size = sizeof options, .deadline_ns = MS(500), .attempts = attempts};
    size_t              done;
    memset((void *)calls, 0, MANY);
    memset(outcomes, 0, sizeof outcomes);
    CHECK_OK(mortal_pool_map(pool, trouble, NULL, 0, NULL, 0, COUNT(outcomes), &options, outcomes, &done));
    for (unsigned i = 0; i < COUNT(outcomes); i++) {
        bool crashes = i % 100 == 17, hangs = i % 100 == 50;
        int  crashed = attempts > 1 ? MORTAL_QUARANTINED : MORTAL_CRASHED;
        /* An item that a deadline finds in place of the late one before it, on a loaded machine, is collateral. */
        if (outcomes[i] == MORTAL_COLLATERAL && !crashes && !hangs)
            continue;
        CHECK_EQ(outcomes[i], crashes ? crashed : hangs ? MORTAL_TIMED_OUT : MORTAL_DONE);
        CHECK(atomic_load(&calls[i]) >= 1 && atomic_load(&calls[i]) <= (attempts > 1 ? 255u : 1u));
        if (crashes)
            CHECK_EQ(atomic_load(&calls[i]), attempts);
    }
}

static int hold(mortal_task *task, const void *item, void *result)
{
    uint64_t number = *(const uint64_t *)item;
    (void)task, (void)result;
    atomic_fetch_add(&calls[number], 1);
    if (number < 2) {
        word_add(&steps[0], 1);
        compute_for_ever();
    }
    return 0;
}

static void *kill_when_held(void *scope)
{
    word_await(&steps[0], 2);
    mortal_kill_report report;
    CHECK_OK(mortal_pool_kill(the_pool, *(int *)scope, 0, LIMIT, &report));
    CHECK_EQ(report.killed, (*(int *)scope & MORTAL_RUNNING) ? 2 : 0);
    return NULL;
}

static void kills(mortal_pool *pool, int scope)
{
    static uint8_t outcomes[100];
    pthread_t      killer;
    size_t         done;
    memset(outcomes, 0, sizeof outcomes);
    memset((void *)calls, 0, MANY);
    word_set(&steps[0], 0);
    the_pool = pool;
    CHECK_EQ(pthread_create(&killer, NULL, kill_when_held, &scope), 0);
    int error = mortal_pool_map(pool, hold, NULL, 0, NULL, 0, COUNT(outcomes), NULL, outcomes, &done);
    CHECK_EQ(pthread_join(killer, NULL), 0);
    CHECK_EQ(error, (scope & MORTAL_PENDING) ? -ECANCELED : 0);
    CHECK_EQ(outcomes[0], MORTAL_KILLED);
    CHECK_EQ(outcomes[1], MORTAL_KILLED);
    for (unsigned i = 2; i < COUNT(outcomes); i++) {
        CHECK_EQ(outcomes[i], (scope & MORTAL_PENDING) ? MORTAL_CANCELLED : MORTAL_DONE);
        CHECK_EQ(atomic_load(&calls[i]), (scope & MORTAL_PENDING) ? 0 : 1);
    }
    check_pool_works(pool);
}

void test(void)
{
    calls = harness_shared(MANY);
    steps = harness_shared(sizeof *steps);
    mortal_pool *pool = pool_with(2);
    anywhere(pool);
    goes_on(pool);
    deaths(pool, 1);
    deaths(pool, 3);
    kills(pool, MORTAL_RUNNING);
    kills(pool, MORTAL_UNENDED);
    CHECK_EQ(stats_of(pool).buffers, 0);
    CHECK_EQ(stats_of(pool).held, 0);
    end(pool);
}
