/*
 * A future can be released while its task is pending, running or ended; the task itself is not touched.
 * Broken by: a released task that does not run, a future that answers after release, a record that is never given
 * back.
 */
#include "tasks.h"

enum { ROUNDS = 3000, HELD = 64 };

static void check_stale(mortal_future future)
{
    mortal_look look;
    CHECK_ERR(mortal_future_release(future), -ESTALE);
    CHECK_ERR(mortal_future_wait(future, 0, NULL), -ESTALE);
    CHECK_ERR(mortal_future_take(future, 0, NULL, NULL, 0), -ESTALE);
    CHECK_ERR(mortal_future_look(future, &look), -ESTALE);
    CHECK_ERR(mortal_future_cancel(future), -ESTALE);
    CHECK_ERR(mortal_future_kill(future, 0, 0, NULL), -ESTALE);
}

static void in_each_phase(mortal_pool *pool, struct gate *gate, word *count)
{
    mortal_future running = submit_at(pool, task_held, gate), pending = submit_at(pool, task_count, count);
    word_await(&gate->arrived, 1);
    CHECK_OK(mortal_future_release(running));
    CHECK_OK(mortal_future_release(pending));
    check_stale(running);
    check_stale(pending);
    gate_open(gate);
    word_await(&gate->passed, 1);
    word_await(count, 1);

    mortal_future ended = submit(pool, task_echo, "bytes", 6);
    wait_for(ended);
    CHECK_OK(mortal_future_release(ended));
    check_stale(ended);
    POLL_UNTIL(stats_of(pool).held == 0);
}

/* Far more tasks than may be held at once: what is released is given back, results included. */
static void again_and_again(mortal_pool *pool)
{
    static unsigned char bytes[100 * 1024];
    for (unsigned i = 0; i < ROUNDS; i++) {
        mortal_future future;
        int error;
        POLL_UNTIL((error = mortal_pool_submit(pool, task_echo, bytes, sizeof bytes, NULL, &future)) != -ENOBUFS);
        CHECK_OK(error);
        if (i % 3 == 0)
            CHECK_EQ(outcome_of(future), MORTAL_DONE);
        CHECK_OK(mortal_future_release(future));
    }
}

void test(void)
{
    struct gate *gate = gates_make(1);
    word *count = harness_shared(sizeof *count);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .held_tasks = HELD, .queue_tasks = HELD / 2,
                                                        .inputs_bytes = 4 << 20, .results_bytes = 4 << 20});
    in_each_phase(pool, gate, count);
    again_and_again(pool);
    drain(pool);
}
