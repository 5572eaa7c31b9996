/*
 * Each host that a call killed is counted once, with the time from that call to its certain death; each that a deadline
 * ended too, apart from those, from when it was due. A host that ends by itself is in neither.
 * Broken by: a kill by another way that is not counted, a clock that starts
 * when the supervisor gets round to it, or at the submit.
 */
#include "tasks.h"

enum { EACH = 8 };

static mortal_latency latency_of(mortal_pool *pool, int of)
{
    mortal_latency latency;
    CHECK_OK(mortal_pool_latency(pool, of, &latency));
    uint64_t count = 0, least = 0, most = 0;
    for (int i = 0; i < MORTAL_LATENCY_BUCKETS; i++) {
        CHECK(latency.bound_ns[i] > (i ? latency.bound_ns[i - 1] : 0));
        count += latency.counts[i];
        least += latency.counts[i] * (i ? latency.bound_ns[i - 1] : 0);
        most = latency.counts[i] ? latency.bound_ns[i] : most;
    }
    CHECK_EQ(latency.bound_ns[MORTAL_LATENCY_BUCKETS - 1], MORTAL_FOREVER);
    CHECK_EQ(latency.count, count);
    CHECK(latency.sum_ns >= least && latency.sum_ns <= count * latency.max_ns);
    CHECK(latency.max_ns <= most);
    CHECK(latency.median_ns <= latency.p99_ns && latency.p99_ns <= latency.max_ns);
    CHECK((latency.median_ns != 0) == (count != 0));
    return latency;
}

static mortal_future start(mortal_pool *pool, struct gate *gate)
{
    mortal_future future = submit_at(pool, task_endless, gate);
    word_await(&gate->arrived, 1);
    return future;
}

/* What is known of a kill from outside: it was dead when the call had returned, and not before the call was made. */
static uint64_t kill_one_by_one(mortal_pool *pool, struct gate *gates)
{
    uint64_t took = 0;
    for (int i = 0; i < EACH; i++) {
        mortal_future future = start(pool, &gates[i]);
        uint64_t before = mortal_now_ns();
        CHECK_OK(mortal_future_kill(future, 0, MORTAL_FOREVER, NULL));
        took += mortal_now_ns() - before;
        CHECK_EQ(outcome_and_release(future), MORTAL_KILLED);
    }
    return took;
}

static uint64_t kill_by_pool(mortal_pool *pool, struct gate *gates)
{
    uint64_t took = 0;
    for (int i = 0; i < EACH; i++) {
        mortal_future future = start(pool, &gates[i]);
        mortal_kill_report report;
        CHECK_OK(mortal_pool_kill(pool, MORTAL_RUNNING, 0, MORTAL_FOREVER, &report));
        CHECK_EQ(report.killed, 1);
        took += report.took_ns;
        CHECK_EQ(outcome_and_release(future), MORTAL_KILLED);
    }
    return took;
}

/* One kill that only meant what waits comes first: the next one's time does not begin with it. */
static uint64_t kill_from_a_handler(mortal_pool *pool, struct gate *gates)
{
    mortal_pool_kill_now(pool, MORTAL_PENDING);
    uint64_t took = 0;
    for (int i = 0; i < EACH; i++) {
        mortal_future future = start(pool, &gates[i]);
        uint64_t before = mortal_now_ns();
        mortal_pool_kill_now(pool, MORTAL_RUNNING);
        CHECK_EQ(outcome_and_release(future), MORTAL_KILLED);
        took += mortal_now_ns() - before;
    }
    return took;
}

static void kills(mortal_pool *pool, struct gate *gates)
{
    uint64_t took = kill_one_by_one(pool, gates);
    took += kill_by_pool(pool, gates + EACH);
    took += kill_from_a_handler(pool, gates + 2 * EACH);
    mortal_latency latency = latency_of(pool, MORTAL_LATENCY_OF_KILLS);
    CHECK_EQ(latency.count, 3 * EACH);
    CHECK(latency.sum_ns <= took);
    CHECK_EQ(latency_of(pool, MORTAL_LATENCY_OF_DEADLINES).count, 0);
}

static void deadlines(mortal_pool *pool, struct gate *gates)
{
    uint64_t began = mortal_now_ns();
    for (int i = 0; i < EACH; i++) {
        struct gate *gate = &gates[i];
        mortal_task_options soon = {.deadline_ns = i % 2 ? MS(20) : 0, .within_ns = i % 2 ? 0 : MS(20)};
        mortal_future future = submit_like(pool, task_endless, &gate, sizeof gate, soon);
        mortal_verdict verdict = wait_for(future);
        CHECK(verdict.outcome == MORTAL_TIMED_OUT || verdict.outcome == MORTAL_EXPIRED);
        CHECK_OK(mortal_future_release(future));
    }
    uint64_t took = mortal_now_ns() - began;
    mortal_stats stats = stats_of(pool);
    mortal_latency latency = latency_of(pool, MORTAL_LATENCY_OF_DEADLINES);
    /* One that had been claimed and not begun when its time was over expires, and costs its host all the same. */
    CHECK(latency.count >= stats.ended[MORTAL_TIMED_OUT]);
    CHECK(latency.count <= stats.ended[MORTAL_TIMED_OUT] + stats.ended[MORTAL_EXPIRED]);
    CHECK(latency.sum_ns <= took - latency.count * MS(20)); /* the 20 ms are no part of it */
    CHECK_EQ(latency_of(pool, MORTAL_LATENCY_OF_KILLS).count, 3 * EACH);
}

/* By the one who asks, not by the supervisor, which here is stopped when it is asked: its sleep counts. */
static void they_count_from_the_request(mortal_pool *pool, struct gate *gates)
{
    for (int i = 0; i < 2; i++) {
        mortal_future future = start(pool, &gates[i]);
        CHECK_OK(kill(supervisor_of(pool), SIGSTOP));
        POLL_UNTIL(state_of_process(supervisor_of(pool)) == 'T');
        if (i == 0)
            CHECK_ERR(mortal_future_kill(future, 0, MS(30), NULL), -EINPROGRESS);
        else
            mortal_pool_kill_now(pool, MORTAL_RUNNING);
        CHECK_ERR(mortal_future_wait(future, MS(30), NULL), -ETIMEDOUT);
        uint64_t before = latency_of(pool, MORTAL_LATENCY_OF_KILLS).sum_ns;
        CHECK_OK(kill(supervisor_of(pool), SIGCONT));
        CHECK_EQ(outcome_and_release(future), MORTAL_KILLED);
        CHECK(latency_of(pool, MORTAL_LATENCY_OF_KILLS).sum_ns - before >= (i == 0 ? MS(60) : MS(30)));
    }
}

/* Two tasks of one host, and a kill for each. */
static void one_host_counts_once(struct gate *gates)
{
    mortal_pool_options shared = {.workers = 2, .workers_per_host = 2};
    mortal_pool *pool = pool_like(shared);
    mortal_future first = start(pool, &gates[0]), second = start(pool, &gates[1]);
    mortal_kill_report report;
    CHECK_OK(mortal_pool_kill(pool, MORTAL_UNENDED, 0, MORTAL_FOREVER, &report));
    CHECK_EQ(report.killed, 2);
    CHECK_EQ(latency_of(pool, MORTAL_LATENCY_OF_KILLS).count, 1);
    CHECK_EQ(outcome_and_release(first), MORTAL_KILLED);
    CHECK_EQ(outcome_and_release(second), MORTAL_KILLED);
    drain(pool);
}

static void bad_questions(mortal_pool *pool)
{
    mortal_latency latency;
    CHECK_ERR(mortal_pool_latency(pool, MORTAL_LATENCY_OF_KILLS, NULL), -EINVAL);
    CHECK_ERR(mortal_pool_latency(pool, 0, &latency), -EINVAL);
    CHECK_ERR(mortal_pool_latency(pool, MORTAL_LATENCY_OF_DEADLINES + 1, &latency), -EINVAL);
    CHECK_ERR(mortal_pool_latency(NULL, MORTAL_LATENCY_OF_KILLS, &latency), -EINVAL);
}

void test(void)
{
    struct gate *gates = gates_make(4 * EACH + 4);
    mortal_pool *pool = pool_with(1);
    bad_questions(pool);
    CHECK_EQ(outcome_and_release(submit(pool, task_crash, NULL, 0)), MORTAL_CRASHED);
    CHECK_EQ(latency_of(pool, MORTAL_LATENCY_OF_KILLS).count, 0);
    kills(pool, gates);
    deadlines(pool, gates + 3 * EACH);
    they_count_from_the_request(pool, gates + 4 * EACH);
    drain(pool);
    one_host_counts_once(gates + 4 * EACH + 2);
}
