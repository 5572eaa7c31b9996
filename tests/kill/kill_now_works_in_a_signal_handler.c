/*
 * kill_now may be called in a signal handler, whatever the interrupted thread was doing in the library; it hits only
 * what was submitted before.
 * Broken by: a lock taken in the handler, a kill that reaches tasks submitted after it, or one that is taken for the last one.
 */
#include "hits.h"
#include "tasks.h"

#include <sys/time.h>

enum { ROUNDS = 300, LENGTH_NS = 3000000 };

static mortal_pool *killed_by_signal;
static volatile sig_atomic_t kills;

static void kill_it(int signal)
{
    (void)signal;
    mortal_pool_kill_now(killed_by_signal, MORTAL_UNENDED);
    kills++;
}

static void what_was_there_is_hit(mortal_pool *pool, struct gate *gates)
{
    mortal_future running = submit_at(pool, task_endless, &gates[0]), pending = submit(pool, task_nothing, NULL, 0);
    word_await(&gates[0].arrived, 1);
    CHECK_OK(raise(SIGALRM));
    mortal_future later = submit_at(pool, task_held, &gates[1]);
    CHECK_EQ(outcome_and_release(running), MORTAL_KILLED);
    CHECK_EQ(outcome_and_release(pending), MORTAL_CANCELLED);
    word_await(&gates[1].arrived, 1);
    gate_open(&gates[1]);
    CHECK_EQ(outcome_and_release(later), MORTAL_DONE);
}

static void only_the_scope_is_hit(mortal_pool *pool, struct gate *gate)
{
    mortal_future running = submit_at(pool, task_held, gate), pending = submit(pool, task_nothing, NULL, 0);
    word_await(&gate->arrived, 1);
    mortal_pool_kill_now(NULL, MORTAL_UNENDED);
    mortal_pool_kill_now(pool, 0);
    mortal_pool_kill_now(pool, 77);
    mortal_pool_kill_now(pool, MORTAL_PENDING);
    CHECK_EQ(outcome_and_release(pending), MORTAL_CANCELLED);
    CHECK_EQ(look_at(running).phase, MORTAL_RUNNING);
    mortal_pool_kill_now(pool, MORTAL_RUNNING);
    CHECK_EQ(outcome_and_release(running), MORTAL_KILLED);
}

/* Nothing was submitted in between, and what waited at the first runs at the second. */
static void the_second_is_heard(mortal_pool *pool, struct gate *gates)
{
    mortal_future first = submit_at(pool, task_endless, &gates[0]), second = submit_at(pool, task_endless, &gates[1]);
    word_await(&gates[0].arrived, 1);
    mortal_pool_kill_now(pool, MORTAL_RUNNING);
    CHECK_EQ(outcome_and_release(first), MORTAL_KILLED);
    word_await(&gates[1].arrived, 1);
    mortal_pool_kill_now(pool, MORTAL_RUNNING);
    CHECK_EQ(outcome_and_release(second), MORTAL_KILLED);
}

static int crash_at_gate(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    gate_pass(*(struct gate *const *)input);
    abort();
}

/* Likewise, the other way round: what ran at the first waits again at the second, since an open breaker starts nothing. */
static void what_waits_again_is_hit(struct gate *gate)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .deaths = MORTAL_NONE});
    mortal_future future = submit_like(pool, crash_at_gate, &gate, sizeof gate, (mortal_task_options){.attempts = 2});
    mortal_future pending = submit(pool, task_nothing, NULL, 0);
    word_await(&gate->arrived, 1);
    mortal_pool_kill_now(pool, MORTAL_PENDING);
    CHECK_EQ(outcome_and_release(pending), MORTAL_CANCELLED);
    gate_open(gate);
    POLL_UNTIL(stats_of(pool).breaker == 1 && look_at(future).phase == MORTAL_PENDING);
    mortal_pool_kill_now(pool, MORTAL_PENDING);
    POLL_UNTIL(look_at(future).phase == MORTAL_ENDED);
    CHECK_EQ(outcome_and_release(future), MORTAL_CANCELLED);
    CHECK_OK(mortal_pool_close(pool, MORTAL_CLOSE_KILL, LIMIT, NULL));
}

static int take_a_while(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    for (uint64_t end = mortal_now_ns() + LENGTH_NS; mortal_now_ns() < end;)
        ;
    return 0;
}

static int retried(mortal_pool *pool, bool is_long, mortal_future *future)
{
    int error;
    while ((error = mortal_pool_submit(pool, is_long ? take_a_while : task_nothing, NULL, 0, NULL, future)) == -EINTR)
        ;
    return error;
}

static int wait_again(mortal_future future, mortal_verdict *verdict)
{
    int error;
    while ((error = mortal_future_wait(future, LIMIT, verdict)) == -EINTR)
        ;
    return error;
}

/* The handler falls into every place of submit, wait and release; one task is so long that kills find it, and others behind
 * it, also where the supervisor has to wait for a processor. */
static void while_the_thread_is_in_the_library(mortal_pool *pool)
{
    struct itimerval often = {{0, 700}, {0, 700}}, never = {{0, 0}, {0, 0}};
    mortal_future futures[8];
    mortal_verdict verdict;
    struct hits hits = {{0}};
    kills = 0;
    CHECK_OK(setitimer(ITIMER_REAL, &often, NULL));
    while (kills < ROUNDS) {
        for (unsigned i = 0; i < COUNT(futures); i++)
            CHECK_OK(retried(pool, i == 3, &futures[i]));
        for (unsigned i = 0; i < COUNT(futures); i++) {
            CHECK_OK(wait_again(futures[i], &verdict));
            int outcome = verdict.outcome;
            CHECK(outcome == MORTAL_DONE || outcome == MORTAL_CANCELLED || outcome == MORTAL_KILLED);
            hits.of[hit_of(MORTAL_PENDING, outcome, false)]++;
            CHECK_OK(mortal_future_release(futures[i]));
        }
    }
    CHECK_OK(setitimer(ITIMER_REAL, &never, NULL));
    hits_check("tasks that met kills,", &hits, 1u << HIT_PENDING | 1u << HIT_RUNNING | 1u << HIT_FINISHED);
}

void test(void)
{
    struct gate *gates = gates_make(6);
    struct sigaction action = {.sa_handler = kill_it}, before;
    mortal_pool *pool = killed_by_signal = pool_with(1);
    CHECK_OK(sigaction(SIGALRM, &action, &before));
    what_was_there_is_hit(pool, gates);
    only_the_scope_is_hit(pool, &gates[2]);
    the_second_is_heard(pool, &gates[3]);
    what_waits_again_is_hit(&gates[5]);
    while_the_thread_is_in_the_library(pool);
    CHECK_OK(sigaction(SIGALRM, &before, NULL));
    check_pool_works(pool);
    drain(pool);
}
