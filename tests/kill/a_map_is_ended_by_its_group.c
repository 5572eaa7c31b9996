/*
 * The group in a map's options ends the map, or its items in hand, from another thread, and spares the other maps and
 * tasks of the pool; each item has its outcome all the same. A kill of what is pending stops a map between two items also
 * if nothing of it is pending.
 * Broken by: a kill that the map does not hear of, one that meets another map, an outcome told of an item that never began.
 */
#include "tasks.h"

#include <pthread.h>

enum { ITEMS = 5000, HELD = 2 };

static word *steps, *calls;
static mortal_pool *the_pool;

static int hold(mortal_task *task, const void *item, void *result)
{
    uint64_t number = *(const uint64_t *)item;
    (void)task, (void)result;
    word_add(&calls[number], 1);
    if (number % 2500 == 0 && number / 2500 < HELD) {
        word_add(&steps[0], 1);
        word_await(&steps[1], 1);
    }
    return 0;
}

struct mapping {
    mortal_group *group;
    int           error;
    size_t        done;
    uint8_t       outcomes[ITEMS];
};

static void *map_it(void *context)
{
    struct mapping     *m = context;
    mortal_task_options options = {.size = sizeof options, .group = m->group};
    m->error = mortal_pool_map(the_pool, hold, NULL, 0, NULL, 0, ITEMS, &options, m->outcomes, &m->done);
    return NULL;
}

static unsigned count(const struct mapping *m, int outcome)
{
    unsigned found = 0;
    for (unsigned i = 0; i < ITEMS; i++)
        found += m->outcomes[i] == outcome;
    return found;
}

static void *until_stopped(void *context)
{
    (void)context;
    POLL_UNTIL(stats_of(the_pool).running == HELD);
    return NULL;
}

static void ends(int scope, bool by_group, bool closes_first)
{
    static struct mapping m;
    pthread_t          thread;
    mortal_kill_report report;
    m = (struct mapping){0};
    memset((void *)calls, 0, ITEMS * sizeof *calls);
    word_set(&steps[0], 0);
    word_set(&steps[1], 0);
    CHECK_OK(mortal_group_open(&m.group, the_pool));
    CHECK_EQ(pthread_create(&thread, NULL, map_it, &m), 0);
    word_await(&steps[0], HELD);
    until_stopped(NULL);
    if (closes_first) { /* then it is a group no more, and the map goes on */
        CHECK_OK(mortal_group_close(m.group));
        word_set(&steps[1], 1);
    } else if (by_group) {
        CHECK_OK(mortal_group_kill(m.group, scope, 0, LIMIT, &report));
    } else {
        mortal_pool_kill_now(the_pool, scope);
    }
    if (scope == MORTAL_PENDING) /* who was at an item goes on to its end */
        word_set(&steps[1], 1);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    unsigned killed = closes_first || (scope & MORTAL_RUNNING) == 0 ? 0 : HELD;
    bool     cancels = !closes_first && (scope & MORTAL_PENDING) != 0;
    CHECK_EQ(m.error, cancels ? -ECANCELED : 0);
    CHECK_EQ(count(&m, MORTAL_KILLED), killed);
    CHECK_EQ(count(&m, MORTAL_DONE), m.done);
    CHECK_EQ(count(&m, MORTAL_CANCELLED), cancels ? ITEMS - m.done - killed : 0);
    CHECK_EQ(count(&m, 0), 0);
    for (unsigned i = 0; i < ITEMS; i++)
        CHECK_EQ(atomic_load(&calls[i]), m.outcomes[i] != MORTAL_CANCELLED);
    if (!closes_first) {
        mortal_verdict verdict;
        CHECK_ERR(mortal_group_next(m.group, 0, &verdict), -ENOENT); /* nothing of a map arrives there */
        CHECK_OK(mortal_group_close(m.group));
    }
}

static void *map_short(void *outcomes)
{
    size_t done;
    CHECK_OK(mortal_pool_map(the_pool, hold, NULL, 0, NULL, 0, ITEMS, NULL, outcomes, &done));
    return NULL;
}

/* A group's kill is for its own. */
static void spares(void)
{
    static uint8_t outcomes[ITEMS];
    pthread_t      thread;
    mortal_group  *group;
    word_set(&steps[0], 0);
    word_set(&steps[1], 0);
    CHECK_OK(mortal_group_open(&group, the_pool));
    CHECK_EQ(pthread_create(&thread, NULL, map_short, outcomes), 0);
    word_await(&steps[0], HELD);
    CHECK_OK(mortal_group_kill(group, MORTAL_UNENDED, 0, LIMIT, NULL));
    word_set(&steps[1], 1);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    for (unsigned i = 0; i < ITEMS; i++)
        CHECK_EQ(outcomes[i], MORTAL_DONE);
    CHECK_OK(mortal_group_close(group));
}

void test(void)
{
    calls = harness_shared(ITEMS * sizeof *calls);
    steps = harness_shared(2 * sizeof *steps);
    the_pool = pool_with(HELD);
    ends(MORTAL_UNENDED, true, false);
    ends(MORTAL_RUNNING, true, false);
    ends(MORTAL_PENDING, true, false);
    ends(MORTAL_UNENDED, true, true);
    ends(MORTAL_UNENDED, false, false);
    ends(MORTAL_PENDING, false, false);
    spares();
    check_pool_works(the_pool);
    CHECK_EQ(stats_of(the_pool).buffers, 0);
    CHECK_EQ(stats_of(the_pool).held, 0);
    end(the_pool);
}
