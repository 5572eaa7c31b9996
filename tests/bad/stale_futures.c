/*
 * Futures that were released, changed in any bit, or made up are refused by every call, also after their pool is
 * closed and another one is open.
 * Broken by: a field of the future that nobody compares, or an index that nobody bounds.
 */
#include "tasks.h"

enum { MADE_UP = 20000 };

static bool refused(int error)
{
    return error == -ESTALE || error == -EINVAL;
}

static void check_refused(mortal_future future)
{
    mortal_verdict verdict;
    mortal_look look;
    CHECK(refused(mortal_future_look(future, &look)));
    CHECK(refused(mortal_future_wait(future, 0, &verdict)));
    CHECK(refused(mortal_future_take(future, 0, &verdict, NULL, 0)));
    CHECK(refused(mortal_future_cancel(future)));
    CHECK(refused(mortal_future_kill(future, 0, MORTAL_FOREVER, &verdict)));
    CHECK(refused(mortal_future_release(future)));
}

static void every_bit_counts(mortal_future good)
{
    for (unsigned bit = 0; bit < 64; bit++) {
        mortal_future place = good, life = good;
        place.place ^= (uint64_t)1 << bit;
        life.life ^= (uint64_t)1 << bit;
        check_refused(place);
        check_refused(life);
    }
}

static void made_up(void)
{
    uint64_t random = 88172645463325252u;
    for (unsigned i = 0; i < MADE_UP; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        mortal_future future = {random, random * 0x9e3779b97f4a7c15u};
        check_refused(future);
        future = (mortal_future){random % 4096, i % 64};
        check_refused(future);
    }
    check_refused((mortal_future){UINT64_MAX, UINT64_MAX});
    CHECK_ERR(mortal_future_wait((mortal_future){0, 0}, 0, NULL), -EINVAL);
}

void test(void)
{
    struct gate *gate = gates_make(1);
    made_up();
    mortal_pool *pool = pool_with(1);
    mortal_future old = submit(pool, task_nothing, NULL, 0);
    CHECK_EQ(outcome_and_release(old), MORTAL_DONE);
    for (unsigned i = 0; i < 10; i++) {
        CHECK_ERR(mortal_future_wait(old, 0, NULL), -ESTALE);
        CHECK_EQ(outcome_and_release(submit(pool, task_nothing, NULL, 0)), MORTAL_DONE);
    }

    mortal_future good = submit_at(pool, task_held, gate);
    word_await(&gate->arrived, 1);
    every_bit_counts(good);
    CHECK_EQ(look_at(good).phase, MORTAL_RUNNING);
    gate_open(gate);
    CHECK_EQ(outcome_of(good), MORTAL_DONE);
    every_bit_counts(good);

    drain(pool);
    CHECK_ERR(mortal_future_wait(good, 0, NULL), -ESTALE);
    pool = pool_with(1);
    mortal_future fresh = submit(pool, task_nothing, NULL, 0);
    CHECK_ERR(mortal_future_wait(good, 0, NULL), -ESTALE);
    check_refused(old);
    CHECK_EQ(outcome_of(fresh), MORTAL_DONE);
    drain(pool);
}
